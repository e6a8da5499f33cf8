"""The runner that the parameters ask for."""

from __future__ import annotations

from mps_study.compute.asking import Asking
from mps_study.compute.here import Here
from mps_study.compute.jobs import RunnerContext


def runner_for(asking: Asking, cluster: str | None, workers: int | None) -> RunnerContext:
    """This process, or a cluster: `local`, or the address of a Dask scheduler.

    Args:
        asking: how models are asked: a local cluster has one worker a GPU.
        cluster: None for this process.
        workers: of a local cluster; None chooses.
    """
    if cluster is None:
        return Here()
    from mps_study.compute.on_dask.cluster import OnDask, local_cluster, scheduler_at  # only who asks for it needs Dask

    return OnDask(local_cluster(asking, workers) if cluster == "local" else scheduler_at(cluster))
