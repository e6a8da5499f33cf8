"""What `from mps_study import ...` gives: documented, with examples that run as they stand."""

import doctest
import inspect
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import mps_study
from models.colour_models import FORMS, colour_model
from mps_study.mps.types import Reply

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("name", mps_study.__all__)
def test_a_public_name_has_an_example_and_it_runs(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    public = getattr(mps_study, name)
    tiny = colour_model(tmp_path / "tiny.onnx", **FORMS["float32"][0])
    names = {each: getattr(mps_study, each) for each in mps_study.__all__}
    names |= {"tiny_onnx": str(tiny), "np": np, "Path": Path, "Reply": Reply}
    finder = doctest.DocTestFinder(recurse=False)
    examples = [test for test in finder.find(public, name, globs=names) if test.examples]
    assert examples, f"{name} has no example"
    flags = doctest.NORMALIZE_WHITESPACE | doctest.IGNORE_EXCEPTION_DETAIL
    failed, _ = doctest.DocTestRunner(optionflags=flags).run(examples[0])
    assert not failed
    documented = inspect.getdoc(public)
    assert documented and documented.splitlines()[0].endswith((".", ":"))


def test_the_reference_has_every_public_name():
    documented = set(re.findall(r"^::: mps_study\.\S*?\.(\w+)$", (ROOT / "docs/reference.md").read_text(), re.M))
    assert set(mps_study.__all__) <= documented


def test_the_engine_is_imported_without_torch_kedro_or_onnxruntime():
    said = "import mps_study, sys; print([m for m in ('torch', 'kedro', 'onnxruntime', 'pandas') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", said], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_room_and_a_function_do_not_share_a_name():
    import importlib

    importlib.import_module("mps_study.measures.areas")
    assert callable(mps_study.compare) and callable(mps_study.explain)
