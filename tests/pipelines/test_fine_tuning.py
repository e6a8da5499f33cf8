"""The Caltech-256 study at a tiny size: held-out sample, training killed and resumed, checkpoints with a digest."""

import shutil

import pytest
import yaml
from click import ClickException
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from small_project import kedro_run, make_project, table

from images.pictures import write_pictures

STUDY = "paper_caltech256"
TINY = {"architecture": "ResNet", "timm": "resnet18", "weights": "fine_tuned:random:1", "classes": 256}
SIZES = {"layers": [1, 1, 1, 1], "channels": [4, 4, 8, 8]}


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """The study's own conf with two tiny models, and its images drawn."""
    folder = make_project(tmp_path_factory.mktemp("tuning") / "project")
    models = {name: TINY | {"arguments": SIZES, "preprocessing": {"input_size": 16}} for name in ("one", "two")}
    (folder / f"conf/{STUDY}/parameters_models.yml").write_text(yaml.safe_dump({"models": models}))
    names = [f"{folder_of}/{i:04d}.jpg" for folder_of in ("001.a", "007.b") for i in range(10)]
    write_pictures(folder / "caltech/256_ObjectCategories", *names)
    return folder


def run(study, *pipelines, **params):
    """A run of the study on CPU, eight images drawn."""
    tuning = {"probe_epochs": 1, "epochs": 2, "batch_size": 4, "holdout": 0.25, "checkpointing": False}
    sampling = {"labelled": {"n": 8}}
    params |= {"caltech256": "caltech", "extraction": {"device": "cpu"}, "fine_tuning": tuning}
    return kedro_run(study, env=STUDY, pipelines=list(pipelines), data_sampling=sampling, **params)


def checkpoints(study):
    """Facts and tensors of every checkpoint."""
    found = {}
    for path in sorted((study / f"data/{STUDY}/03_checkpoints").glob("*.safetensors")):
        with safe_open(path, framework="pt") as file:
            found[path.stem] = (file.metadata()["facts"], load_file(path))
    return found


def test_a_killed_study_goes_on_and_ends_bit_for_bit_like_one_that_was_not(study, monkeypatch):
    from mps_study.datasets.training_states import StateFile

    monkeypatch.chdir(study)
    run(study, "data_sampling", "fine_tuning")
    whole = checkpoints(study)
    assert set(whole) == {"one", "two"}
    manifest, training = table(study, "manifest", STUDY), table(study, "training_manifest", STUDY)
    assert (len(manifest), len(training)) == (8, 12)
    assert not set(manifest["sha256"]) & set(training["sha256"])
    assert set(training["label"]) == {0, 6}

    folder = study / f"data/{STUDY}/03_checkpoints"
    assert not list(folder.rglob("*.pt"))
    shutil.rmtree(folder)
    real, written = StateFile.write, []

    def killed(self, state):
        real(self, state)
        written.append(len(state["history"]))
        if len(written) == 5:
            raise KeyboardInterrupt

    monkeypatch.setattr(StateFile, "write", killed)
    with pytest.raises(KeyboardInterrupt):
        run(study, "fine_tuning")
    assert written == [1, 2, 3, 1, 2] and set(checkpoints(study)) == {"one"}
    run(study, "fine_tuning")
    assert written[5:] == [3]
    again = checkpoints(study)
    for name, (facts, tensors) in whole.items():
        assert again[name][0] == facts
        assert all(tensors[key].equal(again[name][1][key]) for key in tensors)


def test_the_card_of_a_fine_tuned_model_has_its_held_out_accuracy(study, monkeypatch):
    monkeypatch.chdir(study)
    run(study, "data_sampling", "fine_tuning", "model_export", model="one")
    card = yaml.safe_load((study / f"data/{STUDY}/04_models/one.json").read_text())
    assert (card["classes"], card["class_names"], card["weights"]) == (256, "training", "fine_tuned:random:1")
    assert 0 <= card["holdout_accuracy"] <= 1


def test_a_checkpoint_that_was_changed_behind_the_studys_back_is_refused(study, monkeypatch):
    monkeypatch.chdir(study)
    run(study, "data_sampling", "fine_tuning", model="two")
    path = study / f"data/{STUDY}/03_checkpoints/two.safetensors"
    facts, tensors = checkpoints(study)["two"]
    tensors["fc.bias"] += 1
    save_file(tensors, path, metadata={"facts": facts})
    with pytest.raises(ClickException, match=r"two\.safetensors do not match the digest.*delete"):
        run(study, "model_export", model="two")
