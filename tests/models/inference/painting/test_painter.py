"""Painting inside the graph gives the model what painting with NumPy gives it, to the bit."""

from dataclasses import replace

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from mps_study import OnnxClassifier, SearchConfig, extract_mps
from mps_study.models.inference.onnx_file import OnnxFileError
from mps_study.mps.minimal.tiles import Cells, grid
from mps_study.mps.mutants import Blended, Boxes, Masks, Prefixes, Ranking, Within
from mps_study.mps.types import Picture, Slice

DEVICES = ["cpu", pytest.param("cuda", marks=pytest.mark.gpu)]


KINDS = {
    "float32": TensorProto.FLOAT,
    "float16": TensorProto.FLOAT16,
    "float64": TensorProto.DOUBLE,
    "uint8": TensorProto.UINT8,
}


def pixel_reader(path, form, opset=20, ir=10, kind="float32"):
    """A model whose logits are the pixels of its input."""
    image = helper.make_tensor_value_info("image", KINDS[kind], ["batch", *form])
    classes = int(np.prod(form)) if all(isinstance(size, int) for size in form) else 3 * 6 * 10
    logits = helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", classes])
    nodes = [
        helper.make_node("Cast", ["image"], ["pixels"], to=TensorProto.FLOAT),
        helper.make_node("Flatten", ["pixels"], ["logits"], axis=1),
    ]
    graph = helper.make_graph(nodes, "reader", [image], [logits])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=ir), path)
    return path


def questions(shape, spatial):
    """Slices of several pictures in every form of a mutant, some of them taken from the middle of a question."""
    random = np.random.default_rng(7)
    size = shape[1:]
    pictures = [
        Picture(
            random.standard_normal(shape).astype(np.float32),
            random.standard_normal(shape if spatial and i else (shape[0], 1, 1)).astype(np.float32),
        )
        for i in range(3)
    ]
    rankings = [Ranking(random.permutation(size[0] * size[1]), size) for _ in pictures]
    boxes = np.array([[[0, 3, 0, 2], [3, 3, 0, 9], [4, 6, 5, 9]], [[0, 0, 0, 0], [0, 6, 0, 1], [1, 2, 3, 4]]])
    tiles = grid(size, 4)
    inner = Boxes(size, boxes=boxes)
    yield Slice(pictures[0], inner, 0, 2)
    yield Slice(pictures[1], Boxes(size, boxes=boxes[:, :1]), 1, 2)
    yield Slice(pictures[0], Masks(size, masks=random.random((4, *size)) < 0.4), 1, 4)
    yield Slice(pictures[2], Prefixes(size, ranking=rankings[0], counts=np.array([0, 7, size[0] * size[1]])), 0, 3)
    yield Slice(pictures[1], Prefixes(size, ranking=rankings[1], counts=np.array([5, 6])), 1, 2)
    yield Slice(pictures[1], Cells(size, grid=tiles, kept=random.random((2, tiles.tiles)) < 0.5), 0, 2)
    yield Slice(pictures[2], Within(size, inner=inner, allowed=random.random(size) < 0.5), 0, 2)
    blended = Blended(size, nodes=random.random((4, 3, 4)) < 0.5)
    yield Slice(pictures[1], blended, 1, 4)
    yield Slice(pictures[2], Within(size, inner=blended, allowed=random.random(size) < 0.5), 0, 2)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("spatial", [False, True])
@pytest.mark.parametrize(
    ("form", "shape"),
    [((3, 6, 10), (3, 6, 10)), ((6, 10, 3), (3, 6, 10)), ((3, 7, 9), (3, 7, 9)), ((3, "h", "w"), (3, 6, 10))],
    ids=["fixed", "channels last", "pixels that fill no byte", "open height and width"],
)
def test_a_painter_in_the_graph_paints_what_numpy_paints(tmp_path, form, shape, spatial, device):
    path = pixel_reader(tmp_path / "m.onnx", form)
    plain = OnnxClassifier(path, device, 64, 1, painting="numpy")
    joined = OnnxClassifier(path, device, 64, 1, painting="graph")
    everything = list(questions(shape, spatial))
    random = np.random.default_rng(3)
    for some in (
        everything,
        everything[:1],
        everything[3:4],
        everything[2:3],
        *map(random.permutation, [everything] * 3),
    ):
        batch = list(some)
        rows = sum(part.stop - part.start for part in batch)
        expected = plain._alone.output(batch, rows)
        for padded in (rows, rows + 5):
            np.testing.assert_array_equal(joined._together_now().output(batch, padded), expected)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("spatial", [False, True])
@pytest.mark.parametrize("form", [(3, 6, 10), (6, 10, 3)], ids=["channels first", "channels last"])
@pytest.mark.parametrize("kind", ["float16", "float64", "uint8"])
def test_inputs_of_other_types_get_equal_bits_from_both(tmp_path, kind, form, spatial, device):
    path = pixel_reader(tmp_path / "m.onnx", form, kind=kind)
    plain = OnnxClassifier(path, device, 64, 1, painting="numpy")
    joined = OnnxClassifier(path, device, 64, 1, painting="graph")
    random = np.random.default_rng(11)
    batch = []
    for part in questions((3, 6, 10), spatial):
        values = [100 + 90 * each for each in (part.picture.pixels, part.picture.baseline)]  # some beyond 0 to 255
        values[0].flat[::7] = random.integers(0, 255, values[0].flat[::7].shape) + 0.5  # halves, to be rounded to even
        batch.append(replace(part, picture=Picture(*(each.astype(np.float32) for each in values))))
    rows = sum(part.stop - part.start for part in batch)
    expected = plain._alone.output(batch, rows)
    np.testing.assert_array_equal(joined._together_now().output(batch, rows + 3), expected)
    assert (expected == np.rint(expected)).all() == (kind == "uint8")


def test_pictures_beyond_the_slots_of_a_device_take_the_place_of_those_used_longest_ago(tmp_path):
    path = pixel_reader(tmp_path / "m.onnx", (1, 2, 2))
    joined = OnnxClassifier(path, "cpu", 64, 1, painting="graph")
    pictures = [Picture(np.full((1, 2, 2), i, np.float32), np.zeros((1, 1, 1), np.float32)) for i in range(12)]
    whole = Masks((2, 2), masks=np.ones((1, 2, 2), dtype=bool))
    random = np.random.default_rng(1)
    for n in (1, 3, 9, 2, 12, 5):
        chosen = random.integers(0, 12, n)
        output = joined._together_now().output([Slice(pictures[i], whole, 0, 1) for i in chosen], n)
        np.testing.assert_array_equal(output[:, 0], chosen)


def test_a_graph_of_an_old_opset_is_painted_with_numpy_and_says_why_when_told_otherwise(tmp_path):
    path = pixel_reader(tmp_path / "m.onnx", (3, 6, 10), opset=11)
    part = next(questions((3, 6, 10), spatial=False))
    assert OnnxClassifier(path, "cpu", 4, 1).classify([part]).labels.shape == (2,)
    with pytest.raises(OnnxFileError, match=r"m\.onnx: its opset is 11, and painting in the graph needs 13"):
        OnnxClassifier(path, "cpu", 4, 1, painting="graph").classify([part])


def test_a_search_finds_the_same_with_either_painting(lite0_path):
    random = np.random.default_rng(5)
    coarse = random.standard_normal((3, 8, 8)).astype(np.float32)
    pixels = coarse.repeat(28, axis=1).repeat(28, axis=2)
    config = SearchConfig(iterations=1, chunk_size=500, keep_landscape=True)
    for batch in (1, 8):
        found = [
            next(extract_mps([("x", pixels)], OnnxClassifier(lite0_path, "cpu", batch, 1, painting=way), config))
            for way in ("numpy", "graph")
        ]
        np.testing.assert_array_equal(found[0].landscape, found[1].landscape)
        np.testing.assert_array_equal(found[0].mask, found[1].mask)
        assert found[0].evaluations == found[1].evaluations


@pytest.mark.slow
def test_weights_of_more_than_two_gigabytes_stay_where_they_are(tmp_path):
    rows = 600_000_000
    weights = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[rows], data_location=TensorProto.EXTERNAL)
    for key, value in (("location", "w.bin"), ("offset", "0"), ("length", str(4 * rows))):
        weights.external_data.add(key=key, value=value)
    with (tmp_path / "w.bin").open("wb") as file:
        file.truncate(4 * rows)
    image = helper.make_tensor_value_info("image", TensorProto.FLOAT, ["batch", 3, 6, 10])
    logits = helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", 180])
    first = numpy_helper.from_array(np.array([0]), "first")
    nodes = [
        helper.make_node("Gather", ["w", "first"], ["zero"]),
        helper.make_node("Flatten", ["image"], ["flat"], axis=1),
        helper.make_node("Add", ["flat", "zero"], ["logits"]),
    ]
    graph = helper.make_graph(nodes, "large", [image], [logits], [weights, first])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    (tmp_path / "m.onnx").write_bytes(model.SerializeToString())
    batch = list(questions((3, 6, 10), spatial=True))
    rows = sum(part.stop - part.start for part in batch)
    joined = OnnxClassifier(tmp_path / "m.onnx", "cpu", 64, 1, painting="graph")
    np.testing.assert_array_equal(joined._together_now().output(batch, rows), joined._alone.output(batch, rows))
