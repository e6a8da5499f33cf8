"""Where a model is wrong: how much do the set of its answer and that of the true class share?"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from mps_study.common.searches import OWN
from mps_study.measures.trust.frames import Frames
from mps_study.measures.trust.rows import Row, mean_of, row

QUESTION = "misclassified"
DICE, RATIO = "Dice coefficient of both sets", "area of the label's set over that of the answer's"


def both_classes(frames: Frames) -> Iterator[Row]:
    """Of each model, on the images that it gets wrong, the set of its answer beside the set of the label."""
    if not frames.of_labels:
        yield Row(QUESTION, DICE, missing="no search asks for the label (target: label)")
        return
    own = frames.areas[frames.areas["search"] == OWN].set_index(["model", "image"])
    for search in frames.of_labels:
        other = frames.areas[frames.areas["search"] == search].set_index(["model", "image"])
        for model in frames.models():
            mine = own.loc[[model]] if model in own.index.get_level_values(0) else own[:0]
            wrong = mine[(~mine["correct"].fillna(True).astype(bool)) & (mine["status"] == "found")]
            both = wrong.index.intersection(other[other["status"] == "found"].index)
            about = {"model": model, "search": search}
            if not len(both):
                reason = "no mistake" if wrong.empty else "no image with sets of both classes"
                yield row(QUESTION, DICE, {"missing": reason}, about)
                continue
            overlaps = frames.search_overlaps
            pair = overlaps[(overlaps["model"] == model) & (overlaps["search_a"] == OWN)]
            dice = pair[pair["search_b"] == search].set_index("image")["dice"]
            images = both.get_level_values(1)
            yield row(QUESTION, DICE, mean_of(dice.reindex(images), frames.resamples, frames.seed), about)
            ratio = np.log2(other.loc[both, "area"] / own.loc[both, "area"])
            found = {
                name: 2**value if name != "n" else value
                for name, value in mean_of(ratio, frames.resamples, frames.seed).items()
            }
            yield row(QUESTION, RATIO, found, about)
