"""Searches by name: what is laid over what, what they may be called, which one is asked for."""

import pytest

from mps_study.common.searches import unit_name
from mps_study.mps.config import SearchConfig
from mps_study.project.searches import choose_searches, name_fault, names_fault, searches_of

REX = {"strategy": "rex", "iterations": 5, "seed": 3, "baseline": 0.0}


def test_what_a_search_names_replaces_the_studys_own_and_the_rest_stays():
    searches = searches_of(REX, {"other_seed": {"seed": 4}, "blurred": {"baseline": {"kind": "blur", "sigma": 0.05}}})
    assert searches == {
        "study": SearchConfig(**REX),
        "other_seed": SearchConfig(**REX | {"seed": 4}),
        "blurred": SearchConfig(**REX | {"baseline": {"kind": "blur", "sigma": 0.05}}),
    }


def test_another_strategy_leaves_the_parameters_of_the_first_behind():
    (_, minimal) = searches_of(REX, {"minimal": {"strategy": "minimal", "granularity": 2}}).values()
    assert minimal == SearchConfig(strategy="minimal", granularity=2, seed=3, baseline=0.0)


def test_a_parameter_that_the_other_strategy_does_not_read_is_refused_when_it_is_named_there():
    with pytest.raises(ValueError, match="iterations"):
        searches_of(REX, {"minimal": {"strategy": "minimal", "iterations": 5}})


def test_the_own_search_and_the_changes_stay_as_they_were():
    own, changes = dict(REX), {"strategy": "minimal"}
    searches_of(own, {"minimal": changes})
    assert (own, changes) == (REX, {"strategy": "minimal"})


@pytest.mark.parametrize("name", ["study", "", "../evil", "a, b", "o'clock", 5, None, "new\nline", "a.", "b "])
def test_a_name_that_is_no_file_name_or_the_studys_own_is_refused(name):
    assert "a search is called" in name_fault(name)


@pytest.mark.parametrize("name", ["CON", "nul", "prn.x", "Aux", "COM1", "lpt9.half"])
def test_a_device_of_windows_is_no_search(name):
    assert "this one is a device on Windows; use another" in name_fault(name)


def test_the_studys_own_search_has_its_name_in_any_case():
    assert "that is the study's own" in name_fault("Study")


@pytest.mark.parametrize(("one", "other"), [("Minimal", "minimal"), ("straße", "STRASSE"), ("\ud558", "\u1112\u1161")])
def test_two_searches_that_are_one_file_on_macos_or_windows_are_refused(one, other):
    assert "would have the same files on macOS and Windows" in names_fault([one, "between", other])
    assert names_fault([one, "between", "third"]) is None


@pytest.mark.parametrize("name", ["minimal", "minimal_half", "seed 1", "0.5"])
def test_a_plain_name_is_taken(name):
    assert name_fault(name) is None


def test_one_search_is_chosen_by_name_and_an_unknown_one_is_answered_with_the_nearest():
    searches = searches_of(REX, {"minimal": {"strategy": "minimal"}})
    assert list(choose_searches(searches, None)) == ["study", "minimal"]
    assert list(choose_searches(searches, "study")) == ["study"]
    with pytest.raises(ValueError, match="search 'minmal' is unknown; did you mean 'minimal'"):
        choose_searches(searches, "minmal")


def test_no_two_models_and_searches_share_a_name_of_work():
    assert unit_name("resnet", "study") == "resnet"
    assert unit_name("resnet", "minimal") == "resnet, minimal"
