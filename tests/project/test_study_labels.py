"""The labels of a study are those of its models: by name, and by how many classes there are."""

import pandas as pd
import pytest

from images.pictures import write_pictures
from mps_study.images.candidates import SourceError
from mps_study.models.roster.roster import Roster
from mps_study.project.labels import StudyLabels
from mps_study.project.parameters import DataSampling

PETS = ["bird", "cat", "dog", "fox"]
OWN = {"architecture": "A", "timm": "resnet18", "weights": "file:x.pth", "classes": 4}
TUNED = OWN | {"weights": "fine_tuned"}


@pytest.fixture
def folder(tmp_path):
    """The path of a folder with a picture in each of these sub-folders."""

    def made(name, *classes):
        write_pictures(tmp_path / name, *(f"{each}/1.png" for each in classes))
        return {"kind": "folder", "path": str(tmp_path / name)}

    return made


def study(models, labelled, training=None, model=None, n=1):
    """The labels of a study of these models."""
    half = {"source": labelled, "n": n} if labelled else None
    sampling = DataSampling(labelled=half, unlabelled=None, training=training)
    return StudyLabels(sampling, Roster.model_validate(models), model, list(models))


def labels(models, labelled, **rest):
    """Class folder -> label."""
    found = study(models, labelled, **rest).labelled_half().candidates
    return {each.image.partition("/")[0]: each.label for each in found}


def test_folders_are_classes_by_the_models_names(folder):
    assert labels({"a": OWN | {"class_names": PETS}}, folder("x", "fox", "dog")) == {"fox": 3, "dog": 2}


def test_a_model_without_names_is_asked_by_those_of_another_of_the_study(folder):
    models = {"a": OWN | {"class_names": PETS}, "b": OWN}
    assert labels(models, folder("x", "fox", "dog"), model="b") == {"fox": 3, "dog": 2}


def test_the_labelled_half_is_numbered_as_the_training_images(folder):
    training = folder("t", *PETS)
    assert labels({"a": TUNED}, folder("x", "dog", "fox"), training=training) == {"dog": 2, "fox": 3}


def test_where_nothing_names_them_there_must_be_as_many_folders_as_classes(folder):
    assert labels({"a": OWN}, folder("x", *PETS)) == {name: index for index, name in enumerate(PETS)}
    with pytest.raises(SourceError, match="are of 3 classes, but model 'a' has 4: which is which"):
        labels({"a": OWN}, folder("y", "bird", "dog", "fox"))
    with pytest.raises(SourceError, match="the training images are of 3 classes, but model 'a' has 4"):
        _ = study({"a": TUNED}, None, folder("y", "bird", "dog", "fox")).training_images


def test_certain_indices_may_be_of_fewer_classes_and_that_is_said(folder, caplog):
    caplog.set_level("INFO")
    wnids = folder("x", "n01440764", "n02123045")
    assert labels({"a": OWN | {"classes": 1001}}, wnids) == {"n01440764": 0, "n02123045": 281}
    assert "their labels are of 1000 classes, model a has 1001" in caplog.text
    assert labels({"a": OWN}, folder("y", "0", "3")) == {"0": 0, "3": 3}


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["cat", "bird", "dog", "fox"], "class 'bird' is 0 in model 'a' and 1 in model 'b'"),
        (["Bird", "kitty", "hound", "fox"], None),
    ],
)
def test_two_models_may_spell_differently_and_not_number_differently(folder, names, said):
    models = {"a": OWN | {"class_names": PETS}, "b": OWN | {"class_names": names}}
    if said is None:
        assert labels(models, folder("x", "dog"))["dog"] == 2
        return
    with pytest.raises(SourceError, match=said):
        labels(models, folder("x", "dog"))


def test_sources_own_classes_that_contradict_the_models_are_refused(folder):
    source = folder("x", "dog", "cat") | {"classes": ["bird", "dog", "cat", "fox"]}
    with pytest.raises(SourceError, match="class 'cat' has the index 2, but 1 in model 'a'"):
        labels({"a": OWN | {"class_names": PETS}}, source)


def test_labelled_and_training_images_must_number_a_class_alike(folder):
    source = folder("x", "dog", "cat") | {"classes": ["bird", "dog", "cat", "fox"]}
    with pytest.raises(SourceError, match=r"class 'cat' is 2 in data_sampling\.labelled and 1 in data_sampling\.tra"):
        labels({"a": TUNED}, source, training=folder("t", *PETS))


def test_a_sample_of_before_that_numbers_a_class_otherwise_is_refused(folder):
    manifest = pd.DataFrame({"label": [0], "class_name": ["dog"]}).astype({"label": "Int64"})
    with pytest.raises(SourceError, match="the sample that is there: class 'dog' has the index 0, but 2 in model 'a'"):
        study({"a": OWN | {"class_names": PETS}}, folder("x", "dog")).check_sample(manifest)


def test_a_sample_is_drawn_again_where_what_folders_are_labelled_by_has_changed(folder):
    source = folder("x", *PETS)
    requests = [
        study({"a": entry}, source).sample_request()
        for entry in (OWN, OWN | {"classes": 5}, OWN | {"class_names": PETS}, OWN | {"class_names": PETS[::-1]})
    ]
    assert len({str(request) for request in requests}) == 4
    digits = study({"a": OWN}, {"kind": "digits"})
    assert digits.sample_request() == study({"a": OWN | {"classes": 9}}, {"kind": "digits"}).sample_request()
    assert "classes" not in digits.sample_request()


@pytest.mark.parametrize(("labelled", "n"), [(None, 1), ({"kind": "folder", "path": "/nowhere"}, 0)])
def test_no_labelled_half_needs_no_labels(labelled, n):
    assert study({"a": OWN}, labelled, n=n).labelled_half().candidates == []
