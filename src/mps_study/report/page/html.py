"""The report as one HTML file that needs nothing else: no network, no folder beside it."""

from __future__ import annotations

import base64
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined

from mps_study.report.facts.findings import all_findings
from mps_study.report.facts.makings import making_lines, making_note
from mps_study.report.facts.results import NothingToShow, StudyResults
from mps_study.report.facts.searches import sentence
from mps_study.report.facts.selection import CHOICES, choose
from mps_study.report.facts.trust import MODELS, TRUST, answers
from mps_study.report.facts.wording import count
from mps_study.report.figures.all_figures import MODELS_FIGURES, SEARCH_FIGURES, TRUST_FIGURES
from mps_study.report.figures.style import architecture_colours
from mps_study.report.page.explanations import (
    FIGURE_TEXTS,
    HOW_AN_MPS_IS_DRAWN,
    TABLE_TEXTS,
    Explanation,
)
from mps_study.report.page.tables import HtmlTable, html_table
from mps_study.report.tables.all_tables import SEARCH_TABLES
from mps_study.report.tables.trust import MODELS_TABLES, TRUST_TABLES

PIXELS_PER_CSS_PIXEL = 2  # figures are drawn for dense screens
SVG_WIDTH = 840

APART = SEARCH_TABLES | TRUST_TABLES | MODELS_TABLES
FIGURES_APART = SEARCH_FIGURES | TRUST_FIGURES | MODELS_FIGURES
"""Those that stand in sections of their own."""


@dataclass(frozen=True)
class HtmlFigure:
    """A numbered figure: an embedded picture, or the reason why there is none."""

    name: str
    number: int
    title: str
    caption: str
    alt: str
    source: str = ""
    width: int = 0
    reason: str = ""
    image: str = ""
    """The image that it shows, if it shows one and the explorer has it."""


def render_report(
    results: StudyResults,
    tables: Mapping[str, pd.DataFrame],
    figures: Mapping[str, bytes | str],
    explorer: str = "",
) -> str:
    """One self-contained HTML page.

    Args:
        results: the study; captions and answers are read from it.
        tables: as `tables_of` made them, in the order to show. `failures` has a section of its
            own, and so have those of searches.
        figures: PNG or SVG bytes by name, in the order to show; a string is the reason why a figure
            has nothing to show, and stands in its place.
        explorer: where the explorer lies, seen from the report; empty when there is none.
    """
    environment = templates()
    environment.filters["tied"] = tied
    numbered = {
        name: html_table(name, frame, number, explain(TABLE_TEXTS, name), results)
        for number, (name, frame) in enumerate(tables.items(), start=1)
    }
    drawn = [
        html_figure(name, number, picture, results, explored=bool(explorer))
        for number, (name, picture) in enumerate(figures.items(), start=1)
    ]
    return environment.get_template("page/template.html").render(
        title=results.title,
        summary=summary_line(results),
        date=str(results.provenance.get("date", "")),
        findings=all_findings(results),
        colours=architecture_colours(results.architectures()),
        tables=[table for name, table in numbered.items() if name not in ("failures", *APART)],
        sections=sections_of(results, numbered, drawn),
        failures=numbered.get("failures"),
        failure_counts=failure_counts(results),
        failed_stages=results.failed_stages,
        left_out=results.left_out,
        figures=[figure for figure in drawn if figure.name not in FIGURES_APART],
        how_an_mps_is_drawn=HOW_AN_MPS_IS_DRAWN,
        provenance=results.provenance,
        making_lines=making_lines(results),
        explorer=explorer,
        css=static_text(environment, "page/report.css"),
        script=static_text(environment, "page/report.js"),
    )


@dataclass(frozen=True)
class Section:
    """A section of its own: sentences, each under its question (or under none), then tables and figures."""

    name: str
    title: str
    answers: Mapping[str, str]
    tables: list[HtmlTable]
    figures: list[HtmlFigure]


def sections_of(results: StudyResults, tables: Mapping[str, HtmlTable], figures: list[HtmlFigure]) -> list[Section]:
    """What this study has beside the paper's tables and figures."""
    asked = len(results.trust) > 0
    searches = {"": sentence(results)} if results.searches else {}
    told = (
        ("searches", "Searches compared", searches, SEARCH_TABLES, SEARCH_FIGURES),
        ("trust", "How far to trust these sets", answers(results, TRUST) if asked else {}, TRUST_TABLES, TRUST_FIGURES),
        (
            "sets-and-models", "What the sets say about the models", answers(results, MODELS) if asked else {},
            MODELS_TABLES, MODELS_FIGURES,
        ),
    )  # fmt: skip
    return [
        Section(
            name, title, answered, [table for each, table in tables.items() if each in its_tables],
            [figure for figure in figures if figure.name in its_figures],
        )
        for name, title, answered, its_tables, its_figures in told
        if answered
    ]  # fmt: skip


def templates() -> Environment:
    """The room's templates: everything escaped, a name that is missing an error."""
    return Environment(
        loader=PackageLoader("mps_study", "report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def explain(texts: Mapping[str, Explanation], name: str) -> Explanation:
    """The registered explanation; a table or figure of someone else's gets its own name."""
    plain = Explanation(name.replace("_", " ").capitalize(), lambda _: "", f"Figure: {name}")
    return texts.get(name, plain)


def summary_line(results: StudyResults) -> str:
    """'14 labelled and 6 unlabelled images, 15 models of 5 architectures'."""
    halves = results.manifest["half"].value_counts()
    shares = [f"{halves[half]} {half}" for half in ("labelled", "unlabelled") if half in halves]
    plural = "" if len(results.manifest) == 1 else "s"
    return (
        f"{' and '.join(shares)} image{plural}, "
        f"{count(len(results.models()), 'model')} of "
        f"{count(len(results.architectures()), 'architecture')}{making_note(results)}"
    )


def failure_counts(results: StudyResults) -> dict[str, int]:
    """How many searches ended in each status, `found` first."""
    counts = results.areas["status"].value_counts()
    order = sorted(counts.index, key=lambda status: (status != "found", str(status)))
    return {str(status): int(counts[status]) for status in order}


def html_figure(
    name: str, number: int, picture: bytes | str, results: StudyResults, explored: bool = False
) -> HtmlFigure:
    """A figure ready for the page: data URI, caption, alternative text."""
    text = explain(FIGURE_TEXTS, name)
    if isinstance(picture, str):
        reason = picture or "This figure was not made."
        return HtmlFigure(name, number, text.title, "", text.alt, reason=reason)
    image = ""
    try:
        caption = text.caption(results)
        if explored and name in CHOICES:
            image = choose(results, name).image
    except NothingToShow:  # a picture made elsewhere, which this study would not have
        caption = ""
    kind, width = kind_and_width(picture)
    source = f"data:image/{kind};base64,{base64.b64encode(picture).decode('ascii')}"
    return HtmlFigure(name, number, text.title, caption, text.alt, source, width, image=image)


def kind_and_width(picture: bytes) -> tuple[str, int]:
    """('png', width in CSS pixels) or ('svg+xml', ...), read from the first bytes."""
    if picture.startswith(b"\x89PNG\r\n\x1a\n"):
        (pixels,) = struct.unpack(">I", picture[16:20])
        return "png", pixels // PIXELS_PER_CSS_PIXEL
    if b"<svg" in picture[:2000]:
        return "svg+xml", SVG_WIDTH
    raise ValueError(
        f"a figure begins with {picture[:8]!r}, which is neither PNG nor SVG; "
        "give the bytes of `style.to_png(figure)`, or a sentence that says why there is none"
    )


def tied(text: str) -> str:
    """The text with 'n = 22' and 'p < 0.001' kept on one line."""
    for sign in "=<&":
        text = text.replace(f" {sign} ", f"\u00a0{sign}\u00a0")
    return text


def static_text(environment: Environment, name: str) -> Any:
    """The style sheet or the script, as it is: it is ours, and holds nothing of the study's."""
    loader = environment.loader
    assert loader is not None
    return loader.get_source(environment, name)[0]
