"""Numbers as a reader expects them: shares in per cent, p-values, sensible digits."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd

MISSING = "–"


def is_missing(value: Any) -> bool:
    """Whether a cell of a frame holds nothing: None, NaN or NA."""
    return value is None or bool(pd.isna(value))


def number(value: Any, digits: int = 3) -> str:
    """A number with `digits` significant digits, never in exponent form above 1e-4.

    >>> number(1176.134), number(0.04567), number(12)
    ('1176', '0.0457', '12')
    """
    if is_missing(value):
        return MISSING
    value = float(value)
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    if value == int(value) and abs(value) < 1e15:
        return f"{int(value):d}".replace("-", "−")
    if abs(value) < 1e-4:
        return f"{value:.1e}".replace("-", "−")
    decimals = max(0, digits - 1 - math.floor(math.log10(abs(value))))
    return f"{value:.{min(decimals, 6)}f}".replace("-", "−")


def fixed(value: Any, decimals: int) -> str:
    """A number with a fixed count of decimals, so that a column of them lines up."""
    if is_missing(value):
        return MISSING
    if math.isinf(value):
        return "∞"
    text = f"{float(value):.{decimals}f}"
    return text.lstrip("-") if float(text) == 0 else text.replace("-", "−")


def percent(share: Any) -> str:
    """A share as per cent: one decimal above 1 %, two significant digits below.

    >>> percent(0.0654), percent(0.00042), percent(1.0)
    ('6.5%', '0.042%', '100%')
    """
    if is_missing(share):
        return MISSING
    value = 100 * float(share)
    if value in (0.0, 100.0):
        return f"{value:.0f}%"
    return f"{fixed(value, 1)}%" if abs(value) >= 0.995 else f"{number(value, 2)}%"


def p_value(p: Any) -> str:
    """'p < 0.001', 'p = 0.36', or 'p not computed'.

    >>> p_value(1e-9), p_value(0.0321), p_value(None)
    ('p < 0.001', 'p = 0.032', 'p not computed')
    """
    if is_missing(p):
        return "p not computed"
    return "p < 0.001" if p < 0.001 else f"p = {number(min(float(p), 1.0), 2)}"


def count(n: Any, thing: str) -> str:
    """'1 image', '20 images', 'no images'."""
    n = 0 if is_missing(n) else int(n)
    return f"{n if n else 'no'} {thing}{'' if n == 1 else 's'}"


def shorten(text: str, width: int) -> str:
    """The text, cut with an ellipsis when longer than `width` characters."""
    return text if len(text) <= width else text[: width - 1].rstrip(" ,") + "…"
