"""A real browser, Debian's Chromium driven by Playwright, and the pages that it opens from disk."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pages_on_disk import lay_explorer, lay_report

from mps_study.report.facts.results import StudyResults


@pytest.fixture(scope="session")
def folder(large: StudyResults, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of a report, as the reporting pipeline lays them."""
    folder = tmp_path_factory.mktemp("08_report")
    lay_report(large, folder)
    return folder


@pytest.fixture(scope="session")
def searched_folder(searched: StudyResults, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The explorer of a study of two searches."""
    folder = tmp_path_factory.mktemp("searched")
    lay_explorer(searched, folder)
    return folder


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Chromium; a test that wants it is skipped where it, or Playwright, is not there."""
    playwright = pytest.importorskip("playwright.sync_api", reason="needs Playwright: pip install -e '.[dev]'")
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if chromium is None:
        pytest.skip("needs Chromium on the PATH, e.g. from Debian: apt-get install chromium")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium)
        yield browser
        browser.close()
