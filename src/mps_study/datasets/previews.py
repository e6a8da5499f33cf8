"""What Kedro-Viz shows of a dataset: a table, or a picture."""

from __future__ import annotations

import base64
import io
from typing import Any

import numpy as np
import pandas as pd
from kedro_datasets._typing import ImagePreview, TablePreview
from PIL import Image, ImageOps

ASPECT = 458 / 300
"""Width over height of the panel in which Kedro-Viz shows a picture; it stretches one of another form."""


def table_preview(frame: pd.DataFrame) -> TablePreview:
    """A frame as Kedro-Viz shows it: numbers to four digits, nothing where there is no value."""
    shown = frame.astype(object).where(frame.notna(), "")
    preview: TablePreview = shown.map(_short).to_dict(orient="split")
    return preview


def image_preview(picture: Image.Image) -> ImagePreview:
    """A picture as Kedro-Viz shows it: on white, in the form of its panel."""
    width, height = picture.size
    size = (max(width, round(height * ASPECT)), max(height, round(width / ASPECT)))
    buffer = io.BytesIO()
    ImageOps.pad(picture.convert("RGB"), size, color="white").save(buffer, "PNG")
    preview: ImagePreview = base64.b64encode(buffer.getvalue()).decode()
    return preview


def _short(value: Any) -> object:
    if isinstance(value, bytes):
        return f"{len(value)} bytes"
    if np.ndim(value):
        return f"{np.size(value)} numbers"
    return float(f"{value:.4g}") if isinstance(value, float) else value
