"""Report and explorer laid in a folder as the reporting pipeline lays them, for a browser to open."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from synthetic_study import picture_or_reason

from mps_study.report.explorer.images import ExplorerSizes, image_script, thumbnail
from mps_study.report.explorer.page import file_name, render_explorer
from mps_study.report.facts.results import StudyResults
from mps_study.report.page.html import render_report
from mps_study.report.tables.all_tables import TABLES

if TYPE_CHECKING:
    from playwright.sync_api import Page


def lay_report(results: StudyResults, folder: Path) -> None:
    """The report of all tables and two figures, with the explorer beside it."""
    tables = {name: table(results) for name, table in TABLES.items()}
    figures = {name: picture_or_reason(name, results) for name in ("sizes", "disagreement")}
    (folder / "report.html").write_text(render_report(results, tables, figures, "explorer.html"))
    lay_explorer(results, folder)


def lay_explorer(results: StudyResults, folder: Path) -> None:
    """The explorer's page, and what lies beside it."""
    (folder / "explorer.html").write_text(render_explorer(results))
    for part in ("images", "thumbnails"):
        (folder / "explorer" / part).mkdir(parents=True)
    sizes = ExplorerSizes(photo=224, thumbnail=64, heat_map=28)
    for position in range(len(results.manifest)):
        name = file_name(position)
        (folder / f"explorer/images/{name}.js").write_text(image_script(results, position, sizes))
        thumbnail(results, position, sizes).save(folder / f"explorer/thumbnails/{name}.webp")


def drawn(page: Page) -> None:
    """Wait until the opened image is drawn."""
    page.wait_for_function("openedImage !== null && document.getElementById('overlay-canvas').width > 1")
