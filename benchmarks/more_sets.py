"""Several sets of one image: forbidding what was found against spotlights, at equal calls."""

from __future__ import annotations

import numpy as np
from setting import MODELS, Row, spread

from mps_study import OnnxClassifier, SearchConfig, extract_mps

MOST = 40


def several(images: list[tuple[str, np.ndarray]], model: str, budget: int = 6000) -> list[Row]:
    """Rows of how many disjoint sets an image has within `budget` evaluations, the first set included."""
    classifier = OnnxClassifier(MODELS / f"{model}.onnx", "cpu")
    rows = []
    for name, config in {
        "rex, spotlights": SearchConfig(several=MOST, several_by="spotlights", budget=budget),
        "rex, forbidding": SearchConfig(several=MOST, budget=budget),
        "minimal, forbidding": SearchConfig("minimal", several=MOST, budget=budget),
    }.items():
        records = list(extract_mps(iter(images), classifier, config))
        sets = [1 + len(record.further) for record in records]
        spent = np.mean([record.evaluations for record in records])
        print(f"{model}: several sets by {name} done", flush=True)
        rows.append(Row(f"{model}: disjoint sets, {name} (mean)", "", "", f"{np.mean(sets):.1f}", len(sets)))
        rows.append(Row(f"{model}: disjoint sets, {name}", "", "", **spread(sets, 0)))
        name = f"{model}: evaluations of {budget}, {name} (mean)"
        rows.append(Row(name, "", "", f"{spent:.0f}", len(sets)))
    return rows
