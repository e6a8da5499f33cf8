"""From searches through the store to the frame `anytime`: only those that kept their curve are in it."""

import pandas as pd
from fakes import FakeClassifier, at_least, blank, blob

from mps_study import SearchConfig, extract_mps
from mps_study.datasets.records.store import MpsRecords, RecordShard
from mps_study.measures.anytime import AFTER
from mps_study.measures.areas import READ, measure_areas
from mps_study.pipelines.metrics.nodes import compute_anytime
from mps_study.pipelines.metrics.pipeline import create_pipeline

SHAPE = (12, 16)
MANIFEST = pd.DataFrame({"image": ["a", "b"], "half": ["labelled"] * 2, "label": [1, 1]})


def test_the_frame_has_the_curves_of_the_searches_that_kept_them(tmp_path):
    dataset = MpsRecords(str(tmp_path / "records"))
    found, areas = {}, []
    for search, anytime in (("study", True), ("other", False)):
        config = SearchConfig("ddmin", granularity=2, anytime=anytime)
        images = [(key, blank(SHAPE)) for key in "ab"]
        records = list(extract_mps(images, FakeClassifier(at_least(blob(SHAPE, 2, 4, 6), 30)), config))
        dataset.save(RecordShard("m", search, {}, 0, records, {key: (0, 0, 1, 1) for key in "ab"}, complete=True))
        found[search] = records
        stored = dataset.load().read("m", search, READ)
        areas.append(measure_areas(stored, MANIFEST, {"m": "A"}, search))
    frame = compute_anytime(pd.concat(areas, ignore_index=True), dataset.load())
    assert set(frame["search"]) == {"study"} and len(frame) == 2 * len(AFTER)
    for record in found["study"]:
        mine = frame[frame["image"] == record.key]
        assert mine["area"].tolist() == [record.area_after(n) for n in AFTER]
        assert mine["area"].tolist()[-1] == record.area and mine["finished"].tolist()[-1]


def test_it_is_made_with_the_other_measures():
    assert "anytime" in create_pipeline().outputs()
