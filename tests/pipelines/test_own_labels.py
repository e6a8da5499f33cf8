"""A study of a user's own folders and own model: classes by name, names that look like markup to the report."""

import html
import json

import pytest
import yaml
from click import ClickException
from small_project import kedro_run, make_project, table

from images.pictures import write_pictures
from models.onnx_models import CLASSES, write_model
from mps_study.app.explanation import explain

NAMES = ["none", "red $_{ $", "<i>grün", "猫", "100 % #1"]
PRESENT = (1, 3, 4)
ARCHITECTURE = "A $_{ $ <b>"


@pytest.fixture
def own(tmp_path, monkeypatch):
    """A project whose environment `own` has images of three of its model's five classes."""
    project = make_project(tmp_path / "project")
    monkeypatch.chdir(project)
    monkeypatch.setenv("DO_NOT_TRACK", "true")
    write_model(project / "five.onnx")
    write_pictures(project / "pets", *(f"{NAMES[label]}/from_$5_to_${i}_^.png" for label in PRESENT for i in range(2)))
    write_pictures(project / "flat", *(f"{i}.png" for i in range(12)))
    (project / "conf/own").mkdir()
    (project / "conf/own/globals.yml").write_text("study: own")
    return project


def run(project, source="pets", half="labelled", pipelines=None, search=None, searches=None, **entry):
    """`kedro run --env own` with the images of a folder in one of the halves."""
    model = {"architecture": ARCHITECTURE, "onnx": "five.onnx", "classes": CLASSES, "class_names": NAMES} | entry
    halves = {"labelled": None, "unlabelled": None, half: {"source": {"kind": "folder", "path": source}, "n": 6}}
    parameters = {
        "data_sampling": halves,
        "compared": ["mine"],
        "models": {"mine": model},
        "search": {"iterations": 1, "tree_depth": 2, "min_box_size": 2, "several": 2} | (search or {}),
        "searches": searches or {},
        "extraction": {"device": "cpu", "batch_size": 8, "workers": 1},
    }
    (project / "conf/own/parameters.yml").write_text(yaml.safe_dump(parameters, allow_unicode=True))
    kedro_run(project, env="own", pipelines=pipelines)


def test_names_go_from_the_roster_to_the_report_as_they_are(own):
    run(own)
    manifest = table(own, "manifest", "own")
    assert {NAMES[label] for label in manifest["label"]} == set(manifest["class_name"]) == {NAMES[i] for i in PRESENT}
    card = json.loads((own / "data/own/04_models/mine.json").read_text())
    assert card["class_names"] == NAMES
    report, explorer = ((own / f"data/own/08_report/{page}.html").read_text() for page in ("report", "explorer"))
    assert html.escape(ARCHITECTURE) in report and ARCHITECTURE not in report
    assert "<i>" not in report + explorer
    assert json.dumps(NAMES[1]) in explorer or json.dumps(NAMES[3]) in explorer
    tables = "".join(path.read_text() for path in (own / "data/own/08_report").rglob("*.tex"))
    assert ARCHITECTURE not in tables and r"A \$\_\allowbreak{}\{ \$" in tables
    found = explain(next((own / "pets").rglob("*.png")), "mine", env="own", strategy="minimal", device="cpu")
    assert found.class_name == NAMES[found.label]


def test_a_flat_folder_is_drawn_as_unlabelled_and_needs_no_labelled_half(own):
    with pytest.raises(ClickException, match=r"its 12 images lie directly in the folder.*labelled: null, unlabelled: "):
        run(own, "flat", pipelines=["data_sampling"])
    run(own, "flat", half="unlabelled")
    assert table(own, "manifest", "own")["label"].isna().all()
    assert len(table(own, "areas", "own")) == 6


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ({"class_names": None}, "the labelled images are of 3 classes, but model 'mine' has 5: which is which"),
        ({"class_names": NAMES[:4]}, "model 'mine': class_names has 4 names, but the model has 5 classes"),
        ({"class_names": "nowhere.txt"}, "model 'mine': class_names: 'nowhere.txt': there is no such file"),
        ({"class_names": list("abcde")}, "none of the model's classes .'a', 'b', 'c', 'd', 'e'.; remove or rename"),
    ],
)
def test_labels_that_are_not_the_models_are_one_line_before_any_work(own, entry, said):
    with pytest.raises(ClickException, match=said) as error:
        run(own, pipelines=["data_sampling", "model_export"], **entry)
    assert "\n" not in error.value.message and not error.value.message.startswith("2 things")
    assert not (own / "data/own").exists()


def test_a_model_that_is_named_later_draws_the_labels_again(own):
    write_pictures(own / "pets", *(f"{NAMES[label]}/1.png" for label in (0, 2)))
    run(own, pipelines=["data_sampling"], class_names=None)
    first = table(own, "manifest", "own").set_index("image")["label"]
    run(own, pipelines=["data_sampling"])
    second = table(own, "manifest", "own").set_index("image")
    assert first.index.equals(second.index)
    assert [NAMES[label] for label in second["label"]] == second["class_name"].tolist()
    assert [sorted(NAMES)[label] for label in first] == second["class_name"].tolist()


FLOOR = {"minimum_confidence_threshold": 0.5}


@pytest.mark.parametrize(
    ("asked", "entry", "said"),
    [
        ({"search": {"target": "Katze", **FLOOR}}, {}, "model 'mine': class 'Katze' is unknown; known: "),
        ({"search": {"target": NAMES[4][:-1], **FLOOR}}, {}, f"did you mean '{NAMES[4]}'? search.target is a class's"),
        (
            {"search": {"target": 5, **FLOOR}},
            {},
            "model 'mine': search.target is 5, but the model's classes are 0 to 4",
        ),
        (
            {"searches": {"other": {"target": "dog", **FLOOR}}},
            {"class_names": ["a", "b", "cat", "dgo", "e"]},
            "class 'dog' is unknown; did you mean 'dgo'? searches.other.target is",
        ),
    ],
)
def test_a_class_that_the_model_does_not_have_is_told_before_any_work(own, asked, entry, said):
    numbered = {"source": "numbers"} if entry else {}
    write_pictures(own / "numbers", *(f"{label}/1.png" for label in range(5)), *(f"{label}/2.png" for label in (0, 1)))
    with pytest.raises(ClickException) as error:
        run(own, **numbered, **asked, **entry)
    assert said in error.value.message and "\n" not in error.value.message
    assert not (own / "data/own").exists()


def test_names_that_only_the_images_bring_are_looked_up_as_well_before_any_work(own):
    write_pictures(own / "pets", *(f"{NAMES[label]}/1.png" for label in (0, 2)))
    with pytest.raises(ClickException, match="model 'mine': class 'Katze' is unknown; known: "):
        run(own, search={"target": "Katze", **FLOOR}, class_names=None)
    assert not (own / "data/own").exists()
