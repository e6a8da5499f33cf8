"""A small real study in a folder of its own, and ways to run it, kill it and compare it."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import yaml

ROOT = Path(__file__).parents[1]
STUDY = "miniature"
MODELS = ("convnext_v1", "resnet_b", "resnet_v2")
FRAMES = ("manifest", "areas", "overlaps", "model_summary", "statistics")


def make_project(folder: Path, models: tuple[str, ...] = MODELS, images: int = 10, iterations: int = 4) -> Path:
    """The miniature study with fewer models, images and epochs: real training, export, search and report."""
    (folder / "src").mkdir(parents=True)
    (folder / "src/mps_study").symlink_to(ROOT / "src/mps_study")
    (folder / "pyproject.toml").write_text((ROOT / "pyproject.toml").read_text())
    for source in (ROOT / "conf").rglob("*.yml"):
        target = folder / source.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(source.read_text())
    (folder / "conf/local").mkdir(exist_ok=True)
    parameters = _conf(folder, "parameters.yml")
    for half in ("labelled", "unlabelled"):
        parameters["data_sampling"][half]["n"] = images
    parameters["search"] |= {"iterations": iterations}
    parameters["extraction"] = {"shard_size": 2, "device": "cpu"}
    _write(folder, "parameters.yml", parameters)
    roster = _conf(folder, "parameters_models.yml")
    roster["models"] = {name: roster["models"][name] for name in models}
    roster["fine_tuning"] |= {"epochs": 4}
    _write(folder, "parameters_models.yml", roster)
    return folder


def _conf(folder: Path, name: str) -> dict:
    return yaml.safe_load((folder / "conf" / STUDY / name).read_text())


def _write(folder: Path, name: str, content: dict) -> None:
    (folder / "conf" / STUDY / name).write_text(yaml.safe_dump(content, sort_keys=False))


@dataclass
class Run:
    """A `kedro run` in a process of its own; what it prints is collected."""

    process: subprocess.Popen
    lines: list[str]
    reader: threading.Thread

    def wait(self) -> int:
        """Exit code."""
        code = self.process.wait()
        self.reader.join()
        return code

    @property
    def text(self) -> str:
        """All that was printed."""
        return "".join(self.lines)

    def working(self, project: Path, stage: str) -> bool:
        """Whether it holds a claim of the stage, or of one of its models, now."""
        claims = project / "data" / STUDY / "claims"
        holders = [claims / f"{stage}.holder.json", *(claims / stage).glob("*.holder.json")]
        return any(self._holds(holder) for holder in holders)

    def seconds_of_work(self, project: Path, stage: str) -> float:
        """Waits for the end of the run; the time from its first claim of the stage to the end of its last."""
        self.wait_for_work(project, stage)
        began = last = time.perf_counter()
        while self.process.poll() is None:
            last = time.perf_counter() if self.working(project, stage) else last
            time.sleep(0.005)
        return last - began

    def wait_for_work(self, project: Path, stage: str) -> bool:
        """Until the run has claimed something of the stage, as it does when work begins; False if there was none.

        Raises:
            RuntimeError: the run failed before that.
        """
        while not self.working(project, stage):
            if self.process.poll() is not None:
                if self.wait():
                    raise RuntimeError(f"the run ended before its work began:\n{self.text[-3000:]}")
                return False
            time.sleep(0.005)
        return True

    def _holds(self, holder: Path) -> bool:
        try:
            return bool(json.loads(holder.read_text())["process"] == self.process.pid)
        except (OSError, ValueError):
            return False

    def kill(self, how: signal.Signals = signal.SIGKILL) -> None:
        """Kill it with all its children."""
        os.killpg(self.process.pid, how)


def start(project: Path, *stages: str, **options) -> Run:
    """`kedro run --env miniature [--pipelines ...]`."""
    return start_in(project, STUDY, *stages, **options)


def start_in(project: Path, study: str, *stages: str, **options) -> Run:
    """`kedro run --env STUDY [--pipelines ...] [--params ...]`."""
    command = [sys.executable, "-m", "kedro", "run", "--env", study]
    command += ["--pipelines", ",".join(stages)] if stages else []
    command += ["--params", ",".join(f"{name}={value}" for name, value in options.pop("params", {}).items())]
    command = [part for part in command if part] if command[-1] else command[:-2]
    environment = os.environ | {"DO_NOT_TRACK": "true", "COLUMNS": "200", "PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen(
        command,
        cwd=project,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        **options,
    )
    lines: list[str] = []
    reader = threading.Thread(target=lambda: lines.extend(iter(process.stdout.readline, "")), daemon=True)
    reader.start()
    return Run(process, lines, reader)


def run(project: Path, *stages: str, **options) -> str:
    """Run to the end; RuntimeError with the output if it fails."""
    started = start(project, *stages, **options)
    if started.wait():
        raise RuntimeError(f"kedro run {stages} failed:\n{started.text[-4000:]}")
    return started.text


def newest(project: Path, name: str) -> pd.DataFrame:
    """The newest version of a frame."""
    return pd.read_parquet(sorted((project / "data" / STUDY).rglob(f"{name}.parquet/*/{name}.parquet"))[-1])


def records(project: Path) -> pd.DataFrame:
    """All records with their masks and maps, in a fixed order."""
    shards = sorted((project / "data" / STUDY / "05_mps_records").rglob("*.parquet"))
    frame = pd.concat([pd.read_parquet(shard) for shard in shards])
    return frame.sort_values(["model", "image"], ignore_index=True)


def differences(a: Path, b: Path) -> list[str]:
    """What of study b is not that of study a, to the bit: frames, records, models, tables, figures."""
    found = []
    for name in FRAMES:
        try:
            pd.testing.assert_frame_equal(newest(a, name), newest(b, name), check_exact=True)
        except AssertionError as error:
            found.append(f"{name}: {error}")
    try:
        pd.testing.assert_frame_equal(records(a), records(b), check_exact=True)
    except AssertionError as error:
        found.append(f"records: {error}")
    left, right = files(a), files(b)
    found += [f"{name} differs" for name in sorted(left.keys() | right.keys()) if left.get(name) != right.get(name)]
    return found


def files(project: Path) -> dict[str, str]:
    """Digests of images, checkpoints, models, tables and figures; the report and cards tell times, and are left out."""
    folder = project / "data" / STUDY
    kinds = ("01_images/*/*", "01_training_images/*/*", "03_checkpoints/*.safetensors", "04_models/*.onnx*")
    kinds += ("08_report/tables*/*", "08_report/figures/*", "08_report/models/*")
    paths = [path for kind in kinds for path in folder.glob(kind)]
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}


def leftovers(project: Path) -> list[str]:
    """Temporary files, and folders of unfinished work."""
    folder = project / "data" / STUDY
    half = [path for path in folder.rglob("*") if path.name.endswith((".partial", ".holder.json"))]
    unfinished = [path for path in (folder / "claims").rglob("*") if path.is_dir() and path.parent.name != "claims"]
    states = list((folder / "03_checkpoints/in_training").glob("*"))
    return [str(path.relative_to(folder)) for path in half + unfinished + states]
