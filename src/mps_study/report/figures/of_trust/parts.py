"""How the confidence of a set falls as its tiles are deleted."""

from __future__ import annotations

from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from mps_study.common.searches import OWN
from mps_study.report.facts.results import NothingToShow, StudyResults
from mps_study.report.facts.trust import rows_of, why_not
from mps_study.report.figures.style import (
    DOUBLE_COLUMN,
    FAINT_INK,
    architecture_colours,
    in_study_look,
    model_colours,
)

FEW_MODELS = 6  # so many are named, each in a shade of its own


@in_study_look
def draw_parts(results: StudyResults) -> Figure:
    """A panel a search, a line a model."""
    rows = rows_of(results, "sub_explanations", measure="relative confidence")
    if rows.empty:
        raise NothingToShow(f"Parts of sets were not asked about: {why_not(results, 'sub_explanations')}.")
    searches = sorted(set(rows["search"]), key=lambda name: (name != OWN, name))[:3]
    figure = Figure(figsize=(DOUBLE_COLUMN, 0.42 * DOUBLE_COLUMN), layout="constrained")
    panels = figure.subplots(1, len(searches), sharey=True, squeeze=False)[0]
    few = len(results.models()) <= FEW_MODELS
    of_architecture = architecture_colours(results.architectures())
    shades = model_colours({name: results.architecture_of(name) for name in results.models()})
    colours = {name: shades[name] if few else of_architecture[results.architecture_of(name)] for name in shades}
    for axes, search in zip(panels, searches, strict=True):
        axes.plot([0, 100], [1, 0], color=FAINT_INK, linewidth=0.8, linestyle="--")
        for model in results.models():
            mine = rows[(rows["search"] == search) & (rows["model"] == model)].sort_values("share")
            axes.plot(100 * mine["share"], mine["value"], color=colours[model], linewidth=1.4)
        axes.set(xlabel="deleted share of the tiles (%)", xlim=(0, 100), ylim=(0, 1.02))
        axes.set_title(f"sets of {search}" if len(searches) > 1 else "")
        axes.grid()
    panels[0].set_ylabel("relative confidence")
    named = shades if few else of_architecture
    keys = [Line2D([], [], color=colour, linewidth=1.8, label=name) for name, colour in named.items()]
    figure.legend(handles=keys, loc="outside lower center", ncols=4, handlelength=1.2)
    return figure
