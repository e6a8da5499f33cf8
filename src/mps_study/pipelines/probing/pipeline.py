"""probing: MPS records, images, ONNX models -> what models say of the sets under other conditions."""

from kedro.pipeline import Pipeline, node, pipeline

from mps_study.pipelines.probing.nodes import collect_probes, probe_models

STUDY = ["params:models", "params:compared", "params:model"]
SEARCHES = ["params:search", "params:searches"]


def create_pipeline() -> Pipeline:
    """Wire the nodes."""
    return pipeline(
        [
            node(
                probe_models,
                [
                    *STUDY,
                    "onnx_models",
                    "model_cards",
                    "images",
                    "manifest",
                    *SEARCHES,
                    "params:probing",
                    "params:extraction",
                    "mps_records",
                    "probe_records_so_far",
                    "claims",
                    "failures_so_far",
                ],
                ["probe_records", "failures_of_probing"],
                name="probe_models",
            ),
            node(
                collect_probes,
                [
                    *STUDY,
                    "model_cards",
                    "manifest",
                    *SEARCHES,
                    "params:probing",
                    "mps_records",
                    "probe_records",
                    "failures_so_far",
                ],
                ["answers", "probes", "sub_explanations"],
                name="collect_probes",
            ),
        ],
        namespace="probing",
        prefix_datasets_with_namespace=False,
        tags="probing",
    )
