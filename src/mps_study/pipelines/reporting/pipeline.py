"""reporting: frames, records, images -> tables, figures, one HTML report."""

from kedro.pipeline import Pipeline, node, pipeline

from mps_study.pipelines.reporting.nodes import (
    gather_results,
    make_explorer,
    make_figures,
    make_model_sheets,
    make_tables,
    write_report,
)


def create_pipeline() -> Pipeline:
    """Wire the nodes."""
    return pipeline(
        [
            node(
                gather_results,
                [
                    "manifest",
                    "areas",
                    "overlaps",
                    "more_sets",
                    "model_summary",
                    "search_summary",
                    "search_overlaps",
                    "agreement",
                    "statistics",
                    "trust",
                    "anytime",
                    "model_cards",
                    "images",
                    "mps_records",
                    "params:reporting",
                    "parameters",
                    "failures_so_far",
                    "left_out",
                ],
                "study_results",
                name="gather_results",
            ),
            node(make_tables, "study_results", ["tables", "tables_parquet", "tables_latex"], name="make_tables"),
            node(make_figures, "study_results", "figures", name="make_figures"),
            node(make_model_sheets, "study_results", "model_sheets", name="make_model_sheets"),
            node(
                make_explorer,
                ["study_results", "params:reporting"],
                ["explorer_images", "explorer_thumbnails", "explorer"],
                name="make_explorer",
            ),
            node(write_report, ["study_results", "figures"], "report", name="write_report"),
        ],
        namespace="reporting",
        prefix_datasets_with_namespace=False,
        tags="reporting",
    )
