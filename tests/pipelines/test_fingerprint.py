"""Fingerprints of searches as they were when these lines were written: records of that day are found by them."""

from types import SimpleNamespace

import pandas as pd
import pytest

from mps_study import SearchConfig
from mps_study.models.export.card import ModelCard
from mps_study.models.inference.preprocessing import Preprocessing
from mps_study.mps.types import ENGINE_VERSION
from mps_study.pipelines.fingerprint import fingerprint

CARD = SimpleNamespace(fingerprint_facts={"digest": "abc"})
MANIFEST = pd.DataFrame({"image": ["a", "b"], "sha256": ["0" * 64, "1" * 64]})


def digest(**search):
    return fingerprint(CARD, SearchConfig(**search), MANIFEST).digest


@pytest.mark.parametrize(
    ("search", "known"),
    [
        ({}, "79592f74acccec31"),
        ({"cuts": "fraction", "iterations": 5, "keep_landscape": True}, "14f4269ee5117e1d"),
        ({"cuts": "fraction", "floors": [0.5, 0.9], "several": 3, "several_by": "spotlights"}, "18bba6e4a4ffc0f5"),
        ({"strategy": "minimal"}, "5ac0a2c91fda3771"),
        ({"strategy": {"kind": "minimal", "granularity": 2}, "seed": 7}, "26cd20cffe9f7f06"),
        ({"strategy": {"kind": "minimal", "granularity": 2}, "budget": 1000, "seed": 7}, "81a9811f67b8166f"),
        ({"strategy": "contrastive", "contrastive_threshold": 0.5, "baseline": {"kind": "blur"}}, "8288b6a4539727b5"),
        ({"ranking": "random", "curve_steps": 50, "baseline": [0.1, 0.2, 0.3]}, "2c56b42fca5eec00"),
    ],
)
def test_a_search_keeps_its_fingerprint(search, known):
    assert ENGINE_VERSION == 3, "another engine makes other records: write the new fingerprints down"
    assert digest(**search) == known


def test_all_parameters_stand_beside_what_the_fingerprint_is_made_of():
    facts = fingerprint(CARD, SearchConfig("minimal", seed=3), MANIFEST).facts
    assert facts["search"] == {"strategy": {"kind": "minimal"}, "seed": 3}
    assert facts["parameters"]["strategy"] == {"kind": "minimal", "granularity": 4}
    assert facts["parameters"]["seed"] == 3 and facts["parameters"]["budget"] is None


def test_whatever_can_change_a_record_makes_another_fingerprint(tmp_path, monkeypatch):
    noise = tmp_path / "noise.png"
    noise.write_bytes(b"one")
    card = ModelCard(
        name="m", architecture="A", timm=None, weights="x", classes=2, class_names="sample", opset=20, digest="d",
        request="r", parity=None, preprocessing=Preprocessing(input_size=8),
    )  # fmt: skip
    search = SearchConfig(baseline={"kind": "image", "path": str(noise)})
    first = fingerprint(card, search, MANIFEST).digest
    others = [
        (card.model_copy(update={"digest": "e"}), search, MANIFEST),
        (card.model_copy(update={"preprocessing": Preprocessing(input_size=8, crop_pct=1.0)}), search, MANIFEST),
        (card.model_copy(update={"output": "probabilities"}), search, MANIFEST),
        (card, SearchConfig(seed=1, baseline=search.baseline), MANIFEST),
        (card, search, MANIFEST.assign(sha256=MANIFEST["sha256"][::-1].to_numpy())),
        (card, search, MANIFEST[:1]),
    ]
    digests = [fingerprint(*each).digest for each in others]
    noise.write_bytes(b"two")
    digests.append(fingerprint(card, search, MANIFEST).digest)
    noise.write_bytes(b"one")
    same = card.model_copy(update={"name": "n", "request": "s", "throughput": {}, "weights": "y"})
    assert fingerprint(same, search, MANIFEST).digest == first
    monkeypatch.setattr("mps_study.pipelines.fingerprint.ENGINE_VERSION", ENGINE_VERSION + 1)
    digests.append(fingerprint(card, search, MANIFEST).digest)
    assert len({first, *digests}) == len(others) + 3
