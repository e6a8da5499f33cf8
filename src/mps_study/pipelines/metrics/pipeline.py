"""metrics: MPS records -> areas, overlaps, a summary of each model."""

from kedro.pipeline import Pipeline, node, pipeline

from mps_study.pipelines.metrics.nodes import compute_areas, compute_more_sets, compute_overlaps, compute_summary


def create_pipeline() -> Pipeline:
    """Wire the nodes."""
    return pipeline(
        [
            node(
                compute_areas,
                ["params:models", "model_cards", "params:search", "manifest", "mps_records", "failures_so_far"],
                "areas",
                name="compute_areas",
            ),
            node(compute_overlaps, ["areas", "manifest", "mps_records"], "overlaps", name="compute_overlaps"),
            node(compute_more_sets, ["areas", "mps_records", "params:search"], "more_sets", name="compute_more_sets"),
            node(
                compute_summary,
                ["areas", "model_cards", "params:metrics", "fine_tuned_summary"],
                "model_summary",
                name="compute_summary",
            ),
        ],
        tags="metrics",
    )
