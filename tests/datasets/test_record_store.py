"""The record store: whole shards or none, fingerprints apart, masks to the bit."""

import json
from dataclasses import fields, is_dataclass, replace

import numpy as np
import pandas as pd
import pytest
from fakes import FakeClassifier, at_least, blank, blob
from pyarrow.parquet import ParquetFile

from mps_study.compute.parts import Part
from mps_study.datasets.records.columns import BULKY_COLUMNS, LATER, SMALL_COLUMNS
from mps_study.datasets.records.given_back import WHOLE, record_of
from mps_study.datasets.records.shards import TOGETHER
from mps_study.datasets.records.store import MpsRecords, RecordShard, unpack_landscape, unpack_mask
from mps_study.mps.config import SearchConfig
from mps_study.mps.search import extract_mps
from mps_study.mps.types import FAILED, FOUND, AtFloor, Certificate, Mps, MpsRecord, Target

ALL = (*SMALL_COLUMNS, *BULKY_COLUMNS)


def record(key, seed=0, shape=(13, 17)):
    """A found record with a random mask and landscape."""
    random = np.random.default_rng(seed)
    landscape = random.random(shape, dtype=np.float32)
    return MpsRecord(key, FOUND, "", Target(3, 0.9), random.random(shape) < 0.3, 0.4, 90, 95, landscape)


def shard(records, position=0, model="m", fingerprint="f", complete=False):
    """A shard with a view for each record."""
    views = {r.key: (0.0, 1.0, 20.0, 30.0) for r in records}
    return RecordShard(model, fingerprint, {"engine": 1}, position, records, views, complete=complete)


@pytest.fixture
def dataset(tmp_path):
    """An empty store."""
    return MpsRecords(str(tmp_path / "records"))


def test_masks_and_landscapes_come_back_to_the_bit(dataset):
    original = record("a")
    dataset.save(shard([original]))
    (row,) = dataset.load().read("m", "f", ALL).to_dict("records")
    assert np.array_equal(unpack_mask(row["mask"], row["height"], row["width"]), original.mask)
    assert np.array_equal(unpack_landscape(row["landscape"], 13, 17), original.landscape)
    assert (row["status"], row["target"], row["pixels"]) == (FOUND, 3, original.mask.sum())
    assert list(row["view"]) == [0.0, 1.0, 20.0, 30.0]


def test_a_landscape_keeps_what_is_large_and_what_is_small(dataset):
    """As additive responsibility, or a map that was given, may be."""
    wide = np.geomspace(1e-30, 1e30, 13 * 17, dtype=np.float32).reshape(13, 17)
    dataset.save(shard([replace(record("a"), landscape=wide)]))
    (row,) = dataset.load().read("m", "f", ["landscape"]).to_dict("records")
    assert np.array_equal(unpack_landscape(row["landscape"], 13, 17), wide)


def test_a_landscape_of_16_bits_from_an_old_store_stays_readable():
    old = record("a").landscape.astype(np.float16)
    assert np.array_equal(unpack_landscape(old.tobytes(), 13, 17), old.astype(np.float32))


def test_a_certificate_is_kept_with_its_record(dataset):
    proven = replace(record("a"), certificate=Certificate(granularity=4, floor=0.25, deletions=7))
    dataset.save(shard([proven, record("b")]))
    kept = dataset.load().read("m", "f").set_index("image")["certificate"]
    assert json.loads(kept["a"]) == {"granularity": 4, "floor": 0.25, "deletions": 7}
    assert kept.isna().to_dict() == {"a": False, "b": True}


def test_a_floor_says_whether_it_was_asked(dataset):
    floors = (AtFloor(0.5, 0.4, None), AtFloor(0.9, 0.8, None, asked=False))
    dataset.save(shard([replace(record("a"), floors=floors)]))
    stored = json.loads(dataset.load().read("m", "f")["floors"][0])
    assert [at.get("asked") for at in stored] == [None, False]


def equal(one, other):
    """Whether two records, or parts of them, are the same to the bit."""
    if isinstance(one, np.ndarray) or isinstance(other, np.ndarray):
        return one.dtype == other.dtype and np.array_equal(one, other, equal_nan=one.dtype.kind == "f")
    if isinstance(one, tuple):
        return len(one) == len(other) and all(map(equal, one, other))
    if is_dataclass(one):
        parts = ((getattr(one, part.name), getattr(other, part.name)) for part in fields(one))
        return type(one) is type(other) and all(equal(*pair) for pair in parts)
    return one == other or (one != one and other != other)


def searches():
    """Real records of every kind."""
    known = blob((13, 17), 2, 3, 5)
    rule = at_least(known, 12)
    for config in (
        SearchConfig("minimal", granularity=2, floors=[0.7, 0.999], several=2, overlap=0.5),
        SearchConfig("rex", iterations=2, floors=[0.7], several=2, curve_steps=5, keep_landscape=True),
        SearchConfig("rex", iterations=2, floors=[0.7, 0.9], curve_steps=5, budget=100),
        SearchConfig("contrastive", iterations=2, contrastive_threshold=0.0),
        SearchConfig("ddmin", granularity=2, anytime=True),
        SearchConfig("sag", threshold=0.0, edges="bilinear"),
        SearchConfig("rex", iterations=2, prune=True, prune_granularity=2, anytime=True, budget=80),
    ):
        yield from extract_mps([("image", blank((13, 17)))], FakeClassifier(rule), config)
    flat = SearchConfig("rex", iterations=2, keep_landscape=True, several=2)
    yield from extract_mps([("image", blank((13, 17)))], FakeClassifier(lambda _: 7), flat)
    yield from extract_mps([("image", blank((13, 17)))], FakeClassifier(lambda _: -1), flat)
    contrastive = SearchConfig("contrastive", iterations=2, keep_landscape=True)
    yield from extract_mps([("image", blank((13, 17)))], FakeClassifier(lambda _: 7), contrastive)


def test_the_store_gives_back_the_records_that_it_was_given(dataset):
    records = [replace(found, key=f"image {i}") for i, found in enumerate(searches())]
    assert {found.status for found in records} >= {"found", "baseline", "invalid", "unstable"}
    assert any(found.certificate for found in records) and any(found.further for found in records)
    assert any(at.mps and at.mps.certificate for found in records for at in found.floors)
    assert sum(found.anytime is not None for found in records) == 2
    assert sum(found.soft is not None for found in records) == 1
    assert any(found.contrast is not None for found in records) and any(found.curves for found in records)
    dataset.save(shard(records))
    by_image = dataset.load().by_image({"m": "f"})
    for found in records:
        assert equal(record_of(by_image.record(found.key, "m", WHOLE)), found), found.status


def test_another_class_and_floors_that_were_not_asked_come_back(dataset):
    floors = (AtFloor(0.5, 0.4, None), AtFloor(0.9, 0.8, None, asked=False))
    found = replace(record("a"), top=5, floors=floors)
    dataset.save(shard([found]))
    back = record_of(dataset.load().by_image({"m": "f"}).record("a", "m", WHOLE))
    assert equal(back, found) and (back.top, back.answer) == (5, 5)


def test_floors_of_a_store_that_kept_no_masks_of_them_are_left_out(dataset, tmp_path):
    found = replace(next(searches()), key="a")
    dataset.save(shard([found]))
    (stored,) = (tmp_path / "records/m/f").glob("*.parquet")
    pd.read_parquet(stored).drop(columns=["floor_masks"]).to_parquet(stored)
    back = record_of(dataset.load().by_image({"m": "f"}).record("a", "m", WHOLE))
    assert back.floors == () and equal(replace(back, floors=found.floors), found)


def test_single_records_are_those_of_the_whole_frame(dataset):
    for model in ("m", "n"):
        for position, names in ((0, "ab"), (2, "cd"), (3, "de")):  # "d" twice, as after a crash
            dataset.save(shard([record(name, seed=ord(name) + position) for name in names], position, model))
    store = dataset.load()
    by_image = store.by_image({"m": "f", "n": "f"})
    for model in ("m", "n"):
        for row in store.read(model, "f", ALL).to_dict("records"):
            found = by_image.record(row["image"], model, ALL)
            assert (found["mask"], found["landscape"], found["pixels"]) == (
                row["mask"],
                row["landscape"],
                row["pixels"],
            )
    assert by_image.record("z", "m", ALL) is None and by_image.record("a", "o", ALL) is None


def test_a_model_is_complete_only_once_its_marker_is_there(dataset):
    assert not dataset.exists()
    dataset.save(shard([record("a")]))
    assert not dataset.load().is_complete("m", "f")
    assert not dataset.exists()
    dataset.save(shard([record("b")], position=1, complete=True))
    assert dataset.load().is_complete("m", "f")
    assert dataset.exists()


def test_fingerprints_and_models_are_kept_apart(dataset):
    dataset.save(shard([record("a")]))
    dataset.save(shard([record("b")], fingerprint="g"))
    dataset.save(shard([record("c")], model="n"))
    store = dataset.load()
    assert store.images("m", "f") == {"a"}
    assert store.images("m", "g") == {"b"}
    assert store.images("n", "f") == {"c"}
    assert store.images("n", "g") == set()


def test_what_a_killed_run_left_half_written_is_swept_away(dataset, tmp_path):
    dataset.save(shard([record("a")]))
    leftover = tmp_path / "records/m/f/0000008.parquet123.partial"
    leftover.write_bytes(b"half")
    dataset.save(shard([record("b")], position=1))
    assert not leftover.exists()
    assert dataset.load().images("m", "f") == {"a", "b"}


def test_a_part_sweeps_what_is_its_own_and_leaves_what_another_is_writing(dataset, tmp_path):
    folder = tmp_path / "records/m/f"
    folder.mkdir(parents=True)
    names = ("0000005.parquet1.partial", "0000006.parquet2.partial", "complete.json3.partial")
    mine, another, marker = (folder / name for name in names)
    for path in (mine, another, marker):
        path.write_bytes(b"half")
    dataset.save(replace(shard([record("a")], position=2), part=Part(3, 3)))
    assert [path.exists() for path in (mine, another, marker)] == [False, True, True]
    dataset.save(shard([], complete=True))
    assert not another.exists() and not marker.exists()


def test_a_record_without_a_set_keeps_its_reason(dataset):
    failed = MpsRecord("x", FAILED, "truncated", Target(-1, float("nan")), None, float("nan"), 0, 0)
    dataset.save(shard([failed, record("a")]))
    frame = dataset.load().read("m", "f", ALL).set_index("image")
    assert frame.loc["x", "reason"] == "truncated"
    assert frame["mask"].isna().to_dict() == {"x": True, "a": False}


def test_a_shard_that_cannot_be_written_leaves_nothing_behind(dataset, tmp_path, monkeypatch):
    def full(*_, **__):
        raise OSError("No space left on device")

    monkeypatch.setattr("pandas.DataFrame.to_parquet", full)
    with pytest.raises(Exception, match="No space left"):
        dataset.save(shard([record("a")]))
    assert not list((tmp_path / "records").rglob("*.p*artial")) and dataset.load().images("m", "f") == set()


def test_only_the_columns_that_are_asked_for_are_read(dataset):
    dataset.save(shard([record("a"), record("b")]))
    store = dataset.load()
    assert list(store.read("m", "f", ["pixels", "image"]).columns) == ["pixels", "image"]
    assert set(store.by_image({"m": "f"}).record("a", "m", ("view", "pixels"))) == {"view", "pixels"}
    assert set(store.read("m", "f").columns).isdisjoint(BULKY_COLUMNS)
    assert list(store.read("m", "g", ["mask"]).columns) == ["mask"]


def test_records_of_a_large_shard_are_read_a_few_at_a_time(dataset, monkeypatch):
    names = [f"{i:02d}" for i in range(3 * TOGETHER + 1)]
    dataset.save(shard([record(name, seed=int(name)) for name in names]))
    by_image = dataset.load().by_image({"m": "f"})
    rows = rows_read(monkeypatch)
    for name in names:
        found = by_image.record(name, "m", ("mask", "height", "width"))
        assert np.array_equal(unpack_mask(found["mask"], 13, 17), record(name, seed=int(name)).mask)
    assert max(rows) <= TOGETHER and sum(rows) == len(names)


def test_what_no_record_has_is_known_without_reading(dataset, monkeypatch):
    bare = [replace(record(name), landscape=None) for name in "ab"]
    further = replace(record("c"), further=(Mps(np.ones((13, 17), bool), 0.5),))
    dataset.save(shard(bare))
    dataset.save(shard([further], position=2))
    by_image = dataset.load().by_image({"m": "f"})
    known = {(image, column): by_image.may_have(image, "m", column) for image in "ac" for column in BULKY_COLUMNS}
    assert {place for place, there in known.items() if there} == {
        ("a", "mask"), ("c", "mask"), ("c", "landscape"), ("c", "further_masks"),
    }  # fmt: skip
    assert not by_image.may_have("z", "m", "mask")


def rows_read(monkeypatch):
    """How many rows each reading of bulky columns brings into memory."""
    rows = []
    read = ParquetFile.read_row_group

    def counted(self, number, columns, **rest):
        table = read(self, number, columns, **rest)
        rows.extend([table.num_rows] if set(columns) & set(BULKY_COLUMNS) else [])
        return table

    monkeypatch.setattr(ParquetFile, "read_row_group", counted)
    return rows


def test_a_shard_from_before_a_column_came_stays_readable(dataset, tmp_path):
    dataset.save(shard([record("a")]))
    dataset.save(shard([record("b")], position=1, complete=True))
    old = tmp_path / "records/m/f/0000000.parquet"
    frame = pd.read_parquet(old)
    frame.drop(columns=list(LATER)).to_parquet(old)
    store = dataset.load()
    for columns in (None, ALL):
        read = store.read("m", "f", columns)
        assert list(read["image"]) == ["a", "b"]
        assert list(read["floors"]) == ["[]", "[]"] and read["certificate"].isna().all()
    assert read["mask"][0] == frame["mask"][0]
    assert len(store.by_image({"m": "f"}).record("a", "m", ("image", "further_masks"))["further_masks"]) == 0
    assert set(SMALL_COLUMNS) <= set(store.read("m", "f").columns)


def test_columns_that_came_later_are_read_alone_from_a_large_shard_of_before(dataset, tmp_path):
    dataset.save(shard([record(f"{i:02d}") for i in range(TOGETHER + 3)]))
    old = tmp_path / "records/m/f/0000000.parquet"
    pd.read_parquet(old).drop(columns=list(LATER)).to_parquet(old, row_group_size=TOGETHER)
    by_image = dataset.load().by_image({"m": "f"})
    assert [by_image.record(name, "m", ("floors",)) for name in ("00", "10")] == [{"floors": "[]"}] * 2
    assert dataset.load().made_with("m", "f") == {"{}": TOGETHER + 3}


def test_what_records_were_made_with_is_counted_once_an_image(dataset):
    here = {"device": "cpu: this", "numpy": "2"}
    dataset.save(replace(shard([record("a"), record("b")]), made_with=here))
    dataset.save(replace(shard([record("b"), record("c")], position=1), made_with={"device": "cpu: that"}))
    dataset.save(shard([record("d")], position=3))
    made = dataset.load().made_with("m", "f")
    assert {json.loads(how).get("device"): n for how, n in made.items()} == {"cpu: this": 2, "cpu: that": 1, None: 1}
    assert dataset.load().made_with("m", "g") == {}
