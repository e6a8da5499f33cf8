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
from mps_study.mps.minimal.tiles import Cells, Grid, Kept, grid
from mps_study.mps.mutants import Blended, Masks, Shape
from mps_study.mps.rex.given import Given
from mps_study.mps.strategy import Mask, Strategy
from mps_study.mps.tiled.beam import apart, roots_of
from mps_study.mps.tiled.on_tiles import Judge, Sets, as_mps, nothing_passes, to_begin_with
from mps_study.mps.types import Found, Mps, Search, SoftSet

CUTS = (0.75, 0.5, 0.375, 0.25, 0.125, 2.0**-16)
"""A blended root is cut at these shares, the highest that passes: above none, at last."""

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
        edges: `hard`, or `bilinear`: mutants are then blended over from patch to patch, as the published code does. The
            set is the part of the smallest root of which most is kept that passes as it is, without blending.
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
    edges: str = one_of("hard", ("hard", "bilinear"))

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
        if (yield from nothing_passes(inquiry, tiles)):
            return Found((yield from as_mps(inquiry, tiles, tiles.nothing(), certified=False)))
        judge = self._judge(inquiry)
        order = yield from self._order(inquiry, tiles, judge)
        roots = yield from roots_of(inquiry, tiles, order, judge, self.beam, self.successors, self.roots)
        roots.sort(key=lambda kept: int(kept.sum()))
        sets: list[tuple[Mps, SoftSet | None]] = []
        for kept in apart(roots, self.shared):
            if self.edges == "bilinear":
                mps, soft = yield from cut_out(inquiry, tiles, kept)
            else:
                mps, soft = (yield from as_mps(inquiry, tiles, kept, certified=self.threshold == 0)), None
            if mps:
                sets.append((mps, soft))
        return Found(sets[0][0], others=tuple(mps for mps, _ in sets[1:]), soft=sets[0][1]) if sets else Found(None)

    def _side(self, shape: Shape) -> int:
        """Side of a patch in pixels."""
        return -(-max(shape) // self.patches)

    def _order(self, inquiry: Inquiry, tiles: Grid, judge: Judge) -> Search[NDArray[np.intp]]:
        """The patches, the most promising first, ties by position."""
        everything = to_begin_with(inquiry, tiles)
        patches = np.flatnonzero(everything)
        if self.needs_map:
            values = yield from Given().landscape(inquiry)
            each = tiles.added(tiles.nothing(), patches)
            means = np.array([values[tiles.mask(patch)].mean() for patch in each])
            return patches[np.lexsort((patches, -means))]
        _, left = yield from judge(inquiry, tiles, tiles.without(everything, patches))
        return patches[np.lexsort((patches, left))]

    def _judge(self, inquiry: Inquiry) -> Judge:
        """What makes a set a root: that it passes, and has the share of the confidence that the method demands."""
        demanded = inquiry.target.confidence * self.threshold
        if not inquiry.by_share:
            demanded = round(demanded, _DECIMALS)
        if demanded > 0:
            inquiry.watch(demanded if inquiry.by_share else demanded - 0.5 * 10.0**-_DECIMALS)
        return partial(_judged, demanded=demanded, blended=self.edges == "bilinear")


def cut_out(inquiry: Inquiry, tiles: Grid, kept: Kept) -> Search[tuple[Mps | None, SoftSet | None]]:
    """The pixels that a blended root keeps most of, as few as pass alone, and the root itself; None if it has none."""
    root = _blended(inquiry, tiles, kept[None])
    alone = yield from inquiry.ask_alone(root)
    if not inquiry.passes(alone)[0]:
        return None, None
    shares = root.shares(0)
    soft = SoftSet(float(shares.mean(dtype=np.float64)), float(alone.confidences[0]))
    cuts = Masks(tiles.shape, label=inquiry.target.label, masks=np.array([shares >= least for least in CUTS]))
    reply = yield from inquiry.ask(cuts)
    for row in np.flatnonzero(inquiry.passes(reply)):
        again = yield from inquiry.ask_alone(cuts.take(np.array([row])))
        if inquiry.passes(again)[0]:
            return Mps(inquiry.visible(cuts.masks[row]), float(again.confidences[0])), soft
    return None, soft


def _blended(inquiry: Inquiry, tiles: Grid, sets: Sets) -> Blended:
    nodes = sets.reshape(len(sets), tiles.rows, tiles.columns)
    return Blended(tiles.shape, label=inquiry.target.label, nodes=nodes)


def _judged(
    inquiry: Inquiry, tiles: Grid, sets: Sets, demanded: float, blended: bool
) -> Search[tuple[NDArray[np.bool_], NDArray[np.int64]]]:
    """As `consider`; passing needs the confidence that is demanded as well, and mutants may be blended."""
    hard = Cells(tiles.shape, label=inquiry.target.label, grid=tiles, kept=sets)
    inquiry.calls += len(sets)
    reply = yield from inquiry.ask(_blended(inquiry, tiles, sets) if blended else hard)
    confidences = reply.confidences if inquiry.by_share else np.round(reply.confidences, _DECIMALS)
    return inquiry.passes(reply) & (confidences >= np.float32(demanded)), evidence(reply)
