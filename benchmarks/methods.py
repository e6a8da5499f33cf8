"""Every way to a sufficient set on a folder of images: the environment `methods`, in a project of its own."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import yaml
from setting import RESULTS, ROOT, Row

from mps_study.images.sources import candidates_of
from mps_study.project.new_project import new_project

STUDIES = Path(__file__).parent / ".methods"
PARAMETERS = "conf/methods/parameters.yml"
SEARCHED = re.compile(
    r"INFO +[^,]+?(?:, (?P<search>[^,:]+))?: (?P<n>\d+) images searched, .*?(?P<rate>\d+) evaluations/s"
)
OWN = "study"
SHARE = "Share of the own search's area"


def methods(
    folder: str, start: int, step: int, n: int, name: str, searches: list[str] | None, floors: list[float] | None
) -> list[Row]:
    """Rows of each search's area and cost at each floor; the report's tables and figure go to benchmarks/results.

    All of the environment's searches and floors, or these beside ReX and the class alone. The project stays in
    `benchmarks/.methods/NAME`, so the same call again goes on where the last one stopped, and one that names more
    searches makes only those.
    """
    project = STUDIES / name
    _with_images(project, folder, start, step, n)
    _ask_for(project, n, searches, floors)
    rates = _rates(project, _run(project))
    report = project / "data/methods/08_report"
    table = pd.read_csv(report / "tables/methods.csv")
    table["Evaluations a second"] = [rates.get(search) for search in table["Search"]]
    table["Seconds an image"] = table["Evaluations an image"] / table["Evaluations a second"]
    RESULTS.mkdir(exist_ok=True)
    table.to_csv(RESULTS / f"{name}_methods.csv", index=False, float_format="%.4g")
    for kept, source in (("differences.csv", "tables/search_differences.csv"), ("anytime.png", "figures/anytime.png")):
        (RESULTS / f"{name}_{kept}").write_bytes((report / source).read_bytes())
    return [row for facts in table.to_dict("records") for row in _rows(facts)]


def _with_images(project: Path, folder: str, start: int, step: int, n: int) -> None:
    """Make the project, or see that it has these images."""
    found = sorted(candidates_of({"kind": "folder", "path": folder}), key=lambda candidate: candidate.image)
    chosen = found[start::step][:n]
    if len(chosen) < n:
        raise SystemExit(f"{folder} has {len(found)} images: not {n} of them from {start} in steps of {step}")
    named = {f"{place:04d}_{Path(candidate.image).name}": candidate for place, candidate in enumerate(chosen)}
    images = project / "data/chosen"
    if project.exists():
        if {path.name for path in images.iterdir()} != set(named):
            raise SystemExit(f"{project.relative_to(ROOT)} is of other images: give another --name, or remove it")
        return
    new_project(project)
    images.mkdir(parents=True)
    for name, candidate in named.items():
        (images / name).write_bytes(candidate.read())


def _ask_for(project: Path, n: int, searches: list[str] | None, floors: list[float] | None) -> None:
    said: dict[str, Any] = yaml.safe_load((ROOT / PARAMETERS).read_text(encoding="utf-8"))
    draw = {"source": {"kind": "folder", "path": str(project / "data/chosen")}, "n": n}
    said["data_sampling"] = {"labelled": None, "unlabelled": draw}
    if floors is not None:
        said["search"]["floors"] = floors
    if searches is not None:
        if unknown := set(searches) - set(said["searches"]):
            raise SystemExit(f"no search {', '.join(sorted(unknown))} in {PARAMETERS}: {', '.join(said['searches'])}")
        said["searches"] = {name: chosen for name, chosen in said["searches"].items() if name in searches}
    (project / PARAMETERS).write_text(yaml.safe_dump(said, sort_keys=False), encoding="utf-8")


def _run(project: Path) -> dict[str, float]:
    """Search -> evaluations a second, of the searches that this run made."""
    command = [sys.executable, "-m", "kedro", "run", "--env", "methods"]
    rates = {}
    with subprocess.Popen(command, cwd=project, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as run:
        for line in run.stdout or ():
            print(line, end="", flush=True)
            if told := SEARCHED.search(line):
                rates[told["search"] or OWN] = float(told["rate"])
    if run.returncode:
        raise SystemExit(f"the study in {project.relative_to(ROOT)} failed; the same command goes on there")
    return rates


def _rates(project: Path, made: dict[str, float]) -> dict[str, float]:
    """Those of this run, and of earlier ones for searches that it did not make."""
    kept = project / "data/rates.json"
    rates = (json.loads(kept.read_text(encoding="utf-8")) if kept.exists() else {}) | made
    kept.write_text(json.dumps(rates, indent=1), encoding="utf-8")
    return rates


def _rows(facts: dict[str, Any]) -> list[Row]:
    about, n = f"methods: {facts['Search']}, {facts['Set']}", int(facts["n"])
    rows = [Row(f"{about}: share of ReX's area, in sum", "", "", f"{facts[SHARE]:.3f}", n)]
    evaluations = facts["Evaluations an image"] + facts["Evaluations for the map"]
    if pd.notna(evaluations):
        rows.append(Row(f"{about}: evaluations an image, for all floors", "", "", f"{evaluations:.0f}", n))
    return rows
