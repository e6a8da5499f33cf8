"""mps_extraction: ONNX models, sample -> MPS records."""

from kedro.pipeline import Pipeline, node, pipeline

from mps_study.pipelines.mps_extraction.nodes import extract_records


def create_pipeline() -> Pipeline:
    """Wire the nodes."""
    return pipeline(
        [
            node(
                extract_records,
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
                    "params:shard",
                    "params:extraction",
                    "saliency_maps",
                    "mps_records_so_far",
                    "claims",
                    "failures_so_far",
                ],
                ["mps_records", "model_cards_measured", "failures_of_extraction"],
                name="extract_records",
            )
        ],
        namespace="mps_extraction",
        prefix_datasets_with_namespace=False,
        tags="mps_extraction",
    )
