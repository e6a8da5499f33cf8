"""A stage is held from its first node to its last, also where nodes of several stages run at a time."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from click import ClickException
from kedro.pipeline import node

from mps_study.datasets.claims import ClaimedError, Claims
from mps_study.hooks.guards import ClaimHooks, stage_of


@pytest.fixture
def catalog(tmp_path):
    """A catalog that has the claims of an empty study."""

    class Catalog:
        def load(self, name):
            return {"claims": Claims(tmp_path / "claims")}[name]

    return Catalog()


def of(stage, *tags):
    """A node of a stage."""
    return node(lambda: 1, None, "one", name="make_one", namespace=stage, tags=tags)


def held(catalog, *stages):
    """Those of the stages that another process could not work on."""
    found = []
    for stage in stages:
        try:
            with catalog.load("claims").claim(stage):
                pass
        except ClaimedError:
            found.append(stage)
    return found


def test_a_stage_is_left_when_its_thread_moves_on_and_all_are_when_the_run_ends(catalog):
    hooks = ClaimHooks()
    stages = ("metrics", "statistics", "reporting")
    with ThreadPoolExecutor(1) as first, ThreadPoolExecutor(1) as second:
        first.submit(hooks.before_node_run, of("metrics"), catalog).result()
        second.submit(hooks.before_node_run, of("statistics"), catalog).result()
        assert held(catalog, *stages) == ["metrics", "statistics"]
        first.submit(hooks.before_node_run, of("reporting"), catalog).result()
        assert held(catalog, *stages) == ["statistics", "reporting"]
        hooks.after_pipeline_run()  # by a thread that claimed none of them
        assert held(catalog, *stages) == []


def test_two_nodes_of_a_stage_at_a_time_hold_it_once_and_another_process_is_refused(catalog):
    hooks = ClaimHooks()
    with ThreadPoolExecutor(1) as first, ThreadPoolExecutor(1) as second:
        for thread in (first, second):
            thread.submit(hooks.before_node_run, of("metrics"), catalog).result()
        first.submit(hooks.before_node_run, of("mps_extraction"), catalog).result()
        assert held(catalog, "metrics", "mps_extraction") == ["metrics"]  # the search claims model by model
    with pytest.raises(ClickException, match="metrics is held by process"):
        ClaimHooks().before_node_run(of("metrics"), catalog)
    hooks.on_pipeline_error()
    assert held(catalog, "metrics") == []


def test_the_stage_is_the_namespace_and_tags_are_the_users(catalog):
    assert stage_of(of("metrics", "mine", "slow")) == "metrics"
    assert stage_of(of("metrics.of_mine")) == "metrics"
    assert stage_of(of(None, "mine")) == ""
    ClaimHooks().before_node_run(of(None, "mine"), catalog)
