"""A project of its own in a temporary folder: the real conf and source, a small study."""

from pathlib import Path

import pytest
import yaml
from kedro.framework.session import KedroSession
from kedro.framework.startup import bootstrap_project

ROOT = Path(__file__).parents[2]
MODELS = ("convnext_v1", "convnext_v2", "resnet_b", "resnet_v2")


def make_project(folder: Path) -> Path:
    """Copy conf, link the source, and shrink the miniature study to four models and twelve images."""
    (folder / "src").mkdir(parents=True)
    (folder / "src/mps_study").symlink_to(ROOT / "src/mps_study")
    (folder / "pyproject.toml").write_text((ROOT / "pyproject.toml").read_text())
    for source in (ROOT / "conf").rglob("*.yml"):
        target = folder / source.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(source.read_text())
    (folder / "conf/local").mkdir(exist_ok=True)
    miniature = folder / "conf/miniature"
    parameters = yaml.safe_load((miniature / "parameters.yml").read_text())
    for half in ("labelled", "unlabelled"):
        parameters["data_sampling"][half]["n"] = 6
    parameters["search"] |= {"iterations": 2, "tree_depth": 3}
    (miniature / "parameters.yml").write_text(yaml.safe_dump(parameters, sort_keys=False))
    models = yaml.safe_load((miniature / "parameters_models.yml").read_text())
    models["models"] = {name: models["models"][name] for name in MODELS}
    models["fine_tuning"] |= {"epochs": 3}
    (miniature / "parameters_models.yml").write_text(yaml.safe_dump(models, sort_keys=False))
    return folder


def kedro_run(project: Path, env: str = "miniature", pipelines: list[str] | None = None, **params):
    """`kedro run --env ENV --pipelines ... --params ...` in this process."""
    bootstrap_project(project)
    with KedroSession.create(project_path=project, env=env, runtime_params=params) as session:
        return session.run(pipeline_names=pipelines)


def table(project: Path, name: str, study: str = "miniature"):
    """The newest version of a frame."""
    import pandas as pd

    return pd.read_parquet(sorted((project / "data" / study).rglob(f"{name}.parquet/*/*.parquet"))[-1])


@pytest.fixture(scope="session")
def project(tmp_path_factory, request):
    """A project whose small study has run once, from nothing to the report."""
    folder = make_project(tmp_path_factory.mktemp("study") / "project")
    patch = pytest.MonkeyPatch()
    patch.chdir(folder)
    patch.setenv("DO_NOT_TRACK", "true")
    request.addfinalizer(patch.undo)
    kedro_run(folder)
    return folder
