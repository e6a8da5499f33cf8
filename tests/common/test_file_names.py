"""What no file can be called on Windows or macOS is told on every system."""

import pytest

from mps_study.common.file_names import file_name_fault, is_device, one_file


@pytest.mark.parametrize("name", ["CON", "nul.txt", "Prn", "aux .x", "COM1", "lpt³"])
def test_a_device_is_one_in_any_case_and_with_any_suffix(name):
    assert is_device(name)
    assert file_name_fault(name) == "this one is a device on Windows; use another"


@pytest.mark.parametrize("name", ["console", "com10", "a.con", "nul1"])
def test_what_only_looks_like_one_is_a_name(name):
    assert file_name_fault(name) is None


@pytest.mark.parametrize("name", ["", ".hidden", "a/b", "a\\b", "a:b", "a?", "-x", "a,b"])
def test_signs_that_some_file_system_keeps_for_itself_are_refused(name):
    assert "use letters, digits" in file_name_fault(name)


def test_the_first_two_that_share_a_file_are_told():
    assert one_file(["a", "b", "A", "B"]) == ("a", "A")
    assert one_file(["a", "a", "b"]) is None
