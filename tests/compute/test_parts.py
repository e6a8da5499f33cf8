"""Parts of a study: together all images, each once, and none dearer than another."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mps_study.compute.parts import Part, part_of


@given(st.integers(1, 40), st.integers(0, 200))
def test_parts_are_all_images_each_once_and_alike_in_number(n, images):
    parts = [[i for i in range(images) if Part(number, n).has(i)] for number in range(1, n + 1)]
    assert sorted(i for part in parts for i in part) == list(range(images))
    assert max(map(len, parts)) - min(map(len, parts)) <= 1


def test_what_is_typed():
    assert part_of(None) is None
    assert part_of("3/16") == Part(3, 16)
    assert str(part_of("3/16")) == "3 of 16"


@pytest.mark.parametrize("shard", ["0/3", "4/3", "3", "1/0", "-1/3", "1/3/5", "a/b", 3, 0.5, ["1/3"], "", "1 / 3"])
def test_what_names_no_part_is_refused_with_what_does(shard):
    with pytest.raises(ValueError, match=r"parameter 'shard' is .*; use a part of n such as 3/16"):
        part_of(shard)
