"""What ReX's three explanations share: a ranking, the step of the scan along it, and its curves."""

from __future__ import annotations

from dataclasses import dataclass

from mps_study.mps.common.choices import choice
from mps_study.mps.common.fields import whole
from mps_study.mps.common.terms import Terms
from mps_study.mps.inquiry import Inquiry
from mps_study.mps.mutants import Ranking
from mps_study.mps.rex.curves import curves_of
from mps_study.mps.rex.ranking import Landscape, Ranker, by_value
from mps_study.mps.rex.rankings import RANKINGS
from mps_study.mps.strategy import Strategy
from mps_study.mps.types import Curves, Found, Search


@dataclass(frozen=True)
class Ranked(Strategy):
    """A strategy that reads its set from a ranking of the pixels.

    Args:
        ranking: in which order pixels are kept; a key of `mps_study.mps.rex.rankings.RANKINGS`.
        chunk_size: pixels by which the prefix of the ranking grows.
        curve_steps: steps of the ranking's insertion and deletion curves; 0 for none.
    """

    ranking: Ranker = choice("responsibility", RANKINGS, Ranker)
    chunk_size: int = whole(10, least=1)
    curve_steps: int = whole(0, least=0)

    @property
    def needs_map(self) -> bool:
        """Whether the caller has to hand in a map of each image."""
        return self.ranking.needs_map

    def fits(self, terms: Terms) -> None:
        """Raise ValueError where the ranking does not go with the search's terms."""
        self.ranking.fits(terms)

    def ranked(self, inquiry: Inquiry) -> Search[tuple[Landscape, Ranking, Curves | None]]:
        """The map, the pixels in its order, and its curves if they are wanted and this is not a further set.

        The scan for the set finds some of its questions answered by them. A budget goes to the set first, and to the
        curves last.
        """
        landscape = yield from self.ranking.landscape(inquiry)
        ranking = by_value(landscape)
        wanted = self.curves_wanted and inquiry.allowed is None and inquiry.terms.budget is None
        drawn = (yield from curves_of(inquiry, ranking, self.curve_steps)) if wanted else None
        return landscape, ranking, drawn

    @property
    def curves_wanted(self) -> bool:
        """Whether they have a step."""
        return self.curve_steps > 0

    def curves(self, inquiry: Inquiry, first: Found) -> Search[Curves | None]:
        """The curves of the first set's map."""
        assert first.landscape is not None
        return (yield from curves_of(inquiry, by_value(first.landscape), self.curve_steps))
