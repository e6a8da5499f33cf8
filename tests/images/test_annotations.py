"""Annotations of every kind say the same of the same object, in pixels of the upright image, or why they cannot."""

import io
import json
import re

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from mps_study.images.annotations import coco as coco_room
from mps_study.images.annotations.matching import matched
from mps_study.images.annotations.reading import annotations_of, read_regions
from mps_study.images.annotations.regions import packed, unpacked
from mps_study.images.bundled import photos
from mps_study.images.candidates import SourceError
from mps_study.images.decoding import decode
from mps_study.images.sources import candidates_of, source_fault

SIZE = 40, 30
"""Width and height of the image `cat/a.jpg`, on which the object fills columns 4 to 13 and rows 6 to 17."""
BOX = [4, 6, 14, 18]
MASK = np.zeros((30, 40), dtype=bool)
MASK[6:18, 4:14] = True

VOC = """<annotation><filename>a</filename>{size}<object><name>cat</name><part><bndbox><xmin>1</xmin></bndbox></part>
<bndbox><xmin>{0}</xmin><ymin>{1}</ymin><xmax>{2}</xmax><ymax>{3}</ymax></bndbox></object></annotation>"""


def write_voc(folder, box=(5, 7, 14, 18), name="a", size=SIZE):
    """Counted from 1, the last pixel inside."""
    path = folder / f"{name}.xml"
    path.parent.mkdir(parents=True, exist_ok=True)
    said = "" if size is None else f"<size><width>{size[0]}</width><height>{size[1]}</height></size>"
    path.write_text(VOC.format(*box, size=said))
    return {"kind": "voc", "path": str(folder)}


def write_masks(folder, mask=MASK, name="a.png"):
    folder.mkdir(exist_ok=True)
    Image.fromarray(mask.astype(np.uint8) * 7).save(folder / name)
    return {"kind": "masks", "path": str(folder)}


def write_csv(path, *rows, head="image,left,top,right,bottom,name"):
    path.write_text("\n".join([head, *rows]) + "\n")
    return {"kind": "csv", "path": str(path)}


def write_coco(path, segmentation=None, **changed):
    marked = {"id": 1, "image_id": 7, "category_id": 3, "bbox": [4, 6, 10, 12], "segmentation": segmentation or []}
    content = {
        "images": [{"id": 7, "file_name": "a.jpg", "width": 40, "height": 30}],
        "annotations": [marked | changed],
        "categories": [{"id": 3, "name": "cat"}],
    }
    path.write_text(json.dumps(content))
    return {"kind": "coco", "path": str(path)}


POLYGON = [[4, 6, 14, 6, 14, 18, 4, 18]]
RUNS = {"size": [30, 40], "counts": [4 * 30 + 6, *[12, 18] * 9, 12, 26 * 30 + 12]}
"""The same object, column after column: zeros, ones, zeros, ..."""


def read(annotations, **sizes):
    return read_regions(annotations, sizes or {"cat/a.jpg": SIZE})


def boxes_of(frame):
    return frame[["left", "top", "right", "bottom"]].to_numpy().tolist()


@pytest.mark.parametrize("kind", ["voc", "csv", "masks", "coco", "polygon", "runs"])
def test_every_kind_gives_the_same_object(tmp_path, kind):
    annotations = {
        "voc": lambda: write_voc(tmp_path / "voc"),
        "csv": lambda: write_csv(tmp_path / "boxes.csv", "a.jpg,4,6,14,18,cat"),
        "masks": lambda: write_masks(tmp_path / "masks"),
        "coco": lambda: write_coco(tmp_path / "coco.json"),
        "polygon": lambda: write_coco(tmp_path / "coco.json", POLYGON),
        "runs": lambda: write_coco(tmp_path / "coco.json", RUNS),
    }[kind]()
    frame = read(annotations)
    assert boxes_of(frame) == [BOX]
    assert list(frame["image"]) == ["cat/a.jpg"]
    assert list(frame["name"].fillna("")) == ["" if kind == "masks" else "cat"]
    masks = [None if each is None else unpacked(each).tolist() for each in frame["mask"]]
    assert masks == [MASK.tolist() if kind in ("masks", "polygon", "runs") else None]


def test_without_pycocotools_boxes_are_taken_and_a_warning_says_so(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(coco_room, "find_spec", lambda name: None)
    frame = read(write_coco(tmp_path / "c.json", POLYGON))
    assert boxes_of(frame) == [BOX] and list(frame["mask"]) == [None]
    assert "pip install 'mps-study[coco]'" in caplog.text


def test_what_is_not_zero_is_object_whatever_the_form_of_the_mask(tmp_path):
    palette = Image.fromarray(MASK.astype(np.uint8), mode="P")
    palette.putpalette([0, 0, 0, 9, 9, 9])
    opaque = Image.fromarray(np.dstack([MASK * 255, MASK * 0, MASK * 0, MASK * 0 + 255]).astype(np.uint8))
    deep = Image.fromarray(MASK.astype(np.uint16) * 256)
    forms = {"palette": palette, "opaque": opaque, "deep": deep, "one bit": Image.fromarray(MASK)}
    for name, picture in forms.items():
        picture.save(tmp_path / f"{name}.png")
    frame = read({"kind": "masks", "path": str(tmp_path)}, **{f"{name}.jpg": SIZE for name in forms})
    assert list(frame["image"]) == [f"{name}.jpg" for name in forms]
    assert all(np.array_equal(unpacked(each), MASK) for each in frame["mask"])


def test_a_mask_comes_back_to_the_bit_and_a_frame_from_its_file(tmp_path):
    noise = np.random.default_rng(0).random((31, 45)) < 0.5
    assert np.array_equal(unpacked(packed(noise)), noise)
    frame = pd.concat([read(write_masks(tmp_path / "m")), read(write_voc(tmp_path / "v"))], ignore_index=True)
    frame.to_parquet(tmp_path / "frame.parquet", index=False)
    assert pd.read_parquet(tmp_path / "frame.parquet").equals(frame)


def test_a_picture_that_is_larger_or_smaller_than_the_one_people_saw_is_scaled(tmp_path):
    twice = {"cat/a.jpg": (80, 60)}
    frames = [read(write(tmp_path / write.__name__), **twice) for write in (write_voc, write_masks)]
    assert [boxes_of(frame) for frame in frames] == [[[2 * edge for edge in BOX]]] * 2
    assert np.array_equal(unpacked(frames[1]["mask"][0]), MASK.repeat(2, axis=0).repeat(2, axis=1))
    rounded = read(write_voc(tmp_path / "again"), **{"cat/a.jpg": (41, 30)})
    assert np.allclose(boxes_of(rounded), [[4.1, 6, 14.35, 18]])


def test_boxes_are_those_of_the_upright_image(tmp_path):
    """A camera held upright stores a lying picture and EXIF 6: its sides change places when it is decoded."""
    stored = Image.new("RGB", (40, 30))
    stored.getexif()[0x0112] = 6
    buffer = io.BytesIO()
    stored.save(buffer, "JPEG", exif=stored.getexif())
    upright = decode(buffer.getvalue(), "a").size
    assert upright == (30, 40)
    sizes = {"cat/a.jpg": upright}
    assert boxes_of(read(write_voc(tmp_path / "v", (5, 31, 14, 40), size=upright), **sizes)) == [[4, 30, 14, 40]]
    with pytest.raises(SourceError, match=r"40 x 30 pixels, but image 'cat/a\.jpg' has 30 x 40; upright by EXIF"):
        read(write_voc(tmp_path / "v"), **sizes)


def test_what_reaches_over_the_border_by_a_pixel_is_cut_off_there(tmp_path):
    # ImageNet counts some of its boxes from 0
    assert boxes_of(read(write_voc(tmp_path, (0, 0, 40, 31)))) == [[0, 0, 40, 30]]


def fails(annotations, message, **sizes):
    with pytest.raises(SourceError, match=message) as error:
        read(annotations, **sizes)
    assert "\n" not in str(error.value)


def test_each_fault_is_one_line_that_says_where_it_is(tmp_path):
    fails({"kind": "voc", "path": str(tmp_path / "no")}, "the folder of annotations .*no does not exist")
    fails({"kind": "csv", "path": str(tmp_path / "no.csv")}, "there is no CSV file of annotations at .*no.csv")
    fails({"kind": "masks", "path": str(tmp_path)}, "holds none: expected masks")
    folder = tmp_path / "voc"
    write_voc(folder)
    (folder / "a.xml").write_text("<annotation><object>")
    fails({"kind": "voc", "path": str(folder)}, r"annotation '.*a\.xml' cannot be read \(.*line 1")
    (folder / "a.xml").write_text("<annotation><object><bndbox><xmin>1</xmin></bndbox></object></annotation>")
    fails({"kind": "voc", "path": str(folder)}, "an object without bndbox/ymin")
    outside = re.escape("the box (4, 6, 43, 18) lies outside of image 'cat/a.jpg', which has 40 x 30 pixels")
    fails(write_voc(folder, (5, 7, 43, 18)), outside)
    fails(write_csv(tmp_path / "b.csv", "a,4,6,nan,18"), "b.csv, line 2: 4, 6, nan, 18 are no left, top")
    fails(write_csv(tmp_path / "b.csv", "a,4,6,,18"), "line 2")
    fails(write_csv(tmp_path / "b.csv", "a,4,6,4,18"), "holds no pixel")
    fails(write_csv(tmp_path / "b.csv", "a,4,6", head="image,left,top"), "it has no 'right'")
    fails(write_coco(tmp_path / "c.json", image_id=8), r"not in COCO's form \(no 8\)")
    fails(write_coco(tmp_path / "c.json", bbox=[1, 2]), "c.json, image a.jpg: a region cannot be read")
    fails(write_coco(tmp_path / "c.json", RUNS | {"size": [40, 30]}), "a.jpg: .*run lengths of 30 x 40 pixels")
    (tmp_path / "c.json").write_text("[")
    fails({"kind": "coco", "path": str(tmp_path / "c.json")}, "not in COCO's form")
    (tmp_path / "m").mkdir()
    (tmp_path / "m/a.png").write_bytes(b"\x89PNG")
    fails({"kind": "masks", "path": str(tmp_path / "m")}, "mask '.*a.png' cannot be read")
    fails(write_masks(tmp_path / "m", MASK[:, :20]), "is of a picture of 20 x 30 pixels, but image 'cat/a.jpg' has 40")


def test_names_of_no_image_are_an_error_and_images_without_a_name_are_counted(tmp_path, caplog):
    annotations = write_csv(tmp_path / "b.csv", "a,4,6,14,18", "b,,,,")
    fails(annotations, "none of its 2 names, such as 'a', is that of an image, such as 'z.jpg'", **{"z.jpg": SIZE})
    caplog.set_level("INFO")
    frame = read(annotations, **{"a.png": SIZE, "b.png": SIZE, "c.png": SIZE})
    assert list(frame["image"]) == ["a.png"]
    assert "2 of 3 images have an annotation, 1 regions in all" in caplog.text


def test_of_several_of_one_name_the_path_decides_or_an_error():
    flat = ["CLS-LOC/val/ILSVRC2012_val_1"]
    assert matched(["n01440764/ILSVRC2012_val_1.JPEG"], flat, "x") == {"n01440764/ILSVRC2012_val_1.JPEG": flat[0]}
    names = ["train/cat/1", "train/dog/1"]
    assert matched(["unlabelled/dog/1.jpg", "cat/1.jpg"], names, "x") == {
        "unlabelled/dog/1.jpg": "train/dog/1",
        "cat/1.jpg": "train/cat/1",
    }
    assert matched(["1.jpg", "cat/1.jpg"], ["cat/1"], "x") == {"cat/1.jpg": "cat/1"}
    assert matched(["a.jpg", "a.png"], ["a.png", "a.jpg"], "x") == {"a.jpg": "a.jpg", "a.png": "a.png"}
    with pytest.raises(SourceError, match=r"both 'train/cat/1' and 'train/dog/1' may be of image '1\.jpg'"):
        matched(["1.jpg"], names, "x")
    with pytest.raises(SourceError, match=r"'1' may be of image 'cat/1\.jpg' or 'dog/1\.jpg'"):
        matched(["cat/1.jpg", "dog/1.jpg"], ["1"], "x")


def test_a_source_takes_annotations_of_a_known_kind_and_draws_the_same_images(tmp_path):
    marked = {"kind": "photos", "annotations": write_voc(tmp_path)}
    assert source_fault(marked) is None
    assert [c.image for c in candidates_of(marked)] == [c.image for c in candidates_of({"kind": "photos"})]
    fault = source_fault({"kind": "photos", "annotations": {"kind": "yolo", "path": "x"}})
    assert fault is not None and "give {kind: voc | coco | csv | masks, path: PATH}, or null" in fault
    for wrong in ({"kind": "voc"}, {"kind": "voc", "path": 3}, {"kind": "voc", "path": "x", "names": []}, "voc"):
        assert source_fault({"kind": "photos", "annotations": wrong}), wrong


def test_the_bundled_photographs_have_boxes_of_ours_unless_they_shall_not():
    ours = annotations_of({"kind": "photos"})
    assert ours is not None and annotations_of({"kind": "photos", "annotations": None}) is None
    sizes = {each.image: decode(each.read(), each.image).size for each in photos()}
    frame = read_regions(ours, sizes)
    assert set(sizes) - set(frame["image"]) == {"hubble_deep_field", "retina"}
    pixels = {each.image: np.asarray(decode(each.read(), each.image)).astype(int) for each in photos()}
    flower, rocket = (frame[frame["image"] == name].iloc[0] for name in ("flower", "rocket"))
    orange = (pixels["flower"][..., 0] - pixels["flower"][..., 2] > 90)[:365]  # the second flower lies below
    rows, columns = np.flatnonzero(orange.sum(1) > 5), np.flatnonzero(orange.sum(0) > 5)
    seen = [columns[0], rows[0], columns[-1] + 1, rows[-1] + 1]
    assert np.abs(np.array(seen) - flower[["left", "top", "right", "bottom"]].to_numpy(float)).max() <= 8
    bright = pixels["rocket"][140:400, 250:400].min(axis=2) > 150
    columns = 250 + np.flatnonzero(bright.mean(axis=0) > 0.3)
    assert rocket["left"] <= columns[0] and columns[-1] < rocket["right"]
