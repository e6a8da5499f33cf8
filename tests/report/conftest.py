from __future__ import annotations

import dataclasses

import pytest
from synthetic_searches import for_labels, searched_study
from synthetic_study import large_study, lucky_study, pair_study, small_study

from mps_study.report.facts.results import StudyResults


@pytest.fixture(scope="session")
def large() -> StudyResults:
    return large_study()


@pytest.fixture(scope="session")
def small() -> StudyResults:
    return small_study()


@pytest.fixture(scope="session")
def lucky() -> StudyResults:
    return lucky_study()


@pytest.fixture(scope="session")
def pair() -> StudyResults:
    return pair_study()


@pytest.fixture(scope="session")
def searched() -> StudyResults:
    return searched_study()


@pytest.fixture(scope="session")
def asked(searched: StudyResults) -> StudyResults:
    return for_labels(searched)


@pytest.fixture(scope="session")
def marked(small: StudyResults) -> StudyResults:
    """The small study with objects marked on all images but the first; a set of an even image lies beside its own."""
    agreement = small.areas[["image", "model", "search", "status"]].copy()
    place = agreement["image"].map({image: i for i, image in enumerate(small.manifest["image"])})
    known = (agreement["status"] == "found") & (place > 0)
    agreement["inside"] = (0.05 + 0.5 * (place % 2)).where(known)
    agreement["beside"] = (place % 2 == 0).astype("boolean").where(known)
    return dataclasses.replace(small, agreement=agreement)
