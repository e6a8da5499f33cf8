"""Report, explorer and opened image before axe-core: light and dark, and nothing to find."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from axe import NoAxe, axe_script, violations
from pages_on_disk import drawn

if TYPE_CHECKING:
    from playwright.sync_api import Page


@pytest.fixture(scope="module")
def script(browser: Any) -> str:
    try:
        return axe_script()
    except NoAxe as reason:
        pytest.skip(str(reason))


@pytest.fixture
def page(browser: Any) -> Iterator[Page]:
    page = browser.new_page(viewport={"width": 1280, "height": 900}, color_scheme="light")
    yield page
    page.close()


def in_both_schemes(page: Page, script: str, within: str = "html") -> list[str]:
    """All rules on a light ground, and those about colours on a dark one."""
    found = [f"light: {line}" for line in violations(page, script, within=within)]
    page.emulate_media(color_scheme="dark")
    return found + [f"dark: {line}" for line in violations(page, script, colour_only=True, within=within)]


def test_the_judge_sees_what_is_wrong(page: Page, script: str) -> None:
    page.set_content(
        "<html lang='en'><title>x</title><main><h1>x</h1><h3 style='color:#aaa'>a pale word</h3><img src='data:,'>"
    )
    rules = {line.partition(":")[0] for line in violations(page, script)}
    assert rules >= {"heading-order", "image-alt", "color-contrast"}
    assert {line.partition(":")[0] for line in violations(page, script, colour_only=True)} == {"color-contrast"}


@pytest.mark.parametrize("file", ["report.html", "explorer.html"])
def test_nothing_is_wrong_with_a_page(page: Page, script: str, folder: Path, file: str) -> None:
    page.goto((folder / file).as_uri())
    assert in_both_schemes(page, script) == []


def test_nothing_is_wrong_with_an_opened_image_that_has_no_next(page: Page, script: str, folder: Path) -> None:
    page.goto((folder / "explorer.html").as_uri() + "#val_0000")
    drawn(page)
    assert page.locator("#image nav a:not([href])").count() > 0
    assert in_both_schemes(page, script, within="#image") == []
