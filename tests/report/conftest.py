from __future__ import annotations

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
