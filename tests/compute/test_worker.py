"""What a worker does with a unit that did not arrive as it was sent."""

import hashlib
from dataclasses import replace

import numpy as np
from jobs_of import REX, job_of, png
from onnx_models import SIDE

from mps_study import SearchConfig
from mps_study.compute.on_dask.worker import Sent, digest_of_map, search_unit
from mps_study.mps.types import FOUND


def test_an_image_or_a_map_that_changed_on_the_way_is_refused(tmp_path):
    job = job_of(tmp_path, search=SearchConfig(ranking="given", chunk_size=2, keep_landscape=True))
    values = np.arange(SIDE * SIDE, dtype=np.float32).reshape(SIDE, SIDE)
    sent = Sent("a", hashlib.sha256(png(1)).hexdigest(), png(1), values, digest_of_map(values))
    (record,) = search_unit("run", job, [sent], None).found.records
    assert record.status == FOUND and np.array_equal(record.landscape, values)
    for changed, said in (
        ({"content": png(2)}, "an image did not arrive"),
        ({"map": values + 1}, "a map did not arrive"),
        ({"map": values.T}, "a map did not arrive"),
        ({"map": values.reshape(1, -1)}, "a map did not arrive"),
        ({"map": None}, "a map did not arrive"),
    ):
        answer = search_unit("run", job, [sent._replace(**changed)], None)
        assert answer.found is None and said in str(answer.error)


def test_a_map_that_no_search_reads_changes_nothing(tmp_path):
    job = job_of(tmp_path, search=replace(REX, seed=3))
    values = np.zeros((SIDE, SIDE), dtype=np.float32)
    plain = Sent("a", hashlib.sha256(png(1)).hexdigest(), png(1))
    with_map = plain._replace(map=values, map_sha256=digest_of_map(values))
    one, other = (search_unit("run", job, [sent], None).found.records[0] for sent in (plain, with_map))
    assert np.array_equal(one.mask, other.mask) and one.evaluations == other.evaluations
