"""Runs in rex-xai's own environment: explains images on request, one line of JSON each way.

Reads {"key", "batch_size"} lines from standard input, answers {"seconds", "calls"}, and writes masks and maps to
OUT.npz when the input ends.
"""

import json
import sys
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "reference"))
from rex_masks import explain, flat
from rex_xai.input.config import CausalArgs
from rex_xai.input.onnx import get_prediction_function


def main(model: str, pixels: str, out: str) -> None:
    """Answer until standard input ends."""
    args = CausalArgs()
    args.model, args.gpu, args.progress_bar, args.verbosity, args.seed = model, False, False, 0, 0
    predict, _ = get_prediction_function(args)
    calls = [0]

    def counted(tensors, *rest, **named):
        calls[0] += len(tensors)
        return predict(tensors, *rest, **named)

    answers, masks = sys.stdout, {}
    sys.stdout = sys.stderr
    with np.load(pixels) as images:
        for line in sys.stdin:
            job = json.loads(line)
            args.batch_size = job["batch_size"]
            start = time.perf_counter()
            explanation, landscape, _ = explain(images[job["key"]], args, counted, calls)
            seconds = time.perf_counter() - start
            masks[f"{job['key']}.mask"] = flat(explanation.sufficiency_mask, images[job["key"]])
            masks[f"{job['key']}.landscape"] = landscape
            print(json.dumps({"seconds": seconds, "calls": calls[0]}), file=answers, flush=True)
    np.savez_compressed(out, **masks)


if __name__ == "__main__":
    main(*sys.argv[1:])
