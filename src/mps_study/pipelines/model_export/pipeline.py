"""model_export: roster, checkpoints, sample -> ONNX models and cards."""

from kedro.pipeline import Pipeline, node, pipeline

from mps_study.pipelines.model_export.nodes import export_models


def create_pipeline() -> Pipeline:
    """Wire the nodes."""
    return pipeline(
        [
            node(
                export_models,
                [
                    "params:models",
                    "params:compared",
                    "params:model",
                    "images",
                    "manifest",
                    "checkpoints",
                    "params:model_export",
                    "model_cards_so_far",
                    "claims",
                    "failures_so_far",
                ],
                ["onnx_models", "model_cards", "failures_of_export"],
                name="export_models",
            )
        ],
        namespace="model_export",
        prefix_datasets_with_namespace=False,
        tags="model_export",
    )
