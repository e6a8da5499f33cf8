"""Whether the weights that a study takes from the Hugging Face hub can be had, before any work."""

from __future__ import annotations

from collections.abc import Mapping

from huggingface_hub import constants, hf_hub_url, try_to_load_from_cache
from huggingface_hub.utils import get_session  # type: ignore[attr-defined]

from mps_study.models.roster.roster import ModelEntry
from mps_study.models.roster.timm_names import timm_fault

FILES = ("model.safetensors", "pytorch_model.bin")
"""What timm asks the hub for, in this order, where a model's own configuration names no file."""

PATIENCE = 5.0
"""Seconds to wait for the hub."""


def hub_fault(entries: Mapping[str, ModelEntry]) -> str | None:
    """One line if some weights are neither in the local cache of the hub nor to be had from it; None otherwise.

    The hub is asked only if weights are missing, for one small file of the first of them. Models that timm does not
    have are another fault: `timm_names.timm_fault`.
    """
    known = {name: entry for name, entry in entries.items() if timm_fault(name, entry) is None}
    missing = {name: repository for name, entry in known.items() if (repository := _missing(entry))}
    if not missing:
        return None
    why = _no_access(next(iter(missing.values())))
    if why is None:
        return None
    names = list(missing)
    listed = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
    typed = f"`--params models.{names[0]}.weights=file:PATH`"
    where = typed if "." not in names[0] else "beside its `timm:`, in conf/*/parameters*.yml"
    return (
        f"no Hugging Face hub: {why}, and its cache here ({constants.HF_HUB_CACHE}) has no weights of {listed}; check "
        "the network, copy that cache from a machine that has them, or give `weights: file:PATH` in the roster "
        f"({where})"
    )


def from_the_hub(entry: ModelEntry) -> bool:
    """Whether the entry's weights, or those that its fine-tuning starts from, come from the hub."""
    return entry.timm is not None and entry.weights in ("hub", "fine_tuned:hub")


def _missing(entry: ModelEntry) -> str | None:
    """The hub's repository of the entry's weights, unless they are cached or come from elsewhere."""
    if entry.timm is None or not from_the_hub(entry):
        return None
    import timm  # takes seconds, and may be absent where nothing comes from there

    config = timm.get_pretrained_cfg(entry.timm)
    if config is None or not config.hf_hub_id:
        return None
    repository, _, revision = config.hf_hub_id.partition("@")
    files = (config.hf_hub_filename,) if config.hf_hub_filename else FILES
    cached = (try_to_load_from_cache(repository, file, revision=revision or None) for file in files)
    return None if any(isinstance(path, str) for path in cached) else str(repository)


def _no_access(repository: str) -> str | None:
    """Why the hub does not answer for a repository; None if it does."""
    if constants.HF_HUB_OFFLINE:
        return "HF_HUB_OFFLINE is set"
    try:
        answer = get_session().head(hf_hub_url(repository, "config.json"), timeout=PATIENCE)
    except Exception as error:  # the hub's HTTP client, and its exceptions, differ between versions
        return f"{constants.ENDPOINT} does not answer ({type(error).__name__}: {' '.join(str(error).split())})"
    if answer.status_code >= 400:
        return f"{constants.ENDPOINT} answers {answer.status_code} for {repository}"
    return None
