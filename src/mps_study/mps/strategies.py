"""All strategies by name. A new one is a dataclass derived from `Strategy` in a file of its own, and its row here."""

from __future__ import annotations

from mps_study.mps.group_testing.group_testing import GroupTesting
from mps_study.mps.minimal.minimal import Minimal
from mps_study.mps.rex.contrastive import Complete, Contrastive
from mps_study.mps.rex.rex import Rex
from mps_study.mps.strategy import Strategy
from mps_study.mps.tiled.backward import Backward
from mps_study.mps.tiled.ddmin import Ddmin
from mps_study.mps.tiled.sag import Sag

STRATEGIES: dict[str, type[Strategy]] = {
    "rex": Rex,
    "contrastive": Contrastive,
    "complete": Complete,
    "minimal": Minimal,
    "group_testing": GroupTesting,
    "sag": Sag,
    "ddmin": Ddmin,
    "backward": Backward,
}
