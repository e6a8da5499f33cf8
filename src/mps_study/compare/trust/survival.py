"""Does a set keep its class under another condition?"""

from __future__ import annotations

from collections.abc import Iterator

from mps_study.compare.trust.frames import Frames
from mps_study.compare.trust.rows import Row, mean_of, row

CROSS = "cross"


def survival(frames: Frames) -> Iterator[Row]:
    """Of each model, search and condition the share of its sets that keep their class, repetitions of an image
    averaged first.
    """
    question = "survival"
    probes = frames.probes[frames.probes["condition"] != CROSS] if len(frames.probes) else frames.probes
    if not len(probes):
        yield Row(question, "share that keep the class", missing="no condition was asked for")
        return
    for (model, search, condition), group in probes.groupby(["model", "search", "condition"], sort=False):
        asked = group[group["missing"] == ""]
        about = {"model": str(model), "search": str(search), "condition": str(condition)}
        if asked.empty:
            yield row(question, "share that keep the class", {"missing": str(group["missing"].mode()[0])}, about)
            continue
        passes = asked["passes"].astype(float).groupby(asked["image"]).mean()
        found = mean_of(passes, frames.resamples, frames.seed)
        yield row(question, "share that keep the class", found, about)
        confidence = mean_of(asked["confidence"].groupby(asked["image"]).mean(), frames.resamples, frames.seed)
        yield row(question, "confidence", confidence, about)
