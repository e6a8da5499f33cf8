"""What the explorer holds of a study, read back by a second, plain reading of its format."""

from __future__ import annotations

import base64
import dataclasses
import io
import itertools
import json
import zlib
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from mps_study.report.explorer.images import ExplorerSizes, frame_of, framed, heat_map, image_script, pairs, thumbnail
from mps_study.report.explorer.page import as_script, render_explorer, study_facts
from mps_study.report.facts.results import Sighting, StudyResults

SIZES = ExplorerSizes(photo=128, thumbnail=64, heat_map=20)


def facts_of(script: str) -> tuple[int, dict[str, Any]]:
    call = script.strip().removeprefix("receiveImage(").removesuffix(");")
    position, facts = call.split(",", 1)
    return int(position), json.loads(facts)


def unpacked(facts: dict[str, Any]) -> tuple[list[list[np.ndarray]], list[np.ndarray | None]]:
    """Of each model all its sets, none where there is none, and its heat map, bit by bit."""
    content = zlib.decompress(base64.b64decode(facts["packed"]))
    sets: list[list[np.ndarray]] = []
    for seen in facts["sightings"]:
        sets.append([])
        for _ in range(0 if seen is None or seen["mask"] is None else 1 + seen["further"]):
            height, width = seen["mask"]
            size = -(-height * width // 8)
            bits = "".join(f"{byte:08b}" for byte in content[:size])[: height * width]
            sets[-1].append(np.array([bit == "1" for bit in bits]).reshape(height, width))
            content = content[size:]
    maps: list[np.ndarray | None] = []
    for seen in facts["sightings"]:
        if seen is None or seen["heat"] is None:
            maps.append(None)
            continue
        rows, columns = seen["heat"]
        maps.append(np.array(list(content[: rows * columns])).reshape(rows, columns))
        content = content[rows * columns :]
    assert content == b""
    return sets, maps


@pytest.mark.parametrize("position", [0, 1, 3])
def test_every_models_set_comes_back_to_the_bit(small: StudyResults, position: int) -> None:
    place, facts = facts_of(image_script(small, position, SIZES))
    assert (place, facts["image"]) == (position, small.manifest["image"][position])
    for model, sets, seen in zip(small.models(), unpacked(facts)[0], facts["sightings"], strict=True):
        original = small.mask(facts["image"], model)
        assert len(sets) == (original is not None)
        if original is not None:
            assert np.array_equal(sets[0], original)
        sighting = small.sighting(facts["image"], model)
        assert sighting is not None and seen["view"] == pytest.approx(sighting.view, abs=1e-3)


def test_further_sets_come_after_the_first_in_their_order(large: StudyResults) -> None:
    image = next(image for image in large.manifest["image"] if large.several(image, large.models()[0]))
    _, facts = facts_of(image_script(large, list(large.manifest["image"]).index(image), SIZES))
    for model, sets in zip(large.models(), unpacked(facts)[0], strict=True):
        expected = large.several(image, model)
        assert len(sets) == len(expected) > 1
        assert all(map(np.array_equal, sets, expected))


def test_heat_maps_are_there_where_landscapes_are_and_peak_where_they_do(small: StudyResults) -> None:
    for position in (0, 1):
        _, facts = facts_of(image_script(small, position, SIZES))
        for model, heat in zip(small.models(), unpacked(facts)[1], strict=True):
            landscape = small.landscape(facts["image"], model)
            assert (heat is None) == (landscape is None or small.mask(facts["image"], model) is None)
            if heat is not None and landscape is not None:
                assert max(heat.shape) == SIZES.heat_map
                cell = np.array(np.unravel_index(landscape.argmax(), landscape.shape)) * heat.shape / landscape.shape
                assert heat[tuple(cell.astype(int))] >= np.quantile(heat, 0.95)


def test_a_heat_map_keeps_its_ends_on_either_scale() -> None:
    plain, name = heat_map(np.linspace(0, 1, 64, dtype=np.float32).reshape(8, 8), 8) or (None, "")
    assert plain is not None and "log" not in name
    assert (plain.min(), plain.max()) == (0, 255)
    peak = np.full((10, 10), 1e-9, dtype=np.float32)
    peak[2, 3] = 1
    steep, name = heat_map(peak, 10) or (None, "")
    assert steep is not None and "log" in name
    assert (steep[2, 3], steep[0, 0]) == (255, 0)
    assert heat_map(peak, 0) is None


def test_the_frame_holds_every_view_and_a_photo_is_cut_to_it(small: StudyResults) -> None:
    views = [(3.2, 10.0, 90.5, 80.0), (0.5, 12.0, 88.0, 84.1)]
    frame = frame_of(views, None)
    assert frame == (0, 10, 91, 85)
    picture = np.zeros((100, 120, 3), dtype=np.uint8)
    picture[50, 40] = 255
    cut = framed(picture, frame, 500)
    assert cut.size == (75, 91)
    assert np.argwhere(np.asarray(cut)[..., 0])[0].tolist() == [50, 30]
    assert frame_of([], picture) == (0, 0, 100, 120)


def test_a_view_beyond_the_border_is_black_there() -> None:
    picture = np.full((40, 80, 3), 200, dtype=np.uint8)
    cut = np.asarray(framed(picture, frame_of([(-20.0, 0.0, 60.0, 80.0)], picture), 80))
    assert cut.shape == (80, 80, 3)
    assert cut[:20].max() == 0 and cut[20:60].min() == 200 and cut[60:].max() == 0


def test_few_pixels_are_kept_as_they_are_and_enlarged_in_squares(small: StudyResults) -> None:
    digit = np.random.default_rng(0).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    whole = Sighting((0.0, 0.0, 8.0, 8.0), None, None)
    tiny = dataclasses.replace(small, picture=lambda _: digit, sighting=lambda *_: whole, view=lambda *_: whole.view)
    _, facts = facts_of(image_script(tiny, 0, SIZES))
    photo = Image.open(io.BytesIO(base64.b64decode(facts["photo"].partition("base64,")[2])))
    assert np.array_equal(np.asarray(photo.convert("RGB")), digit)
    large = np.asarray(thumbnail(tiny, 0, SIZES))
    assert np.array_equal(large, digit.repeat(8, axis=0).repeat(8, axis=1))


def test_an_image_that_cannot_be_read_still_has_its_facts(small: StudyResults) -> None:
    unreadable = dataclasses.replace(small, picture=lambda image: None, sighting=lambda *_: None, view=lambda *_: None)
    _, facts = facts_of(image_script(unreadable, 0, SIZES))
    assert facts["photo"] is None and facts["sightings"] == [None] * 3
    assert len(facts["pairs"]["dice"]) == 3
    assert thumbnail(unreadable, 0, SIZES).size == (64, 64)


def test_an_infinite_distance_is_told_from_one_that_is_missing() -> None:
    overlaps = pd.DataFrame({
        "model_a": ["a", "c"], "model_b": ["b", "a"], "status": ["one empty", "ok"],
        "dice": [0.0, 0.25], "hausdorff": [np.inf, 7.125],
    })  # fmt: skip
    assert pairs(overlaps, ["a", "b", "c"]) == {
        "status": ["one empty", "ok", "not compared"],
        "dice": [0.0, 0.25, None],
        "hausdorff": [None, 7.12, None],
    }


def test_the_page_has_every_record_and_every_pair_in_order(large: StudyResults) -> None:
    facts = study_facts(large)
    models = large.models()
    assert [model["name"] for model in facts["models"]] == models
    keyed = large.areas.set_index(["image", "model"])
    overlaps = large.overlaps.set_index(["image", "model_a", "model_b"])["dice"]
    all_pairs = list(itertools.combinations(models, 2))
    for i, image in enumerate(facts["images"]["name"]):
        for k, model in enumerate(models):
            row, place = keyed.loc[(image, model)], i * len(models) + k
            assert facts["records"]["target"][place] == row["target"]
            assert facts["records"]["area"][place] == pytest.approx(row["area"], abs=1e-6)
            assert facts["records"]["correct"][place] == (None if pd.isna(row["correct"]) else int(row["correct"]))
        for k, (one, other) in enumerate(all_pairs):
            assert facts["dice"][i * len(all_pairs) + k] == pytest.approx(1000 * overlaps[image, one, other], abs=0.5)


def test_a_model_that_was_not_searched_on_an_image_has_nulls(small: StudyResults) -> None:
    image, model = small.manifest["image"][2], small.models()[1]
    kept = (small.areas["image"] != image) | (small.areas["model"] != model)
    records = study_facts(dataclasses.replace(small, areas=small.areas[kept]))["records"]
    assert {name: column[2 * 3 + 1] for name, column in records.items()} == dict.fromkeys(records)
    assert None not in (records["status"][2 * 3], records["status"][2 * 3 + 2])


def test_where_sets_lie_is_said_only_in_a_study_that_people_marked(marked: StudyResults) -> None:
    records = study_facts(marked)["records"]
    keyed = marked.agreement.set_index(["image", "model"])
    keys = list(itertools.product(marked.manifest["image"], marked.models()))
    assert records["inside"] == [None if pd.isna(x) else x for x in keyed["inside"].reindex(keys)]
    assert records["beside"] == [None if pd.isna(x) else int(x) for x in keyed["beside"].reindex(keys)]
    assert {None, 0, 1} == set(records["beside"])
    unmarked = marked.agreement.assign(inside=np.nan, beside=pd.NA, missing="no annotation")
    for none in (pd.DataFrame(), unmarked):
        assert not {"inside", "beside"} & study_facts(dataclasses.replace(marked, agreement=none))["records"].keys()


def test_the_page_loads_nothing_from_the_network_and_names_cannot_inject_markup(small: StudyResults) -> None:
    evil = "</script><script>alert(1)</script>"
    renamed = small.manifest.assign(image=[evil, *small.manifest["image"][1:]])
    page = render_explorer(dataclasses.replace(small, title=evil, manifest=renamed))
    assert "http://" not in page and "https://" not in page and "@import" not in page
    assert "<script>alert" not in page
    assert json.loads(as_script({"name": evil})) == {"name": evil}
    assert "</" not in as_script({"name": evil})
