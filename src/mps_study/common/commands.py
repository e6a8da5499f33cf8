"""The `kedro run` that mends something, as it can be pasted: with the environment and the parameters of this run."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Typed:
    """What the user typed beside the pipelines: the environment, and `--params`, nested; and what was answered."""

    env: str | None = None
    params: Mapping[str, Any] = field(default_factory=dict)
    said: set[str] = field(default_factory=set)

    def begin(self, env: str | None, params: Mapping[str, Any]) -> None:
        """Another run begins, to which nothing has been said."""
        self.env, self.params = env, params
        self.said.clear()

    def first(self, line: str) -> bool:
        """Whether this line has not been said in the run before: several of its nodes may come upon the same."""
        new = line not in self.said
        self.said.add(line)
        return new


THIS_RUN = Typed()
"""Of the run of this process, set before its work begins; empty outside of a run."""


def kedro_run(*pipelines: str, typed: Typed = THIS_RUN, **params: str) -> str:
    """The command that runs these pipelines as this run was started; `params` replace its own.

    >>> kedro_run("metrics", "statistics", typed=Typed("paper", {"search": {"seed": 5}}), model="resnet152d")
    'kedro run --env paper --pipelines metrics,statistics --params search.seed=5,model=resnet152d'
    """
    given = dict(_flat(typed.params)) | params
    words = ["kedro", "run"]
    words += ["--env", typed.env] if typed.env else []
    words += ["--pipelines", ",".join(pipelines)] if pipelines else []
    words += ["--params", ",".join(f"{name}={value}" for name, value in given.items())] if given else []
    return shlex.join(words)


def _flat(params: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    """Dotted name and value of what `--params` can say: it takes no lists."""
    for name, value in params.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{above}{name}.")
        elif isinstance(value, bool) or value is None:
            yield f"{above}{name}", "null" if value is None else str(value).lower()
        elif isinstance(value, str | int | float):
            yield f"{above}{name}", value
