"""One line of log a stage."""

from __future__ import annotations

import inspect
import logging
import time

from kedro.framework.hooks import hook_impl
from kedro.pipeline.node import Node

from mps_study.common.progress import log_above_bars

log = logging.getLogger(__name__)


class StageHooks:
    """Says which node has finished, and how long it took."""

    def __init__(self) -> None:
        self._started: dict[str, float] = {}

    @hook_impl
    def before_pipeline_run(self) -> None:
        """Keep log and bars apart."""
        log_above_bars()

    @hook_impl
    def before_node_run(self, node: Node) -> None:
        """Start the node's clock."""
        self._started[node.name] = time.perf_counter()

    @hook_impl
    def after_node_run(self, node: Node) -> None:
        """One line a node; nodes that yield have only begun here, and log their own lines."""
        if not inspect.isgeneratorfunction(node.func):
            log.info("%s: %.1f s", node.short_name, time.perf_counter() - self._started[node.name])
