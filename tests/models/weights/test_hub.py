"""Weights from the hub: cached, to be had, or missing, known before any work. Nothing here reaches the network."""

import re
from types import SimpleNamespace

import pytest

from mps_study.models.roster.roster import ModelEntry
from mps_study.models.weights import hub
from mps_study.models.weights.hub import hub_fault

RESNET = ModelEntry(architecture="ResNet", timm="resnet152.a1_in1k")
VIT = ModelEntry(architecture="ViT", timm="vit_huge_patch14_clip_224.laion2b_ft_in1k", weights="fine_tuned:hub")
LOCAL = ModelEntry(architecture="ResNet", timm="resnet152.a1_in1k", weights="random:0")
OWN = ModelEntry(architecture="Mine", onnx="my.onnx")


class Hub:
    """A hub that notes who asks and answers with a status, or not at all."""

    def __init__(self, status):
        self.status, self.asked = status, []

    def head(self, url, timeout):
        assert 0 < timeout <= 10
        self.asked.append(url)
        if self.status is None:
            raise OSError("no route\nto host")
        return SimpleNamespace(status_code=self.status)


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """An empty cache of the hub."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    return tmp_path


def answering(monkeypatch, status):
    """The hub answers so."""
    fake = Hub(status)
    monkeypatch.setattr(hub, "get_session", lambda: fake)
    return fake


def put(cache, repository, file):
    """A file in the cache, laid out as the hub's client does."""
    folder = cache / f"models--{repository.replace('/', '--')}"
    (folder / "refs").mkdir(parents=True)
    (folder / "refs/main").write_text("abc")
    (folder / "snapshots/abc").mkdir(parents=True)
    (folder / "snapshots/abc" / file).write_bytes(b"weights")


def test_a_hub_that_answers_is_enough(cache, monkeypatch):
    fake = answering(monkeypatch, 307)
    assert hub_fault({"resnet": RESNET, "vit": VIT}) is None
    assert fake.asked == ["https://huggingface.co/timm/resnet152.a1_in1k/resolve/main/config.json"]


@pytest.mark.parametrize("file", ["model.safetensors", "pytorch_model.bin"])
def test_cached_weights_count_as_present_and_the_hub_is_not_asked(cache, monkeypatch, file):
    fake = answering(monkeypatch, None)
    put(cache, "timm/resnet152.a1_in1k", file)
    assert hub_fault({"resnet": RESNET, "random": LOCAL, "own": OWN}) is None
    assert fake.asked == []


@pytest.mark.parametrize(
    ("status", "message"), [(None, r"does not answer \(OSError: no route to host\)"), (403, "answers 403 for timm/")]
)
def test_a_hub_out_of_reach_names_the_models_without_weights_in_one_line(cache, monkeypatch, status, message):
    answering(monkeypatch, status)
    put(cache, "timm/resnet152.a1_in1k", "model.safetensors")
    fault = hub_fault({"resnet": RESNET, "vit": VIT})
    assert fault is not None and "\n" not in fault
    assert re.search(message, fault)
    assert "no weights of vit;" in fault and "file:PATH" in fault


def test_offline_mode_is_respected(cache, monkeypatch):
    fake = answering(monkeypatch, 200)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    assert "HF_HUB_OFFLINE is set" in hub_fault({"resnet": RESNET})
    assert fake.asked == []


@pytest.mark.parametrize(
    ("name", "where"),
    [
        ("resnet", "in the roster (`--params models.resnet.weights=file:PATH`)"),
        ("resnet152.a1_in1k", "in the roster (beside its `timm:`, in conf/*/parameters*.yml)"),
    ],
)
def test_where_a_file_is_named_is_a_place_that_takes_it(cache, monkeypatch, name, where):
    """`--params` parts a name that has a dot, as timm's own names have in a comparison."""
    answering(monkeypatch, 403)
    assert where in hub_fault({name: RESNET})
