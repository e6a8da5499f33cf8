"""Kedro's settings: hooks, session and configuration."""

import os
import warnings

from kedro import KedroDeprecationWarning

from mps_study.hooks.checks import CheckHooks
from mps_study.hooks.guards import ClaimHooks, FailureHooks
from mps_study.hooks.session import StudySession
from mps_study.hooks.stages import StageHooks
from mps_study.hooks.tracking import MlflowHooks
from mps_study.project.configuration import StudyConfigLoader

# Both do what they say for as long as this project's Kedro, below 2, is installed.
warnings.filterwarnings("ignore", r"Option '--(pipeline|async)' is deprecated", KedroDeprecationWarning)

# oneDNN's kernels above this level train to other weights each time, or to NaN (docs/decisions/0004).
os.environ.setdefault("ONEDNN_MAX_CPU_ISA", "AVX512_CORE")

HOOKS = (CheckHooks(), ClaimHooks(), StageHooks(), MlflowHooks(), FailureHooks())
DISABLE_HOOKS_FOR_PLUGINS = ("kedro-telemetry",)
SESSION_CLASS = StudySession
CONFIG_LOADER_CLASS = StudyConfigLoader
CONFIG_LOADER_ARGS = {"base_env": "base", "default_run_env": "local"}
