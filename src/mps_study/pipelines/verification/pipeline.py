"""verification: MPS records, images, ONNX models -> whether each set and certificate holds."""

from kedro.pipeline import Pipeline, node, pipeline

from mps_study.pipelines.verification.nodes import verify_study


def create_pipeline() -> Pipeline:
    """Wire the nodes."""
    return pipeline(
        [
            node(
                verify_study,
                [
                    "params:models",
                    "params:compared",
                    "params:model",
                    "onnx_models",
                    "model_cards",
                    "images",
                    "manifest",
                    "params:search",
                    "params:searches",
                    "params:only_search",
                    "params:extraction",
                    "mps_records",
                    "failures_so_far",
                ],
                "verification",
                name="verify_study",
            )
        ],
        namespace="verification",
        prefix_datasets_with_namespace=False,
        tags="verification",
    )
