"""A run that was killed is not shown as running for ever, and one that waits is not ended."""

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
from dagster import DagsterRunStatus

from assets.lake import held, lake_root
from pipelines import resources
from pipelines.doctor import killed
from pipelines.jobs import REFRESH
from pipelines.resources import end_dead_runs


def _ours(instance: dg.DagsterInstance) -> dg.DagsterRun:
    """Return a run that has ended, in the part of the one that holds the lake."""

    @dg.job(name=REFRESH)
    def none() -> None: ...

    run = instance.get_run_by_id(none.execute_in_process(instance=instance).run_id)
    assert run is not None
    return run


def _statuses(instance: dg.DagsterInstance, run_id: str) -> DagsterRunStatus:
    run = instance.get_run_by_id(run_id)
    assert run is not None
    return run.status


def test_a_run_that_has_begun_and_holds_no_lake_is_dead(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MUSTER_LAKE", str(tmp_path))
    with dg.DagsterInstance.ephemeral() as instance:
        ours = _ours(instance)

        @dg.op
        def work(context: dg.OpExecutionContext) -> None:
            assert [where for _, where, _, _ in killed(instance)] == [f"run {context.run_id}"]
            with held(lake_root()):
                assert [*killed(instance)] == [], "a run is at work"
            assert end_dead_runs(instance, ours) == [context.run_id]
            assert _statuses(instance, context.run_id) == DagsterRunStatus.FAILURE
            assert end_dead_runs(instance, ours) == []
            assert [*killed(instance)] == []

        @dg.job(name=REFRESH)
        def refresh() -> None:
            work()

        assert refresh.execute_in_process(instance=instance).success


def test_a_run_that_waits_for_the_lake_is_alive() -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        ours = _ours(instance)

        @dg.resource
        def lake(context: dg.InitResourceContext) -> Iterator[str]:
            assert (
                _statuses(instance, str(context.run and context.run.run_id))
                == DagsterRunStatus.STARTED
            )
            assert end_dead_runs(instance, ours) == []
            yield "held"

        @dg.op(required_resource_keys={"lake"})
        def work() -> None: ...

        @dg.job(name=REFRESH, resource_defs={"lake": lake})
        def refresh() -> None:
            work()

        assert refresh.execute_in_process(instance=instance).success


def test_a_run_that_was_killed_before_it_began_is_dead_once_it_waited_too_long(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        ours = _ours(instance)

        @dg.job(name=REFRESH)
        def refresh() -> None: ...

        run_id = instance.create_run_for_job(refresh).run_id
        assert end_dead_runs(instance, ours) == []
        monkeypatch.setattr(resources, "_PATIENCE", -1)
        assert end_dead_runs(instance, ours) == [run_id]
        assert _statuses(instance, run_id) == DagsterRunStatus.FAILURE


def test_other_jobs_do_not_hold_the_lake_and_are_left_alone() -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        ours = _ours(instance)

        @dg.op
        def work() -> None:
            assert end_dead_runs(instance, ours) == []

        @dg.job
        def inventory() -> None:
            work()

        assert inventory.execute_in_process(instance=instance).success
