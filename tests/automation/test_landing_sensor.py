"""One run for what has arrived; another try only after a failure that can pass."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import polars as pl
import pytest

from assets.declare import TakeIn, retried
from assets.intake.raw_store import RawStore
from assets.lake import Lake, held, state_key
from pipelines.definitions import defs
from pipelines.jobs import QUEUES, REFRESH, evaluate
from schemas.collection import Collection
from schemas.errors import BusyError, ContractError, LakeError, UnavailableError
from tests.automation.conftest import drop


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as opened:
        yield opened


class Looking:
    """The sensor as the daemon runs it: the cursor goes from one look to the next."""

    def __init__(self, collection: Collection, instance: dg.DagsterInstance) -> None:
        self.collection, self.instance = collection, instance
        self.cursor: str | None = None
        self.began = time.time()

    def at(self, now: float) -> dg.RunRequest | str:
        """Return what is asked for, or why nothing is."""
        result = evaluate(self.collection, self.instance, self.cursor, self.began + now)
        self.cursor = result.cursor
        if result.run_requests:
            (request,) = result.run_requests
            return request
        assert result.skip_reason is not None
        return str(result.skip_reason.skip_message)

    def asked(self, now: float) -> dg.RunRequest:
        request = self.at(now)
        assert isinstance(request, dg.RunRequest), request
        return request


@pytest.fixture
def looking(collection: Collection, instance: dg.DagsterInstance) -> Looking:
    return Looking(collection, instance)


def _end(instance: dg.DagsterInstance, request: dg.RunRequest, error: Exception | None) -> None:
    """Record a run of a request that ended well, or by an error."""

    @dg.op
    def intake(config: TakeIn) -> None:
        del config
        with retried():
            if error:
                raise error

    @dg.job
    def refresh() -> None:
        intake()

    tags = {**request.tags, "dagster/partition": str(request.partition_key)}
    refresh.execute_in_process(
        run_config=request.run_config, instance=instance, tags=tags, raise_on_error=False
    )


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("assets.declare._PAUSE", 0)


def test_one_run_takes_all_that_has_settled_and_nothing_else(lake: Lake, looking: Looking) -> None:
    one, two = drop(lake.landing, "a.xlsx", "one"), drop(lake.landing, "b.xlsx", "two")
    assert looking.at(0) == "not settled yet: 2 files"
    request = looking.asked(20)
    assert request.partition_key == "2012-revisit"
    assert QUEUES.items() <= request.tags.items(), "it waits for its turn in the lake"
    only = request.run_config["ops"]["intake"]["config"]["only"]
    assert set(only) == {state_key(one), state_key(two)}
    steps = defs.resolve_job_def(REFRESH).graph.node_names()
    asked = request.run_config["ops"]
    assert set(asked) == {"intake"} & set(steps), "no other step takes anything in"
    _end(looking.instance, request, None)
    assert looking.at(30) == "nothing new in landing"
    assert looking.at(3000) == "nothing new in landing"


def test_files_still_arriving_are_waited_for_but_not_for_ever(lake: Lake, looking: Looking) -> None:
    drop(lake.landing, "a.xlsx", "one")
    with (lake.landing / "slow.xlsx").open("w"):
        looking.at(0)
        assert looking.at(20) == "not settled yet: 1 file"
        assert len(looking.asked(120).run_config["ops"]["intake"]["config"]["only"]) == 1
    assert looking.at(121) != "nothing new in landing"


def test_it_waits_while_a_run_is_at_work(lake: Lake, looking: Looking) -> None:
    drop(lake.landing, "a.xlsx", "one")
    looking.at(0)
    with held(lake.root):
        assert looking.at(20) == "waiting until the run at work has ended: 1 new file"
    looking.asked(30)


@pytest.mark.parametrize("error", [BusyError("busy"), OSError(5, "Input/output error")])
def test_a_failure_that_can_pass_is_tried_again_later(
    error: Exception, lake: Lake, looking: Looking
) -> None:
    drop(lake.landing, "a.xlsx", "one")
    looking.at(0)
    first = looking.asked(20)
    _end(looking.instance, first, error)
    assert "failed; the next try comes in" in str(looking.at(30)), "a minute after it ended"
    second = looking.asked(115)
    assert second.run_key != first.run_key, "Dagster starts one run for a key"
    assert second.run_config == first.run_config
    _end(looking.instance, second, error)
    assert "failed" in str(looking.at(117)), "each try waits twice as long"
    _end(looking.instance, looking.asked(200), None)
    assert looking.at(210) == "nothing new in landing"


def test_a_failure_that_stays_is_not_tried_again_until_something_is_dropped(
    lake: Lake, looking: Looking
) -> None:
    damaged = LakeError(lake.raw, "is damaged", "Restore it.")
    one = drop(lake.landing, "a.xlsx", "one")
    looking.at(0)
    _end(looking.instance, looking.asked(20), damaged)
    assert "stays until something is changed" in str(looking.at(30))
    assert "stays until something is changed" in str(looking.at(100_000))
    two = drop(lake.landing, "b.xlsx", "two")
    looking.at(100_010)
    only = looking.asked(100_030).run_config["ops"]["intake"]["config"]["only"]
    assert set(only) == {state_key(one), state_key(two)}, "the first was never taken in"


def test_a_later_run_that_took_the_same_in_ends_what_is_said_of_a_failure(
    lake: Lake, looking: Looking
) -> None:
    """It was said for ever, though somebody had mended what was wrong and run it by hand."""
    _end(looking.instance, _by_hand({}, looking.collection.id), None)
    drop(lake.landing, "a.xlsx", "one")
    looking.at(0)
    failed = looking.asked(20)
    _end(looking.instance, failed, LakeError(lake.raw, "is damaged", "Restore it."))
    _end(looking.instance, _by_hand({"only": []}, looking.collection.id), None)
    _end(looking.instance, _by_hand({}, "another"), None)
    assert "stays until something is changed" in str(looking.at(30)), "none of these took it in"
    _end(looking.instance, _by_hand({}, looking.collection.id), None)
    assert looking.at(40) == "nothing new in landing"


def _by_hand(config: dict[str, list[str]], collection_id: str) -> dg.RunRequest:
    """Return a run that no sensor has asked for; without `only` it takes all in."""
    return dg.RunRequest(
        run_config={"ops": {"intake": {"config": config}}}, partition_key=collection_id
    )


def test_beside_a_run_that_was_given_up_what_waits_in_landing_is_told(
    lake: Lake, looking: Looking, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody has to mend the permissions, or else nothing new ever comes."""
    drop(lake.landing, "a.xlsx", "one")
    looking.at(0)
    _end(looking.instance, looking.asked(20), ContractError("no such column"))
    drop(lake.landing, "b.xlsx", "two")
    assert "not settled yet: 1 file" in str(looking.at(100))
    monkeypatch.setattr("assets.intake.arrivals.sha256_of", lambda _: None)
    said = str(looking.at(120))
    assert "stays until something is changed" in said
    assert "cannot be opened, so mend the permissions: 1 file" in said


def test_what_is_dropped_again_after_it_was_given_up_is_tried_again(
    lake: Lake, looking: Looking
) -> None:
    """Dagster starts one run for a key, and the bytes are the same."""
    drop(lake.landing, "a.xlsx", "one")
    looking.at(0)
    first = looking.asked(20)
    _end(looking.instance, first, ContractError("no such column"))
    drop(lake.landing, "again.xlsx", "one")
    looking.at(100)
    assert looking.asked(120).run_key != first.run_key


def test_a_look_that_is_repeated_asks_for_no_other_run(lake: Lake, looking: Looking) -> None:
    """Dagster may be killed before it has kept the cursor."""
    drop(lake.landing, "a.xlsx", "one")
    looking.at(0)
    cursor = looking.cursor
    first = looking.asked(20)
    looking.cursor = cursor
    assert looking.asked(21).run_key == first.run_key


def test_it_gives_up_after_a_few_tries(lake: Lake, looking: Looking) -> None:
    drop(lake.landing, "a.xlsx", "one")
    looking.at(0)
    request, now = looking.asked(20), 20.0
    for _ in range(5):
        _end(looking.instance, request, BusyError("busy"))
        now += 10_000
        request = looking.asked(now)
    _end(looking.instance, request, BusyError("busy"))
    assert looking.at(now + 10_000) == "6 runs failed; no more are tried until something is changed"


def test_what_a_command_took_in_needs_no_run(
    lake: Lake, looking: Looking, collection: Collection
) -> None:
    path = drop(lake.landing, "a.xlsx", "one")
    looking.at(0)
    RawStore(lake).take_in([path], collection)
    assert looking.at(20) == "nothing new in landing"


def test_names_of_files_stay_out_of_dagsters_database(lake: Lake, looking: Looking) -> None:
    """A name may be a person's."""
    drop(lake.landing, "jane doe.xlsx", "one")
    said = [looking.at(0), looking.cursor, json.dumps(looking.asked(20).run_config), looking.cursor]
    assert not any("jane" in str(text) for text in said)


@pytest.mark.parametrize("cursor", ["", "{}", "[]", "nonsense", '{"memory": "{}", "asked": 3}'])
def test_a_cursor_that_cannot_be_read_starts_anew(
    cursor: str, lake: Lake, looking: Looking
) -> None:
    drop(lake.landing, "a.xlsx", "one")
    looking.cursor = cursor
    assert looking.at(0) == "not settled yet: 1 file"


@pytest.mark.parametrize(
    ("error", "tries"),
    [
        (UnavailableError(Path("lake"), "is full", "Free space."), 3),
        (ContractError("no such column"), 1),
        (ValueError("a fault of the code"), 1),
    ],
)
def test_a_step_is_tried_again_only_after_what_can_pass(error: Exception, tries: int) -> None:
    calls = []

    @dg.op
    @retried()
    def work() -> None:
        calls.append(1)
        raise error

    @dg.job
    def works() -> None:
        work()

    assert not works.execute_in_process(raise_on_error=False).success
    assert len(calls) == tries


def test_what_an_unforeseen_error_quotes_is_not_kept(instance: dg.DagsterInstance) -> None:
    """Libraries quote the value that they stumbled on, and Dagster keeps what they say for good."""

    @dg.op
    @retried()
    def work() -> None:
        pl.Series(["Sergeant Smith"]).cast(pl.Int64)

    @dg.job
    def works() -> None:
        work()

    run = works.execute_in_process(raise_on_error=False, instance=instance)
    assert not run.success
    kept = "".join(str(entry) for entry in instance.all_logs(run.run_id))
    assert "InvalidOperationError, which Muster did not foresee" in kept
    assert "test_landing_sensor.py" in kept, "where it happened is kept"
    assert "Sergeant Smith" not in kept.replace('pl.Series(["Sergeant Smith"])', "")
