"""fine_tuning: roster, training images -> checkpoints."""

from kedro.pipeline import Pipeline, node, pipeline

from mps_study.pipelines.fine_tuning.nodes import fine_tune_models


def create_pipeline() -> Pipeline:
    """Wire the nodes."""
    return pipeline(
        [
            node(
                fine_tune_models,
                [
                    "params:models",
                    "params:compared",
                    "params:model",
                    "training_images",
                    "training_manifest",
                    "params:fine_tuning",
                    "params:extraction",
                    "checkpoints_so_far",
                    "training_states",
                    "claims",
                ],
                ["checkpoints", "failures_of_training"],
                name="fine_tune_models",
            )
        ],
        namespace="fine_tuning",
        prefix_datasets_with_namespace=False,
        tags="fine_tuning",
    )
