"""Classifiers with margins as a real one says them, what they were asked, and 1-minimality from its definition."""

import numpy as np
from fakes import blank

from mps_study import SearchConfig, extract_mps
from mps_study.models.inference.replies import reply_of_logits


class Logits:
    """Two classes by a score on the mask, and a third below both; remembers every mask that it was shown.

    `noise`: rounding of that size, which depends on the batch and is none where a mutant is alone.
    """

    def __init__(self, score, batch_size=8, workers=1, noise=0.0):
        self.score, self.batch_size, self.workers, self.noise = score, batch_size, workers, noise
        self.company, self.alone = [], []

    def classify(self, batch):
        """A reply as a real classifier gives it."""
        masks = np.concatenate([part.mutants.masks_of(part.start, part.stop) for part in batch])
        sizes = [part.stop - part.start for part in batch]
        for part, size in zip(batch, sizes, strict=True):
            seen = self.alone if part.mutants.alone else self.company
            seen += [part.mutants.mask(part.start + row).tobytes() for row in range(size)]
        scores = np.array([self.score(mask) for mask in masks], dtype=np.float64)
        n = len(masks)
        scores += self.noise * np.sin(np.arange(n) + 10 * n) * (n > 1)
        logits = np.stack([np.zeros(n), scores, np.full(n, -1.0)], axis=1).astype(np.float32)
        named, targets = (np.repeat([getattr(p.mutants, it) for p in batch], sizes) for it in ("label", "target"))
        return reply_of_logits(logits, named, targets)


def search(classifier, shape, keys=("image",), in_flight=8, **config):
    """The records of blank images by `group_testing`."""
    searched = SearchConfig(**{"strategy": "group_testing"} | config)
    return list(extract_mps([(key, blank(shape)) for key in keys], classifier, searched, in_flight))


def spared(passes, mask, granularity):
    """Tiles of a mask whose deletion still passes, from the definition."""
    free = []
    for top in range(0, mask.shape[0], granularity):
        for left in range(0, mask.shape[1], granularity):
            tile = (slice(top, top + granularity), slice(left, left + granularity))
            fewer = mask.copy()
            fewer[tile] = False
            if mask[tile].any() and passes(fewer):
                free.append((top, left))
    return free
