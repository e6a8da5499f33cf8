"""Structured attention graphs: the roots of such a graph, found by beam search over a coarse grid.

Shitole, Fuxin, Kahng, Tadepalli, Fern 2021, One Explanation is Not Enough: Structured Attention Graphs for Image
Classification (NeurIPS, arXiv 2011.06733), with the parameters of the code that its authors published. The graph
itself, what is left of each root as its patches are deleted, is for looking at, and not made here.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from mps_study.mps.common.evidence import evidence
from mps_study.mps.common.fields import number, one_of, whole
from mps_study.mps.inquiry import Inquiry
from mps_study.mps.minimal.growth import consider
from mps_study.mps.minimal.tiles import Cells, Grid, grid
from mps_study.mps.mutants import Shape
from mps_study.mps.rex.rankings import Given
from mps_study.mps.strategy import Mask, Strategy
from mps_study.mps.tiled.beam import apart, roots_of
from mps_study.mps.tiled.on_tiles import Judge, Sets, as_mps, nothing_passes, to_begin_with
from mps_study.mps.types import Found, Mps, Search

_DECIMALS = 4


@dataclass(frozen=True)
class Sag(Strategy):
    """The root with the fewest patches; the others that hardly overlap it come beside it. Defaults as published.

    Args:
        patches: along the longer side of the image.
        beam: sets that a step of the search goes on with.
        successors: patches that are tried as the next one of each.
        roots: sets that are looked for.
        shared: patches that two of the sets in the record may have in common.
        threshold: a set is a root only with this share of the original confidence, however little the search's own
            floor demands; 0 where that alone, or the class alone, decides.
        guide: which patches are tried first: those without which the whole image has least evidence (`deletion`), or
            those with the largest mean of a map that is handed in (`given`).
    """

    asked_again: ClassVar[bool] = True

    patches: int = whole(7, least=1)
    beam: int = whole(3, least=1)
    successors: int = whole(15, least=1)
    roots: int = whole(10, least=1)
    shared: int = whole(1, least=0)
    threshold: float = number(0.9, 0.0, 1.0)
    guide: str = one_of("deletion", ("deletion", "given"))

    @property
    def needs_map(self) -> bool:
        """Whether a map guides the search."""
        return self.guide == "given"

    def covering(self, region: Mask) -> Mask:
        """The region (h, w) bool, rounded up to whole patches."""
        tiles = grid((region.shape[0], region.shape[1]), self._side((region.shape[0], region.shape[1])))
        return tiles.mask(tiles.touched(region))

    def find(self, inquiry: Inquiry) -> Search[Found]:
        """The sets; the empty one if the baseline alone passes, none if the search finds no root."""
        tiles = grid(inquiry.shape, self._side(inquiry.shape))
        judge = self._judge(inquiry)
        if (yield from nothing_passes(inquiry, tiles)):
            return Found((yield from as_mps(inquiry, tiles, tiles.nothing(), certified=False)))
        order = yield from self._order(inquiry, tiles)
        roots = yield from roots_of(inquiry, tiles, order, judge, self.beam, self.successors, self.roots)
        roots.sort(key=lambda kept: int(kept.sum()))
        sets: list[Mps] = []
        for kept in apart(roots, self.shared):
            if mps := (yield from as_mps(inquiry, tiles, kept, certified=self.threshold == 0)):
                sets.append(mps)
        return Found(sets[0], others=tuple(sets[1:])) if sets else Found(None)

    def _side(self, shape: Shape) -> int:
        """Side of a patch in pixels."""
        return -(-max(shape) // self.patches)

    def _order(self, inquiry: Inquiry, tiles: Grid) -> Search[NDArray[np.intp]]:
        """The patches, the most promising first, ties by position."""
        whole_set = to_begin_with(inquiry, tiles)
        all_patches = np.flatnonzero(whole_set)
        if self.needs_map:
            values = yield from Given().landscape(inquiry)
            means = np.array([values[tiles.mask(tiles.nothing() | (np.arange(tiles.tiles) == patch))].mean()
                              for patch in all_patches])  # fmt: skip
            return all_patches[np.lexsort((all_patches, -means))]
        _, left = yield from consider(inquiry, tiles, tiles.without(whole_set, all_patches))
        return all_patches[np.lexsort((all_patches, left))]

    def _judge(self, inquiry: Inquiry) -> Judge:
        """What makes a set a root: that it passes, and has the share of the confidence that the method demands."""
        if self.threshold == 0:
            return consider
        demanded = inquiry.target.confidence * self.threshold
        if not inquiry.by_share:
            demanded = round(demanded, _DECIMALS)
        inquiry.watch(demanded if inquiry.by_share else demanded - 0.5 * 10.0**-_DECIMALS)
        return partial(_judged, demanded=demanded)


def _judged(
    inquiry: Inquiry, tiles: Grid, sets: Sets, demanded: float
) -> Search[tuple[NDArray[np.bool_], NDArray[np.int64]]]:
    """As `consider`; passing needs the confidence that is demanded as well."""
    inquiry.calls += len(sets)
    reply = yield from inquiry.ask(Cells(tiles.shape, label=inquiry.target.label, grid=tiles, kept=sets))
    confidences = reply.confidences if inquiry.by_share else np.round(reply.confidences, _DECIMALS)
    return inquiry.passes(reply) & (confidences >= np.float32(demanded)), evidence(reply)
