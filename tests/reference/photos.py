"""The photographs of the parity test, as EfficientNet-Lite0 sees them.

`photos.npz` keeps them as uint8 (h, w, c) after resize and crop, so that the test does not depend on how a
version of Pillow resizes. Run with an argument, this writes them normalised, for rex_masks.py.
"""

import sys
from pathlib import Path

import numpy as np

FILE = Path(__file__).with_name("photos.npz")


def pixels() -> dict[str, np.ndarray]:
    """Photo -> (3, 224, 224) float32, normalised with mean and standard deviation 0.5."""
    with np.load(FILE) as photos:
        return {
            key: ((photos[key].astype(np.float32) / 255 - np.float32(0.5)) / np.float32(0.5)).transpose(2, 0, 1).copy()
            for key in photos.files
        }


if __name__ == "__main__":
    np.savez(sys.argv[1], **pixels())
