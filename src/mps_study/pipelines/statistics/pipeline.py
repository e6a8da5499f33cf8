"""statistics: measures -> hypothesis tests."""

from kedro.pipeline import Pipeline, node, pipeline

from mps_study.pipelines.statistics.nodes import compute_statistics


def create_pipeline() -> Pipeline:
    """Wire the nodes."""
    return pipeline(
        [
            node(
                compute_statistics,
                [
                    "areas",
                    "overlaps",
                    "model_summary",
                    "agreement",
                    "sub_explanations",
                    "more_sets",
                    "params:statistics",
                ],
                "statistics",
                name="compute_statistics",
            )
        ],
        namespace="statistics",
        prefix_datasets_with_namespace=False,
        tags="statistics",
    )
