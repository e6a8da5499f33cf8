"""Guards of a study while it runs: no two processes in one stage, and an exit code that tells of failures."""

from __future__ import annotations

import errno
import logging
import threading
from contextlib import ExitStack
from typing import Any

from click import ClickException
from kedro.framework.hooks import hook_impl
from kedro.pipeline.node import Node

from mps_study.datasets.claims import ClaimedError, Claims
from mps_study.datasets.failures import Failures

log = logging.getLogger(__name__)

DISK_FAULTS = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO, errno.EFBIG)
BY_MODEL = ("fine_tuning", "model_export", "saliency", "mps_extraction", "probing")
"""Stages that claim model by model, so that several processes can share the work."""
SHARED = ("data_sampling",)
"""Stages whose work serves whoever comes later: one that is held is waited for, and then found done."""
SHARED_BY_PARTS = ("fine_tuning", "model_export", "saliency")
"""The same where each process searches a part of the images, and they all begin at the same moment."""


class ClaimHooks:
    """Claims the stage that a node belongs to, unless it claims by model.

    A stage is held until each thread that ran a node of it begins a node of another: until then nobody says that what
    such a node made has been saved.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._stages: dict[int, str] = {}
        self._held: dict[str, ExitStack] = {}

    @hook_impl
    def before_node_run(self, node: Node, catalog: Any) -> dict[str, Any] | None:
        """Move this thread on to the node's stage; what it reads is read again if it had to wait for that."""
        stage, thread = stage_of(node), threading.get_ident()
        shared = stage in SHARED or (stage in SHARED_BY_PARTS and catalog.load("params:shard") is not None)
        with self._lock:
            self._stages[thread] = stage
            for left in self._held.keys() - set(self._stages.values()):
                self._held.pop(left).close()
            if stage and (stage not in BY_MODEL or shared) and stage not in self._held:
                self._held[stage] = _claimed(stage, catalog.load("claims"), wait=shared)
        if shared and stage in SHARED_BY_PARTS:
            return {name: catalog.load(name) for name in node.inputs if not name.startswith("params:")}
        return None

    @hook_impl
    def after_pipeline_run(self) -> None:
        """Let go."""
        self._leave()

    @hook_impl
    def on_pipeline_error(self) -> None:
        """Let go."""
        self._leave()

    def _leave(self) -> None:
        with self._lock:
            for held in self._held.values():
                held.close()
            self._held, self._stages = {}, {}


def stage_of(node: Node) -> str:
    """The pipeline that a node belongs to: its namespace, since tags are the user's; empty for a node of their own."""
    return (node.namespace or "").partition(".")[0]


def _claimed(stage: str, claims: Claims, wait: bool) -> ExitStack:
    held = ExitStack()
    name = f"{stage}_for_all" if stage in BY_MODEL else stage  # `<stage>` is the folder of the claims by model
    try:
        held.enter_context(claims.claim(name, wait=wait))
    except ClaimedError as error:
        raise ClickException(f"this study is being worked on: {error}") from None
    return held


class FailureHooks:
    """Ends a run with exit code 1, once all is done that could be done, if a model failed in it."""

    def __init__(self) -> None:
        self._failures: dict[tuple[str, str], str | None] = {}

    @hook_impl
    def before_pipeline_run(self) -> None:
        """Forget an earlier run of this process."""
        self._failures = {}

    @hook_impl
    def after_dataset_saved(self, dataset_name: str, data: Failures) -> None:
        """Remember what failed."""
        if dataset_name.startswith("failures_of_"):
            self._failures |= data

    @hook_impl
    def on_pipeline_error(self, error: Exception) -> None:
        """Say that nothing is lost when it is the disk that failed."""
        while error.__cause__ or error.__context__:
            error = error.__cause__ or error.__context__  # type: ignore[assignment]
        if isinstance(error, OSError) and error.errno in DISK_FAULTS:
            log.error("%s; what is finished is kept: make room, or the folder writable, and run the same again", error)

    @hook_impl(trylast=True)
    def after_pipeline_run(self) -> None:
        """Tell.

        Raises:
            ClickException: something failed.
        """
        failed = {what: reason for what, reason in self._failures.items() if reason}
        if failed:
            lines = "\n".join(f"  {stage}, {model}: {reason}" for (stage, model), reason in failed.items())
            raise ClickException(f"the run is done, but without some of what was asked for:\n{lines}")
