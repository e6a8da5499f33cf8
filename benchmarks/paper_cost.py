"""What the paper's study costs on 1 to 64 GPUs, by the schedule that a run follows; writes the tables of docs/cost.md.

Operations of every model are counted here, on shapes alone (no weights, seconds). Rates are those that
benchmarks/results/gpu.md has; for models that no GPU has seen that of a measured model of the nearest kind, by the
operations.
"""

from __future__ import annotations

import argparse
import heapq
from pathlib import Path

import numpy as np
import timm
import torch
from setting import ROOT
from torch.utils.flop_counter import FlopCounterMode

from mps_study.app.planning import SHARE_OF_RAW
from mps_study.app.words import duration, number
from mps_study.compute.units import Load, cut
from mps_study.mps.config import SearchConfig
from mps_study.project.expected import default_evaluations
from mps_study.project.plan import makespan
from mps_study.project.study_models import Study

GPUS = (1, 2, 4, 8, 16, 32, 64)
IMAGES = 1000
MEASURED = {"resnet152_a1": (1447, 3606), "vit_large": (110, 344), "convnext_large": (139, 268)}
"""Mutants a second at batch 64 on an H200, in fp32 and TF32: benchmarks/results/gpu.md, random weights of that form."""
NEAREST = {
    "ConvNeXt": "convnext_large",
    "EVA": "vit_large",
    "ViT": "vit_large",
    "ResNet": "resnet152_a1",
    "Inception": "resnet152_a1",
}
PRECISIONS = ("fp32", "TF32")
MARKERS = ("<!-- tables of benchmarks/paper_cost.py -->", "<!-- end of tables -->")


def operations(name: str) -> tuple[int, float]:
    """Input side, and operations of one forward pass (a multiplication and an addition are two), without weights."""
    with torch.device("meta"):
        model = timm.create_model(name.partition(".")[0], pretrained=False).eval()
    side = timm.get_pretrained_cfg(name).input_size[-1]
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        model(torch.zeros(1, 3, side, side, device="meta"))
    return side, float(counter.get_total_flops())


def rates_of(study: Study) -> tuple[dict[str, tuple[float, ...]], list[str]]:
    """Evaluations a second of each model in each precision; and the table that says where they come from."""
    counted = {name: operations(str(study.roster[name].timm)) for name in study.compared}
    rates = {}
    lines = ["| model | side | operations, G | evaluations/s, fp32 | TF32 | from |", "|---|---|---|---|---|---|"]
    for name, (side, flops) in counted.items():
        known = NEAREST[study.roster[name].architecture]
        rates[name] = tuple(rate * counted[known][1] / flops for rate in MEASURED[known])
        came = "measured" if counted[known] == (side, flops) else f"{known}, by operations"
        both = " | ".join(number(rate) for rate in rates[name])
        lines.append(f"| `{name}` | {side} | {flops / 1e9:,.0f} | {both} | {came} |")
    return rates, lines


def one_model_a_gpu(loads: list[Load], gpus: int) -> float:
    """Hours if a model were never divided."""
    free = [0.0] * gpus
    for load in sorted(loads, key=lambda each: -each.images * each.seconds):
        heapq.heapreplace(free, free[0] + load.images * load.seconds)
    return max(free) / 3600


def uneven(loads: list[Load], gpus: int, spread: float = 0.9) -> float:
    """Hours if the seconds of an image were lognormal around what is expected, with this standard deviation."""
    chance = np.random.default_rng(0)
    sigma = np.sqrt(np.log1p(spread**2))
    free = [0.0] * gpus
    for unit in cut(loads, gpus):
        images = unit.stop - unit.start
        factors = chance.lognormal(-(sigma**2) / 2, sigma, images)
        heapq.heapreplace(free, free[0] + unit.seconds / images * float(factors.sum()))
    return max(free) / 3600


def tables() -> str:
    """Both tables, as Markdown."""
    rates, lines = rates_of(Study(ROOT, "paper"))
    lines += ["", f"| search | evaluations/image | {' | '.join(map(str, GPUS))} |", f"|---|---|{'---|' * len(GPUS)}"]
    for said, search, precision in SEARCHES:
        expected = default_evaluations(search).value
        assert expected is not None
        loads = [
            Load(name, IMAGES, expected / (rate[PRECISIONS.index(precision)] * SHARE_OF_RAW["cuda"]))
            for name, rate in rates.items()
        ]
        found = [makespan(loads, gpus) for gpus in GPUS]
        alone = [one_model_a_gpu(loads, gpus) for gpus in GPUS]
        cells = " | ".join(duration(each.hours) for each in found)
        lines.append(f"| {said}, {precision} | {number(expected)} | {cells} |")
        if said == SEARCHES[0][0] and precision == "fp32":
            lines.append(f"| - over the bound | | {' | '.join(f'{each.hours / each.bound:.3f}' for each in found)} |")
            lines.append(f"| - if images are uneven | | {' | '.join(duration(uneven(loads, gpus)) for gpus in GPUS)} |")
            lines.append(f"| - if no model were divided | | {' | '.join(map(duration, alone))} |")
    return "\n".join(lines)


SEARCHES = (
    ("`rex` as in conf/paper", SearchConfig(cuts="fraction", floors=[0.5, 0.9]), "fp32"),
    ("`rex` as in conf/paper", SearchConfig(cuts="fraction", floors=[0.5, 0.9]), "TF32"),
    ("`rex` without further floors", SearchConfig(cuts="fraction"), "fp32"),
    ("`rex` without further floors", SearchConfig(cuts="fraction"), "TF32"),
    ("`minimal`", SearchConfig("minimal"), "fp32"),
)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("page", type=Path, help="whose text between the two markers is replaced")
    page = parser.parse_args().page
    before, _, rest = page.read_text().partition(MARKERS[0])
    _, _, after = rest.partition(MARKERS[1])
    page.write_text(f"{before}{MARKERS[0]}\n\n{tables()}\n\n{MARKERS[1]}{after}")
