"""The class of an image is its folder's: by name in a list or the model, as a number, as a wnid."""

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from images.pictures import encoded, write_pictures
from mps_study.images.candidates import SourceError
from mps_study.images.labels import disagreement, labelled
from mps_study.images.sources import candidates_of

PETS = {0: "bird", 1: "cat", 2: "dog", 3: "fox"}


def labels(folder, known=None, **arguments):
    """Class folder -> label, of the images of a folder."""
    found = labelled({"kind": "folder", "path": str(folder)} | arguments, known).candidates
    return {each.image.partition("/")[0]: each.label for each in found}


def one_each(folder, *names):
    """A folder with a picture in each of the sub-folders."""
    write_pictures(folder, *(f"{name}/1.png" for name in names))
    return folder


def test_a_class_that_the_folder_lacks_shifts_no_other(tmp_path):
    folder = one_each(tmp_path, "bird", "dog", "fox")
    wanted = {"bird": 0, "dog": 2, "fox": 3}
    assert labels(folder, PETS) == wanted
    assert labels(folder, classes=list(PETS.values())) == wanted


def test_a_sources_own_classes_come_before_the_models(tmp_path):
    folder = one_each(tmp_path, "bird", "dog")
    assert labels(folder, PETS, classes=["dog", "bird"]) == {"dog": 0, "bird": 1}


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("names.txt", "bird\ncat\ndog\nfox\n"),
        ("names.json", json.dumps(list(PETS.values()))),
        ("index.json", json.dumps({str(index): ["n0", name] for index, name in PETS.items()})),
        ("data.yaml", "path: x\nnames:\n  0: bird\n  1: cat\n  2: dog\n  3: fox\n"),
    ],
)
def test_classes_may_stand_in_a_file(tmp_path, file, text):
    (tmp_path / file).write_text(text)
    folder = one_each(tmp_path / "images", "dog", "fox")
    assert labels(folder, classes=str(tmp_path / file)) == {"dog": 2, "fox": 3}


def test_names_are_the_same_in_any_case_with_underscores_and_however_accents_are_encoded(tmp_path):
    folder = one_each(tmp_path, "Great_White-Shark", "cafe\u0301")
    known = {0: "caf\u00e9", 1: "great white shark"}
    assert labels(folder, known) == {"Great_White-Shark": 1, "cafe\u0301": 0}


def test_numbers_are_indices(tmp_path):
    folder = one_each(tmp_path, "0", "2", "10", "281")
    assert labels(folder) == labels(folder, PETS) == {"0": 0, "2": 2, "10": 10, "281": 281}


def test_a_model_whose_classes_are_called_by_numbers_has_the_last_word(tmp_path):
    folder = one_each(tmp_path, "1", "3")
    assert labels(folder, {0: "1", 1: "2", 2: "3"}) == {"1": 0, "3": 2}


@pytest.mark.parametrize(
    "stray",
    [
        ".ipynb_checkpoints/a-checkpoint.png", "__MACOSX/dog/._1.png", ".Trash-1000/files/a.png", "@eaDir/a.png",
        "cat/.ipynb_checkpoints/1-checkpoint.png", "cat/._1.png", "._a.png", "$RECYCLE.BIN/a.png", "lost+found/a.png",
    ],
)  # fmt: skip
def test_what_a_system_puts_beside_the_images_is_no_class_and_no_image(tmp_path, stray):
    for name, classes in (("names", ("cat", "dog")), ("wnids", ("n01440764", "n02123045"))):
        folder = one_each(tmp_path / name, *classes)
        write_pictures(folder, stray.replace("cat/", f"{classes[0]}/"), "Thumbs.db")
        assert sorted(each.image for each in candidates_of({"kind": "folder", "path": str(folder)})) == [
            f"{each}/1.png" for each in classes
        ]
    assert labels(tmp_path / "names") == {"cat": 0, "dog": 1}
    assert labels(tmp_path / "wnids") == {"n01440764": 0, "n02123045": 281}


@pytest.mark.parametrize(
    ("folders", "known", "classes", "said"),
    [
        (("n01440764", "n02123045", "n00005787"), None, None, "folder 'n00005787': none of ImageNet-1k's wnids"),
        (("n01440764", "cats", "misc"), None, None, "folders 'cats', 'misc': none of ImageNet-1k's wnids"),
        (("n01440764", "n02123045"), PETS, None, "folders 'n01440764', 'n02123045': none of the model's classes"),
        (("cat", "wolf"), PETS, None, "folder 'wolf': none of the model's classes ('bird', 'cat', 'dog', 'fox')"),
        (("cat", "wolf"), PETS, ["cat", "dog"], "folder 'wolf': none of its `classes`"),
        (("cat",), None, ["cat", "Cat"], "classes names 'cat' twice"),
        (("cat",), None, "nowhere.txt", "'nowhere.txt': there is no such file"),
        (("cat",), None, [True, "dog"], "the name of class 0 is True; use text, in quotes"),
        (("cat",), None, 7, "image source folder: classes is 7; use a list, or the path of a file"),
        (("1", "01"), None, None, "the folders '01' and '1' are both of class 1"),
        (("-1", "0"), None, None, "folders '-1', '0': numbers, but not all folders are class indices"),
        (("1.0", "2.0"), None, None, "folders '1.0', '2.0': numbers, but not all"),
        (("٣", "٤"), None, None, "folders '٣', '٤': numbers, but not all"),
        (("0", "cat"), None, None, "folder '0': numbers, but not all folders are class indices"),
        (("Cat", "cat"), None, None, "the folders 'Cat' and 'cat' have one name, written in two ways; merge them"),
        (("cafe\u0301", "caf\xe9"), None, None, "have one name, written in two ways"),
        (("crane",), {0: "crane", 1: "ox", 2: "crane"}, None, "'crane' is the name of classes 0 and 2"),
    ],
)
def test_a_folder_that_is_no_class_is_named(tmp_path, folders, known, classes, said):
    one_each(tmp_path, *folders)
    with pytest.raises(SourceError) as error:
        labels(tmp_path, known, **({"classes": classes} if classes else {}))
    assert said in str(error.value) and "\n" not in str(error.value)


def test_wnids_are_those_of_a_model_with_imagenets_names_in_any_form(tmp_path):
    folder = one_each(tmp_path, "n01440764", "n02123045")
    assert labels(folder, {0: "tench, Tinca tinca", 1: "goldfish, Carassius auratus"}) == {
        "n01440764": 0,
        "n02123045": 281,
    }


def test_a_flat_folder_is_told_how_to_be_drawn_as_unlabelled(tmp_path):
    write_pictures(tmp_path, *(f"{i}.png" for i in range(12)))
    with pytest.raises(SourceError) as error:
        labels(tmp_path)
    source = f"{{kind: folder, path: {tmp_path}}}"
    assert "its 12 images lie directly in the folder" in str(error.value)
    assert f"write data_sampling: {{labelled: null, unlabelled: {{source: {source}, n: 12}}}}" in str(error.value)


def test_a_data_set_with_the_models_classes_in_another_order_is_taken_by_name(tmp_path):
    features = {"info": {"features": {"label": {"names": ["fox", "dog"], "_type": "ClassLabel"}}}}
    rows = [{"bytes": encoded(i), "path": f"{i}.png"} for i in range(2)]
    table = pa.table({"image": rows, "label": pa.array([0, 1], pa.int64())})
    pq.write_table(table.replace_schema_metadata({"huggingface": json.dumps(features)}), tmp_path / "a.parquet")
    found = labelled({"kind": "hugging_face", "path": str(tmp_path)}, PETS).candidates
    assert [(each.label, each.class_name) for each in found] == [(3, "fox"), (2, "dog")]


def test_only_a_class_that_both_have_elsewhere_is_a_disagreement():
    assert disagreement(PETS, {0: "bird", 1: "Cat", 2: "hound"}) is None
    assert disagreement(PETS, {0: "dog"}) == ("dog", 2, 0)
    assert disagreement({0: "crane", 5: "crane"}, {5: "crane"}) is None
    assert disagreement({0: "0", 1: "1"}, {0: "1", 1: "0"}) is None
