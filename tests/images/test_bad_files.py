"""Folders as users have them: strange names, links, files that cannot be read, the same picture twice."""

import os
import re
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from images.pictures import encoded, write_pictures
from mps_study.datasets.samples import StoredSample
from mps_study.images.candidates import SourceError
from mps_study.images.sampling import Drawn, collect, collect_all, draw
from mps_study.images.sources import candidates_of
from mps_study.models.roster.roster import Roster
from mps_study.pipelines.data_sampling.nodes import draw_sample
from mps_study.project.parameters import DataSampling


def source(root):
    """The candidates of a folder."""
    return candidates_of({"kind": "folder", "path": str(root)})


def sample(root, n=None, half="labelled", seed=0):
    """Draw n, or all, of a folder's images."""
    found, drawn = source(root), Drawn()
    collect(found, half, len(found) if n is None else n, seed, "folder", drawn)
    return drawn


NAMES = ["with space.png", "umlaut ä 漢字 🙂.png", "new\nline.png", "quote'\".png", "$(touch x);.png", "UPPER.PNG"]


@pytest.mark.parametrize("name", NAMES)
def test_any_name_is_an_id_that_survives_files_and_tables(tmp_path, name):
    write_pictures(tmp_path / "my class", name)
    manifest = sample(tmp_path).manifest
    manifest.to_parquet(tmp_path / "m.parquet")
    manifest.to_csv(tmp_path / "m.csv")
    assert pd.read_parquet(tmp_path / "m.parquet")["image"].tolist() == [f"my class/{name}"]
    assert pd.read_csv(tmp_path / "m.csv")["image"].tolist() == [f"my class/{name}"]


def test_a_name_that_is_no_utf8_is_escaped_and_read(tmp_path):
    (tmp_path / "c").mkdir()
    (tmp_path / os.fsdecode(b"c/caf\xe9.png")).write_bytes(encoded(1, "PNG"))
    drawn = sample(tmp_path)
    assert drawn.manifest["image"].tolist() == [r"c/caf\udce9.png"]
    drawn.manifest.to_parquet(tmp_path / "m.parquet")


@pytest.mark.parametrize("where", ["c/loop", "c/deep/loop"])
def test_a_link_that_leads_back_is_not_followed_and_said(tmp_path, where, caplog):
    write_pictures(tmp_path, "c/1.png", "c/deep/2.png")
    (tmp_path / where).symlink_to(tmp_path, target_is_directory=True)
    assert [c.image for c in source(tmp_path)] == ["c/1.png", "c/deep/2.png"]
    assert caplog.messages == [
        f"the link {str(tmp_path / where)!r} leads to a folder that holds it and is not followed"
    ]


def test_two_links_that_lead_to_each_other_end(tmp_path):
    write_pictures(tmp_path, "a/1.png", "b/2.png")
    (tmp_path / "a/b").symlink_to(tmp_path / "b")
    (tmp_path / "b/a").symlink_to(tmp_path / "a")
    assert [c.image for c in source(tmp_path)] == ["a/1.png", "a/b/2.png", "b/2.png", "b/a/1.png"]


def broken_link(path):
    path.symlink_to("nowhere.png")


def link_to_itself(path):
    path.symlink_to(path.name)


def pipe(path):
    os.mkfifo(path)


FAULTS = [
    pytest.param(broken_link, r"bad.png' is a broken link; mend or remove it", id="broken link"),
    pytest.param(link_to_itself, "is a broken link", id="link to itself"),
    pytest.param(pipe, "is no file; remove it", id="pipe"),
    pytest.param(lambda path: path.write_bytes(b""), "'c/bad.png' is an empty file", id="empty"),
    pytest.param(lambda path: path.write_text("text"), "'c/bad.png' is in none of the formats", id="text"),
    pytest.param(lambda path: path.write_bytes(encoded(99)[:300]), "'c/bad.png' cannot be decoded", id="short"),
]


@pytest.mark.parametrize(("make", "message"), FAULTS)
def test_an_image_that_cannot_be_used_is_left_out_by_name_and_the_others_are_drawn(tmp_path, make, message, caplog):
    write_pictures(tmp_path, "c/1.png", "c/2.png")
    make(tmp_path / "c/bad.png")
    drawn = sample(tmp_path, 3)
    assert drawn.manifest["image"].tolist() == ["c/1.png", "c/2.png"]
    (row,) = drawn.left_out
    assert (row["image"], row["half"], row["source"]) == ("c/bad.png", "labelled", "folder")
    assert re.search(message, row["reason"])
    assert caplog.messages[0] == f"left out of the labelled images: {row['reason']}"
    assert "3 labelled images were asked for, the sample has 2" in caplog.messages[1]


def test_another_image_takes_the_place_of_a_bad_one_and_the_rest_of_the_draw_stays(tmp_path):
    write_pictures(tmp_path, *(f"c/{i:02d}.png" for i in range(20)))
    before = [c.image for c in draw(source(tmp_path), "labelled", 8, seed=5)]
    (tmp_path / before[3]).write_bytes(b"")
    drawn = sample(tmp_path, 8, seed=5)
    after = drawn.manifest["image"].tolist()
    assert len(after) == 8 and before[3] not in after
    assert set(before) - {before[3]} <= set(after)
    assert sample(tmp_path, 8, seed=5).manifest.equals(drawn.manifest)


def test_a_draw_round_bad_images_is_uniform_over_the_good_ones(tmp_path):
    write_pictures(tmp_path, *(f"c/{i}.png" for i in range(6)))
    for bad in (1, 4):
        (tmp_path / f"c/{bad}.png").write_bytes(b"")
    found, counts = source(tmp_path), dict.fromkeys((0, 2, 3, 5), 0)
    for seed in range(400):
        drawn = Drawn()
        collect(found, "labelled", 2, seed, "folder", drawn)
        for image in drawn.manifest["image"]:
            counts[int(image[2])] += 1
    # 200 expected for each of 4; the standard deviation is 10.
    assert max(abs(count - 200) for count in counts.values()) < 50


def halves(first, n, second, m, seed=0):
    """The sample of two folders, one a half: its manifest and what was left out."""
    of = {"labelled": (first, n), "unlabelled": (second, m)}
    draws = {half: {"source": {"kind": "folder", "path": str(path)}, "n": count} for half, (path, count) in of.items()}
    _, left_out, manifest = draw_sample(
        DataSampling(seed=seed, **draws), Nothing(), Roster.model_construct({}), [], None
    )
    return manifest, left_out


class Nothing:
    """No sample is there."""

    def drawn_for(self, _):
        return None


@pytest.mark.parametrize("seed", range(4))
def test_two_folders_with_equal_names_are_two_sources_of_which_all_can_be_drawn(tmp_path, seed):
    names = [f"c/{i}.png" for i in range(11)]
    write_pictures(tmp_path / "first", *names[:8])
    (tmp_path / "second/c").mkdir(parents=True)
    for index, name in enumerate(names):
        (tmp_path / "second" / name).write_bytes(encoded(100 + index))
    manifest, _ = halves(tmp_path / "first", 8, tmp_path / "second", 11, seed)
    counts = manifest["half"].value_counts().to_dict()
    assert manifest["image"].is_unique and counts == {"labelled": 8, "unlabelled": 11}
    assert manifest["sha256"].is_unique
    later = manifest.loc[manifest["half"] == "unlabelled", "image"]
    earlier = set(manifest.loc[manifest["half"] == "labelled", "image"])
    assert all(image.removeprefix("unlabelled/") in earlier or image in names for image in later)


def test_the_same_picture_under_the_same_name_in_two_folders_is_drawn_once(tmp_path):
    write_pictures(tmp_path / "first", "c/1.png", "c/2.png")
    write_pictures(tmp_path / "second", "c/1.png", "c/2.png", "c/3.png")
    manifest, left_out = halves(tmp_path / "first", 2, tmp_path / "second", 3)
    assert manifest["image"].tolist() == ["c/1.png", "c/2.png", "c/3.png"]
    assert sorted(left_out["image"]) == ["unlabelled/c/1.png", "unlabelled/c/2.png"]
    assert left_out["reason"].str.contains("has the same bytes as 'c/").all()


def test_what_the_first_half_could_not_use_may_leave_the_second_too_few_and_that_is_said(tmp_path, caplog):
    """Of ten images two are broken: five and five were asked for, five and three can be had."""
    write_pictures(tmp_path, *(f"c/{i}.png" for i in range(10)))
    names = [c.image for c in draw(source(tmp_path), "labelled", 5, 0)]
    for name in names[:2]:
        (tmp_path / name).write_bytes(b"")
    manifest, left_out = halves(tmp_path, 5, tmp_path, 5)
    assert manifest["half"].value_counts().to_dict() == {"labelled": 5, "unlabelled": 3}
    assert len(left_out) == 2
    assert "5 unlabelled images were asked for, the sample has 3" in caplog.messages[-1]


def test_what_another_source_could_not_use_is_no_excuse(tmp_path):
    """The broken image of the first folder is none of the second's, which has too few from the start."""
    write_pictures(tmp_path / "first", "c/1.png", "c/2.png", "c/3.png")
    (tmp_path / "first/c/2.png").write_bytes(b"")
    write_pictures(tmp_path / "second", "d/1.png", "d/2.png")
    with pytest.raises(SourceError, match="3 unlabelled images were asked for, but the source has 2"):
        halves(tmp_path / "first", 2, tmp_path / "second", 3)


def test_the_same_bytes_are_drawn_once_in_both_halves_together(tmp_path, caplog):
    write_pictures(tmp_path, "c/1.png", "c/2.png", "c/3.png")
    for copy, original in (("c/4.png", "c/1.png"), ("c/5.png", "c/2.png")):
        (tmp_path / copy).write_bytes((tmp_path / original).read_bytes())
    half = {"source": {"kind": "folder", "path": str(tmp_path)}}
    wanted = DataSampling(labelled=half | {"n": 2}, unlabelled=half | {"n": 3})
    nothing = StoredSample(tmp_path / "manifest", tmp_path / "images")
    files, left_out, manifest = draw_sample(wanted, nothing, Roster.model_construct({}), [], None)
    assert len(manifest) == len(files) == 3
    assert manifest["sha256"].is_unique
    assert len(left_out) == 2 and left_out["reason"].str.contains("has the same bytes as").all()
    left_out.to_parquet(tmp_path / "left_out.parquet")


def test_training_keeps_copies_and_leaves_out_what_cannot_be_used(tmp_path):
    write_pictures(tmp_path, "c/1.png", "c/2.png")
    (tmp_path / "c/3.png").write_bytes((tmp_path / "c/1.png").read_bytes())
    (tmp_path / "c/4.png").write_bytes(b"")
    drawn = collect_all(source(tmp_path), "labelled", "folder")
    assert drawn.manifest["image"].tolist() == ["c/1.png", "c/2.png", "c/3.png"]
    assert [row["image"] for row in drawn.left_out] == ["c/4.png"]


def test_a_source_without_one_good_image_is_refused_with_the_first_reason(tmp_path):
    (tmp_path / "c").mkdir()
    (tmp_path / "c/1.png").write_bytes(b"")
    with pytest.raises(SourceError, match=r"none of the 1 labelled images can be used; the first: .* is an empty"):
        sample(tmp_path)


def test_a_disk_that_fails_is_an_error_and_draws_no_other_image(tmp_path, monkeypatch):
    write_pictures(tmp_path, "c/1.png", "c/2.png")

    def failing(path):
        raise OSError(5, "Input/output error", str(path))

    monkeypatch.setattr("pathlib.Path.read_bytes", failing)
    with pytest.raises(OSError, match="Input/output error"):
        sample(tmp_path, 1)


@pytest.fixture
def nobody():
    """Not root: for root every file is readable."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.fixture
def open_path(tmp_path):
    """`tmp_path`, through which others may pass."""
    own = (folder for folder in tmp_path.parents if Path(tempfile.gettempdir()) in folder.parents)
    folders = {folder: folder.stat().st_mode for folder in (tmp_path, *own)}
    for folder in folders:
        folder.chmod(0o755)
    yield tmp_path
    for folder, mode in folders.items():
        folder.chmod(mode)


def test_a_file_without_permission_is_left_out_by_name(open_path, request):
    write_pictures(open_path, "c/1.png", "c/2.png")
    (open_path / "c/2.png").chmod(0)
    request.getfixturevalue("nobody")
    drawn = sample(open_path, 2)
    assert drawn.manifest["image"].tolist() == ["c/1.png"]
    assert "2.png' may not be read by this user; change its permissions" in drawn.left_out[0]["reason"]


def test_a_folder_without_permission_is_refused_since_the_classes_would_shift(open_path, request):
    write_pictures(open_path, "a/1.png", "b/2.png")
    (open_path / "a").chmod(0)
    request.getfixturevalue("nobody")
    with pytest.raises(SourceError, match=r"/a' cannot be listed .Permission denied.; change its permissions"):
        source(open_path)


def test_a_picture_of_one_pixel_goes_through_a_models_preprocessing(tmp_path):
    from PIL import Image

    from mps_study.models.inference.preprocessing import Preprocessing

    pixels = Preprocessing(input_size=32).pixels(Image.new("RGB", (1, 1), (124, 116, 104)))
    assert pixels.shape == (3, 32, 32) and np.abs(pixels).max() < 0.02
