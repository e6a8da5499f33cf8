"""Pictures of other than three channels: the picture to be looked at carries them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

_KEY = "channels of mps-study"

Channels = NDArray[np.uint8]
"""(h, w, c)"""


def with_channels(look: Image.Image, channels: Channels, only: bool = True) -> Image.Image:
    """A picture to be looked at, RGB, that carries what a model of as many channels is given of it.

    `only`: for other models it is no picture; if not, they are given what is looked at.
    """
    look.info = look.info | {_KEY: (channels, only)}
    return look


def carried(image: Image.Image) -> tuple[Channels | None, bool]:
    """The channels that a picture carries, if it does; and whether it is a picture for a model of those alone."""
    found: Any = image.info.get(_KEY, (None, False))
    return found[0], found[1]
