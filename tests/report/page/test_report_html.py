from __future__ import annotations

import base64
import dataclasses
import re
from html.parser import HTMLParser

import pytest
from synthetic_study import picture_or_reason

from mps_study.report.facts.findings import all_findings
from mps_study.report.facts.results import Making, StudyResults
from mps_study.report.figures.all_figures import FIGURES, SEARCH_FIGURES
from mps_study.report.page.html import render_report, tied
from mps_study.report.tables.all_tables import SEARCH_TABLES, TABLES

SHOWN = ("sizes", "stages", "disagreement")  # drawing all seven again would only cost time


class Page(HTMLParser):
    """Tags with their attributes, and the text outside style and script."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words = ""
        self.silent = False
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self.silent = tag in ("style", "script")

    def handle_endtag(self, tag: str) -> None:
        self.silent = False

    def handle_data(self, text: str) -> None:
        self.words += "" if self.silent else text

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def page_of(results: StudyResults) -> tuple[str, Page]:
    tables = {name: table(results) for name, table in TABLES.items()}
    html = render_report(results, tables, {n: picture_or_reason(n, results) for n in SHOWN})
    return html, Page(html)


@pytest.fixture(scope="module")
def pages(large: StudyResults, small: StudyResults, lucky: StudyResults) -> dict[str, tuple[str, Page]]:
    return {results.title: page_of(results) for results in (large, small, lucky)}


def test_the_page_loads_nothing_from_anywhere(pages: dict[str, tuple[str, Page]]) -> None:
    for html, page in pages.values():
        assert "http://" not in html and "https://" not in html and "@import" not in html
        assert page.all("link") == []
        assert all(script.get("src") is None for script in page.all("script"))
        assert all(str(image["src"]).startswith("data:image/") for image in page.all("img"))
        assert all(
            str(anchor["href"]).startswith(("#", "data:text/csv", "data:application/x-tex")) for anchor in page.all("a")
        )
        assert "url(" not in html


def test_every_link_of_the_contents_leads_somewhere(pages: dict[str, tuple[str, Page]]) -> None:
    for _, page in pages.values():
        targets = {attributes.get("id") for _, attributes in page.tags}
        links = {str(anchor["href"]) for anchor in page.all("a") if "download" not in anchor}
        assert {link.removeprefix("#") for link in links} <= targets


def test_the_page_names_every_model(large: StudyResults, pages: dict[str, tuple[str, Page]]) -> None:
    for model in large.models():
        assert model in pages["large"][1].words


def test_names_cannot_inject_markup(small: StudyResults) -> None:
    evil = "<script>alert(1)</script>"
    areas = small.areas.assign(reason=evil, status=small.areas["status"].str.replace("f", "<f>"))
    results = dataclasses.replace(
        small, title=f"{evil} & more", areas=areas, provenance={"date": evil, evil: {"x": [evil]}}
    )
    html = render_report(results, {"failures": TABLES["failures"](results)}, {evil: evil})
    page = Page(html)
    assert evil not in html and "&lt;script&gt;alert(1)" in html
    assert len(page.all("script")) == 1
    assert evil in page.words


def test_the_first_screen_holds_the_three_answers(
    large: StudyResults, small: StudyResults, pages: dict[str, tuple[str, Page]]
) -> None:
    for results in (large, small):
        words = pages[results.title][1].words
        for finding in all_findings(results):
            assert finding.question in words
            assert tied(finding.answer) in words
            assert words.index(tied(finding.answer)) < words.index("Table 1.")


def test_the_lede_counts_images_models_and_architectures(
    pages: dict[str, tuple[str, Page]],
) -> None:
    words = pages["large"][1].words
    assert "16 labelled and 6 unlabelled images, 15 models of 5 architectures; 2025-01-31" in words
    assert "8 labelled images, 3 models of 1 architecture" in pages["miniature"][1].words


def test_a_skipped_test_shows_its_reason(pages: dict[str, tuple[str, Page]]) -> None:
    assert "skipped: 1 architecture(s) to compare" in pages["miniature"][1].words
    assert "The test was skipped: 2 correct and 0 incorrect" in pages["lucky"][1].words


def test_a_reason_stands_where_a_figure_has_nothing_to_show(
    lucky: StudyResults, pages: dict[str, tuple[str, Page]]
) -> None:
    page = pages["lucky"][1]
    assert str(picture_or_reason("stages", lucky)) in page.words
    assert len(page.all("img")) == 1


def test_captions_tell_the_rule_that_chose_the_image(pages: dict[str, tuple[str, Page]]) -> None:
    words = pages["large"][1].words
    assert "Figure 2. From picture to MPS" in words and "a typical case" in words
    assert "Chosen by rule: of the" in words


def test_every_picture_has_a_text_and_every_heading_its_level(
    pages: dict[str, tuple[str, Page]],
) -> None:
    for _, page in pages.values():
        assert all(len(str(image["alt"])) > 20 for image in page.all("img"))
        levels = [int(tag[1]) for tag, _ in page.tags if re.fullmatch(r"h[1-6]", tag)]
        assert levels.count(1) == 1 and levels[0] == 1


def test_tables_can_be_sorted_and_scrolled_by_keyboard(pages: dict[str, tuple[str, Page]]) -> None:
    _, page = pages["large"]
    headings = [attributes for attributes in page.all("th") if attributes.get("scope") == "col"]
    assert len(headings) == sum(button.get("title") == "sort" for button in page.all("button")) > 0
    scrolled = [d for d in page.all("div") if str(d.get("class", "")).startswith("scroll")]
    assert scrolled and all(division["tabindex"] == "0" for division in scrolled)


def test_a_mean_and_its_interval_share_a_cell(large: StudyResults, pages: dict[str, tuple[str, Page]]) -> None:
    html, _ = pages["large"]
    row = large.model_summary.iloc[0]
    assert f"{100 * row['area_labelled']:.1f}%" in html
    assert f"{100 * row['area_labelled_low']:.1f} to {100 * row['area_labelled_high']:.1f}" in html
    assert "Area, labelled, low" not in html


def test_a_row_of_no_model_has_no_empty_heading(small: StudyResults) -> None:
    """As where a table says of all models why it has nothing to show."""
    table = TABLES["models"](small)
    table.loc[table.index[0], "Model"] = ""
    html = render_report(small, {"models": table}, {})
    assert html.count('<th scope="row"') == len(table) - 1 > 0
    assert not re.search(r"<th[^>]*></th>", html)


def test_failures_are_counted_and_listed(pages: dict[str, tuple[str, Page]]) -> None:
    words = pages["miniature"][1].words
    assert "found 23, unstable 1" in words and "no set passed" in words


def test_models_that_failed_and_images_left_out_are_listed_with_their_reasons(small: StudyResults) -> None:
    lost = dataclasses.replace(
        small, failed_stages={"tiny, model_export": "no weights"}, left_out={"broken <1>": "its file is cut short"}
    )
    words = Page(render_report(lost, {}, {})).words
    assert "tiny, model_export: no weights" in words
    assert "broken <1>: its file is cut short" in words
    assert "could not be used" not in Page(render_report(small, {}, {})).words


def test_provenance_is_shown_at_every_depth(pages: dict[str, tuple[str, Page]]) -> None:
    words = pages["large"][1].words
    for text in ("onnxruntime", "1.22.0", "strategy", "<b>not bold</b>"):
        assert text in words


def test_a_study_of_several_devices_or_versions_says_so(small: StudyResults) -> None:
    one = Making({"device": "cpu: A", "numpy": "2.2"}, ["lite0", "lite1"], 16)
    page = Page(render_report(dataclasses.replace(small, makings=[one]), {}, {})).words
    assert "All 16 records: device cpu: A, numpy 2.2." in page and "sets of versions" not in page

    other = Making({"device": "cuda: B", "numpy": "2.2"}, ["lite2"], 7, tolerance=0.0831)
    unknown = Making({}, ["lite2"], 1)
    page = Page(render_report(dataclasses.replace(small, makings=[one, other, unknown]), {}, {})).words
    assert "1 architecture, made with 2 devices or sets of versions; 2025-01-31" in page
    assert "The records come from 2 devices or sets of versions" in page
    assert "7 records of lite2: device cuda: B, numpy 2.2, answers in batches within 0.083 of those alone" in page
    assert "1 record of lite2: device and versions are not known." in page


def test_an_svg_is_embedded_and_other_bytes_are_refused_with_advice(small: StudyResults) -> None:
    html = render_report(small, {}, {"drawing": b"<?xml version='1.0'?><svg/>"})
    assert "data:image/svg+xml;base64," in html
    with pytest.raises(ValueError, match="to_png"):
        render_report(small, {}, {"drawing": b"GIF89a"})


def test_every_table_and_figure_of_the_registries_has_its_words() -> None:
    from mps_study.report.figures.all_figures import MODELS_FIGURES, TRUST_FIGURES
    from mps_study.report.page.explanations import FIGURE_TEXTS, TABLE_TEXTS
    from mps_study.report.tables.trust import MODELS_TABLES, TRUST_TABLES

    assert set(FIGURE_TEXTS) == set(FIGURES | SEARCH_FIGURES | TRUST_FIGURES | MODELS_FIGURES)
    assert set(TABLE_TEXTS) == set(TABLES | SEARCH_TABLES | TRUST_TABLES | MODELS_TABLES)


def test_every_notes_text_is_on_the_page_under_another_cell_or_in_a_column(pages: dict[str, tuple[str, Page]]) -> None:
    words = pages["large"][1].words
    assert "weights matched with medium-high confidence" in words  # under the quantity
    assert "an extreme case, not a typical one" in words  # a column


def test_tables_can_be_downloaded_as_they_are_saved(large: StudyResults, pages: dict[str, tuple[str, Page]]) -> None:
    links = {a["download"]: str(a["href"]) for a in pages["large"][1].all("a") if "download" in a}
    shown = {name for name, table in TABLES.items() if len(table(large))}
    assert set(links) == {f"{name}.{suffix}" for name in shown for suffix in ("csv", "tex")}
    text = base64.b64decode(links["models.csv"].partition("base64,")[2]).decode()
    assert text == TABLES["models"](large).to_csv(index=False)
