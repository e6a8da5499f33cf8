"""Batches of slices of several questions: every row keeps its place, and the class that its own question names."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.onnx_models import CLASSES, SIDE, node, write_model
from mps_study import OnnxClassifier
from mps_study.models.inference.rows import chunks, classes_of, rows_of
from mps_study.mps.mutants import Masks
from mps_study.mps.types import Picture, Slice


def question(seed, rows, **classes):
    """A picture of its own and as many masks of it."""
    random = np.random.default_rng(seed)
    picture = Picture(random.normal(size=(3, SIDE, SIDE)).astype(np.float32), np.zeros((3, 1, 1), np.float32))
    return picture, Masks((SIDE, SIDE), masks=random.random((rows, SIDE, SIDE)) < 0.7, **classes)


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(1, 9)), min_size=1, max_size=6), st.integers(1, 8))
def test_batches_are_full_and_hold_every_row_once_and_in_order(sizes, most):
    asked = [question(0, start + rows) for start, rows in sizes]
    batch = [Slice(*each, start, start + rows) for each, (start, rows) in zip(asked, sizes, strict=True)]
    parts = chunks(batch, most)
    assert {rows_of(part) for part in parts[:-1]} <= {most} and 1 <= rows_of(parts[-1]) <= most

    def rows(slices):
        return [(id(part.mutants), row) for part in slices for row in range(part.start, part.stop)]

    assert [row for part in parts for row in rows(part)] == rows(batch)


def test_each_row_has_the_class_of_its_own_question():
    one, other = question(1, 4, label=2), question(2, 3, target=0)
    batch = [Slice(*one, 1, 3), Slice(*other, 0, 3)]
    assert classes_of(batch, "label").tolist() == [2, 2, -1, -1, -1]
    assert classes_of(batch, "target").tolist() == [-1, -1, 0, 0, 0]


@pytest.mark.parametrize("output", [None, "multi_label_logits"])
def test_replies_to_questions_about_different_classes_are_those_that_each_gets_by_itself(tmp_path, output):
    path = write_model(tmp_path / "m.onnx", tail=[node("Identity", ["raw"], ["logits"])])
    classifier = OnnxClassifier(path, "cpu", 8, 1, output=output)
    asked = [question(seed, 3, label=seed, target=CLASSES - 1 - seed) for seed in range(3)]
    together = classifier.classify([Slice(*each, 0, 3) for each in asked])
    apart = [classifier.classify([Slice(*each, 0, 3)]) for each in asked]
    assert together.labels.tolist() == [label for each in apart for label in each.labels]
    for field in ("confidences", "margins", "log_odds"):
        expected = np.concatenate([getattr(each, field) for each in apart])
        np.testing.assert_allclose(getattr(together, field), expected, rtol=1e-4, atol=1e-5)
