"""How small the smallest set was after how many evaluations."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Anytime:
    """How small the smallest set was by then, as a search went on.

    Each set that passed in company and was smaller than all before it was asked alone at once, and counts if it passed
    again. It need not be one that the strategy meant to return: of all that it asked, it is what a budget that ends
    there would have left.

    Args:
        shape: (h, w) of the image.
        steps: evaluations made by then, and pixels of the smallest set; the whole image, which the first question
            is about, comes first.
        checks: evaluations that asked sets alone for this alone; `MpsRecord.evaluations` does not count them.
    """

    shape: tuple[int, int]
    steps: tuple[tuple[int, int], ...] = ()
    checks: int = 0

    @property
    def least(self) -> int:
        """Pixels of the smallest set so far."""
        return self.steps[-1][1] if self.steps else self.shape[0] * self.shape[1]

    def checked(self, evaluations: int, pixels: int, holds: bool) -> Anytime:
        """The same after another set was asked alone."""
        return replace(self.with_step(evaluations, pixels) if holds else self, checks=self.checks + 1)

    def with_step(self, evaluations: int, pixels: int) -> Anytime:
        """The same with another set, if it is smaller."""
        steps = self.steps or ((1, self.shape[0] * self.shape[1]),)
        return replace(self, steps=(*steps, (evaluations, pixels)) if pixels < self.least else steps)

    def area_after(self, evaluations: int) -> float:
        """Share of the pixels, in [0, 1], that the smallest set keeps which was verified by then; NaN for none."""
        pixels = [kept for made, kept in self.steps if made <= evaluations]
        return pixels[-1] / (self.shape[0] * self.shape[1]) if pixels else float("nan")
