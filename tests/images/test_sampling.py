"""Sources, draws and manifests."""

from hashlib import sha256

import pytest
from PIL import Image

from mps_study.images.decoding import decode
from mps_study.images.labels import labelled
from mps_study.images.sampling import Drawn, draw
from mps_study.images.sources import SourceError, candidates_of


def write_image(path, colour=(10, 20, 30), size=(12, 9)):
    """A small picture file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, colour).save(path)


@pytest.fixture
def imagenet(tmp_path):
    """Three wnid folders with four pictures each."""
    for index, wnid in enumerate(("n01440764", "n02123045", "n15075141")):
        for i in range(4):
            write_image(tmp_path / wnid / f"{wnid}_{i}.JPEG", (index * 80, i * 60, 0))
    return tmp_path


def test_folders_named_by_wnid_get_imagenets_class_index(imagenet):
    candidates = labelled({"kind": "folder", "path": str(imagenet)}).candidates
    assert {(c.label, c.class_name) for c in candidates} == {(0, "tench"), (281, "tabby"), (999, "toilet tissue")}
    assert candidates[0].image == "n01440764/n01440764_0.JPEG"


def test_other_folders_are_numbered_in_order(tmp_path):
    for name in ("zebra", "ant", "Bee"):
        write_image(tmp_path / name / "1.png")
    labels = {c.class_name: c.label for c in labelled({"kind": "folder", "path": str(tmp_path)}).candidates}
    assert labels == {"Bee": 0, "ant": 1, "zebra": 2}


def test_images_without_a_class_folder_are_unlabelled(tmp_path):
    write_image(tmp_path / "a.png")
    (candidate,) = candidates_of({"kind": "folder", "path": str(tmp_path)})
    assert candidate.label is None


def test_the_bundled_photos_are_real_and_labelled():
    photos = candidates_of({"kind": "photos"})
    assert len(photos) >= 8
    sizes = [decode(photo.read(), photo.image).size for photo in photos]
    assert min(min(size) for size in sizes) >= 300
    assert sum(photo.label is not None for photo in photos) >= 7


def test_the_digits_are_scikit_learns():
    digits = candidates_of({"kind": "digits"})
    assert len(digits) == 1797
    assert {d.label for d in digits} == set(range(10))
    assert decode(digits[0].read(), "digit").size == (8, 8)


def test_the_same_seed_draws_the_same_images_whatever_the_order_of_files(imagenet):
    candidates = candidates_of({"kind": "folder", "path": str(imagenet)})
    first = draw(candidates, "labelled", 5, seed=3)
    assert first == draw(candidates[::-1], "labelled", 5, seed=3)
    assert first != draw(candidates, "labelled", 5, seed=4)
    assert len({c.image for c in first}) == 5


def test_draws_are_uniform(imagenet):
    candidates = candidates_of({"kind": "folder", "path": str(imagenet)})
    counts = dict.fromkeys((c.image for c in candidates), 0)
    for seed in range(600):
        for candidate in draw(candidates, "labelled", 3, seed):
            counts[candidate.image] += 1
    # 150 expected for each of 12; six standard deviations are about 64.
    assert max(abs(count - 150) for count in counts.values()) < 64


def test_too_small_a_source_is_refused_with_both_numbers(imagenet):
    candidates = candidates_of({"kind": "folder", "path": str(imagenet)})
    with pytest.raises(SourceError, match="13 labelled images were asked for, but the source has 12"):
        draw(candidates, "labelled", 13, seed=0)


def test_the_manifest_points_at_files_named_by_their_content(imagenet):
    candidates = labelled({"kind": "folder", "path": str(imagenet)}).candidates
    drawn = Drawn()
    assert drawn.take(candidates[0], "labelled", "folder") and drawn.take(candidates[5], "unlabelled", "folder")
    assert drawn.manifest["image"].tolist() == [candidates[0].image, candidates[5].image]
    assert drawn.manifest["label"].isna().tolist() == [False, True]
    for row in drawn.manifest.itertuples():
        assert sha256(drawn.files[row.file]).hexdigest() == row.sha256
        assert (row.width, row.height) == (12, 9)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ({"kind": "fodler"}, "image source 'fodler' is unknown; use one of folder"),
        ({"kind": "folder", "path": "/nowhere"}, "/nowhere does not exist"),
        ({"kind": "folder", "paht": "/tmp"}, "source folder has no argument 'paht'; it takes path"),
        ({"kind": "imagenet", "part": "val"}, "source imagenet needs the argument 'path'; it takes path, part"),
        ({"kind": "digits", "n": 3}, "source digits has no argument 'n'; it takes none"),
        ({}, "image source None is unknown"),
    ],
)
def test_a_source_that_cannot_be_used_says_why(source, message):
    with pytest.raises(SourceError, match=message):
        candidates_of(source)


def test_an_empty_folder_is_refused(tmp_path):
    with pytest.raises(SourceError, match="holds no image"):
        candidates_of({"kind": "folder", "path": str(tmp_path)})
