"""The paper's study says, before any work and in one line, which of ImageNet, GPU and hub are missing."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from click import ClickException
from small_project import kedro_run, make_project

from images.pictures import write_pictures
from models.onnx_models import relocate, write_model
from mps_study.models.export.card import ModelCard
from mps_study.models.export.exported import export_request
from mps_study.models.roster.roster import ModelEntry

IMAGES, GPU, HUB = "ImageNet's val images are not at", "no GPU: extraction.device is cuda", "no Hugging Face hub: "


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """A project, and a tiny ImageNet in the folder layout."""
    folder = make_project(tmp_path_factory.mktemp("needs") / "project")
    write_pictures(folder / "imagenet", "val/n01440764/a.JPEG", "val/n02123045/b.JPEG", "test/c.JPEG")
    return folder


@pytest.fixture
def world(study, monkeypatch, tmp_path):
    """A machine on which each of the three can be had or not."""
    monkeypatch.chdir(study)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))

    def have(gpu, hub):
        monkeypatch.setattr("mps_study.project.needs.cuda_fault", lambda: None if gpu else "no driver")
        monkeypatch.setattr("torch.cuda.is_available", lambda: gpu)
        monkeypatch.setattr("mps_study.models.weights.hub._no_access", lambda repository: None if hub else "it is away")

    return have


def answer(study, imagenet="imagenet", pipelines=None, env="paper", sizes=None, **params):
    """What `kedro run` answers before any work."""
    if env == "paper":
        params |= {
            "imagenet": imagenet,
            "data_sampling": {"labelled": {"n": 2}, "unlabelled": {"n": 1}} | (sizes or {}),
        }
    with pytest.raises(ClickException) as error:
        kedro_run(study, env=env, pipelines=pipelines, **params)
    assert "\n" not in error.value.message
    assert not (study / "data" / env).exists()
    return error.value.message


@pytest.mark.parametrize(
    ("imagenet", "gpu", "hub", "missing"),
    [
        ("nowhere", True, True, [IMAGES]),
        ("imagenet", False, True, [GPU]),
        ("imagenet", True, False, [HUB]),
        ("nowhere", False, True, [IMAGES, GPU]),
        ("nowhere", False, False, [IMAGES, GPU, HUB]),
    ],
)
def test_what_is_missing_is_said_in_one_line_and_what_is_there_is_not(study, world, imagenet, gpu, hub, missing):
    world(gpu, hub)
    message = answer(study, imagenet)
    assert [need for need in (IMAGES, GPU, HUB) if need in message] == missing
    assert message.startswith(f"{len(missing)} things are missing: (1) ") == (len(missing) > 1)


def test_too_few_images_are_said_too(study, world):
    world(True, True)
    sizes = {"unlabelled": {"n": 9}}
    assert "9 unlabelled images were asked for, but the source has 1" in answer(study, sizes=sizes)


def test_each_line_says_what_to_do(study, world):
    world(False, False)
    message = answer(study, "nowhere")
    assert all(advice in message for advice in ("imagenet=PATH", "extraction.device=cpu", "weights: file:PATH"))


def test_names_that_timm_does_not_have_are_said_before_the_run_needs_them(study, world):
    world(True, True)
    models = {"a": {"architecture": "A", "timm": "resnet152.a9_in1k"}, "b": {"architecture": "A", "timm": "resnext9"}}
    message = answer(study, models=models, compared=["a", "b"])
    assert "model 'a': timm has no weights 'a9_in1k' of resnet152; nearest: resnet152.a" in message
    assert "model 'b': timm has no model 'resnext9'" in message
    assert "timm has no" not in answer(study, "nowhere", ["data_sampling"], models=models, compared=["a", "b"])


def test_the_cpu_is_taken_on_the_users_word(study, world):
    world(False, False)
    assert GPU not in answer(study, extraction={"device": "cpu"})


def test_a_pipeline_is_asked_only_for_what_it_and_its_upstream_need(study, world):
    world(False, False)
    needs = {"data_sampling": [IMAGES], "model_export": [IMAGES, HUB], "mps_extraction": [IMAGES, GPU, HUB]}
    for pipeline, missing in needs.items():
        message = answer(study, "nowhere", [pipeline])
        assert [need for need in (IMAGES, GPU, HUB) if need in message] == missing


@pytest.mark.parametrize("model", ["convnext_huge", "vit_large"])
def test_any_model_of_the_paper_can_be_asked_for_in_any_study_and_only_its_weights_are_missing(study, world, model):
    world(False, False)
    message = answer(study, pipelines=["mps_extraction"], env="local", model=model)
    assert message.startswith(HUB) and f"has no weights of {model}; check" in message
    assert f"`--params models.{model}.weights=file:PATH`" in message


def test_fine_tuning_needs_a_gpu_and_the_hub_but_not_what_has_been_made(study, world):
    world(False, False)
    message = answer(study, "nowhere", ["fine_tuning"], env="paper_caltech256")
    assert "256_ObjectCategories" in message
    assert [need in message for need in (IMAGES, GPU, HUB)] == [False, True, True]


def test_a_model_that_is_exported_needs_no_hub(study, world, tmp_path_factory):
    from mps_study.project.needs import hub

    world(True, False)
    entry = ModelEntry(architecture="ResNet", timm="resnet152.a1_in1k")
    fields = {"name": "r", "architecture": "R", "timm": None, "weights": "hub", "classes": 9, "class_names": "sample"}
    fields |= {"preprocessing": {"input_size": 3}, "opset": 20, "digest": "d", "parity": None}
    cards = {"r": ModelCard(**fields, request=export_request(entry, None, 1e-4))}
    catalog = {"params:models": {"r": entry.model_dump()}, "params:model": None, "params:model_export": {}}
    catalog |= {"params:compared": ["r"]}

    class Catalog:
        def load(self, name):
            return (catalog | {"model_cards_so_far": cards})[name]

    assert hub({"export_models"}, Catalog()) is None
    cards.clear()
    assert HUB in hub({"export_models"}, Catalog())


def test_the_command_line_names_all_three_and_does_nothing(study):
    offline = {"HF_HUB_OFFLINE": "1", "HF_HOME": str(study / "empty"), "CUDA_VISIBLE_DEVICES": ""}
    kedro = Path(sys.executable).with_name("kedro")
    done = subprocess.run(
        [kedro, "run", "--env", "paper", "--params", "imagenet=/nowhere"],
        cwd=study,
        env=os.environ | offline,
        capture_output=True,
        text=True,
    )
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("Error: ")]
    assert done.returncode != 0 and "Traceback" not in done.stderr
    assert IMAGES in line and HUB in line and "HF_HUB_OFFLINE" in line
    assert not (study / "data").exists()


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({"onnx": "nowhere.onnx"}, "model 'own': nowhere.onnx: there is no such ONNX file"),
        ({"onnx": "text.onnx"}, "model 'own': text.onnx: this is no ONNX model, or it was cut short"),
        ({"onnx": "outside.onnx"}, "model 'own': outside.onnx: its weights are said to lie in '../w.bin'"),
        ({"timm": "resnet18", "weights": "file:nowhere.pth"}, "model 'own': there is no checkpoint nowhere.pth"),
        ({"onnx": "five.onnx", "classes": 5}, "is of class 9, but model 'own' has 5 classes .0 to 4.; give images of"),
    ],
)
def test_the_users_own_files_and_labels_are_looked_at_before_any_work(tmp_path, monkeypatch, entry, message):
    project = make_project(tmp_path / "project")
    monkeypatch.chdir(project)
    Path("text.onnx").write_text("text")
    write_model(Path("five.onnx"))
    relocate(write_model(Path("outside.onnx"), external="w.bin"), "../w.bin")
    file = project / "conf/miniature/parameters_models.yml"
    models = yaml.safe_load(file.read_text())
    models["models"]["own"] = {"architecture": "A", "classes": 10, **entry}
    file.write_text(yaml.safe_dump(models))
    with pytest.raises(ClickException, match=message) as error:
        kedro_run(project, pipelines=["data_sampling", "model_export"])
    assert "\n" not in error.value.message
    assert not (project / "data/miniature").exists()
