"""Kedro's settings: hooks and configuration."""

from mps_study.hooks.checks import CheckHooks
from mps_study.hooks.guards import ClaimHooks, FailureHooks
from mps_study.hooks.stages import StageHooks
from mps_study.hooks.tracking import MlflowHooks
from mps_study.project.configuration import StudyConfigLoader

HOOKS = (CheckHooks(), ClaimHooks(), StageHooks(), MlflowHooks(), FailureHooks())
DISABLE_HOOKS_FOR_PLUGINS = ("kedro-telemetry",)
CONFIG_LOADER_CLASS = StudyConfigLoader
CONFIG_LOADER_ARGS = {"base_env": "base", "default_run_env": "local"}
