"""Make reference masks with rex-xai itself, in an environment of its own (it pins numpy 1.26).

    python -m venv rex && rex/bin/pip install rex-xai==0.4.1 onnxruntime
    .venv/bin/python tests/reference/photos.py /tmp/pixels.npz
    rex/bin/python tests/reference/rex_masks.py MODEL.onnx /tmp/pixels.npz OUT.npz [--seed 0] ...

MODEL.onnx is EfficientNet-Lite0 as `kedro run --pipelines model_export` writes it. The pixels hold one
preprocessed float32 image (c, h, w) a key. OUT.npz gets, for each key, `KEY.mask` (h, w) bool,
`KEY.landscape` (h, w) float32, `KEY.facts` (label, confidence of the set, calls of map and scan) and,
once, `seconds`; with --contrastive also `KEY.necessity` and `KEY.complete` (h, w) bool, and `KEY.contrast`
(class without the necessary set, confidence of that set). How each file here was made stands in
tests/mps/rex/test_rex_parity.py.
"""

import argparse
import contextlib
import io
import time

import numpy as np
import torch
from rex_xai.explanation.explanation import Explanation
from rex_xai.explanation.rex import calculate_responsibility, predict_target
from rex_xai.input.config import CausalArgs, Strategy, match_queue_style
from rex_xai.input.input_data import Data
from rex_xai.input.onnx import get_prediction_function
from rex_xai.utils._utils import match_resposnibility_style


def explain(pixels, args, predict, calls):
    """The explanation and the map of one image, as rex-xai's own entry point makes them."""
    data = Data(pixels, [1, *pixels.shape], device="cpu", mode="RGB")
    data.data = torch.from_numpy(pixels[None].copy())
    data.set_mask_value(0)
    data.target = predict_target(data, args, predict)
    calls[0] = 0
    maps, stats = calculate_responsibility(data, args, predict)
    explanation = Explanation(maps, predict, data, args, stats)
    with contextlib.redirect_stderr(io.StringIO()):
        explanation.extract()
    return explanation, explanation.target_map.numpy(), int(data.target.classification)


def flat(mask, pixels):
    """(h, w) bool of a mask of rex-xai's, which has an axis for the channels."""
    return mask.numpy().reshape(pixels.shape)[0]


def main():
    """Read the command line, explain every image, write the file."""
    parser = argparse.ArgumentParser()
    parser.add_argument("model")
    parser.add_argument("pixels")
    parser.add_argument("out")
    parser.add_argument("--only", nargs="*", help="keys to explain; all if not given")
    parser.add_argument("--batch-size", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--iterations", type=int, default=20)
    parser.add_argument("--threshold", type=float, default=0.0)
    parser.add_argument("--confidence-filter", type=float, default=0.0)
    parser.add_argument("--queue-style", default="area")
    parser.add_argument("--queue-len", type=int, default=1)
    parser.add_argument("--style", default="multiplicative")
    parser.add_argument("--weighted", action="store_true")
    parser.add_argument("--contrastive", action="store_true")
    chosen = parser.parse_args()

    args = CausalArgs()
    args.model, args.gpu, args.progress_bar, args.verbosity = chosen.model, False, False, 0
    args.seed, args.iters, args.batch_size = chosen.seed, chosen.iterations, chosen.batch_size
    args.minimum_confidence_threshold = chosen.threshold
    args.confidence_filter = chosen.confidence_filter
    args.queue_style = match_queue_style(chosen.queue_style)
    args.queue_len = chosen.queue_len
    args.responsibility_style = match_resposnibility_style(chosen.style)
    args.weighted = chosen.weighted
    if chosen.contrastive:
        args.strategy, args.complete = Strategy.Contrastive, True
    predict, _ = get_prediction_function(args)
    calls = [0]

    def counted(tensors, *rest, **named):
        calls[0] += len(tensors)
        return predict(tensors, *rest, **named)

    found = {}
    seconds = 0.0
    with np.load(chosen.pixels) as images:
        for key in chosen.only or images.files:
            start = time.perf_counter()
            explanation, landscape, label = explain(images[key], args, counted, calls)
            seconds += time.perf_counter() - start
            mask = flat(explanation.sufficiency_mask, images[key])
            found[f"{key}.mask"], found[f"{key}.landscape"] = mask, landscape
            found[f"{key}.facts"] = np.array([label, float(explanation.sufficiency_confidence), calls[0]])
            if chosen.contrastive:
                found[f"{key}.necessity"] = flat(explanation.necessity_mask, images[key])
                found[f"{key}.complete"] = flat(explanation.complete_mask, images[key])
                found[f"{key}.contrast"] = np.array(
                    [explanation.contrastive_classification, explanation.necessity_confidence]
                )
            print(key, label, round(float(mask.mean()), 5), calls[0], flush=True)
    np.savez_compressed(chosen.out, seconds=seconds, **found)
    print(f"{len(found) // 3} images in {seconds:.1f} s")


if __name__ == "__main__":
    main()
