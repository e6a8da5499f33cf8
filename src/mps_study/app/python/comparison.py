"""What a comparison of models left: a project, its report, its tables."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from mps_study.common.spelling import unknown

STUDY = "comparison"


@dataclass(frozen=True)
class Comparison:
    """A finished comparison of models on a folder of images; what `mps_study.compare` returns.

    Args:
        project: a Kedro project of its own: `cd PROJECT && kedro run` goes on with it.

    Example:
        >>> Comparison(Path("out")).report.as_posix()
        'out/data/comparison/08_report/report.html'
    """

    project: Path

    @property
    def report(self) -> Path:
        """The report, one HTML file."""
        return self._folder / "report.html"

    @property
    def explorer(self) -> Path:
        """The explorer: every image with the sets of all models."""
        return self._folder / "explorer.html"

    @property
    def tables(self) -> list[str]:
        """Names of the report's tables."""
        return sorted(path.stem for path in (self._folder / "tables").glob("*.csv"))

    def table(self, name: str) -> pd.DataFrame:
        """A table of the report: `models`, `dice`, `statistics`, ...

        Raises:
            ValueError: there is none of that name; says which there are.
        """
        if name not in self.tables:
            raise ValueError(unknown("table", name, self.tables, f"Those of {self._folder / 'tables'}."))
        return pd.read_csv(self._folder / "tables" / f"{name}.csv")

    @property
    def _folder(self) -> Path:
        return self.project / "data" / STUDY / "08_report"
