"""The stage `probing` on two untrained models: what it asks, what it keeps, and what goes on after a crash."""

import numpy as np
import pandas as pd
import pytest
import yaml
from PIL import Image
from small_project import kedro_run, table
from tiny_project import files, make_tiny_project

from mps_study import OnnxClassifier
from mps_study.app.planning import probes_left
from mps_study.app.study_units import study_now
from mps_study.datasets.models import ModelCards
from mps_study.datasets.records.store import MpsRecords, unpack_mask
from mps_study.measures.frame import carried

BOTH = {
    "compared": ["one", "two"],
    "search": {"strategy": "minimal", "granularity": 2, "floors": [0.9]},
    "searches": {"seed": {"seed": 1}},
    "probing": {
        "conditions": ["blur", "random_backgrounds", "tiles_lost", "shift_1"],
        "repetitions": 2,
        "sub_explanations": {"all_up_to": 4, "most": 20, "orders": 2},
    },
}
STORE = "data/tiny/05_probes"


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """The two models, searched and asked."""
    folder = make_tiny_project(tmp_path_factory.mktemp("tiny") / "project")
    patch = pytest.MonkeyPatch()
    patch.chdir(folder)
    patch.setenv("DO_NOT_TRACK", "true")
    run(folder, "probing")
    yield folder
    patch.undo()


def run(project, *pipelines, **params):
    kedro_run(project, env="tiny", pipelines=list(pipelines), **(BOTH | params))


def stored(project, name):
    """Records and model of the study's own search, read as a user would."""
    card = ModelCards(str(project / "data/tiny/04_models")).load()[name]
    store = MpsRecords(str(project / "data/tiny/05_mps_records")).load()
    (mark,) = set(table(project, "probes", "tiny").query("model == @name and search == 'study'")["fingerprint"])
    columns = ["image", "status", "target", "mask", "height", "width", "view"]
    return card, store.read(name, mark, columns).set_index("image")


def test_the_frames_have_every_image_model_search_and_condition(project):
    probes, answers = table(project, "probes", "tiny"), table(project, "answers", "tiny")
    own, cross = probes[probes["condition"] != "cross"], probes[probes["condition"] == "cross"]
    asked = own[own["missing"] == ""].groupby("condition")["repetition"].nunique()
    assert dict(asked) == {"blur": 1, "random_backgrounds": 2, "tiles_lost": 2, "shift_1": 4}
    units = own.groupby(["model", "asked", "search"])["image"].nunique()
    assert dict(units) == {(name, name, search): 5 for name in ("one", "two") for search in ("study", "seed")}
    assert set(map(tuple, cross[["model", "asked"]].drop_duplicates().to_numpy())) == {("one", "two"), ("two", "one")}
    assert set(cross["share"]) == {0.0, 0.9}
    assert answers.groupby("model").size().to_dict() == {"one": 5, "two": 5} and len(answers["logits"].iloc[0]) == 10
    parts = table(project, "sub_explanations", "tiny")
    there = parts[parts["missing"] == ""]
    assert len(parts) == 20 and there["curve_area"].between(0, 1).all() and (there["tiles"] >= 2).all()


def test_answers_are_what_the_models_say_when_they_are_asked_by_hand(project):
    probes, answers = table(project, "probes", "tiny"), table(project, "answers", "tiny")
    manifest = table(project, "manifest", "tiny").set_index("image")
    _, records = stored(project, "one")
    other, _ = stored(project, "two")
    image = records.index[records["status"] == "found"][0]
    row = records.loc[image]
    picture = Image.open(next((project / "data/tiny/01_images").rglob(manifest.loc[image, "file"])))
    model = OnnxClassifier(project / "data/tiny/04_models/two.onnx", device="cpu", batch_size=1, workers=1)
    pixels = other.preprocessing.pixels(picture)
    logits = model.logits(pixels[None])[0]
    told = answers.set_index(["model", "image"]).loc[("two", image)]
    np.testing.assert_array_equal(told["logits"], logits)
    assert told["answer"] == logits.argmax()
    mask = unpack_mask(row["mask"], 16, 16)
    shown = np.where(carried(mask, tuple(row["view"]), other.preprocessing.view(*picture.size), (16, 16)), pixels, 0)
    label = int(model.logits(shown[None].astype(np.float32))[0].argmax())
    cross = probes.query("image == @image and model == 'one' and asked == 'two' and search == 'study' and share == 0")
    (said,) = cross.to_dict("records")
    assert said["answer"] == label and said["passes"] == (label == row["target"])
    assert said["keeps"] == (label == told["answer"])


def test_what_is_there_is_not_asked_again_and_a_half_finished_unit_goes_on(project):
    before, frames = files(project), {name: table(project, name, "tiny") for name in ("answers", "probes")}
    run(project, "probing")
    assert {path: stamp for path, stamp in files(project).items() if STORE in path} == {
        path: stamp for path, stamp in before.items() if STORE in path
    }
    own = next(
        path for path in (project / STORE / "one").iterdir() if "conditions" in (path / "fingerprint.json").read_text()
    )
    (shard,) = own.glob("*.parquet")
    pd.read_parquet(shard).iloc[:2].to_parquet(shard, index=False)
    (own / "complete.json").unlink()
    run(project, "probing")
    assert len(list(own.glob("*.parquet"))) == 2
    for name, frame in frames.items():
        pd.testing.assert_frame_equal(table(project, name, "tiny"), frame, check_exact=True)


def test_another_condition_leaves_what_models_say_of_each_other(project):
    before = {path for path in files(project) if STORE in path}
    run(project, "probing", probing=BOTH["probing"] | {"conditions": ["jpeg"]})
    new = {path for path in files(project) if STORE in path} - before
    assert len({path.split("/")[3:5][0] + path.split("/")[4] for path in new}) == 2  # each model's own unit
    assert set(table(project, "probes", "tiny")["condition"]) == {"jpeg", "cross"}
    run(project, "probing")


def test_trust_has_every_question_and_leaves_out_what_is_of_other_records(project, caplog):
    run(project, "metrics")
    trust = table(project, "trust", "tiny")
    assert only(trust, "stability")["missing"].eq("").all() and only(trust, "cross")["missing"].eq("").all()
    assert only(trust, "failures")["missing"].str.contains("at least 5 of each are needed").all()
    assert only(trust, "disjoint_sets")["missing"].tolist() == ["no further sets were asked for (search.several)"]
    run(project, "mps_extraction", "metrics", search=BOTH["search"] | {"granularity": 8}, searches={})
    assert "rows are of other records than the study's and are left out" in caplog.text
    assert only(table(project, "trust", "tiny"), "survival")["missing"].tolist() == ["no condition was asked for"]


def only(trust, question):
    return trust[trust["question"] == question]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"conditions": ["blurr"]}, "did you mean 'blur'"),
        ({"conditions": ["blur", "blur"]}, "name each condition once"),
        ({"searches": ["sead"]}, "did you mean 'seed'"),
        ({"repetitions": 0}, "probing.repetitions"),
        ({"sub_explanations": {"all_up_to": 40}}, "all_up_to"),
    ],
)
def test_wrong_parameters_are_said_before_anything_is_asked(project, given, said):
    with pytest.raises(Exception, match=said):
        run(project, "probing", probing=given)


def test_the_plan_counts_what_is_still_to_be_asked(project):
    run(project, "probing")
    flat = {"compared": BOTH["compared"], "search": BOTH["search"], "searches": BOTH["searches"]}
    path = project / "conf/tiny/parameters.yml"
    before = path.read_text()
    path.write_text(yaml.safe_dump(yaml.safe_load(before) | flat | {"probing": BOTH["probing"]}))
    try:
        assert probes_left(study_now("tiny")) == {"one": 0, "two": 0}
        fewer = {"conditions": ["shift_1"], "sub_explanations": None}
        path.write_text(yaml.safe_dump(yaml.safe_load(path.read_text()) | {"probing": fewer}))
        # the whole image and, of each of two searches, four shifts; what the models say of each other is there
        assert probes_left(study_now("tiny")) == {name: 5 * (1 + 2 * 4) for name in ("one", "two")}
    finally:
        path.write_text(before)
