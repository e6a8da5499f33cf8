"""One look for every figure and for the HTML: colours, type sizes, widths."""

from __future__ import annotations

import io
import zlib
from collections.abc import Callable, Iterable, Mapping
from functools import wraps
from itertools import cycle
from typing import Any, ParamSpec, TypeVar

import numpy as np
from matplotlib import rc_context
from matplotlib.colors import to_hex, to_rgb
from matplotlib.figure import Figure

from mps_study.report.figures.fonts import as_text, write_figure

P = ParamSpec("P")
R = TypeVar("R")

SINGLE_COLUMN = 3.4  # inches, one column of a journal page
DOUBLE_COLUMN = 7.0  # inches, both columns

INK = "#1b1f24"
FAINT_INK = "#5b6470"
GRID = "#dfe3e8"

# Okabe and Ito's palette, chosen to be told apart under every common colour blindness.
ARCHITECTURE_COLOURS = {
    "convnext": "#0072B2",
    "eva": "#E69F00",
    "inception": "#D55E00",
    "resnet": "#009E73",
    "vit": "#CC79A7",
}
SPARE_COLOURS = ("#56B4E9", "#7A4EA3", "#8C6D1F", "#444B54", "#882255", "#6FA8A0")
SHADES = (("white", 0.0), ("white", 0.5), ("black", 0.5))

LOOK: dict[str, Any] = {
    "font.size": 8,
    "text.color": INK,
    "axes.labelsize": 8,
    "axes.labelcolor": INK,
    "axes.titlesize": 8,
    "axes.titlelocation": "left",
    "axes.edgecolor": FAINT_INK,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.formatter.use_mathtext": False,
    "xtick.labelsize": 7.5,
    "ytick.labelsize": 7.5,
    "xtick.color": FAINT_INK,
    "ytick.color": FAINT_INK,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "grid.color": GRID,
    "grid.linewidth": 0.6,
    "legend.fontsize": 7.5,
    "legend.frameon": False,
    "figure.facecolor": "white",
    "figure.titlesize": 8.5,
    "image.interpolation": "antialiased",
}


def in_study_look(draw: Callable[P, R]) -> Callable[P, R]:
    """Run a drawing function with `LOOK` and names as text, and leave matplotlib's settings as they were."""

    @wraps(draw)
    def drawn(*arguments: P.args, **options: P.kwargs) -> R:
        look: Any = LOOK | as_text()  # matplotlib's stubs want literal keys
        with rc_context(look):
            return draw(*arguments, **options)

    return drawn


def architecture_colours(architectures: Iterable[str]) -> dict[str, str]:
    """A colour for each architecture; the paper's five are fixed, in any spelling of their case.

    Another architecture's colour follows from its name, so it is the same in every study; only when
    two in one study fall on the same spare colour does the later one, by name, move on to the next.
    """
    names = sorted(set(architectures))
    colours = {name: ARCHITECTURE_COLOURS[name.lower()] for name in names if name.lower() in ARCHITECTURE_COLOURS}
    for name in names:
        if name not in colours:
            first = zlib.crc32(name.lower().encode()) % len(SPARE_COLOURS)
            turn = SPARE_COLOURS[first:] + SPARE_COLOURS[:first]
            taken = set(colours.values())
            colours[name] = next((colour for colour in turn if colour not in taken), turn[0])
    return colours


def model_colours(architectures: Mapping[str, str]) -> dict[str, str]:
    """Model -> a shade of its architecture's colour, `#rrggbb`; there are three, and then they repeat.

    Args:
        architectures: model -> its architecture.
    """
    colours = architecture_colours(architectures.values())
    shades: dict[str, str] = {}
    for architecture in colours:
        models = [model for model, its in architectures.items() if its == architecture]
        for model, (towards, share) in zip(models, cycle(SHADES), strict=False):
            red, green, blue = (1 - share) * np.array(to_rgb(colours[architecture])) + share * np.array(to_rgb(towards))
            shades[model] = to_hex((red, green, blue))
    return shades


def to_png(figure: Figure, dpi: int = 240) -> bytes:
    """The figure as PNG; at 240 dpi it is shown at half its pixels, sharp on dense screens."""
    buffer = io.BytesIO()
    write_figure(figure, buffer, format="png", dpi=dpi, metadata={"Software": None})
    return buffer.getvalue()
