"""The responsibility search: which superpixels does the model's class depend on?

Follows ReX (Chockler, Kelly, Kroening, Sun: Causal Explanations for Image Classifiers) as rex-xai 0.4.1 runs it,
map for map. Two habits of rex-xai matter: only the combinations of the *last* refined box stay in the queue, and
the box's static partners are then dropped.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from mps_study.mps.common.fields import flag, number, one_of, whole
from mps_study.mps.common.terms import Terms
from mps_study.mps.inquiry import Inquiry
from mps_study.mps.mutants import COMBINATIONS, Boxes, Shape
from mps_study.mps.rex.ranking import Landscape, Ranker
from mps_study.mps.rex.superpixels import CUTS, Bounds, Cut, Superpixel
from mps_study.mps.types import Reply, Search, Target

Job = tuple[Superpixel, ...]
"""Sibling superpixels that pass together; each is refined in turn while the others stay."""

Iteration = Generator[Boxes, Reply, Landscape | None]

_KEPT = np.array([[i in chosen for i in range(4)] for chosen in COMBINATIONS])
"""(14, 4) bool: the superpixels that each mutant of a split keeps."""
_MOST_BOXES = 7
_SEEDS = 2**32


@dataclass(frozen=True)
class Passing:
    """A mutant of a split that kept the class: its row among the 14, and the pixels that it keeps."""

    row: int
    area: int


@dataclass(frozen=True)
class Responsibility(Ranker):
    """Pixels by their responsibility for the target class, merged over random partitions. Defaults are ReX's.

    Args:
        cuts: where a box is split. `rex` draws pixel positions from the random stream of rex-xai 0.4.1
            (`RandomState(seed + iteration)`); `fraction` draws shares of the box from the seed and the image's
            key, so that models of different input size start from the same superpixels.
        iterations: number of random partitions whose maps are merged.
        tree_depth: a box deeper than this is not split.
        min_box_size: a box of fewer pixels is not split.
        queue_style: which passing mutants are refined: `area` (smallest first), `intersection`, `all`, `dc`.
        queue_len: how many of them.
        responsibility_style: how the maps of the iterations are merged: `multiplicative` or `additive`.
        weighted: responsibility is weighted by the mutant's confidence.
        confidence_filter: a mutant passes only with this share of the original confidence.
    """

    cuts: str = one_of("rex", CUTS)
    iterations: int = whole(20, least=1)
    tree_depth: int = whole(10, least=1)
    min_box_size: int = whole(10, least=1)
    queue_style: str = one_of("area", ("area", "intersection", "all", "dc"))
    queue_len: int = whole(1, least=1)
    responsibility_style: str = one_of("multiplicative", ("multiplicative", "additive"))
    weighted: bool = flag(False)
    confidence_filter: float = number(0.0, 0.0, 1.0)

    def fits(self, terms: Terms) -> None:
        """Raise ValueError where the iterations leave the seeds of NumPy's `RandomState`, which `cuts: rex` takes."""
        if terms.seed + self.iterations > _SEEDS:
            raise ValueError(
                f"search.seed is {terms.seed}; use one that stays below 2**32 with {self.iterations} iterations added"
            )

    def landscape(self, inquiry: Inquiry) -> Search[Landscape]:
        """(h, w) float32 responsibility of each pixel.

        Multiplicative maps are divided by their maximum after every iteration. If no mutant ever passes the map is
        flat (rex-xai stops with an error there).
        """
        if self.confidence_filter > 0:
            inquiry.watch(inquiry.target.confidence * self.confidence_filter)
        cut, iterations = CUTS[self.cuts], range(1, self.iterations + 1)
        maps = yield from _in_lockstep(
            inquiry, [_iteration(inquiry, self, cut(inquiry.terms.seed, inquiry.key, each)) for each in iterations]
        )
        return merge(maps, inquiry.shape, additive=self.responsibility_style == "additive")


def merge(maps: Sequence[Landscape | None], shape: Shape, additive: bool) -> Landscape:
    """(h, w) float32: the iterations' maps merged in order; an iteration in which nothing passed is None."""
    merged = np.zeros(shape, np.float32) if additive else np.ones(shape, np.float32)
    for local in maps:
        if local is None:
            continue
        if additive:
            merged += local
        else:
            merged *= local
            merged /= merged.max()
    return merged


def _in_lockstep(inquiry: Inquiry, iterations: Sequence[Iteration]) -> Search[list[Landscape | None]]:
    """Run independent iterations side by side: one question holds the splits of all that are not done."""
    maps: list[Landscape | None] = [None] * len(iterations)
    replies: dict[int, Reply | None] = dict.fromkeys(range(len(iterations)))
    while True:
        asking: dict[int, Boxes] = {}
        for index, reply in replies.items():
            question, maps[index] = _step(iterations[index], reply)
            if question is not None:
                asking[index] = question
        if not asking:
            return maps
        shape = next(iter(asking.values())).shape
        everything = Boxes(shape, boxes=np.concatenate([q.boxes for q in asking.values()]))
        inquiry.calls += len(everything)
        answer = yield from inquiry.ask(everything)
        replies, start = {}, 0
        for index, question in asking.items():
            part = slice(start, start + len(question))
            replies[index] = Reply(answer.labels[part], answer.confidences[part])
            start = part.stop


def _step(search: Iteration, reply: Reply | None) -> tuple[Boxes | None, Landscape | None]:
    """Let an iteration go on: its next question, or its map once it has finished."""
    try:
        return (next(search) if reply is None else search.send(reply)), None
    except StopIteration as finished:
        return None, finished.value


def _iteration(inquiry: Inquiry, how: Responsibility, cut: Cut) -> Iteration:
    """One random partition: refine the smallest passing mutant until nothing is left to split."""
    shape, target = inquiry.shape, inquiry.target
    image = Superpixel((0, shape[0], 0, shape[1]))
    if how.responsibility_style == "multiplicative":
        image.responsibility = np.float32(1)
    queue: list[Job] = [(image,)]
    depth_reached, anything_passed, on_last = 0, False, False
    while queue:
        passing: list[Passing] = []
        children: Job = ()
        for job in queue:
            for box in job:
                on_last = box is job[-1]
                split = box.split(cut, how.tree_depth, how.min_box_size)
                if not split:
                    break
                children = split
                static = [partner.bounds for partner in job if partner is not box]
                mutants = _mutants_of_split(children, static, shape)
                reply: Reply = yield mutants
                passing = _passing(reply, mutants, target, how.confidence_filter)
                if passing:
                    anything_passed = True
                    _share_responsibility(children, reply, target.label, how.weighted)
                    passing = prune(passing, how.queue_style, how.queue_len)
                    depth_reached = max(depth_reached, len(children[0].path))
        if depth_reached > how.tree_depth and on_last:
            break
        queue = [tuple(children[i] for i in COMBINATIONS[mutant.row]) for mutant in passing]
    return _paint_leaves(image, shape) if anything_passed else None


def _mutants_of_split(children: Job, static: list[Bounds], shape: Shape) -> Boxes:
    """The 14 mutants of a split: some children, and all static partners."""
    boxes = np.zeros((len(COMBINATIONS), _MOST_BOXES, 4), dtype=np.int64)
    boxes[:, :4] = np.where(_KEPT[:, :, None], np.array([c.bounds for c in children]), 0)
    if static:
        boxes[:, 4 : 4 + len(static)] = static
    return Boxes(shape, boxes=boxes)


def _passing(reply: Reply, mutants: Boxes, target: Target, confidence_filter: float) -> list[Passing]:
    passes = reply.labels == target.label
    if confidence_filter > 0:
        passes &= reply.confidences >= target.confidence * confidence_filter
    rows = np.flatnonzero(passes)
    if not rows.size:
        return []
    areas = mutants.areas()
    return [Passing(row, int(areas[row])) for row in rows.tolist()]


def _share_responsibility(children: Job, reply: Reply, label: int, weighted: bool) -> None:
    """Each mutant that was given the class shares 1 among the children that it keeps.

    Sums stay in float32 and in the order of the mutants, so that they equal rex-xai's to the bit. All pixels of an
    unsplit box have one history, so a number a box is enough.
    """
    for row in np.flatnonzero(reply.labels == label).tolist():
        kept = COMBINATIONS[row]
        share = 1 / len(kept)
        if weighted:
            share *= float(reply.confidences[row])
        for i in kept:
            children[i].responsibility = children[i].responsibility + np.float32(share)


def prune(passing: list[Passing], style: str, length: int) -> list[Passing]:
    """The passing mutants of a split that are refined next, in order."""
    if style in ("all", "dc") or (style == "intersection" and len(passing) == 1):
        return passing
    if style == "intersection":
        shared: set[int] = set()
        kept = [set(COMBINATIONS[mutant.row]) for mutant in passing]
        for first in range(len(kept)):
            shared = kept[first].intersection(*kept[first + 1 :])
            if shared:
                break
        passing = [m for m, boxes in zip(passing, kept, strict=True) if shared <= boxes]
    return sorted(passing, key=lambda mutant: mutant.area)[:length]


def _paint_leaves(image: Superpixel, shape: Shape) -> Landscape:
    landscape = np.empty(shape, dtype=np.float32)
    for leaf in _leaves(image):
        top, bottom, left, right = leaf.bounds
        landscape[top:bottom, left:right] = leaf.responsibility
    return landscape


def _leaves(box: Superpixel) -> Iterator[Superpixel]:
    if not box.children:
        yield box
        return
    for child in box.children:
        yield from _leaves(child)
