"""Numbers, durations and tables as a terminal shows them."""

from __future__ import annotations

from collections.abc import Sequence


def table(header: Sequence[str], rows: Sequence[Sequence[str]], left: int = 2) -> list[str]:
    """Lines of aligned columns; the first `left` and the last are flush left, the others flush right."""
    widths = [max(len(row[i]) for row in [header, *rows]) for i in range(len(header))]
    flush = [i < left or i == len(header) - 1 for i in range(len(header))]
    return [
        "  ".join(
            cell.ljust(width) if at_left else cell.rjust(width)
            for cell, width, at_left in zip(row, widths, flush, strict=True)
        ).rstrip()
        for row in [header, *rows]
    ]


def duration(hours: float) -> str:
    """As `40 s`, `12 min`, `5.3 h`, `12.5 days`."""
    for most, unit, per_hour, digits in ((1 / 40, "s", 3600, 0), (1.5, "min", 60, 0), (48, "h", 1, 1)):
        if hours < most:
            return f"{hours * per_hour:.{digits}f} {unit}"
    return f"{hours / 24:,.1f} days"


def size(count: float) -> str:
    """Bytes as `20 MB`, `4.1 GB`."""
    return f"{count / 1e9:.1f} GB" if count >= 0.95e9 else f"{count / 1e6:,.{0 if count >= 0.95e7 else 1}f} MB"


def number(value: float) -> str:
    """Three digits or more: `2,220`, `95`, `1.37`."""
    return f"{value:,.0f}" if value >= 99.5 else f"{value:.3g}"
