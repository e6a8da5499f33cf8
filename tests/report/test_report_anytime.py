"""How small the sets of each search are by when, as a figure."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest
from matplotlib.text import Text

from mps_study.measures.anytime import AFTER
from mps_study.report.facts.results import NothingToShow, StudyResults
from mps_study.report.figures.all_figures import SEARCH_FIGURES, figures_of
from mps_study.report.figures.of_searches.anytime import curves_of
from mps_study.report.page.explanations import FIGURE_TEXTS


def timed(results: StudyResults, map_evaluations: int = 0) -> StudyResults:
    """The same with curves: the own search halves its set at each place, the other has none before 200."""
    rows = [
        {"image": image, "model": model, "search": search, "evaluations": n, "area": area}
        for model in results.models()
        for i, image in enumerate(results.manifest["image"])
        for place, n in enumerate(AFTER)
        for search, area in (
            ("study", (i + 1) / 10 / 2**place),
            ("minimal", np.nan if n < 200 else (i + 1) / 100),
        )
    ]
    summary = results.searches.summary
    summary = summary.assign(map_evaluations=np.where(summary["search"] == "minimal", map_evaluations, 0))
    searches = dataclasses.replace(results.searches, anytime=pd.DataFrame(rows), summary=summary)
    return dataclasses.replace(results, searches=searches)


def test_a_curve_has_mean_and_quartiles_and_begins_with_the_whole_image(searched: StudyResults) -> None:
    curves = curves_of(timed(searched), searched.models()[0])
    areas = np.arange(1, 9) / 10
    own, other = curves["study"].set_index("evaluations"), curves["minimal"].set_index("evaluations")
    for place, n in enumerate(AFTER):
        assert own.loc[n, "mean"] == pytest.approx((areas / 2**place).mean())
        assert tuple(own.loc[n, ["low", "high"]]) == pytest.approx(np.quantile(areas / 2**place, [0.25, 0.75]))
    assert list(other["mean"].iloc[:2]) == [1, 1] and other.loc[200, "mean"] == pytest.approx(0.045)


def test_what_a_map_took_comes_first(searched: StudyResults) -> None:
    curves = curves_of(timed(searched, map_evaluations=4001), searched.models()[0])
    assert list(curves["minimal"]["evaluations"]) == [n + 4001 for n in AFTER]
    assert list(curves["study"]["evaluations"]) == list(AFTER)


def test_each_search_has_a_panel_with_its_curve_over_those_of_the_others(searched: StudyResults) -> None:
    results = timed(searched)
    figure = SEARCH_FIGURES["anytime"](results)
    assert {"a  own search", "b  minimal"} <= {text.get_text() for text in figure.findobj(Text)}
    for axes, curve in zip(figure.axes, curves_of(results, results.models()[0]).values(), strict=True):
        assert len(axes.lines) == 3
        np.testing.assert_allclose(axes.lines[-1].get_xydata(), curve[["evaluations", "mean"]] * [1, 100])
    assert "middle half (band) of 8 images" in FIGURE_TEXTS["anytime"].caption(results)


def test_a_study_that_did_not_ask_has_no_such_figure(searched: StudyResults) -> None:
    assert "anytime" in figures_of(timed(searched)) and "anytime" not in figures_of(searched)
    with pytest.raises(NothingToShow, match="No search of lite0 was asked"):
        results = timed(searched)
        kept = results.searches.anytime.query("model != 'lite0'")
        SEARCH_FIGURES["anytime"](
            dataclasses.replace(results, searches=dataclasses.replace(results.searches, anytime=kept))
        )
