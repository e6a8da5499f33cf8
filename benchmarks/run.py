"""The benchmark: prints its table and writes it, with the machine, to benchmarks/results/.

    python benchmarks/run.py --images FOLDER [--n 20] [--only rex,minimal,group_testing,several,engine,memory,cost]
    python benchmarks/run.py --images FOLDER --n 50 --step 4 --only methods [--searches ddmin,lime] [--floors 0.5]
    python benchmarks/run.py --only downstream [--study 1000]

FOLDER holds images in the folder layout (one sub-folder a class); `methods` takes hours, and goes on where it was
stopped; `downstream` makes its own up. rex-xai runs in an
environment of its own (`make benchmark` makes it). Leave the machine alone meanwhile: walls are compared block by
block, but a busy machine widens their range.
"""

from __future__ import annotations

import argparse
import json
from datetime import date
from pathlib import Path

from against_rex import side_by_side, tiles_against_rex
from cost import grow
from downstream import FULL, downstream
from engine import memory, time_of_an_evaluation
from methods import methods
from more_sets import several
from setting import RESULTS, Row, facts, images_of, rows_as_dicts

SECTIONS = ("engine", "memory", "rex", "minimal", "group_testing", "several", "cost", "downstream", "methods")
WITHOUT_IMAGES = {"engine", "memory", "downstream"}


def main() -> None:
    """Run the sections that were asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", help="needed by all sections but " + ", ".join(sorted(WITHOUT_IMAGES)))
    parser.add_argument("--n", type=int, default=20)
    parser.add_argument("--start", type=int, default=6, help="the first image, in sorted order")
    parser.add_argument("--step", type=int, default=10)
    parser.add_argument("--models", default="efficientnet_lite0")
    parser.add_argument("--rex-python", default="benchmarks/.rex/bin/python")
    parser.add_argument("--batch-sizes", default="1,64")
    parser.add_argument("--block", type=int, default=4, help="images in a block, on which walls are compared")
    parser.add_argument("--only", default=",".join(SECTIONS[:-1]), help="all sections but methods, by default")
    parser.add_argument("--study", type=int, default=FULL, help="images of the study of `downstream`")
    parser.add_argument("--searches", type=_names, help="of `methods`, beside ReX: all of conf/methods, by default")
    parser.add_argument("--floors", type=_numbers, help="of `methods`, beside the class alone: 0.5,0.9, or '' for none")
    parser.add_argument("--name", default="benchmark", help="of the files in benchmarks/results")
    chosen = parser.parse_args()
    sections = chosen.only.split(",")
    if wrong := set(sections) - set(SECTIONS):
        raise SystemExit(f"unknown section {', '.join(sorted(wrong))}; use some of {', '.join(SECTIONS)}")
    if chosen.images is None and (these := [name for name in sections if name not in WITHOUT_IMAGES]):
        raise SystemExit(f"{', '.join(these)} measure on images: give --images FOLDER (one sub-folder a class)")
    rows: list[Row] = []
    for name in sections:
        rows += _section(name, chosen)
        _write(rows, chosen)


def _names(text: str) -> list[str]:
    return [name for name in text.split(",") if name]


def _numbers(text: str) -> list[float]:
    return [float(number) for number in _names(text)]


def _section(name: str, chosen: argparse.Namespace) -> list[Row]:
    if name == "engine":
        return time_of_an_evaluation()
    if name == "memory":
        return memory()
    if name == "downstream":
        return downstream(chosen.study)
    if name == "methods":
        which = chosen.images, chosen.start, chosen.step, chosen.n, chosen.name
        return methods(*which, chosen.searches, chosen.floors)
    if name == "cost":
        grown = grow(chosen.images, chosen.start, RESULTS / f"{chosen.name}_cost.png")
        return [
            Row(f"cost by {axis}: {what}", "", "", f"{evaluations:.0f} evaluations, {seconds:.1f} s", 1)
            for axis, points in grown.items()
            for what, evaluations, seconds in points
        ]
    rows: list[Row] = []
    sizes = tuple(int(size) for size in chosen.batch_sizes.split(","))
    for model in chosen.models.split(","):
        images = images_of(chosen.images, chosen.start, chosen.step, chosen.n, model)
        if name == "rex":
            rows += side_by_side(images, model, chosen.rex_python, chosen.block, sizes)
        elif name in ("minimal", "group_testing"):
            rows += tiles_against_rex(images, model, name)
        else:
            rows += several(images, model)
    return rows


def _write(rows: list[Row], chosen: argparse.Namespace) -> None:
    """The table so far, as Markdown and JSON, and on the terminal."""
    images = None if chosen.images is None else Path(chosen.images).name
    given = {**vars(chosen), "images": images, "rex_python": Path(chosen.rex_python).name}
    made = {"date": date.today().isoformat(), **facts(), "arguments": given}
    lines = [f"{made['date']}, {made['machine']}, {made['system']}, commit {made['commit']}", ""]
    lines += ["| measure | must | reach for | value (median) | low | high | n |", "|---|---|---|---|---|---|---|"]
    lines += [f"| {r.measure} | {r.must} | {r.reach} | {r.value} | {r.low} | {r.high} | {r.n} |" for r in rows]
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{chosen.name}.md").write_text("\n".join(lines) + "\n")
    (RESULTS / f"{chosen.name}.json").write_text(json.dumps({**made, "rows": rows_as_dicts(rows)}, indent=2) + "\n")
    print("\n" + "\n".join(lines), flush=True)


if __name__ == "__main__":
    main()
