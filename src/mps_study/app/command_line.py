"""`mps-study`: what needs no pipeline. Kedro finds `cli` here by its name and offers the same: `kedro explain`."""

from __future__ import annotations

import logging
import math
from itertools import chain, count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mps_study.app.study_commands import PLAIN, STUDY_COMMANDS, named, parsed

if TYPE_CHECKING:
    from mps_study.app.explained import Explanation


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
@click.option("--strategy", default="rex", help="rex, minimal, group_testing, ... (docs/methods.md).")
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
            preprocessing=parsed("preprocessing", preprocessing),
            class_names=named(class_names),
            output=named(output, "output"),
            baseline=parsed("baseline", baseline),
            target=int(target) if target.isdecimal() else target,
            minimum_confidence_threshold=floor,
            **rest,
        )
        picture = found.save(picture if out else _free(picture, found))
    except (ValueError, OSError, ClaimedError) as error:
        raise click.ClickException(" ".join(str(error).split())) from None
    click.echo("\n".join(f"{name:<12} {value}" for name, value in _summary(found)))
    click.echo(f"{'picture':<12} {picture}")


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


for command in STUDY_COMMANDS:
    cli.add_command(command)
