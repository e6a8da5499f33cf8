"""Nodes of the reporting pipeline."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pandas as pd
from PIL import Image

from mps_study.common.progress import with_progress
from mps_study.common.searches import OWN
from mps_study.datasets.failures import Failures
from mps_study.datasets.figures import Pictures as PictureFiles
from mps_study.datasets.images import ImageFiles
from mps_study.datasets.records.store import RecordStore
from mps_study.models.export.card import ModelCard
from mps_study.pipelines.reporting.results import (
    Pictures,
    failed_stages,
    images_of_figures,
    makings,
    names_of_classes,
    provenance,
)
from mps_study.project.parameters import Reporting
from mps_study.report.explorer.images import ExplorerSizes, image_script, thumbnail
from mps_study.report.explorer.page import file_name, render_explorer
from mps_study.report.facts.results import Origin, Searches, StudyResults
from mps_study.report.figures.all_figures import figures_of
from mps_study.report.files import draw_files, draw_sheet, latex_of
from mps_study.report.page.html import render_report
from mps_study.report.tables.all_tables import tables_of

EXPLORER = "explorer.html"
"""Where the catalog puts it, seen from the report."""


def gather_results(
    manifest: pd.DataFrame,
    areas: pd.DataFrame,
    overlaps: pd.DataFrame,
    more_sets: pd.DataFrame,
    model_summary: pd.DataFrame,
    search_summary: pd.DataFrame,
    search_overlaps: pd.DataFrame,
    agreement: pd.DataFrame,
    statistics: pd.DataFrame,
    trust: pd.DataFrame,
    anytime: pd.DataFrame,
    model_cards: dict[str, ModelCard],
    images: ImageFiles,
    mps_records: RecordStore,
    reporting: Reporting,
    parameters: dict[str, Any],
    failures: Failures,
    left_out: pd.DataFrame,
) -> StudyResults:
    """What tables, figures and report read: the frames of the study's own search, and beside them the others."""
    shown_models = {*areas["model"], *parameters["compared"], parameters["model"]}
    model_cards = {name: card for name, card in model_cards.items() if name in shown_models}
    pictures = Pictures(manifest, areas, model_cards, images, mps_records)
    others = [str(name) for name in search_summary["search"].unique() if name != OWN]
    shown = {name: group for name, group in parameters.items() if name != "models"}
    return StudyResults(
        title=reporting.title,
        manifest=manifest,
        areas=areas[areas["search"] == OWN],
        overlaps=overlaps,
        more_sets=more_sets[more_sets["search"] == OWN],
        model_summary=model_summary,
        statistics=statistics,
        provenance=provenance(shown, areas),
        photo=pictures.photo,
        mask=pictures.mask,
        landscape=pictures.landscape,
        picture=pictures.picture,
        sighting=pictures.sighting,
        view=pictures.view,
        several=pictures.several,
        class_names=names_of_classes(model_cards, manifest),
        origins={
            name: Origin(card.timm or "", card.weights, card.holdout_accuracy) for name, card in model_cards.items()
        },
        figure_images=images_of_figures(reporting, manifest),
        left_out=dict(zip(left_out["image"], left_out["reason"], strict=True)) if len(left_out) else {},
        failed_stages=failed_stages(failures, shown_models),
        makings=makings(mps_records, areas),
        trust=trust,
        agreement=agreement,
        searches=Searches(others, areas, search_summary, search_overlaps, pictures.sighting, more_sets, anytime)
        if others
        else None,
    )


def make_tables(results: StudyResults) -> tuple[dict[str, pd.DataFrame], dict[str, pd.DataFrame], dict[str, str]]:
    """Every table of the registry: for CSV, for Parquet, and as LaTeX."""
    tables = tables_of(results)
    return tables, tables, {name: latex_of(name, table, results) for name, table in tables.items()}


def make_figures(results: StudyResults) -> PictureFiles:
    """Every figure of the registry as PNG and SVG, or the reason why there is none."""
    files: PictureFiles = {}
    names = figures_of(results)
    for name in with_progress(names, len(names), "drawing", "figure"):
        files |= draw_files(name, results)
    return files


def make_model_sheets(results: StudyResults) -> PictureFiles:
    """A sheet of each model's sets as PNG, `MODEL.png`; or the reason why there is none."""
    models = with_progress(results.models(), len(results.models()), "drawing", "sheet")
    return {name: picture for model in models for name, picture in draw_sheet(model, results).items()}


def write_report(results: StudyResults, figures: PictureFiles) -> str:
    """The HTML report."""
    shown = {name: figures.get(f"{name}.png", figures.get(name, "")) for name in figures_of(results)}
    return render_report(results, tables_of(results), shown, EXPLORER)


def make_explorer(
    results: StudyResults, reporting: Reporting
) -> tuple[dict[str, Callable[[], str]], dict[str, Callable[[], Image.Image]], str]:
    """What lies beside the explorer's page, made one by one while it is saved; and, when all is there, the page."""
    sizes = ExplorerSizes(**reporting.explorer.model_dump())
    names = [file_name(position) for position in range(len(results.manifest))]
    images: dict[str, Callable[[], str]] = {
        name: partial(image_script, results, position, sizes) for position, name in enumerate(names)
    }
    thumbnails: dict[str, Callable[[], Image.Image]] = {
        name: partial(thumbnail, results, position, sizes) for position, name in enumerate(names)
    }
    return images, thumbnails, render_explorer(results)
