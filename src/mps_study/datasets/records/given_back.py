"""Rows of the record store as the records that they were."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from mps_study.datasets.records.columns import BULKY_COLUMNS, SMALL_COLUMNS
from mps_study.datasets.records.store import unpack_landscape, unpack_mask
from mps_study.mps.anytime import Anytime
from mps_study.mps.types import AtFloor, Certificate, Curves, Mps, MpsRecord, SoftSet, Target

WHOLE = (*SMALL_COLUMNS, *BULKY_COLUMNS)
"""The columns of which a record is made."""


def record_of(row: Mapping[str, Any]) -> MpsRecord:
    """The `MpsRecord` of a row with the columns `WHOLE`, such as `RecordsByImage.record` gives.

    Sets at floors of rows that were stored before their masks were are left out.
    """
    shape = (0, 0) if pd.isna(row["height"]) else (int(row["height"]), int(row["width"]))
    floors, masks = json.loads(row["floors"]), row["floor_masks"]
    known = masks is not None and len(masks) == len(floors)
    return MpsRecord(
        key=str(row["image"]),
        status=str(row["status"]),
        reason=str(row["reason"]),
        target=Target(int(row["target"]), _number(row["target_confidence"])),
        mask=None if row["mask"] is None else unpack_mask(row["mask"], *shape),
        confidence=_number(row["confidence"]),
        calls=int(row["calls"]),
        evaluations=int(row["evaluations"]),
        landscape=None if row["landscape"] is None else unpack_landscape(row["landscape"], *shape),
        certificate=_certificate(row["certificate"]),
        contrast=None if pd.isna(row["contrast"]) else int(row["contrast"]),
        dilation_survives=None if pd.isna(row["dilation_survives"]) else bool(row["dilation_survives"]),
        floors=tuple(_at_floor(at, mask, shape) for at, mask in zip(floors, masks, strict=True)) if known else (),
        further=tuple(
            _mps(facts, mask, shape)
            for facts, mask in zip(json.loads(row["further"]), row["further_masks"], strict=True)
        ),
        curves=_curves(row["curves"]),
        top=None if pd.isna(row["top"]) else int(row["top"]),
        anytime=_anytime(row["anytime"]),
        soft=SoftSet(**json.loads(row["soft"])) if isinstance(row["soft"], str) else None,
    )


def _number(stored: float | None) -> float:
    """NaN for what Parquet has as missing."""
    return float("nan") if stored is None else float(stored)


def _at_floor(at: dict[str, Any], mask: bytes | None, shape: tuple[int, int]) -> AtFloor:
    return AtFloor(at["share"], at["floor"], None if mask is None else _mps(at, mask, shape), at.get("asked", True))


def _mps(facts: dict[str, Any], mask: bytes, shape: tuple[int, int]) -> Mps:
    certificate = Certificate(**facts["certificate"]) if facts.get("certificate") else None
    return Mps(unpack_mask(mask, *shape), facts["confidence"], certificate, facts.get("contrast"))


def _certificate(stored: str | None) -> Certificate | None:
    return Certificate(**json.loads(stored)) if isinstance(stored, str) else None


def _anytime(stored: str | None) -> Anytime | None:
    if not isinstance(stored, str):
        return None
    curve = json.loads(stored)
    return Anytime(tuple(curve["shape"]), tuple((made, kept) for made, kept in curve["steps"]), curve["checks"])


def _curves(stored: str | None) -> Curves | None:
    if not isinstance(stored, str):
        return None
    curves = json.loads(stored)
    return Curves(
        np.array(curves["shares"], dtype=np.float64),
        np.array(curves["insertion"], dtype=np.float32),
        np.array(curves["deletion"], dtype=np.float32),
    )
