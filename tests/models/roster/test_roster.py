"""Names that become those of files everywhere, and origins of weights."""

import pytest

from mps_study.models.roster.origins import origin_fault
from mps_study.models.roster.roster import ModelEntry, Roster

OWN = {"architecture": "A", "timm": "resnet18", "weights": "random:1"}


def named(*names):
    """A roster of models of these names."""
    return Roster.model_validate(dict.fromkeys(names, OWN))


@pytest.mark.parametrize("name", ["vit", "ViT-B_16+x", "a.b", "console", "con1", "com10", "豈", "두 모델"])
def test_names_of_files_are_names_of_models(name):
    assert list(named(name).root) == [name]


@pytest.mark.parametrize("name", ["CON", "con.x", "con .x", "Aux", "com1", "LPT².v2", "nul"])
def test_devices_of_windows_are_none_whatever_follows(name):
    with pytest.raises(ValueError, match="this one is a device on Windows"):
        named(name)


@pytest.mark.parametrize("name", ["a.", "b ", "c. "])
def test_what_windows_drops_at_the_end_is_refused(name):
    with pytest.raises(ValueError, match="Windows drops a space or dot at the end"):
        named(name)


@pytest.mark.parametrize(
    ("one", "other"),
    [("ViT", "vit"), ("straße", "STRASSE"), ("\ud558", "\u1112\u1161"), ("\u8c48", "\uf900")],
    ids=["case", "folded case", "a syllable and its letters", "an ideograph and its twin"],
)
def test_names_that_are_one_file_on_macos_or_windows_are_refused(one, other):
    with pytest.raises(ValueError, match="would have the same files on macOS and Windows"):
        named(one, "between", other)


@pytest.mark.parametrize(
    ("weights", "fits"),
    [
        ("hub", True),
        ("hub:x", False),
        ("random", True),
        ("random:7", True),
        ("random:٧", False),
        ("random:²", False),
        ("random:-1", False),
        ("file:", False),
        ("package:a.b", True),
        ("package:a-b", False),
        ("fine_tuned:random:7", True),
        ("fine_tuned:random:٧", False),
        ("fine_tuned:fine_tuned", True),
    ],
)
def test_an_origin_is_written_as_it_is_read(weights, fits):
    assert (origin_fault("m", ModelEntry(architecture="A", timm="resnet18", weights=weights)) is None) == fits
