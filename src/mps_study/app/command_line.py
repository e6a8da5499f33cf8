"""`mps-study`: what needs no pipeline. Kedro finds `cli` here by its name and offers the same: `kedro explain`."""

from __future__ import annotations

import logging
import math
import shlex
import time
from itertools import chain, count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import yaml

if TYPE_CHECKING:
    from mps_study.app.explained import Explanation
    from mps_study.app.exporting import At
    from mps_study.app.study_units import StudyNow

PLAIN = {"help_option_names": ["-h", "--help"], "show_default": True}


@click.group(context_settings=PLAIN)
@click.version_option(package_name="mps-study")
def cli() -> None:
    """What does a classifier need to see? Studies of many images and models are run by `kedro run`."""


@cli.command(context_settings=PLAIN)
@click.argument("image", type=click.Path(path_type=Path))
@click.option(
    "--model", "-m", default="efficientnet_lite0", help="A name of conf/*/parameters_models.yml, or an ONNX file."
)
@click.option(
    "--out", "-o", type=click.Path(path_type=Path), help="The picture: .png, .svg, .pdf.  [default: IMAGE_mps.png]"
)
@click.option("--several", type=int, default=1, help="Sets that are looked for, the first included.")
@click.option("--strategy", default="rex", help="rex, minimal, contrastive, complete.")
@click.option("--iterations", type=int, help="Random partitions; ReX and the paper use 20.  [default: 5]")
@click.option("--floor", type=float, default=0.0, help="Share of the original confidence that the set must keep.")
@click.option("--baseline", default="0", help="What is not kept becomes: a number, mean, blur, ...")
@click.option("--seed", type=int, default=0, help="The one source of chance.")
@click.option("--budget", type=int, help="Most evaluations.  [default: no limit]")
@click.option("--device", default="auto", help="cpu, cuda, auto.")
@click.option("--batch-size", type=int, help="Changes the speed, not the set.  [default: the fastest]")
@click.option("--env", "-e", help="The environment whose roster has the model.  [default: the first that has]")
@click.option("--preprocessing", help="Of an ONNX file, as in a roster: '{mean: [0.5, 0.5, 0.5], crop_pct: 1.0}'.")
@click.option(
    "--output",
    help="Of an ONNX file: logits, probabilities, sigmoid, multi_label_logits, '{kind: sigmoid, threshold: 0.3}'.  "
    "[default: its own]",
)
@click.option(
    "--target", default="top-1", help="Name or index of the class that is kept; not on top, it needs --floor."
)
@click.option(
    "--class-names",
    help="Of an ONNX file: a file of names, one a line, imagenet-1k, or '[cat, dog]'.  [default: its own]",
)
def explain(
    image: Path,
    model: str,
    out: Path | None,
    iterations: int | None,
    floor: float,
    baseline: str,
    target: str,
    preprocessing: str | None,
    class_names: str | None,
    output: str | None,
    **rest: Any,
) -> None:
    """Show the fewest pixels of IMAGE that keep a model's class.

    Prints what was found and saves a picture of it: the image as the model saw it, the responsibility of each pixel,
    and the minimal sufficient pixel set.
    """
    if not logging.getLogger().handlers:  # under `kedro explain` there are
        logging.basicConfig(format="%(message)s")
        logging.getLogger("mps_study").setLevel(logging.INFO)
    from mps_study.app.explained import check_target  # takes seconds, which --help need not wait for
    from mps_study.app.explanation import explain as explain_image
    from mps_study.datasets.claims import ClaimedError

    if iterations is not None:  # strategies that have none refuse them
        rest["iterations"] = iterations
    picture = out or Path(f"{image.stem}_mps.png")
    try:
        check_target(picture)
        found = explain_image(
            image,
            model,
            preprocessing=_parsed("preprocessing", preprocessing),
            class_names=_named(class_names),
            output=_named(output, "output"),
            baseline=_parsed("baseline", baseline),
            target=int(target) if target.isdecimal() else target,
            minimum_confidence_threshold=floor,
            **rest,
        )
        picture = found.save(picture if out else _free(picture, found))
    except (ValueError, OSError, ClaimedError) as error:
        raise click.ClickException(" ".join(str(error).split())) from None
    click.echo("\n".join(f"{name:<12} {value}" for name, value in _summary(found)))
    click.echo(f"{'picture':<12} {picture}")


@cli.command(context_settings=PLAIN)
@click.argument("folder", type=click.Path(path_type=Path))
def new(folder: Path) -> None:
    """Make a project of your own in FOLDER: conf of the embedded and the paper's studies, a notebook, a README."""
    from mps_study.project.new_project import NewProjectError, new_project  # --help need not wait for it

    try:
        new_project(folder)
    except NewProjectError as error:
        raise click.ClickException(str(error)) from None
    click.echo(f"{folder} is a project: `cd {shlex.quote(str(folder))} && kedro run` runs the study of its conf/base")


def _params(ctx: click.Context, option: click.Parameter, text: str) -> dict[str, Any]:
    """`--params` as `kedro run` reads it."""
    from kedro.framework.cli.utils import _split_params

    given: dict[str, Any] = _split_params(ctx, option, text)
    return given


STUDY = (
    click.option("--env", "-e", help="The environment of conf/ that the study is of.  [default: base]"),
    click.option("--params", default="", callback=_params, help="As of `kedro run`: model=NAME,search.seed=5."),
)
"""Options that say which study is meant."""


def _of_study(command: Any) -> Any:
    """The options `STUDY` for a command."""
    for option in reversed(STUDY):
        command = option(command)
    return command


@cli.command(context_settings=PLAIN)
@_of_study
@click.option("--workers", type=click.IntRange(min=1), multiple=True, help="Simulate so many workers; may be repeated.")
@click.option("--measure", is_flag=True, help="Time exported models that this machine has not timed; seconds each.")
@click.option(
    "--json", "json_file", type=click.Path(dir_okay=False), help="Write the plan here as well; - prints only that."
)
def plan(
    env: str | None, params: dict[str, Any], workers: tuple[int, ...], measure: bool, json_file: str | None
) -> None:
    """Say what a study will cost, before any work: images left, evaluations, hours, disk, memory.

    Needs no images, weights or GPU. What is not known is said to be unknown. Nothing is changed.
    """
    from mps_study.app import planning

    now = _study(env, params)
    made = planning.plan(now, workers, measure)
    text = planning.written(made, now, env)
    if json_file == "-":
        click.echo(text)
        return
    if json_file:
        try:
            Path(json_file).write_text(text + "\n", encoding="utf-8")
        except OSError as error:
            raise click.ClickException(
                f"--json {json_file}: {error.strerror}; name a file that can be written"
            ) from None
    click.echo("\n".join(planning.told(made)))


@cli.command(context_settings=PLAIN)
@_of_study
@click.option("--watch", is_flag=True, help="Look again and again, until all is done or Ctrl-C.")
@click.option("--every", type=click.FloatRange(min=0.1), default=5.0, help="Seconds between two looks.")
@click.option("--json", "as_json", is_flag=True, help="JSON; with --watch a line a look.")
def status(env: str | None, params: dict[str, Any], watch: bool, every: float, as_json: bool) -> None:
    """Say how far a study is: what is done, failed, running where and since when, and the time left.

    From its store and claims alone, also while a run goes on here or on another machine of the same file system, which
    is not disturbed.
    """
    from mps_study.app import standing

    while True:
        try:
            found = standing.status(_study(env, params))
        except FileNotFoundError:  # a run has just put a note or a claim away
            continue
        if as_json:
            click.echo(standing.written(found, None if watch else 2))
        else:
            if watch:
                click.clear()
            click.echo("\n".join(standing.told(found)))
        if not watch or found.is_done:
            return
        time.sleep(every)


@cli.command(context_settings=PLAIN)
@click.option(
    "--format", "-f", type=click.Choice(["png", "npz", "coco", "csv", "parquet"]), default="png",
    help="Sets as pictures, NumPy files or COCO's JSON; csv and parquet are the study's tables.",
)  # fmt: skip
@click.option(
    "--at", type=click.Choice(["input", "image"]), default="image",
    help="Sets at the size of the model's input, or of the image, in its own pixels.",
)  # fmt: skip
@click.option("--out", "-o", type=click.Path(path_type=Path), default=Path("exported"), help="The folder.")
@click.option("--model", "-m", multiple=True, help="One of the models; may be repeated.  [default: all compared]")
@_of_study
def export(format: str, at: At, out: Path, model: tuple[str, ...], env: str | None, params: dict[str, Any]) -> None:
    """Write what a study found for other tools: its sets and maps, or its tables.

    `--params only_search=NAME` takes one of its searches.
    """
    from mps_study.app.exporting import export_sets  # takes seconds, which --help need not wait for

    try:
        written = export_sets(_study(env, params), out, format, at, model)
    except (ValueError, OSError) as error:
        raise click.ClickException(" ".join(str(error).split())) from None
    click.echo(f"{len(written)} files in {out}")


def _study(env: str | None, params: dict[str, Any]) -> StudyNow:
    """The study as it stands; a fault is told in a line each."""
    from kedro.io import DatasetError

    from mps_study.app.study_units import study_now
    from mps_study.project.parameters import ParameterError

    if not logging.getLogger().handlers:  # under `kedro plan` there are
        logging.basicConfig(format="%(message)s")
    try:
        return study_now(env, params)
    except ParameterError as error:
        raise click.ClickException(str(error)) from None
    except (ValueError, OSError, DatasetError) as error:
        raise click.ClickException(" ".join(str(error).split())) from None


def _summary(found: Explanation) -> list[tuple[str, str]]:
    """(name, value) of each line that is printed."""
    record = found.record
    lines = [
        ("model", found.model),
        ("class", f"{found.class_name} ({found.label})"),
        *([] if record.top is None else [("the model's", f"{found.answer_name} ({record.answer})")]),
        (
            "confidence",
            f"{_number(record.target.confidence)} from the whole image, {_number(record.confidence)} from the set",
        ),
        ("area", f"{_percent(record.area)} ({record.pixels or 0} of {found.photo[..., 0].size} pixels)"),
    ]
    lines += [
        (f"set {number}", f"{_percent(float(mps.mask.mean()))}, confidence {mps.confidence:.3f}")
        for number, mps in enumerate(record.further, start=2)
    ]
    lines.append(("evaluations", str(record.evaluations)))
    if record.reason:
        lines.append(("note", record.reason))
    return lines


def _free(target: Path, found: Explanation) -> Path:
    """The path, or the first like it that holds no picture of another photo: `x_mps_2.png` beside `x_mps.png`."""
    names = (target.with_name(f"{target.stem}_{number}{target.suffix}") for number in count(2))
    free = next(path for path in chain([target], names) if not path.exists() or found.is_saved_as(path))
    if free != target:
        click.echo(f"{target} is a picture of something else and stays; this one is {free}", err=True)
    return free


def _percent(share: float) -> str:
    return "none" if math.isnan(share) else f"{100 * share:.2f} %"


def _number(confidence: float) -> str:
    return "none" if math.isnan(confidence) else f"{confidence:.3f}"


def _parsed(option: str, text: str | None) -> Any:
    """An option that is written as in conf."""
    try:
        return None if text is None else yaml.safe_load(text)
    except yaml.YAMLError:
        raise click.ClickException(f"--{option} {text!r} is not YAML; write it as in conf") from None


def _named(text: str | None, option: str = "class-names") -> Any:
    """A list or mapping as in conf, or a word or path as it is."""
    return _parsed(option, text) if text and text.lstrip()[:1] in ("[", "{") else text
