"""Devices that ONNX Runtime can use here, and how a session is opened on one."""

from __future__ import annotations

import contextlib
import io
import logging
import os
import re
import shutil
import subprocess
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
import onnx
import onnxruntime as ort
from onnx import TensorProto, helper

from mps_study.models.inference.onnx_file import loading_fault

log = logging.getLogger(__name__)

PROVIDERS = {"cpu": "CPUExecutionProvider", "cuda": "CUDAExecutionProvider"}

Precision = Literal["fp32", "tf32", "fp16"]
"""Of the batches; what must be asked alone is always asked in fp32."""


def choose_device(device: str) -> str:
    """`cpu` or `cuda`: what was asked for; for `auto` CUDA if it works, with a warning where a GPU is there in vain.

    Raises:
        ValueError: an unknown device, or CUDA was asked for by name and does not work.
    """
    if device == "auto":
        fault = cuda_fault()
        if fault and has_nvidia_device():
            log.warning("the GPU is not used, the CPU is: %s", fault)
        return "cpu" if fault else "cuda"
    if device not in PROVIDERS:
        raise ValueError(f"device is {device!r}; use auto, {' or '.join(PROVIDERS)}")
    if device == "cuda" and (fault := cuda_fault()):
        raise ValueError(
            f"device cuda was asked for, but it does not work here: {fault}; install the extra with "
            "`pip install mps-study[cuda]`, check `nvidia-smi`, or use device cpu"
        )
    return device


def has_nvidia_device() -> bool:
    """Whether the system shows an NVIDIA device, whatever can be done with it."""
    return any(Path(p).exists() for p in ("/dev/nvidia0", "/dev/nvidiactl", "/dev/dxg")) or (
        os.name == "nt" and bool(os.environ.get("CUDA_PATH"))
    )


@lru_cache(maxsize=1)
def cuda_fault() -> str | None:
    """Why ONNX Runtime cannot run on CUDA here; None if it can. A session of one addition is opened and asked, once."""
    if PROVIDERS["cuda"] not in ort.get_available_providers():
        return "this onnxruntime is built without CUDA; `pip install onnxruntime-gpu` in its place"
    if not has_nvidia_device():
        return "there is no NVIDIA device"
    said = preload_libraries()
    ort.set_default_logger_severity(4)  # cuDNN's search for algorithms logs those that it passes over as errors
    value = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1])
    twice = helper.make_tensor_value_info("y", TensorProto.FLOAT, [1])
    graph = helper.make_graph([helper.make_node("Add", ["x", "x"], ["y"])], "probe", [value], [twice])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    try:
        session = ort.InferenceSession(model.SerializeToString(), session_options("cuda"), [PROVIDERS["cuda"]])
        if PROVIDERS["cuda"] not in session.get_providers():
            return said or "ONNX Runtime could not load its CUDA libraries"
        session.run(None, {"x": np.ones(1, dtype=np.float32)})
    except Exception as error:  # ONNX Runtime raises many types, all meaning that it does not work
        return " ".join(str(error).split())[:300]
    return None


def preload_libraries() -> str:
    """Load CUDA's and cuDNN's libraries from NVIDIA's packages, where ONNX Runtime does not look; what it says."""
    said = io.StringIO()
    with contextlib.redirect_stdout(said):  # it prints what it cannot load
        ort.preload_dlls()
    return " ".join(said.getvalue().split())[:300]


def provider_options(device: str, precision: Precision = "fp32") -> dict[str, str]:
    """What a session on this device is opened with; recorded with what it answered.

    One algorithm for convolutions by rule, not by timing, so that two runs choose the same. Exact fp32 unless a lower
    precision is wanted: ONNX Runtime's own default is TF32. The arena grows by what is needed, not by powers of two.
    Channels last where tensor cores do the sums: on an H200 a quarter more mutants a second in TF32, but 5 % fewer in
    fp32.
    """
    if device == "cpu":
        return {}
    return {
        "cudnn_conv_algo_search": "HEURISTIC",
        "use_tf32": "0" if precision == "fp32" else "1",
        "arena_extend_strategy": "kSameAsRequested",
        "prefer_nhwc": "0" if precision == "fp32" else "1",
    }


NVIDIA = Path("/proc/driver/nvidia")
"""What Linux's kernel tells of NVIDIA's driver; elsewhere `nvidia-smi` is asked."""


def driver() -> str:
    """The version of NVIDIA's driver; empty where nothing tells it."""
    told = NVIDIA / "version"
    found = re.search(r"\s(\d+\.\d[\d.]*)\s", told.read_text()) if told.is_file() else None
    return found[1] if found else next(iter(_smi("driver_version")), "")


def gpu_names() -> list[str]:
    """The model of each NVIDIA GPU of this machine, in the order of their numbers."""
    told = sorted((NVIDIA / "gpus").glob("*/information"))
    models = [line.split(":", 1)[1].strip() for path in told for line in path.read_text().splitlines()[:1]]
    return models or _smi("name")


def _smi(field: str) -> list[str]:
    """What `nvidia-smi` says of each GPU; nothing where it is not there, or has nothing to say."""
    program = shutil.which("nvidia-smi")
    if program is None:
        return []
    command = [program, f"--query-gpu={field}", "--format=csv,noheader"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True)
    except (OSError, subprocess.SubprocessError):
        return []
    return [line.strip() for line in done.stdout.splitlines() if line.strip()]


def session_options(device: str) -> ort.SessionOptions:
    """Quiet; on CPU one thread a session, since batches are spread over threads."""
    options = ort.SessionOptions()
    options.log_severity_level = 4
    if device == "cpu":
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
    return options


def open_session(
    path: Path, device: str, graph: onnx.ModelProto | None = None, precision: Precision = "fp32"
) -> ort.InferenceSession:
    """A session of the file, or of another `graph` whose external data are the file's.

    Raises:
        OnnxFileError: ONNX Runtime cannot load it.
        ValueError: it does not run on this device. Nothing falls back to another one in silence.
    """
    options = session_options(device)
    source: str | bytes = str(path)
    if graph is not None:
        options.add_session_config_entry("session.model_external_initializers_file_folder_path", str(path.parent))
        source = graph.SerializeToString()
    providers: list[Any] = [(PROVIDERS[device], provider_options(device, precision))]
    try:
        session = ort.InferenceSession(source, options, providers=providers)
    except Exception as error:  # ONNX Runtime raises many types, all meaning "cannot load"
        raise loading_fault(path, error) from error
    if PROVIDERS[device] not in session.get_providers():
        raise ValueError(
            f"{path}: device {device} was asked for, but ONNX Runtime runs this model on "
            f"{', '.join(session.get_providers())}; install `mps-study[cuda]` or use device cpu"
        )
    return session


def is_out_of_memory(error: Exception) -> bool:
    """Whether ONNX Runtime failed because the device's memory is full."""
    said = str(error).lower()
    return any(sign in said for sign in ("out of memory", "failed to allocate", "smaller than requested bytes"))
