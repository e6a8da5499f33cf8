"""What the paper's study costs on 1 to 64 GPUs, by the schedule that a run follows: `python benchmarks/paper_cost.py docs/cost.md`.

Operations of every model are counted here, on shapes alone (no weights, seconds). Rates are those that
benchmarks/results/gpu.md has, and for models that no GPU has seen that of a measured model of the nearest kind,
divided by the operations. Tables replace what stands between the page's two markers.
"""

from __future__ import annotations

import argparse
import heapq
from pathlib import Path

import timm
import torch
from setting import ROOT
from torch.utils.flop_counter import FlopCounterMode

from mps_study.app.planning import SHARE_OF_RAW
from mps_study.app.words import duration, number
from mps_study.compute.units import Load
from mps_study.mps.config import SearchConfig
from mps_study.project.expected import default_evaluations
from mps_study.project.plan import makespan
from mps_study.project.study_models import Study

GPUS = (1, 2, 4, 8, 16, 32, 64)
IMAGES = 1000
MEASURED = {"resnet152_a1": (1447, 3606), "vit_large": (110, 344), "convnext_large": (139, 268)}
"""Mutants a second at batch 64 on an H200, in fp32 and TF32: benchmarks/results/gpu.md, random weights of that form."""
NEAREST = {"ConvNeXt": "convnext_large", "EVA": "vit_large", "ViT": "vit_large", "ResNet": "resnet152_a1", "Inception": "resnet152_a1"}
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


def one_model_a_gpu(loads: list[Load], gpus: int) -> float:
    """Hours if a model were never divided."""
    free = [0.0] * gpus
    for load in sorted(loads, key=lambda each: -each.images * each.seconds):
        heapq.heapreplace(free, free[0] + load.images * load.seconds)
    return max(free) / 3600


def tables() -> str:
    """Both tables, as Markdown."""
    study = Study(ROOT, "paper")
    counted = {name: operations(str(study.roster[name].timm)) for name in study.compared}
    rates: dict[str, tuple[float, ...]] = {}
    lines = ["| model | side | operations, G | evaluations/s, fp32 | TF32 | from |", "|---|---|---|---|---|---|"]
    for name, (side, flops) in counted.items():
        known = NEAREST[study.roster[name].architecture]
        same = counted[known] == (side, flops)
        rates[name] = tuple(rate * counted[known][1] / flops for rate in MEASURED[known])
        both = " | ".join(number(rate) for rate in rates[name])
        lines.append(f"| {name} | {side} | {flops / 1e9:,.0f} | {both} | {'measured' if same else f'scaled from {known}'} |")

    searches = {
        "rex, 20 iterations, no further floors": (SearchConfig(cuts="fraction"), PRECISIONS),
        "rex as in conf/paper, floors 0.5 and 0.9 as well": (SearchConfig(cuts="fraction", floors=[0.5, 0.9]), PRECISIONS),
        "minimal, 4 px, floor 0": (SearchConfig("minimal"), PRECISIONS[:1]),
    }
    head = " | ".join(map(str, GPUS))
    lines += ["", f"| search, precision | evaluations/image | {head} |", f"|---|---|{'---|' * len(GPUS)}"]
    for said, (search, precisions) in searches.items():
        expected = default_evaluations(search).value
        for i, precision in enumerate(precisions):
            loads = [Load(name, IMAGES, expected / rate[i] / SHARE_OF_RAW["cuda"]) for name, rate in rates.items()]
            found = [makespan(loads, gpus) for gpus in GPUS]
            assert all(each.hours <= 1.1 * each.bound for each in found), found
            cells = " | ".join(duration(each.hours) for each in found)
            lines.append(f"| {said}, {precision} | {number(expected)} | {cells} |")
            if len(lines) and said.startswith("rex, 20") and i == 0:
                ratios = " | ".join(f"{each.hours / each.bound:.3f}" for each in found)
                alone = " | ".join(duration(one_model_a_gpu(loads, gpus)) for gpus in GPUS)
                extra = [f"| - the same over the bound that no schedule beats | | {ratios} |",
                         f"| - the same if a model were never divided | | {alone} |"]  # fmt: skip
                lines += extra
    return "\n".join(lines)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("page", type=Path)
    page = parser.parse_args().page
    before, _, rest = page.read_text().partition(MARKERS[0])
    _, _, after = rest.partition(MARKERS[1])
    page.write_text(f"{before}{MARKERS[0]}\n\n{tables()}\n\n{MARKERS[1]}{after}")
