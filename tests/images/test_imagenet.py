"""ImageNet in each layout that a user has: the same labels, the same ids, the same sample."""

import os

import numpy as np
import pytest
from scipy.io import savemat

from images.pictures import write_pictures
from mps_study.images.candidates import SourceError
from mps_study.images.sampling import draw
from mps_study.images.sources import candidates_of

# Wnid of each of eight validation images, and the devkit's ILSVRC2012_ID of each wnid, which differs from the class
# index. Kit fox, 1 in the devkit and 278 in ImageNet's order, is the published example; the other numbers are made up.
IDS = {"n02119789": 1, "n01440764": 449, "n15075141": 999, "n02123045": 4}
INDEX = {"n02119789": 278, "n01440764": 0, "n15075141": 999, "n02123045": 281}
WNIDS = [list(IDS)[i] for i in (0, 1, 2, 3, 3, 1, 0, 2)]
NAMES = [f"ILSVRC2012_val_{i:08d}.JPEG" for i in range(1, 9)]
TESTS = [f"ILSVRC2012_test_{i:08d}.JPEG" for i in range(1, 6)]


def in_folders(root):
    """`val/<wnid>/*.JPEG`, `test/*.JPEG`."""
    write_pictures(root, *(f"val/{wnid}/{name}" for wnid, name in zip(WNIDS, NAMES, strict=True)))
    write_pictures(root / "test", *TESTS)


def as_kaggle(root):
    """What Kaggle's archive unpacks into; some images have several boxes."""
    write_pictures(root / "ILSVRC/Data/CLS-LOC/val", *NAMES)
    write_pictures(root / "ILSVRC/Data/CLS-LOC/test", *TESTS)
    rows = [f"{name.removesuffix('.JPEG')},{w} 1 2 30 40 {w} 5 6 7 8 " for w, name in zip(WNIDS, NAMES, strict=True)]
    (root / "LOC_val_solution.csv").write_text("\n".join(["ImageId,PredictionString", *rows[::-1]]) + "\n")


def flat(root):
    """`val/*.JPEG` and the devkit's list beside them."""
    write_pictures(root / "val", *NAMES)
    write_pictures(root / "test/test", *TESTS)
    data = root / "ILSVRC2012_devkit_t12/data"
    data.mkdir(parents=True)
    (data / "ILSVRC2012_validation_ground_truth.txt").write_text("".join(f"{IDS[wnid]}\n" for wnid in WNIDS))
    return data


def with_meta_mat(root):
    """The devkit's map as MATLAB file, of the fields that the real one has, inner nodes of the tree included."""
    kind = [("ILSVRC2012_ID", "O"), ("WNID", "O"), ("words", "O"), ("num_children", "O")]
    rows = [(i, wnid, "words", 0) for wnid, i in IDS.items()] + [(1001, "n00001740", "entity", 2)]
    synsets = np.array(rows, dtype=kind)[:, None]
    savemat(flat(root) / "meta.mat", {"synsets": synsets})


def with_map_clsloc(root):
    """The devkit's map as text."""
    lines = [f"{wnid} {i} some_name" for wnid, i in IDS.items()]
    (flat(root) / "map_clsloc.txt").write_text("\n".join(lines) + "\n")


LAYOUTS = (in_folders, as_kaggle, with_meta_mat, with_map_clsloc)


def source(root, part="val"):
    """The candidates of a part."""
    return candidates_of({"kind": "imagenet", "path": str(root), "part": part})


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_gives_each_image_its_class_index_through_its_wnid(tmp_path, layout):
    layout(tmp_path)
    found = {candidate.image: candidate.label for candidate in source(tmp_path)}
    assert found == {name[:-5]: INDEX[wnid] for name, wnid in zip(NAMES, WNIDS, strict=True)}
    assert {c.class_name for c in source(tmp_path)} == {"kit fox", "tench", "toilet tissue", "tabby"}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_test_part_has_no_labels(tmp_path, layout):
    layout(tmp_path)
    found = source(tmp_path, "test")
    assert [candidate.image for candidate in found] == [name[:-5] for name in TESTS]
    assert {(candidate.label, candidate.class_name) for candidate in found} == {(None, None)}


def test_the_same_seed_draws_the_same_images_from_every_layout_and_in_any_order_of_files(tmp_path, monkeypatch):
    samples, walk = set(), os.walk

    def backwards(root, **options):
        for folder, folders, names in walk(root, **options):
            folders.sort(reverse=True)
            yield folder, folders, sorted(names, reverse=True)

    for layout in LAYOUTS:
        root = tmp_path / layout.__name__
        layout(root)
        samples.add(tuple(c.image for c in draw(source(root), "labelled", 4, seed=7)))
        monkeypatch.setattr(os, "walk", backwards)
        samples.add(tuple(c.image for c in draw(source(root), "labelled", 4, seed=7)))
        monkeypatch.undo()
    assert len(samples) == 1


def test_class_folders_may_be_links(tmp_path):
    in_folders(tmp_path / "real")
    (tmp_path / "linked/val").mkdir(parents=True)
    for folder in (tmp_path / "real/val").iterdir():
        (tmp_path / "linked/val" / folder.name).symlink_to(folder)
    assert [c.image for c in source(tmp_path / "linked")] == [c.image for c in source(tmp_path / "real")]


def edited(layout, change):
    """A layout with one fault."""

    def make(root):
        layout(root)
        change(root)

    return make


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda root: None, "ImageNet's val images are not at .*: looked for .*/val, .*/ILSVRC/Data/CLS-LOC/val, "),
        (lambda root: (root / "val").mkdir(), "val holds no image"),
        (
            lambda root: write_pictures(root / "val", *NAMES),
            "lie flat and without labels: looked for LOC_val_solution.csv .*, or ILSVRC2012_validation_ground_truth",
        ),
        (flat, "neither meta.mat nor map_clsloc.txt"),
        (edited(in_folders, lambda root: write_pictures(root / "val", "x.JPEG")), "mixes 1 images outside .* with 8"),
        (
            edited(in_folders, lambda root: write_pictures(root / "val/n00000000", "x.JPEG")),
            "'n00000000' is no wnid of ImageNet-1k",
        ),
        (
            edited(in_folders, lambda root: write_pictures(root / "val/n15075141", NAMES[0])),
            "two images named 'ILSVRC2012_val_00000001'",
        ),
        (
            edited(as_kaggle, lambda root: write_pictures(root / "ILSVRC/Data/CLS-LOC/val", "more.JPEG")),
            "LOC_val_solution.csv has no label for 1 of 9 images, such as more.JPEG",
        ),
        (
            edited(as_kaggle, lambda root: (root / "LOC_val_solution.csv").write_text("image;wnid\na;b\n")),
            "expected the columns ImageId,PredictionString",
        ),
        (
            edited(with_meta_mat, lambda root: next(root.rglob("meta.mat")).write_bytes(b"not MATLAB" * 40)),
            "map in .* cannot be read",
        ),
        (
            edited(with_map_clsloc, lambda root: next(root.rglob("map_clsloc.txt")).write_text("n02119789\tfox\n")),
            "map in .* cannot be read .no line `wnid number name`",
        ),
        (
            edited(with_map_clsloc, lambda root: next(root.rglob("*ground_truth.txt")).write_text("77\n" * 8)),
            "77 is no class number of the devkit's map",
        ),
    ],
)
def test_what_is_not_imagenet_is_refused_with_what_was_looked_for(tmp_path, make, message):
    make(tmp_path)
    with pytest.raises(SourceError, match=message) as error:
        source(tmp_path)
    assert "\n" not in str(error.value)
