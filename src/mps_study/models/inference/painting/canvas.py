"""Feeds the painter in the graph: mutants in their shortest form; pictures and rankings stay on the device."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from mps_study.models.inference.onnx_file import Signature
from mps_study.models.inference.painting.painter import PREFIX, bytes_of
from mps_study.models.inference.painting.slots import Slots
from mps_study.mps.mutants import Boxes, Masks, Mutants, Picture, Prefixes, Ranking
from mps_study.mps.types import Slice

Array = NDArray[Any]


@dataclass
class _Form:
    """Mutants of one form in a batch: their rows there (-1 where one only fills it up), slots, and what tells them."""

    rows: list[Array] = field(default_factory=list)
    slots: list[Array] = field(default_factory=list)
    values: list[Array] = field(default_factory=list)
    rankings: list[Array] = field(default_factory=list)

    def add(self, rows: Array, slot: int, values: Array, ranking: int = 0) -> None:
        self.rows.append(rows)
        self.slots.append(np.full(len(rows), slot))
        self.values.append(values)
        self.rankings.append(np.full(len(rows), ranking))


class Canvas:
    """One session with a painter, for pictures of one shape (c, h, w). For one thread at a time.

    `turn` is held while the session runs. Canvases of several threads share it on CUDA, where one makes its batch ready
    while another's is answered, and calls of one session would only wait for each other inside.
    """

    def __init__(
        self,
        session: ort.InferenceSession,
        signature: Signature,
        shape: tuple[int, ...],
        device: str,
        turn: AbstractContextManager[object],
    ) -> None:
        self._session, self._signature, self._shape, self._device = session, signature, shape, device
        self._turn = turn
        self._pictures = self._picture_slots((shape[0], 1, 1))
        self._rankings = Slots({"rankings": (np.dtype(np.int32), shape[1:])}, device)

    def output(self, batch: Sequence[Slice], rows: int) -> NDArray[np.float32]:
        """(b, columns) what the model answers to the slices' b mutants, in their order, asked in a batch of `rows`."""
        feeds, places = self._feeds(batch, rows)
        binding = self._session.io_binding()
        for slots in (self._pictures, self._rankings):
            for name, value in slots.on_device().items():
                binding.bind_ortvalue_input(PREFIX + name, value)
        for name, feed in feeds.items():
            binding.bind_cpu_input(PREFIX + name, feed)
        binding.bind_output(self._signature.output, "cpu")
        with self._turn:
            self._session.run_with_iobinding(binding)
        painted = self._signature.read(binding.copy_outputs_to_cpu()[0])
        wanted = places >= 0
        output = np.empty((int(wanted.sum()), painted.shape[1]), dtype=np.float32)
        output[places[wanted]] = painted[wanted]
        return output

    def _feeds(self, batch: Sequence[Slice], rows: int) -> tuple[dict[str, Array], Array]:
        """The painter's small inputs by name; and (rows,) of each painted row its place in the batch, or -1."""
        batch = [each for part in batch for each in _painted_if_soft(part)]
        slots = self._slots_of_pictures([part.picture for part in batch])
        rankings = [part.mutants.ranking for part in batch if isinstance(part.mutants, Prefixes)]
        slot_of_ranking = self._rankings.place(rankings, _put_ranking)
        bits, prefixes, boxes = _Form(), _Form(), _Form()
        stop = 0
        for part, slot in zip(batch, slots, strict=True):
            start, stop = stop, stop + part.stop - part.start
            places, mutants = np.arange(start, stop), part.mutants
            if isinstance(mutants, Prefixes):
                prefixes.add(places, slot, mutants.counts[part.start : part.stop], slot_of_ranking.pop(0))
            elif isinstance(mutants, Boxes):
                boxes.add(places, slot, mutants.boxes[part.start : part.stop])
            else:
                bits.add(places, slot, packed(mutants, part.start, part.stop))
        size = bytes_of((self._shape[1], self._shape[2]))
        bits.add(np.full(rows - stop, -1), slots[0], np.zeros((rows - stop, size), dtype=np.uint8))
        forms = (bits, prefixes, boxes)
        feeds = {
            "slot": np.concatenate([each for form in forms for each in form.slots]).astype(np.int64),
            "bits": np.concatenate(bits.values),
            "ranking": _joined(prefixes.rankings, (0,)).astype(np.int64),
            "count": _joined(prefixes.values, (0,)).astype(np.int32)[:, None, None],
            **_sides(boxes.values),
        }
        return feeds, np.concatenate([each for form in forms for each in form.rows])

    def _slots_of_pictures(self, pictures: Sequence[Picture]) -> list[int]:
        """Where the pictures lie. Baselines take a number a channel, until one of them takes one a pixel."""
        if self._pictures.forms["baselines"][1] != self._shape and any(
            each.baseline.shape[-2:] != (1, 1) for each in pictures
        ):
            self._pictures = self._picture_slots(self._shape)
        return self._pictures.place(pictures, _put_picture)

    def _picture_slots(self, baseline: tuple[int, ...]) -> Slots:
        kind = np.dtype(np.float32)
        return Slots({"pictures": (kind, self._shape), "baselines": (kind, baseline)}, self._device)


def _painted_if_soft(part: Slice) -> list[Slice]:
    """The slice; where its mutants keep shares of pixels, which masks cannot tell, each as a picture kept whole."""
    if not part.mutants.soft:
        return [part]
    whole = Masks(part.mutants.shape, masks=np.ones((1, *part.mutants.shape), dtype=bool))
    painted = []
    for row in range(part.start, part.stop):
        pixels = np.empty_like(part.picture.pixels)
        part.mutants.paint(row, part.picture, pixels)
        painted.append(Slice(Picture(pixels, part.picture.baseline), whole, 0, 1))
    return painted


def packed(mutants: Mutants, start: int, stop: int) -> NDArray[np.uint8]:
    """(n, bytes) the masks of rows `start` to `stop`, eight pixels a byte, the first in the highest bit."""
    return np.packbits(mutants.masks_of(start, stop).reshape(stop - start, -1), axis=1)


def _put_picture(picture: Picture, places: dict[str, Array]) -> None:
    places["pictures"][...] = picture.pixels
    places["baselines"][...] = picture.baseline


def _put_ranking(ranking: Ranking, places: dict[str, Array]) -> None:
    places["rankings"][...] = ranking.position


def _joined(parts: list[Array], empty: tuple[int, ...]) -> Array:
    return np.concatenate(parts) if parts else np.zeros(empty)


def _sides(boxes: list[Array]) -> dict[str, Array]:
    """Top, bottom (n, 1, m), left and right (n, m, 1) of n unions of m boxes; a box that is missing is empty."""
    most = max((each.shape[1] for each in boxes), default=1)
    widened = [np.pad(each, ((0, 0), (0, most - each.shape[1]), (0, 0))) for each in boxes]
    sides = np.moveaxis(_joined(widened, (0, most, 4)), -1, 0).astype(np.float32)
    rows, columns = sides[:2, :, None, :], sides[2:, :, :, None]
    named = zip(("top", "bottom", "left", "right"), (*rows, *columns), strict=True)
    return {name: np.ascontiguousarray(each) for name, each in named}
