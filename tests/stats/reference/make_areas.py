"""Writes areas.csv, the data behind reference.csv: `python make_areas.py` beside this file.

Three architectures of three models, 24 labelled and 16 unlabelled images. Architecture `fine`
has no ties; `coarse` counts pixels of a 12 x 12 input, so ties and zero differences abound.
"""

from pathlib import Path

import numpy as np
import pandas as pd

SIDES = {"coarse": 12, "fine": 224, "middle": 64}

rng = np.random.default_rng(20240222)
difficulty = rng.normal(0, 1, 40)
size = rng.normal(0, 0.03, 40)
rows = []
for a, (architecture, side) in enumerate(SIDES.items()):
    for m in range(3):
        for i in range(40):
            right = rng.normal(1.6, 0.6) > difficulty[i]
            area = 0.10 + 0.02 * a + 0.015 * m + size[i] + 0.05 * (not right) + rng.gamma(2, 0.015)
            pixels = max(1, round(area * side**2))
            found = rng.random() > 0.03
            rows.append(
                {
                    "image": f"i{i:02d}",
                    "model": f"{architecture}_{m}",
                    "architecture": architecture,
                    "half": "labelled" if i < 24 else "unlabelled",
                    "target": 1 if right else 2 + int(rng.integers(2)),
                    "correct": int(right) if i < 24 else None,
                    "status": "found" if found else "budget exhausted",
                    "area": pixels / side**2 if found else None,
                }
            )
table = pd.DataFrame(rows).astype({"correct": "Int64"})
table.to_csv(Path(__file__).with_name("areas.csv"), index=False)
