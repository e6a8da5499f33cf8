"""The notebooks run as they stand."""

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

ROOT = Path(__file__).parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs_and_its_committed_outputs_are_whole(path, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")  # torch waits long for a second core that another test has
    notebook = nbformat.read(path, as_version=4)
    if any("import quantus" in cell.source for cell in notebook.cells):
        wanted = "Quantus imports OpenCV, which needs the system's libGL.so.1 (Debian: libgl1)"
        pytest.importorskip("cv2", reason=wanted, exc_type=ImportError)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert all(cell.outputs for cell in code), "run the notebook and save it with its outputs"
    assert path.stat().st_size < 600_000, "smaller pictures, please: the notebook is committed"
    shown = [kinds(cell) for cell in code]
    assert not any(str(Path.home()) in str(output.get("text", "")) for cell in code for output in cell.outputs)
    NotebookClient(notebook, timeout=600, kernel_name="python3", resources={"metadata": {"path": str(ROOT)}}).execute()
    assert [kinds(cell) for cell in code] == shown, (
        "run the notebook again and save it: its outputs are of another kind"
    )


def kinds(cell):
    """What a cell shows: printed text, a table, a picture."""
    outputs = [output for output in cell.outputs if output.get("name") != "stderr"]
    return [sorted(output["data"]) if "data" in output else output["name"] for output in outputs]
