"""Can every model of a roster be exported? Each with random weights, in a process of its own, measured.

`python -m mps_study.models.export.export_check conf/base/parameters_models.yml docs/export.md` writes the table; names
after the two paths choose models, and `--compared conf/paper/parameters.yml` those of a study. Nothing is downloaded,
and each export is deleted once it has been compared.
"""

from __future__ import annotations

import argparse
import copy
import json
import math
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
import yaml
from torch import nn

from mps_study.models.export.exported import files_of
from mps_study.models.export.from_timm import preprocessing_of, to_onnx, torch_logits
from mps_study.models.inference.classifier import OnnxClassifier
from mps_study.models.roster.roster import ModelEntry, Roster
from mps_study.models.weights.loading import load_model

BATCHES = (1, 3)
"""Batch sizes at which ONNX Runtime and torch are compared; the export itself traces a batch of two."""

PACKAGES = ("timm", "torch", "onnx", "onnxruntime-gpu")


def measure(name: str, entry: ModelEntry, folder: Path, seed: int = 0, rounding: bool = False) -> dict[str, Any]:
    """Export a roster entry with random weights into `folder` and compare it with torch.

    Args:
        name: of the entry, and of the file.
        entry: its weights and labels are left aside.
        folder: an existing one.
        seed: of the weights and of the three images, normally distributed.
        rounding: measure torch's own rounding too, which takes three times the memory of the weights.

    Returns:
        `parameters`; `input_size`; `seconds` of the export alone; `peak_gb`, the largest resident memory of this
        process so far, GB of 10^9 bytes; `onnx_gb`, with external data; `difference`, the largest of all logits at
        every batch size of BATCHES; `spread`, its yardstick: the largest difference of one logit between two images;
        `same_top1`; `rounding`, if asked for: the largest difference of torch's own logits from those that it computes
        in float64, below which a difference says nothing.
    """
    model = load_model(name, entry.model_copy(update={"weights": f"random:{seed}"}))
    preprocessing = preprocessing_of(entry, model)
    random = np.random.default_rng(seed)
    inputs = random.normal(size=(max(BATCHES), *preprocessing.shape)).astype(np.float32)
    enliven(model, torch.from_numpy(inputs), seed)
    expected = torch_logits(model, inputs)
    own = {"rounding": float(np.abs(_in_float64(model, inputs) - expected).max())} if rounding else {}
    parameters = sum(parameter.numel() for parameter in model.parameters())
    path, start = folder / f"{name}.onnx", time.perf_counter()
    to_onnx(model, preprocessing.shape, path)
    seconds = time.perf_counter() - start
    del model
    classifier = OnnxClassifier(path, device="cpu", batch_size=max(BATCHES))
    actual = [classifier.logits(inputs[:n]) for n in BATCHES]
    return {
        "model": name,
        "timm": entry.timm,
        "parameters": parameters,
        "input_size": preprocessing.input_size,
        "seconds": seconds,
        "peak_gb": peak_bytes() / 1e9,
        "onnx_gb": sum(file.stat().st_size for file in files_of(path)) / 1e9,
        "difference": max(float(np.abs(expected[: len(a)] - a).max()) for a in actual),
        "spread": float(np.ptp(expected, axis=0).max()),
        "same_top1": all((expected[: len(a)].argmax(1) == a.argmax(1)).all() for a in actual),
        **own,
    }


def _in_float64(model: nn.Module, inputs: np.ndarray) -> np.ndarray:
    with torch.inference_mode():
        logits: np.ndarray = copy.deepcopy(model).double()(torch.from_numpy(inputs).double()).numpy()
    return logits


def peak_bytes() -> float:
    """The largest resident memory of this process so far; NaN on Windows, which does not say it this way."""
    try:
        import resource
    except ImportError:
        return math.nan
    unit = 1 if sys.platform == "darwin" else 1024  # macOS counts bytes, Linux kilobytes
    return float(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit)


def enliven(model: nn.Module, inputs: torch.Tensor, seed: int) -> None:
    """Make random weights fit to be compared, in place.

    Parameters that start as constants (zero biases, layer scales of 1e-6, the zeros of a residual branch's last
    normalisation) would hide whole branches: they get noise of 0.1. EVA's classifier layer starts a thousand times too
    small to let an image change the logits: every classifier layer is drawn anew. Batch normalisation starts with mean
    0 and variance 1, under which Inception V3 overflows: it takes the statistics of the inputs (n, c, h, w) instead.
    """
    draw = torch.Generator().manual_seed(seed)
    norms = [module for module in model.modules() if isinstance(module, nn.modules.batchnorm._BatchNorm)]
    head = cast(Any, model).get_classifier().weight
    with torch.no_grad():
        head.copy_(torch.randn(head.shape, generator=draw) / head.shape[1] ** 0.5)
        for parameter in model.parameters():
            if parameter.min() == parameter.max():
                parameter.add_(0.1 * torch.randn(parameter.shape, generator=draw))
        for norm in norms:
            norm.reset_running_stats()
            norm.momentum = None  # the statistics of this batch, not a moving average with the old ones
            norm.train()
        if norms:
            model(inputs)
    model.eval()


def measure_apart(name: str, roster: Path) -> dict[str, Any]:
    """`measure` in a new process, whose peak memory is the model's alone; `error` if it failed."""
    command = [sys.executable, "-m", __spec__.name, str(roster), "-", name]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        return {"model": name, "error": (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]}
    row: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return row


def as_markdown(rows: list[dict[str, Any]]) -> str:
    """The page with its table."""
    packages = ", ".join(f"{package} {version(package)}" for package in PACKAGES)
    head = (
        "| model | weights tag, for the shape alone | M parameters | input | seconds | peak GB | ONNX GB "
        "| largest difference | spread |\n|---|---|---|---|---|---|---|---|---|\n"
    )
    return (
        "# Every model of the paper, exported\n\n"
        "Written by `make export-check`: each model with random weights (`pretrained: false`), exported to ONNX (opset "
        f"20, dynamic batch, external data) in a process of its own, on CPU, with {packages}.\n\n"
        "`seconds` is the export alone, and more on a busy machine. `peak GB` is the process's largest resident memory "
        "from the making of the model to the last answer of ONNX Runtime. `largest difference` is between the logits "
        f"of torch and of ONNX Runtime, at batch {' and '.join(map(str, BATCHES))}; `spread`, the largest difference "
        "of a logit between two of three random images, is what to hold it against. Random Inceptions V3 and V4 "
        "amplify rounding: for V4 torch's own logits are 1.3e-03 from those in float64, ONNX "
        "Runtime's 6.1e-04.\n\n" + head + "".join(f"{_line(row)}\n" for row in rows)
    )


def _line(row: dict[str, Any]) -> str:
    if "error" in row:
        return f"| {row['model']} | failed: {row['error']} |"
    cells = [
        row["model"],
        f"`{row['timm']}`",
        f"{row['parameters'] / 1e6:.0f}",
        str(row["input_size"]),
        f"{row['seconds']:.0f}",
        f"{row['peak_gb']:.1f}",
        f"{row['onnx_gb']:.2f}",
        f"{row['difference']:.1e}" + ("" if row["same_top1"] else " (another top-1)"),
        f"{row['spread']:.2g}",
    ]
    return f"| {' | '.join(cells)} |"


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("roster", type=Path, help="a parameters_models.yml")
    parser.add_argument("table", help="the Markdown file to write; - measures one model in this process")
    parser.add_argument("models", nargs="*", help="names of the roster; all if none is given")
    parser.add_argument("--compared", type=Path, help="the parameters of a study, which say what it compares")
    chosen = parser.parse_args()
    roster = Roster.model_validate(yaml.safe_load(chosen.roster.read_text())["models"])
    compared = yaml.safe_load(chosen.compared.read_text())["compared"] if chosen.compared else list(roster.root)
    names = list(roster.choose(None, chosen.models or compared))
    if chosen.table == "-":
        with tempfile.TemporaryDirectory() as folder:
            print(json.dumps(measure(names[0], roster.root[names[0]], Path(folder))))
        return
    rows = []
    for name in names:
        rows.append(measure_apart(name, chosen.roster))
        print(_line(rows[-1]), flush=True)
        Path(chosen.table).write_text(as_markdown(rows))


if __name__ == "__main__":
    main()
