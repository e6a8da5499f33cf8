"""The commands about whole studies: a project, a comparison, what a study will cost, how far it is, its sets."""

from __future__ import annotations

import logging
import shlex
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import yaml

if TYPE_CHECKING:
    from mps_study.app.exporting import At
    from mps_study.app.study_units import StudyNow

PLAIN = {"help_option_names": ["-h", "--help"], "show_default": True}


def parsed(option: str, text: str | None) -> Any:
    """An option that is written as in conf."""
    try:
        return None if text is None else yaml.safe_load(text)
    except yaml.YAMLError:
        raise click.ClickException(f"--{option} {text!r} is not YAML; write it as in conf") from None


def named(text: str | None, option: str = "class-names") -> Any:
    """A list or mapping as in conf, or a word or path as it is."""
    return parsed(option, text) if text and text.lstrip()[:1] in ("[", "{") else text


@click.command(context_settings=PLAIN)
@click.argument("folder", type=click.Path(path_type=Path))
def new(folder: Path) -> None:
    """Make a project of your own in FOLDER: conf of the embedded and the paper's studies, a notebook, a README."""
    from mps_study.project.new_project import NewProjectError, new_project  # --help need not wait for it

    try:
        new_project(folder)
    except NewProjectError as error:
        raise click.ClickException(str(error)) from None
    click.echo(f"{folder} is a project: `cd {shlex.quote(str(folder))} && kedro run` runs the study of its conf/base")


@click.command(context_settings=PLAIN)
@click.argument("images", type=click.Path(path_type=Path))
@click.option(
    "--model", "-m", "models", multiple=True, required=True, help="Of a roster, of timm, or an ONNX file; repeat it."
)
@click.option("--n", type=click.IntRange(min=1), help="Images that are drawn.  [default: all]")
@click.option("--strategy", help="rex, minimal, ...  [default: rex, 5 iterations]")
@click.option(
    "--class-names", help="Of ONNX files: a file of names, imagenet-1k, or '[cat, dog]'.  [default: their own]"
)
@click.option("--preprocessing", help="Of ONNX files: '{mean: [0.5, 0.5, 0.5], crop_pct: 1.0}'.")
@click.option("--device", default="auto", help="cpu, cuda, auto.")
@click.option("--out", "-o", type=click.Path(path_type=Path), default=Path("comparison"), help="A project of its own.")
def compare(strategy: str | None, class_names: str | None, preprocessing: str | None, **asked: Any) -> None:
    """Compare models on a folder of IMAGES, flat or with a sub-folder a class, to report and explorer.

    The same command again goes on where it stopped; `cd comparison && kedro run` does the same.
    """
    from mps_study.app import comparing  # takes seconds, which --help need not wait for

    if not logging.getLogger().handlers:
        logging.basicConfig(format="%(message)s")
    try:
        done = comparing.compare(
            search={"strategy": strategy} if strategy else None,
            class_names=named(class_names),
            preprocessing=parsed("preprocessing", preprocessing),
            **asked,
        )
    except (ValueError, OSError, comparing.ComparisonError) as error:
        raise click.ClickException(" ".join(str(error).split())) from None
    click.echo(f"{'report':<12} {done.report}\n{'explorer':<12} {done.explorer}")


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


@click.command(context_settings=PLAIN)
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
    click.echo("\n".join(planning.told(made, planning.probes_left(now))))


@click.command(context_settings=PLAIN)
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


@click.command(context_settings=PLAIN)
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


STUDY_COMMANDS = (new, compare, plan, status, export)
