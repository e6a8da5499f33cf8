"""What was answered, as the frames `answers`, `probes` and `sub_explanations` (docs/architecture.md)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import pandas as pd

from mps_study.datasets.probes.store import ProbeStore
from mps_study.models.export.card import ModelCard
from mps_study.pipelines.probing.units import ProbeUnit
from mps_study.probing.subsets import THRESHOLDS

ANSWERS = {
    "image": "string",
    "model": "string",
    "digest": "string",
    "half": "string",
    "answer": "Int64",
    "confidence": "float64",
}

PROBES = {
    "image": "string",
    "model": "string",
    "architecture": "string",
    "search": "string",
    "fingerprint": "string",
    "half": "string",
    "share": "float64",
    "asked": "string",
    "condition": "string",
    "repetition": "Int64",
    "answer": "Int64",
    "confidence": "float64",
    "passes": "boolean",
    "keeps": "boolean",
    "missing": "string",
}

COUNTS = tuple(f"count_{round(100 * threshold)}" for threshold in THRESHOLDS)
SUB_EXPLANATIONS = {
    "image": "string",
    "model": "string",
    "architecture": "string",
    "search": "string",
    "fingerprint": "string",
    "half": "string",
    "share": "float64",
    "tiles": "Int64",
    "way": "string",
    **dict.fromkeys(COUNTS, "Int64"),
    "whole": "boolean",
    "curve": "object",
    "curve_area": "float64",
    "evaluations": "Int64",
    "missing": "string",
}


def answers_of(
    units: Iterable[ProbeUnit], store: ProbeStore, manifest: pd.DataFrame, cards: Mapping[str, ModelCard]
) -> pd.DataFrame:
    """The `answers` frame: what each model says of each whole image, in the order of the units, then of the manifest.

    `logits` is a list of float32, as long as the model has classes.
    """
    frames = [
        store.answers(unit.asked, unit.mark.digest).assign(model=unit.asked, digest=cards[unit.asked].digest)
        for unit in units
        if unit.own
    ]
    columns = [*ANSWERS, "logits"]
    if not frames:
        return pd.DataFrame(columns=columns).astype(ANSWERS)
    halves = dict(zip(manifest["image"].astype(str), manifest["half"], strict=True))
    frame = pd.concat(frames, ignore_index=True).rename(columns={"label": "answer"})
    frame["half"] = frame["image"].map(halves)
    frame["answer"] = frame["answer"].where(frame["answer"] >= 0)
    return _in_order(frame, manifest)[columns].astype(ANSWERS)


def probes_of(
    units: Iterable[ProbeUnit],
    store: ProbeStore,
    manifest: pd.DataFrame,
    cards: Mapping[str, ModelCard],
    answers: pd.DataFrame,
) -> pd.DataFrame:
    """The `probes` frame: one row a set, asked model, condition and repetition.

    `passes`: the asked model gives the class that the set keeps; `keeps`: the class that it gives to the whole image.
    """
    halves = dict(zip(manifest["image"].astype(str), manifest["half"], strict=True))
    frames = []
    for unit in units:
        frame = pd.DataFrame(store.rows(unit.asked, unit.mark.digest, "probes"))
        if len(frame):
            marks = frame["search"].map(dict(unit.marks))
            frames.append(frame.assign(model=unit.owner, asked=unit.asked, fingerprint=marks))
    if not frames:
        return pd.DataFrame(columns=list(PROBES)).astype(PROBES)
    frame = pd.concat(frames, ignore_index=True).rename(columns={"label": "answer"})
    frame = frame.astype({"answer": "Int64", "passes": "boolean"})
    frame["half"] = frame["image"].map(halves)
    frame["architecture"] = frame["model"].map({name: card.architecture for name, card in cards.items()})
    whole = answers[["image", "model", "answer"]].rename(columns={"model": "asked", "answer": "whole"})
    frame = frame.merge(whole, on=["image", "asked"], how="left")
    frame["keeps"] = (frame["answer"] == frame["whole"]).where(frame["missing"] == "")
    frame["answer"] = frame["answer"].where(frame["answer"] >= 0)
    return frame[list(PROBES)].astype(PROBES)


def sub_explanations_of(
    units: Iterable[ProbeUnit], store: ProbeStore, manifest: pd.DataFrame, cards: Mapping[str, ModelCard]
) -> pd.DataFrame:
    """The `sub_explanations` frame: one row a set, of the parts of it that were asked about.

    `curve`: mean confidence relative to that of the set, at deleted shares of its tiles from 0 to 1 in tenths.
    """
    halves = dict(zip(manifest["image"].astype(str), manifest["half"], strict=True))
    rows = [
        {"model": unit.owner, "architecture": cards[unit.owner].architecture, "half": halves[row["image"]]}
        | row
        | dict(zip(COUNTS, row.get("counts") or (), strict=False))
        | {"curve_area": row.get("area"), "fingerprint": unit.marks[row["search"]]}
        for unit in units
        if unit.own
        for row in store.rows(unit.asked, unit.mark.digest, "subsets")
    ]
    return pd.DataFrame(rows, columns=list(SUB_EXPLANATIONS)).astype(SUB_EXPLANATIONS)


def _in_order(frame: pd.DataFrame, manifest: pd.DataFrame) -> pd.DataFrame:
    """Models as they come, each in the order of the manifest."""
    position = frame["image"].map({str(image): i for i, image in enumerate(manifest["image"])})
    model = pd.Categorical(frame["model"], frame["model"].unique()).codes
    return frame.assign(_model=model, _position=position).sort_values(["_model", "_position"], ignore_index=True)
