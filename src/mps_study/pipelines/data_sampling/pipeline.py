"""data_sampling: image sources -> images, manifest, annotations, training manifest."""

from kedro.pipeline import Pipeline, node, pipeline

from mps_study.pipelines.data_sampling.nodes import collect_training_images, draw_sample, read_annotations

MODELS = ("params:models", "params:compared", "params:model")
"""By whose class names folders are labelled."""


def create_pipeline() -> Pipeline:
    """Wire the nodes."""
    return pipeline(
        [
            node(
                draw_sample,
                ["params:data_sampling", "sample_so_far", *MODELS],
                ["images", "left_out", "manifest"],  # the manifest last: it says that the sample is whole
                name="draw_sample",
            ),
            node(
                read_annotations,
                ["params:data_sampling", "manifest", "annotations_so_far"],
                "annotations",
                name="read_annotations",
            ),
            node(
                collect_training_images,
                ["params:data_sampling", "manifest", "training_so_far", *MODELS],
                ["training_images", "training_manifest"],
                name="collect_training_images",
            ),
        ],
        namespace="data_sampling",
        prefix_datasets_with_namespace=False,
        tags="data_sampling",
    )
