"""What may lie in one batch: what must be alone is alone, and pictures of one shape come together."""

import numpy as np
import pytest
from fakes import FakeClassifier, at_least, blank, blob, quick

from mps_study.mps.config import SearchConfig
from mps_study.mps.mutants import Masks, Picture
from mps_study.mps.schedule import Job, run_searches
from mps_study.mps.search import extract_mps
from mps_study.mps.types import FOUND, Reply

SHAPES = ((24, 28), (28, 24), (24, 28), (32, 32), (28, 24), (32, 32))
WHOLE = np.ones((24, 28), dtype=bool)


def rule(mask):
    """Class 1 with most of a square in the corner, whatever the size of the image."""
    return at_least(blob(mask.shape, 3, 4, 7), 30)(mask)


class Strict(FakeClassifier):
    """Like ONNX Runtime it paints a batch into one array; and it writes down who came with whom."""

    def classify(self, batch):
        np.stack([part.picture.pixels for part in batch])
        rows = sum(part.stop - part.start for part in batch)
        assert rows <= self.batch_size
        company = [len(part.mutants) for part in batch if part.mutants.alone]
        assert not company or (len(batch) == 1 and rows == 1)
        self.__dict__.setdefault("alone", []).append(bool(company))
        return super().classify(batch)


@pytest.mark.parametrize("strategy", ["rex", "minimal", "group_testing"])
@pytest.mark.parametrize("workers", [1, 2, 4])
def test_images_of_several_sizes_are_searched_side_by_side_as_if_alone(workers, strategy):
    config = SearchConfig(strategy, **quick(strategy))
    images = [(f"image {i}", blank(shape)) for i, shape in enumerate(SHAPES)]
    together = list(extract_mps(images, Strict(rule, batch_size=8, workers=workers), config, in_flight=5))
    for image, record in zip(images, together, strict=True):
        (alone,) = extract_mps([image], FakeClassifier(rule), config)
        assert record.status == alone.status == FOUND
        assert (record.key, record.evaluations) == (alone.key, alone.evaluations)
        assert np.array_equal(record.mask, alone.mask)


def test_batches_are_full_where_there_are_enough_images_of_each_size():
    classifier = Strict(rule, batch_size=8)
    images = [(f"image {i}", blank(SHAPES[i % 2])) for i in range(16)]
    list(extract_mps(images, classifier, SearchConfig(iterations=4), in_flight=12))
    in_company = [size for size in classifier.batches if size > 1]
    assert sum(in_company) > 0.9 * 8 * len(in_company)


@pytest.mark.parametrize("strategy", ["rex", "minimal", "group_testing", "contrastive"])
@pytest.mark.parametrize("workers", [1, 3])
def test_what_must_be_alone_is_asked_in_a_batch_of_one_whoever_else_is_in_flight(workers, strategy):
    class Near(Strict):
        """Every margin is narrow, so that all is asked again."""

        def classify(self, batch):
            reply = super().classify(batch)
            return Reply(reply.labels, reply.confidences, np.full(len(reply.labels), 1e-5, dtype=np.float32))

    classifier = Near(rule, batch_size=16, workers=workers)
    images = [(f"image {i}", blank((24, 28))) for i in range(4)]
    list(extract_mps(images, classifier, SearchConfig(strategy, **quick(strategy, 1)), in_flight=4))
    assert sum(classifier.alone) > 100
    assert max(size for size, alone in zip(classifier.batches, classifier.alone, strict=True) if not alone) > 8


def test_an_answer_is_as_uncertain_as_the_least_certain_of_its_batches():
    tolerances = iter([0.1, 0.3, 0.2])

    class Uncertain(FakeClassifier):
        def classify(self, batch):
            reply = super().classify(batch)
            return Reply(reply.labels, reply.confidences, reply.confidences, tolerance=next(tolerances))

    def search():
        return (yield Masks((24, 28), masks=np.repeat(WHOLE[None], 20, axis=0)))

    picture = Picture(blank((24, 28)), np.zeros((3, 1, 1), dtype=np.float32))
    (reply,) = run_searches([Job(picture, search())], Uncertain(rule, batch_size=8))
    assert (len(reply.labels), reply.tolerance) == (20, 0.3)


@pytest.mark.parametrize("in_flight", [0, -1, 1.5, True])
def test_no_image_in_flight_is_refused_in_one_line(in_flight):
    with pytest.raises(ValueError, match=f"in_flight is {in_flight}; use a whole number, 1 or more"):
        next(extract_mps([("image", blank((8, 8)))], FakeClassifier(rule), SearchConfig(), in_flight))
