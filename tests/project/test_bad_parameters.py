"""Every key of conf, fed with everything that it is not: one line a fault, before any work, nothing written."""

import copy
import math
from pathlib import Path

import pytest
from click import ClickException
from hypothesis import given, settings
from hypothesis import strategies as st
from omegaconf import OmegaConf
from small_project import kedro_run, make_project

from mps_study.project.configuration import StudyConfigLoader, yaml_fault
from mps_study.project.parameters import ParameterError, check_parameters

CONF = Path(__file__).parents[2] / "conf"
OWN = {"architecture": "A", "onnx": "m.onnx", "classes": 10, "preprocessing": {"crop_pct": 0.9, "std": [1.0, 1.0, 1.0]}}


def read(env):
    """The parameters of an environment, as a run reads them."""
    return StudyConfigLoader(str(CONF), env=env, base_env="base", default_run_env="local")["parameters"]


BASE = dict(sorted(read("base").items()))  # Kedro reads the files of an environment in any order
BASE["models"] = {name: BASE["models"][name] for name in (*BASE["compared"], "convnext_huge")} | {"own": OWN}
BASE["metrics"]["fine_tuned_accuracy"] = {"efficientnet_lite0": 0.9}
BASE["search"] |= {
    "ranking": "responsibility", "confidence_floor": 0.0, "several": 1, "several_by": "forbidding", "overlap": 0.0,
    "curve_steps": 0, "budget": 1000, "target": "top-1", "anytime": False, "prune": False, "prune_granularity": 4,
}  # fmt: skip
BASE["fine_tuning"] |= {"shift": 0.1, "rotation": 5.0, "flip": True, "layer_decay": 0.9, "bfloat16": False}


def leaves(values, path=()):
    """(path, value) of everything that is no mapping."""
    for key, value in values.items():
        yield from leaves(value, (*path, key)) if isinstance(value, dict) and value else [((*path, key), value)]


def groups(values, path=()):
    """The paths of all mappings."""
    for key, value in values.items():
        if isinstance(value, dict):
            yield (*path, key)
            yield from groups(value, (*path, key))


def put(path, value):
    """The parameters with one of them set."""
    parameters = copy.deepcopy(BASE)
    place = parameters
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return parameters


def refused(parameters):
    """The lines of the refusal."""
    with pytest.raises(ParameterError) as error:
        check_parameters(parameters)
    lines = str(error.value).split("\n")
    assert all(line.strip() and "Traceback" not in line and "object at 0x" not in line for line in lines)
    return lines


JUNK = {
    "nested": {"a": {"b": [1]}},
    "list": [[1], {}],
    "negative": -1,
    "NaN": math.nan,
    "infinite": math.inf,
    "minus infinite": -math.inf,
    "true": True,
    "null": None,
    "text": "juNk",
    "number as text": "1",
    "fraction": 2.5,
    "number": 7,
}
# What each key takes of the junk: the rest is wrong for it.
NUMBERS = {"number", "negative", "fraction"}
TAKEN = {
    "title": {"text", "number as text"},
    "architecture": {"text", "number as text"},
    "model": {"null"}, "only_search": {"null"},
    "unlabelled": {"null"},
    "training": {"null"},
    "batch_size": {"number", "null"},
    "workers": {"number", "null"},
    "cluster": {"null"}, "cluster_workers": {"number", "null"}, "shard": {"null"},
    "budget": {"number", "null"},
    "n": {"number"},
    "seed": {"number"},
    "baseline": {"number", "negative", "fraction"},
    "margin_tolerance": {"number", "fraction"},
    "tolerance": {"number", "fraction"},
    "weight_decay": {"number", "fraction"},
    "rotation": {"number", "fraction"},
    "learning_rate": {"number", "fraction"},
    "probe_learning_rate": {"number", "fraction"},
    "max_failed_share": set(), "heat_map": {"number"},
    "searches": {"null"}, "repetitions": {"number"}, "cross": {"true"}, "tile": {"number"},
    "all_up_to": {"number"}, "most": {"number"}, "orders": {"number"},
    "anytime": {"true"}, "prune": {"true"},
    "weighted": {"true"}, "keep_landscape": {"true"}, "flip": {"true"}, "bfloat16": {"true"},
    **{name: {"number"} for name in (
        "iterations", "tree_depth", "min_box_size", "chunk_size", "queue_len", "several", "curve_steps", "granularity",
        "prune_granularity",
        "epochs", "probe_epochs", "patience", "parity_images", "in_flight", "shard_size", "resamples", "min_n",
        "classes",
    )},
    "match": {"text", "number as text", "null"},
    "target": {"number", "text", "number as text"},
    "class_names": {"text", "number as text", "null"},  # a file, which is read when a run needs it
    "figure_images": set(), "onnx": {"text", "number as text"}, "timm": {"text", "number as text"},
}  # fmt: skip
# null for a model's `timm` or `onnx` leaves it with neither; timm is asked for its names when a run needs them.
KEYS = [path for path, _ in leaves(BASE)]


@pytest.mark.parametrize("junk", JUNK)
@pytest.mark.parametrize("path", KEYS, ids=[".".join(path) for path in KEYS])
def test_every_key_refuses_what_it_is_not_in_one_line_that_names_it(path, junk):
    key = path[-1]
    if path[0] == "fine_tuning" and key == "batch_size":
        taken = {"number"}
    elif path[:2] == ("metrics", "fine_tuned_accuracy"):
        taken = set()
    else:
        taken = TAKEN.get(key, set())
    parameters = put(path, JUNK[junk])
    if junk in taken:
        check_parameters(parameters)
        return
    lines = refused(parameters)
    assert len(lines) == 1 or isinstance(JUNK[junk], list)  # a list has a fault an item
    assert all((key if path[0] != "models" else path[1]) in line or path[0] in line for line in lines)


def test_what_is_taken_is_spelt_in_yaml_as_in_this_table():
    assert set(TAKEN) <= {key for path in KEYS for key in path} | {"unlabelled"}


@pytest.mark.parametrize("path", [(), *groups(BASE)], ids=[".".join(path) for path in [("top",), *groups(BASE)]])
@pytest.mark.parametrize("key", ["itteration", 5, None, "", "a.b"])
def test_an_unknown_key_is_an_error_at_every_depth(path, key):
    if path[-1:] == ("arguments",):
        pytest.skip("these are timm's")
    parameters = put((*path, key), 1)
    lines = refused(parameters)
    assert len(lines) == 1 and str(key) in lines[0]


@pytest.mark.parametrize(
    ("path", "message"),
    [
        (("serach",), "did you mean 'search'?"),
        (("search", "iteratons"), "did you mean 'search.iterations'?"),
        (("data_sampling", "unlabeled"), "did you mean 'data_sampling.unlabelled'?"),
        (("data_sampling", "labelled", "sorce"), "did you mean 'data_sampling.labelled.source'?"),
        (("data_sampling", "labelled", "source", "paht"), "image source photos has no argument 'paht'; it takes none"),
        (("models", "own", "weigths"), "did you mean 'models.own.weights'?"),
        (("models", "own", "preprocessing", "crop_pc"), "did you mean 'models.own.preprocessing.crop_pct'?"),
        (("reporting", "figure_images", "galery"), "did you mean 'reporting.figure_images.gallery'?"),
        (("statistics", "alfa"), "did you mean 'statistics.alpha'?"),
        (("metrics", "fine_tuned_accuracy", "efficientnet_lite9"), "did you mean 'efficientnet_lite"),
    ],
)
def test_an_unknown_key_is_answered_with_the_nearest(path, message):
    (line,) = [line for line in refused(put(path, "x")) if "unknown" in line or "no argument" in line]
    assert message in line


@pytest.mark.parametrize("path", list(groups(BASE)), ids=[".".join(path) for path in groups(BASE)])
@pytest.mark.parametrize("junk", ["text", 3, [1], True, math.nan])
def test_a_group_that_is_none_is_refused(path, junk):
    if path[-1] == "baseline":
        pytest.skip("takes a number")
    assert len(refused(put(path, junk))) == 1


@pytest.mark.parametrize("path", [path for path in KEYS if path[0] == "fine_tuning"] + [(key,) for key in BASE])
def test_a_key_that_is_missing_is_named(path):
    parameters = copy.deepcopy(BASE)
    del (parameters[path[0]] if len(path) > 1 else parameters)[path[-1]]
    if path[-1] in ("model", "only_search", "shard", "shift", "rotation", "flip", "layer_decay", "bfloat16"):
        check_parameters(parameters)
    else:
        (line,) = refused(parameters)
        assert path[-1] in line and "is missing" in line


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (("search", "seed"), 2**32 - 4, "search.seed is 4294967292; use one that stays below 2"),
        (("search", "baseline"), 1e39, "search.baseline is 1e+39; use a number"),
        (("search", "baseline"), 10**400, "use a number"),
        (("search", "baseline"), {"kind": "blur", "sigma": math.nan}, "sigma is a share"),
        (("search", "baseline"), {"kind": "image", "path": "nowhere.png"}, "there is no file nowhere.png"),
        (("search", "baseline"), {"kind": "image", "path": str(CONF / "base/parameters.yml")}, "none of the formats"),
        (("search", "floors"), [0.5, math.nan], "search.floors is nan"),
        (("search", "granularity"), 4, "search.granularity is not read by the strategy rex with the ranking"),
        (("search", "strategy"), {"kind": "minimal", "granularity": 0}, "search.granularity is 0; use a whole number"),
        (("search", "strategy"), {"kind": "minimal", "granularty": 4}, "did you mean 'granularity'?"),
        (("search", "strategy"), {"kind": "rex", "iterations": 4}, "search.iterations is given twice"),
        (("search", "strategy"), {"granularity": 4}, "use one of rex, contrastive, complete, minimal"),
        (("search",), {"ranking": "given"}, "search.ranking is 'given', but says not where the maps lie; write {kind:"),
        (("search",), {"ranking": {"kind": "given", "path": "nowhere"}}, "search.ranking: there is no folder nowhere"),
        (
            ("search",),
            {"strategy": {"kind": "sag", "guide": "given"}},
            "search.guide is 'given', but a study hands no maps",
        ),
        (("search",), {"ranking": {"kind": "given", "path": 3}}, "search.path is 3; use the path of a folder"),
        (("search",), {"ranking": {"kind": "rise", "mask": 3}}, "rise has no parameter 'mask'; did you mean 'masks'?"),
        (
            ("search",),
            {"ranking": {"kind": "lime", "samples": 0}},
            "search.samples is 0; use a whole",
        ),
        (("statistics", "against"), ["minimla"], "search 'minimla' is unknown; did you mean 'minimal_half'?"),
        (("statistics", "against"), "minimal", "statistics.against is 'minimal'; use a list of names of searches"),
        (("search", "ranking"), {"kind": "random", "seed": 4}, "random has no parameter 'seed'"),
        (("models",), {}, "parameter 'models': Dictionary should have at least 1 item"),
        (("models", "../evil"), OWN, "models.../evil"),
        (("models", "new\nline"), OWN, "use letters, digits, spaces and _ . + - in it"),
        (("models", "o'clock"), OWN, "use letters, digits, spaces and _ . + - in it"),
        (("models", "Own"), OWN, "models 'own' and 'Own' would have the same files on macOS and Windows; rename one"),
        (("models", "CON"), OWN, "this one is a device on Windows; use another"),
        (("models", "lpt1.v2"), OWN, "this one is a device on Windows; use another"),
        (("models", "a."), OWN, "Windows drops a space or dot at the end; leave it out"),
        (("models", "b "), OWN, "Windows drops a space or dot at the end; leave it out"),
        (("models", "own", "preprocessing", "mean"), [0.5], "mean has 1 numbers and std 3; give each three"),
        (("models", "own", "preprocessing", "std"), [0.5, 0.0, 0.5], "greater than 0"),
        (("models", "own", "preprocessing", "std"), [58.4, 57.1, 57.4], "models.own.preprocessing.std reaches 58.4"),
        (("models", "own", "preprocessing", "mean"), [123.7, 116.3, 103.5], "give `scale: 255`, else divide both by"),
        (("models", "own", "preprocessing", "input_size"), [32, 0], "use sides from 1 to 10000 pixels"),
        (("models", "own", "preprocessing", "channels"), "rgba", "'rgb' or 'bgr'"),
        (
            ("models", "own", "output"),
            "scores",
            "output 'scores' is unknown; known: logits, multi_label_logits, probabilities, sigmoid",
        ),
        (
            ("searches", "Minimal_half"),
            {"seed": 1},
            "'Minimal_half' would have the same files on macOS",
        ),
        (
            ("searches", "nul"),
            {"seed": 1},
            "becomes that of files: this one is a device on Windows",
        ),
        (("search", "target"), "label", "set minimum_confidence_threshold or confidence_floor above 0"),
        (("models", "efficientnet_lite0", "weights"), "random:x", "should be `random` or `random:SEED`"),
        (("models", "efficientnet_lite0", "weights"), "file:", "should be `file:PATH`"),
        (("models", "efficientnet_lite0", "weights"), "package:../x", "should be `package:NAME`"),
        (("models", "efficientnet_lite0", "weights"), "fine_tuned:random:x", "should be `random` or"),
        (("data_sampling", "labelled", "source"), {"kind": "folder", "path": 5}, "path is 5; use text"),
        (("data_sampling", "labelled", "source"), {"kind": "folder", "path": None}, "path is None; use text"),
        (("data_sampling", "training"), {"kind": "fodler"}, "data_sampling.training: image source 'fodler' is unknown"),
        (("compared",), "own", "parameter 'compared' is 'own'; list names of the roster, each once"),
        (("compared",), ["own", "own"], "parameter 'compared' is ['own', 'own']; list names of the roster, each once"),
        (("compared",), ["own", "convnext_hug"], "model 'convnext_hug' is unknown; did you mean 'convnext_huge'?"),
        (("model",), "convnext_hug", "model 'convnext_hug' is unknown; did you mean 'convnext_huge'?"),
        (("imagenet",), 5, "parameter 'imagenet' is 5; use the path of a folder"),
        (("caltech256",), None, "parameter 'caltech256' is None; use the path of a folder"),
    ],
)
def test_what_only_a_range_or_another_value_makes_wrong_is_refused_too(path, value, message):
    (line,) = [line for line in refused(put(path, value)) if "metrics.fine_tuned_accuracy names" not in line]
    assert message in line


def test_a_sample_of_no_image_is_refused():
    parameters = put(("data_sampling", "labelled", "n"), 0)
    parameters["data_sampling"]["unlabelled"] = None
    assert refused(parameters) == ["data_sampling draws no image; raise labelled.n or unlabelled.n"]


@pytest.mark.parametrize("env", ["miniature", "paper", "paper_caltech256"])
def test_the_parameters_of_every_environment_are_valid(env):
    check_parameters(read(env))


KEY = st.sampled_from([".".join(path) for path in KEYS])
SCALAR = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
VALUE = st.recursive(
    SCALAR, lambda each: st.lists(each, max_size=3) | st.dictionaries(SCALAR, each, max_size=3), max_leaves=6
)


@settings(max_examples=100, deadline=None)
@given(key=KEY, value=VALUE)
def test_any_value_at_any_key_is_taken_or_refused_and_nothing_else(key, value):
    try:
        check_parameters(put(tuple(key.split(".")), value))
    except ParameterError as error:
        assert str(error).strip()


TEXT = (CONF / "base/parameters.yml").read_bytes()


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_a_broken_file_of_conf_is_read_or_answered_in_one_line(tmp_path_factory, data):
    content = bytearray(TEXT[: data.draw(st.integers(0, len(TEXT)))])
    for _ in range(data.draw(st.integers(1, 5))):
        at = data.draw(st.integers(0, len(content)))
        junk = st.binary(max_size=3) | st.text("{}[]:,#&*!|>'\"%@`-? \n\t0", max_size=4).map(str.encode)
        content[at : at + data.draw(st.integers(0, 3))] = data.draw(junk)
    file = tmp_path_factory.getbasetemp() / "parameters.yml"
    file.write_bytes(content)
    fault = yaml_fault(file)
    if fault is not None:
        assert str(file) in fault and "\n" not in fault
        return
    values = OmegaConf.to_container(OmegaConf.load(file)) or {}
    try:
        check_parameters(values)
    except ParameterError as error:
        assert str(error).strip()


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """A project."""
    return make_project(tmp_path_factory.mktemp("conf") / "project")


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("base/parameters.yml", b"search: {iterations: 3\nmodel: x", "base/parameters.yml is broken YAML; mend line 2"),
        ("miniature/parameters.yml", b"a: 1\n\tb: 2\n", "miniature/parameters.yml is broken YAML; mend line 2"),
        ("base/parameters.yml", b"model: a\nmodel: b\n", "found duplicate key model"),
        ("base/parameters.yml", b"- a\n- b\n", "holds a list or a text; it must be a mapping"),
        ("base/parameters.yml", b"just text", "holds a list or a text"),
        ("base/parameters.yml", b"\xff\xfe\x00", "cannot be read as YAML"),
        ("base/parameters.yml", b"model: *nothing", "found undefined alias"),
        ("base/parameters.yml", b"model: ${nowhere}", "Interpolation key 'nowhere' not found"),
        ("base/globals.yml", b"study: [", "globals.yml is broken YAML"),
        ("base/catalog.yml", b"images: {type: ", "catalog.yml is broken YAML"),
        ("local/parameters_two.yml", b"x: !!python/object:os.system 5", "local/parameters_two.yml"),
        ("base/parameters_two.yml", b"model: a", "Duplicate keys found in"),
    ],
)
def test_broken_yaml_is_one_line_with_its_file_and_nothing_is_written(study, monkeypatch, file, content, message):
    monkeypatch.chdir(study)
    path = study / "conf" / file
    before = path.read_bytes() if path.exists() else None
    path.write_bytes(content)
    try:
        with pytest.raises(ClickException) as error:
            kedro_run(study, env="miniature" if file.startswith("miniature") else "local")
    finally:
        path.write_bytes(before) if before is not None else path.unlink()
    assert message in error.value.message and "\n" not in error.value.message
    assert error.value.exit_code == 1
    assert not (study / "data").exists() and not (study / "mlflow.db").exists()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"strategy": "minimla"}, "searches.other.strategy is 'minimla'; use one of"),
        (
            {"iteratons": 5},
            "parameter 'searches.other.iteratons' is unknown; did you mean 'searches.other.iterations'?",
        ),
        ({"minimum_confidence_threshold": 2}, "searches.other.minimum_confidence_threshold is 2; use a number"),
        (
            {"baseline": {"kind": "image", "path": "nowhere.png"}},
            "searches.other.baseline: there is no file nowhere.png",
        ),
        ({"ranking": "given"}, "searches.other.ranking is 'given', but says not where the maps lie"),
        ({"ranking": "rize"}, "searches.other.ranking is 'rize'; use one of responsibility"),
        ("minimal", "parameter 'searches.other' is 'minimal'; name what differs from `search`"),
    ],
)
def test_a_fault_of_a_further_search_names_the_search_and_the_key(changes, message):
    (line,) = refused(put(("searches", "other"), changes))
    assert line.startswith(message)


def test_a_search_of_the_studys_own_name_is_refused():
    (line,) = refused(put(("searches", "study"), {"seed": 1}))
    assert line == "a search is called 'study', but that is the study's own, `search`; give it another name"


def test_a_fault_of_the_studys_own_search_is_told_once():
    (line,) = refused(put(("search", "seed"), -1))
    assert line.startswith("search.seed is -1")
