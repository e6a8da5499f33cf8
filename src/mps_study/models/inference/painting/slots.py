"""Slots: arrays that stay on a device, in which whatever was used longest ago makes room."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

T = TypeVar("T")
Array = NDArray[Any]

ROOM = {"cpu": 4, "cuda": 16}
"""Slots at first; there are more as soon as one batch needs more."""


class Slots:
    """Some arrays of equal length, whose rows hold what was placed in them.

    Args:
        forms: name -> type and shape of a row.
        device: `cpu`, where ONNX Runtime reads the arrays themselves, or `cuda`, where they are copied to the device
            after a change.
    """

    def __init__(self, forms: dict[str, tuple[np.dtype[Any], tuple[int, ...]]], device: str) -> None:
        self.forms, self._device = forms, device
        self._held: dict[int, tuple[int, object]] = {}  # id -> slot and the thing, longest unused first
        self._make_room(ROOM[device])

    def place(self, things: Sequence[T], put: Callable[[T, dict[str, Array]], None]) -> list[int]:
        """The slot of each thing; `put` writes one that is not there yet into the rows of its slot."""
        wanted = {id(thing) for thing in things}
        if len(wanted) > self._room:
            self._make_room(len(wanted))
        slots = []
        for thing in things:
            slot, _ = self._held.pop(id(thing), (-1, None))
            if slot < 0:
                slot = self._free(wanted)
                put(thing, {name: array[slot] for name, array in self._arrays.items()})
                self._changed = True
            self._held[id(thing)] = slot, thing
            slots.append(slot)
        return slots

    def on_device(self) -> dict[str, ort.OrtValue]:
        """The arrays, as a session takes them."""
        if self._changed and self._device != "cpu":
            for name, value in self._values.items():
                value.update_inplace(self._arrays[name])
        self._changed = False
        return self._values

    def _free(self, wanted: set[int]) -> int:
        """A slot that nothing lies in, or nothing that is wanted now."""
        if self._unused:
            return self._unused.pop()
        oldest = next(key for key in self._held if key not in wanted)
        return self._held.pop(oldest)[0]

    def _make_room(self, room: int) -> None:
        self._room = room
        self._held.clear()
        self._unused = list(range(room))
        self._arrays = {name: np.zeros((room, *shape), kind) for name, (kind, shape) in self.forms.items()}
        self._values = {
            name: ort.OrtValue.ortvalue_from_numpy(array, self._device, 0) for name, array in self._arrays.items()
        }
        self._changed = False
