"""ImageNet's classes against timm's own tables."""

from timm.data import ImageNetInfo

from mps_study.common.imagenet_classes import IMAGENET_CLASSES, imagenet_labels, imagenet_names


def test_classes_are_those_of_timm():
    info = ImageNetInfo()
    wnids = info.label_names()
    names = {index: info.index_to_description(index).split(",")[0] for index in range(info.num_classes())}
    assert len(names) == IMAGENET_CLASSES
    assert imagenet_names() == names
    assert imagenet_labels(wnids) == {wnid: (index, names[index]) for index, wnid in enumerate(wnids)}


def test_wnids_that_are_not_imagenets_have_no_labels():
    assert imagenet_labels([]) is None
    assert imagenet_labels(["n01440764", "n99999999"]) is None
    assert imagenet_labels(["n01443537"]) == {"n01443537": (1, "goldfish")}
