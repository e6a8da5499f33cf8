"""axe-core, the judge of accessibility that is not ours: fetched by npm when it is asked for, and kept nowhere."""

from __future__ import annotations

import io
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playwright.sync_api import Page

VERSION = "4.10.3"
COLOUR = {"runOnly": {"type": "tag", "values": ["cat.color"]}}
"""The rules whose verdict a colour scheme can change."""


class NoAxe(Exception):
    """axe-core cannot be had here; says why."""


def axe_script() -> str:
    """The script that a page runs to be judged.

    Raises:
        NoAxe: npm is not installed, or its registry cannot be reached.
    """
    npm = shutil.which("npm")
    if npm is None:
        raise NoAxe("needs npm on the PATH, e.g. from Debian: apt-get install npm")
    with tempfile.TemporaryDirectory() as folder:
        command = [npm, "pack", f"axe-core@{VERSION}", "--loglevel=error", "--fetch-retries=0", "--fetch-timeout=20000"]
        try:
            done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60)
        except subprocess.TimeoutExpired:
            raise NoAxe("npm fetched no axe-core within a minute") from None
        if done.returncode:
            said = (done.stderr or done.stdout).strip().splitlines() or ["no reason given"]
            raise NoAxe(f"npm cannot fetch axe-core: {said[0].removeprefix('npm error ')}")
        (archive,) = Path(folder).glob("*.tgz")
        with tarfile.open(fileobj=io.BytesIO(archive.read_bytes())) as package:
            member = package.extractfile("package/axe.min.js")
            assert member is not None
            return member.read().decode()


def violations(page: Page, script: str, colour_only: bool = False, within: str = "html") -> list[str]:
    """A line for each element that breaks a rule: the rule, what it asks for, and the element.

    Args:
        page: the page, as it is to be judged.
        script: what `axe_script` returns; it is run once a document.
        colour_only: ask only the rules that a colour scheme can change.
        within: the selector of the part that is judged.
    """
    if not page.evaluate("'axe' in window"):
        page.evaluate(script)
    options: dict[str, Any] = {"resultTypes": ["violations"]} | (COLOUR if colour_only else {})
    found = page.evaluate("([within, options]) => axe.run(within, options)", [within, options])
    return [
        f"{rule['id']}: {rule['help']}: {node['html'][:200]}" for rule in found["violations"] for node in rule["nodes"]
    ]
