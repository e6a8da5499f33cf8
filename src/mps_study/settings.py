"""Kedro's settings: hooks and configuration."""

from mps_study.checks import CheckHooks
from mps_study.configuration import StudyConfigLoader
from mps_study.guards import ClaimHooks, FailureHooks
from mps_study.hooks import MlflowHooks
from mps_study.stages import StageHooks

HOOKS = (CheckHooks(), ClaimHooks(), StageHooks(), MlflowHooks(), FailureHooks())
DISABLE_HOOKS_FOR_PLUGINS = ("kedro-telemetry",)
CONFIG_LOADER_CLASS = StudyConfigLoader
CONFIG_LOADER_ARGS = {"base_env": "base", "default_run_env": "local"}
