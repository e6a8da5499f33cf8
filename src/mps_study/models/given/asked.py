"""Whatever Python holds, asked as a session of ONNX Runtime is: one array in, one array out."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from mps_study.models.inference.devices import is_out_of_memory
from mps_study.models.inference.onnx_file import OnnxFileError

INPUT, OUTPUT = "inputs", "logits"
"""What the one input and the one output of a function are called."""

ROWS = 2
"""Of the first question: one row would not tell (n, classes) from (classes,)."""

Function = Callable[[NDArray[np.float32]], Any]


class GivenModelError(OnnxFileError):
    """A model that Python holds is no classifier of pictures, or fails; the message says what it answered."""


class AskedInProcess:
    """A function (n, c, h, w) -> (n, classes), asked like a session.

    Args:
        name: what messages call it.
        function: takes float32 of NumPy; gives an array, a tensor, or lists.

    Raises:
        GivenModelError: at a question: the function fails, or its answer has another form than its first one.
    """

    def __init__(self, name: str, function: Function) -> None:
        self.name, self._function = name, function
        self._rest: tuple[int, ...] | None = None

    def columns(self, shape: tuple[int, int, int]) -> int:
        """How many columns the answers have, from one question of black pictures (c, h, w)."""
        answer = self._answer(np.zeros((ROWS, *shape), dtype=np.float32))
        if answer.ndim == 0 or len(answer) != ROWS or not answer.size or any(side != 1 for side in answer.shape[2:]):
            raise self._other_form(ROWS, shape, answer)
        self._rest = answer.shape[1:]
        return int(np.prod(self._rest, dtype=int))

    def run(self, output_names: Sequence[str], input_feed: Mapping[str, NDArray[Any]]) -> Sequence[NDArray[Any]]:
        """The answers to the one input."""
        (inputs,) = input_feed.values()
        answer = self._answer(inputs)
        if answer.shape != (len(inputs), *(self._rest or ())):
            raise self._other_form(len(inputs), inputs.shape[1:], answer)
        return [answer]

    def _answer(self, inputs: NDArray[np.float32]) -> NDArray[Any]:
        try:
            answer = _as_array(self._function(inputs))
        except Exception as error:  # whatever a user's function raises
            if is_out_of_memory(error):
                raise
            said = " ".join(str(error).split())[:300]
            sizes = " x ".join(map(str, inputs.shape))
            raise GivenModelError(
                f"{self.name}: it fails on inputs {sizes} ({type(error).__name__}: {said})"
            ) from error
        if answer.dtype.kind not in "fiu":
            raise GivenModelError(f"{self.name}: expected numbers (n, classes), but it answers {answer.dtype}")
        return answer

    def _other_form(self, rows: int, shape: tuple[int, ...], answer: NDArray[Any]) -> GivenModelError:
        sizes = " x ".join(map(str, (rows, *shape)))
        wanted = f"({rows}, classes)" if self._rest is None else f"{(rows, *self._rest)}"
        return GivenModelError(
            f"{self.name}: expected an answer {wanted} to inputs {sizes}, but it is {answer.shape}; it takes pictures "
            "(n, c, h, w) and gives a row of logits for each"
        )


def _as_array(answer: Any) -> NDArray[Any]:
    """The array of an answer: of a tensor on whatever device, and of what keeps its logits under that name."""
    answer = getattr(answer, "logits", answer)
    if hasattr(answer, "detach"):  # a tensor of torch
        answer = answer.detach().float().cpu().numpy()
    if isinstance(answer, tuple | dict):
        raise TypeError(f"it answers a {type(answer).__name__}; wrap it in a function that gives the logits alone")
    return np.asarray(answer)


def is_module(model: object) -> bool:
    """Whether it is a module of torch; torch is not imported to find out."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(model, torch.nn.Module)


def is_session(model: object) -> bool:
    """Whether it is a session of ONNX Runtime."""
    return isinstance(model, ort.InferenceSession)


def function_of_module(name: str, module: Any) -> Function:
    """A module of torch as a function of NumPy's arrays: on the device and in the type of its parameters.

    Raises:
        GivenModelError: a part of it is in training mode, where answers depend on chance and on the other pictures.
    """
    import torch

    training = [part or type(module).__name__ for part, each in module.named_modules() if each.training]
    if training:
        raise GivenModelError(
            f"{name}: {training[0]} is in training mode, where answers depend on chance and on the other pictures; "
            "call `.eval()` on the module first"
        )
    first = next(module.parameters(), None)
    device, kind = (torch.device("cpu"), torch.float32) if first is None else (first.device, first.dtype)

    def ask(inputs: NDArray[np.float32]) -> Any:
        with torch.no_grad():
            return module(torch.from_numpy(np.ascontiguousarray(inputs)).to(device, kind))

    return ask
