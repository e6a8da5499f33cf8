"""Show which numbers of rex-xai 0.4.1 depend on something else than what they say, with rex-xai itself.

    python -m venv rex && rex/bin/pip install rex-xai==0.4.1 onnxruntime
    rex/bin/python tests/reference/rex_evaluations.py MODEL.onnx

MODEL.onnx is any classifier of (batch, 3, h, w) with a free batch axis. One image of noise is explained with a map that
is given, so that nothing but the evaluations is computed. What it printed is in docs/rex-xai.md.
"""

import sys
from types import SimpleNamespace

import numpy as np
import torch
from rex_xai.explanation.evaluation import Evaluation
from rex_xai.explanation.rex import predict_target
from rex_xai.input.config import CausalArgs
from rex_xai.input.input_data import Data
from rex_xai.input.onnx import get_prediction_function
from rex_xai.mutants.occlusions import context_occlusion


def prepared(model, batch_size):
    """An explanation of noise: all that rex-xai's evaluations read of one."""
    args = CausalArgs()
    args.model, args.gpu, args.batch_size, args.insertion_step = model, False, batch_size, 2000
    predict, shape = get_prediction_function(args)
    _, channels, height, width = shape
    pixels = torch.from_numpy(np.random.default_rng(0).normal(size=(1, channels, height, width)).astype(np.float32))
    data = Data(pixels[0].numpy(), [1, channels, height, width], device="cpu", mode="RGB")
    data.data = pixels
    data.set_mask_value(0)
    data.target = predict_target(data, args, predict)
    mask = torch.ones((channels, height, width), dtype=torch.bool)
    return SimpleNamespace(
        data=data, args=args, prediction_func=predict, necessity_mask=None, sufficiency_mask=mask,
        target_map=torch.from_numpy(np.random.default_rng(1).random((height, width)).astype(np.float32)),
    ), predict  # fmt: skip


def main():
    """Try each, and print what comes of it."""
    for batch_size in (1, 2, 8, 64):
        explanation, predict = prepared(sys.argv[1], batch_size)
        try:
            insertion, deletion = Evaluation(explanation).insertion_deletion_curve(predict, normalise=True)
            print(f"insertion and deletion at batch {batch_size}: {insertion:.4f} and {deletion:.4f}")
        except IndexError as error:
            print(f"insertion and deletion at batch {batch_size}: IndexError: {error}")
    for repeats in (1, 2, 10):
        explanation, _ = prepared(sys.argv[1], 4)
        good, bad = Evaluation(explanation).robustness(repeats=repeats)
        print(f"robustness(repeats={repeats}) at batch 4: {good + bad} tries")
    try:
        context_occlusion(torch.ones(1, 3, 4, 4, dtype=torch.bool), torch.zeros(1, 3, 4, 4), torch.zeros(1, 3, 4, 4))
        print("context_occlusion: done")
    except RuntimeError as error:
        print(f"context_occlusion: {type(error).__name__}: {error}")


if __name__ == "__main__":
    main()
