"""Names and weights tags, against timm's own list."""

from pathlib import Path

import pytest
import timm
import yaml

from mps_study.models.roster.origins import ORIGINS
from mps_study.models.roster.roster import ModelEntry, Roster
from mps_study.models.roster.timm_names import timm_fault
from mps_study.models.weights.loading import WEIGHTS, build

CONF = Path(__file__).parents[3] / "conf"


def fault(name, weights="hub"):
    """What is said of a timm name."""
    return timm_fault("m", ModelEntry(architecture="A", timm=name, weights=weights))


@pytest.mark.parametrize("env", sorted(p.parent.name for p in CONF.glob("*/parameters_models.yml")))
def test_timm_has_every_model_of_every_roster(env):
    roster = Roster.model_validate(yaml.safe_load((CONF / env / "parameters_models.yml").read_text())["models"])
    assert [timm_fault(name, entry) for name, entry in roster.root.items()] == [None] * len(roster.root)


def test_the_papers_roster_has_three_models_of_each_of_five_architectures_with_their_tags():
    roster = yaml.safe_load((CONF / "base/parameters_models.yml").read_text())["models"]
    models = {name: roster[name] for name in yaml.safe_load((CONF / "paper/parameters.yml").read_text())["compared"]}
    families = [entry["architecture"] for entry in models.values()]
    assert {f: families.count(f) for f in families} == dict.fromkeys(
        ["ConvNeXt", "EVA", "Inception", "ResNet", "ViT"], 3
    )
    assert all("." in entry["timm"] and entry["match"] for entry in models.values())


@pytest.mark.parametrize(
    ("name", "weights", "message"),
    [
        (
            "convnextv2_huge.fcmae_ft_in22k_in1k_448",
            "hub",
            "nearest: convnextv2_huge.fcmae_ft_in22k_in1k_384, conv",
        ),
        ("resnet152d.a1_in1k", "hub", "has no weights 'a1_in1k' of resnet152d; nearest: resnet152d.ra2_in1k"),
        ("resnet152.a11_in1k", "random:0", "nearest: resnet152.a1_in1k"),
        ("resnet1522.a1_in1k", "hub", "has no model 'resnet1522'; nearest: resnet152"),
        ("zzzz", "hub", "has no model 'zzzz'; nearest: none"),
    ],
)
def test_a_wrong_name_or_tag_is_answered_with_the_nearest(name, weights, message):
    assert message in fault(name, weights)


def test_a_model_without_published_weights_is_refused_unless_they_come_from_elsewhere():
    name = next(n for n in timm.list_models() if not timm.is_model_pretrained(n))
    assert "has no weights of" in fault(name) and "has no weights of" in fault(name, "fine_tuned:hub")
    assert "so no tag 'x'" in fault(f"{name}.x", "random:0")
    assert fault(name, "random:0") is None


def test_the_tag_decides_the_preprocessing_whatever_the_weights():
    tagged = build("m", ModelEntry(architecture="A", timm="tf_efficientnet_b0.ap_in1k", weights="random:0"))
    other = build("m", ModelEntry(architecture="A", timm="tf_efficientnet_b0.ns_jft_in1k", weights="random:0"))
    assert tagged.pretrained_cfg["mean"] == (0.5, 0.5, 0.5) != other.pretrained_cfg["mean"]


def test_every_origin_of_weights_that_may_be_written_can_be_loaded_and_no_other():
    assert list(WEIGHTS) == list(ORIGINS)
