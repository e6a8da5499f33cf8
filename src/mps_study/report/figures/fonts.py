"""Names in any script: nothing in them is markup, and where an installed font has their characters these are drawn."""

from __future__ import annotations

import logging
import warnings
from functools import lru_cache
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont, fontManager, get_font
from matplotlib.text import Text

log = logging.getLogger(__name__)

FIRST = "DejaVu Sans"
"""Comes with matplotlib, so that figures are alike on every machine: Latin, Greek, Cyrillic and much else."""

FALLBACKS = (
    "Noto Sans CJK SC", "Noto Sans CJK TC", "Noto Sans CJK JP", "Noto Sans CJK KR", "Noto Sans SC", "Noto Sans TC",
    "Noto Sans JP", "Noto Sans KR", "Source Han Sans SC", "Source Han Sans", "WenQuanYi Micro Hei", "WenQuanYi Zen Hei",
    "Droid Sans Fallback", "IPAexGothic", "IPAGothic", "TakaoGothic", "VL Gothic", "NanumGothic", "UnDotum",
    "PingFang SC", "Heiti SC", "Heiti TC", "Hiragino Sans", "Hiragino Sans GB", "Apple SD Gothic Neo", "AppleGothic",
    "Microsoft YaHei", "SimHei", "Microsoft JhengHei", "Yu Gothic", "MS Gothic", "Malgun Gothic",
    "Noto Sans Devanagari", "Noto Sans Bengali", "Noto Sans Tamil", "Noto Sans Thai", "Noto Sans Hebrew",
    "Arial Unicode MS", "Unifont",
)  # fmt: skip
"""Asked in this order for what the first does not have; those that are installed."""

_said: set[str] = set()
"""Characters that no font has, of which the log has said so."""


@lru_cache(maxsize=1)
def families() -> tuple[str, ...]:
    """The fonts that a character is looked up in, one after the other."""
    installed = set(fontManager.get_font_names())
    return (FIRST, *(name for name in FALLBACKS if name in installed))


def as_text() -> dict[str, Any]:
    """matplotlib's settings by which a name is drawn as it is: `$` is a dollar, whatever stands between two of them."""
    return {"text.parse_math": False, "font.family": list(families())}


def write_figure(figure: Figure, target: Any, **options: Any) -> None:
    """`Figure.savefig`, under the settings of `as_text`: labels of ticks are made only now.

    Characters that no installed font has become boxes; the log says so, once for each.
    """
    missing = _missing(figure) - _said
    if missing:
        _said.update(missing)
        log.warning(
            "no installed font has the characters %s: figures show boxes for them; install one that has, such as Noto "
            "Sans CJK (Debian: fonts-noto-cjk)", "".join(sorted(missing)),
        )  # fmt: skip
    settings: Any = as_text()  # matplotlib's stubs want literal keys
    with mpl.rc_context(settings), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from font")
        figure.savefig(target, **options)


def _missing(figure: Figure) -> set[str]:
    wanted = {sign for text in figure.findobj(Text) for sign in text.get_text() if sign.isprintable()}
    for family in families():
        wanted = {sign for sign in wanted if ord(sign) not in _characters(family)}
    return wanted


@lru_cache
def _characters(family: str) -> frozenset[int]:
    return frozenset(get_font(findfont(FontProperties(family=[family]))).get_charmap())
