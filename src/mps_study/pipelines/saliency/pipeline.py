"""saliency: ONNX models, roster, sample -> the maps by which searches rank pixels, where a search asks for them."""

from kedro.pipeline import Pipeline, node, pipeline

from mps_study.pipelines.saliency.nodes import make_maps


def create_pipeline() -> Pipeline:
    """Wire the nodes."""
    return pipeline(
        [
            node(
                make_maps,
                [
                    "params:models",
                    "params:compared",
                    "params:model",
                    "onnx_models",
                    "model_cards",
                    "checkpoints",
                    "images",
                    "manifest",
                    "params:search",
                    "params:searches",
                    "params:only_search",
                    "params:extraction",
                    "saliency_maps_so_far",
                    "claims",
                    "failures_so_far",
                ],
                ["saliency_maps", "failures_of_saliency"],
                name="make_maps",
            )
        ],
        namespace="saliency",
        prefix_datasets_with_namespace=False,
        tags="saliency",
    )
