"""metrics: MPS records -> areas, overlaps, a summary of each model, its searches side by side."""

from kedro.pipeline import Pipeline, node, pipeline

from mps_study.pipelines.metrics.nodes import (
    compute_agreement,
    compute_anytime,
    compute_areas,
    compute_more_sets,
    compute_overlaps,
    compute_search_overlaps,
    compute_search_summary,
    compute_summary,
    compute_trust,
)

SEARCHES = ["params:search", "params:searches"]


def create_pipeline() -> Pipeline:
    """Wire the nodes."""
    return pipeline(
        [
            node(
                compute_areas,
                [
                    "params:models",
                    "params:compared",
                    "params:model",
                    "model_cards",
                    *SEARCHES,
                    "manifest",
                    "mps_records",
                    "failures_so_far",
                ],
                "areas",
                name="compute_areas",
            ),
            node(compute_overlaps, ["areas", "manifest", "mps_records"], "overlaps", name="compute_overlaps"),
            node(compute_more_sets, ["areas", "mps_records", *SEARCHES], "more_sets", name="compute_more_sets"),
            node(compute_anytime, ["areas", "mps_records"], "anytime", name="compute_anytime"),
            node(compute_agreement, ["areas", "annotations", "mps_records"], "agreement", name="compute_agreement"),
            node(
                compute_summary,
                ["areas", "model_cards", "params:metrics", "fine_tuned_summary"],
                "model_summary",
                name="compute_summary",
            ),
            node(compute_search_summary, ["areas", "params:metrics"], "search_summary", name="compute_search_summary"),
            node(compute_search_overlaps, ["areas", "mps_records"], "search_overlaps", name="compute_search_overlaps"),
            node(
                compute_trust,
                [
                    "areas",
                    "more_sets",
                    "overlaps",
                    "search_overlaps",
                    "answers",
                    "probes",
                    "sub_explanations",
                    "agreement",
                    "onnx_models",
                    "model_cards",
                    *SEARCHES,
                    "params:metrics",
                ],
                "trust",
                name="compute_trust",
            ),
        ],
        namespace="metrics",
        prefix_datasets_with_namespace=False,
        tags="metrics",
    )
