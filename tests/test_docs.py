"""The documentation builds as it stands: no dead link, no docstring that cannot be read, no network."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_the_site_builds_without_a_warning(tmp_path):
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(tmp_path)]
    environment = {"NO_MKDOCS_2_WARNING": "1", "http_proxy": "http://127.0.0.1:9", "https_proxy": "http://127.0.0.1:9"}
    built = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert built.returncode == 0, built.stderr
    reference = (tmp_path / "reference/index.html").read_text()
    assert all(name in reference for name in ("extract_mps", "minimum_confidence_threshold", "landscape"))
    assert "fonts.googleapis.com" not in (tmp_path / "index.html").read_text()
