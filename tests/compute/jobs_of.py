"""Jobs of small models and pictures, and what may happen to a unit on a worker."""

import hashlib
import io
import os
import signal
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
from onnx_models import CLASSES, SIDE, write_model
from PIL import Image

from mps_study import SearchConfig
from mps_study.common.digests import digest_of_files
from mps_study.compute.asking import Asking
from mps_study.compute.jobs import Found, Job, Work
from mps_study.compute.on_dask.worker import Answer, search_unit
from mps_study.compute.reading import Reader
from mps_study.models.export.card import ModelCard
from mps_study.models.export.exported import files_of
from mps_study.models.inference.preprocessing import Preprocessing
from mps_study.mps.types import FOUND, MpsRecord, Target

REX = SearchConfig(iterations=2, tree_depth=3, min_box_size=2, chunk_size=2)
MINIMAL = SearchConfig("minimal", granularity=1)


def png(seed):
    """The bytes of a picture of noise."""
    buffer = io.BytesIO()
    noise = np.random.default_rng(seed).integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)
    Image.fromarray(noise).save(buffer, "PNG")
    return buffer.getvalue()


def job_of(folder: Path, name="m", search=REX, external=None, **asking):
    """A job of a linear model, whose file is written there."""
    path = folder / f"{name}.onnx"
    if not path.exists():
        write_model(path, external=external)
    card = ModelCard(
        name=name,
        architecture="A",
        timm=None,
        weights="random:0",
        classes=CLASSES,
        class_names="sample",
        preprocessing=Preprocessing(input_size=SIDE, crop_pct=1.0),
        opset=20,
        digest=digest_of_files(*files_of(path)),
        request="",
        parity=None,
    )
    asked = {"device": "cpu", "batch_size": 4, "workers": 1} | asking
    return Job(name, card, path, search, Asking(**asked))


def work_of(job, contents, seconds=1.0):
    """The work of a job on pictures, image -> bytes."""
    digests = {image: hashlib.sha256(content).hexdigest() for image, content in contents.items()}
    return Work(job, len(contents), Reader(contents, [(i, i) for i in contents], digests), seconds=seconds)


def pictures(n, start=0):
    """Image -> bytes of n pictures."""
    return {f"image {i:03d}": png(i) for i in range(start, start + n)}


def all_of(runner, works):
    """Records by job and image, and errors by job."""
    records, errors = {}, {}
    with runner:
        for found in runner.run(works):
            for record in found.records:
                assert (found.job, record.key) not in records, "an image was searched twice"
                records[found.job, record.key] = record
            if found.error:
                errors[found.job] = found.error
    return records, errors


def same(a, b):
    """Records equal to the bit."""
    assert a.keys() == b.keys()
    for key, one in a.items():
        for array in ("mask", "landscape"):
            assert np.array_equal(getattr(one, array), getattr(b[key], array)), key
        assert repr(replace(one, mask=None, landscape=None)) == repr(replace(b[key], mask=None, landscape=None))


def kill_myself():
    """As a machine that is switched off."""
    os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(60)


def killed_once(run, job, images, targets):
    """The first unit that is begun anywhere takes its worker with it."""
    try:
        Path(job.model).with_suffix(".begun").touch(exist_ok=False)
    except FileExistsError:
        return search_unit(run, job, images, targets)
    kill_myself()


def killed_by_poison(run, job, images, targets):
    """A unit with the picture `image 005` takes its worker with it."""
    if any(sent.image == "image 005" for sent in images):
        kill_myself()
    return search_unit(run, job, images, targets)


def without_disk(run, job, images, targets):
    """As on a machine that does not have the client's disk."""
    return search_unit(run, replace(job, model=Path("/elsewhere") / job.model.name), images, targets)


def slowly(run, job, images, targets):
    """A tenth of a second an image, and nothing is searched."""
    time.sleep(0.1 * len(images))
    nothing = [MpsRecord(sent.image, FOUND, "", Target(0, 1.0), None, 1.0, 1, 1) for sent in images]
    return Answer(Found(job.name, nothing), seconds=0.1 * len(images))
