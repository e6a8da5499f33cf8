"""Where MLflow keeps a study's runs, and how they are looked at."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

TRACKING_URI = "sqlite:///mlflow.db"
"""Where runs are tracked unless MLFLOW_TRACKING_URI says otherwise; a run stands in the project's folder."""

LOCAL_SERVER = "http://127.0.0.1:5000"
"""Where `mlflow ui` serves."""

PAGE = "{}/#/experiments/{}/runs?workflowType=machine_learning&compareRunsMode=CHART"
"""Where a server compares the runs of an experiment; its first page is one for language models."""

ABOUT = (
    "Minimal sufficient pixel sets (MPS): the fewest pixels that alone keep a model's class. One run a model, "
    "search and fingerprint: group by the tag `model` to compare searches, by `search` to compare models. "
    "`area_...` are mean shares of the input's pixels; `search/...` are histories over the images, a "
    "step an image of the manifest. Tick runs and *Compare* them; `sizes.png` and `sets.png` are among each run's "
    "artifacts. Tests and intervals: `data/{study}/08_report/report.html`."
)
"""What the experiment's page says of itself."""


def tracking_uri() -> str:
    """Where MLflow tracks, as the user says it or else in the project's folder."""
    return os.environ.get("MLFLOW_TRACKING_URI") or TRACKING_URI


def where_to_compare(uri: str, root: Path, experiment: str) -> str:
    """What to do to see an experiment's runs side by side, from any folder: a page, or a command and its page."""
    if uri.startswith(("http://", "https://")):
        return PAGE.format(uri.rstrip("/"), experiment)
    place = shlex.quote(_from_anywhere(uri, root))
    return f"`mlflow ui --backend-store-uri {place}`, then {PAGE.format(LOCAL_SERVER, experiment)}"


def _from_anywhere(uri: str, root: Path) -> str:
    """The same place, with the project's folder before a path that starts there."""
    if uri.startswith("sqlite:///"):
        return f"sqlite:///{(root / uri.removeprefix('sqlite:///')).as_posix()}"
    return uri if ":" in uri else str(root / uri)
