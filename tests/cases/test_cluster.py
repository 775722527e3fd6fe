"""A cluster gives what one process gives, whatever becomes of its parts.

The scheduler and the workers are processes of their own on loopback, and are really killed.
"""

import gc
import os
import shutil
import signal
import socket
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg
import polars as pl
import pytest
from distributed import Client, Future, LocalCluster, versions

from assets.cases import cluster as remote
from assets.cases.cluster import Cluster, Done, Patience, checked_address
from assets.cases.job import RESULTS, chosen_pool, in_this_process, run_cases
from assets.cases.reading import Limits
from assets.cases.sources import find_sources
from assets.declare import step
from assets.inputs.assets import PARTS
from assets.lake import Lake, software_sha256
from benchmarks.make_cases import Recipe, write
from benchmarks.processes import Processes, cluster, kill
from schemas.collection import Collection
from schemas.errors import MusterError, ServiceError, SetupError
from schemas.finding import FilesRefusedError
from tests.cases.extracts import good, run, write_parquet

pytestmark = pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")
"""Dask leaves a connection that it gave up to be closed with the garbage."""

BY_FORCE = Limits(rows_at_once=100, keys_at_once=100)
"""Every force is a part of its own, in chunks."""

QUICK = Patience(connect=10, answer=20, back=20)

SAME = """
import assets.cases.cluster as worker
worker.SETUP["Muster's code"] = "as tested"
"""
"""Somebody may be changing the checkout while tests run."""

SLOW = (
    SAME
    + """
import time
from assets.cases.judging import outcome as at_once
def outcome(*arguments):
    time.sleep(0.1)
    return at_once(*arguments)
worker.outcome = outcome
"""
)

DIES = (
    SAME
    + """
import os
from assets.cases.judging import outcome as at_once
def outcome(part, *others):
    if any("force_code=STF" in source.file for source in part.sources):
        os._exit(1)
    return at_once(part, *others)
worker.outcome = outcome
"""
)


@pytest.fixture(scope="module", autouse=True)
def _given_up() -> Iterator[None]:
    """Keep what dask gave up from being found in another's test, which it would fail."""
    yield
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


@pytest.fixture(autouse=True)
def _same_code(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(remote.SETUP, "Muster's code", "as tested")


@pytest.fixture(scope="module")
def extract(tmp_path_factory: pytest.TempPathFactory, few: Collection) -> Path:
    folder = tmp_path_factory.mktemp("extract") / "hive"
    write(Recipe(2000, seed=3, shape="bad"), folder, "hive", few)
    return folder


@pytest.fixture(scope="module")
def embedded(
    tmp_path_factory: pytest.TempPathFactory, extract: Path, collection: Collection
) -> dict[str, bytes]:
    """What one process makes of the extract."""
    folder = tmp_path_factory.mktemp("embedded") / "out"
    run(extract, folder, collection, BY_FORCE)
    return contents(folder)


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Processes]:
    """A scheduler and two workers, for tests that leave them alive."""
    with cluster(tmp_path_factory.mktemp("cluster"), 2, SAME) as processes:
        yield processes


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """A cluster of threads: the same scheduler and workers, without the time processes take."""
    with LocalCluster(
        n_workers=2, threads_per_worker=1, processes=False, dashboard_address="127.0.0.1:0",
        host="127.0.0.1", protocol="tcp",
    ) as threads:  # fmt: skip
        yield threads.scheduler_address


def contents(folder: Path) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in RESULTS}


@contextmanager
def third(event: Callable[[], None]) -> Iterator[Callable[[Done], None]]:
    """Let something happen when the third part is finished, and hold the test to it."""
    told: list[Done] = []

    def tell(done: Done) -> None:
        told.append(done)
        if len(told) == 3:
            event()

    yield tell
    assert len(told) >= 3


def worked(address: str, extract: Path, out: Path, collection: Collection, **about: object) -> None:
    pool = Cluster(address, **{"patience": QUICK, **about})  # type: ignore[arg-type]
    run_cases(find_sources([extract]), out, collection, BY_FORCE, pool=pool)


@pytest.mark.slow
def test_two_workers_give_the_same_bytes(
    address: str,
    extract: Path,
    embedded: dict[str, bytes],
    tmp_path: Path,
    collection: Collection,
) -> None:
    told: list[Done] = []
    rows: list[tuple[int, int]] = []
    pool = Cluster(address, told.append)
    document = run_cases(
        find_sources([extract]),
        tmp_path / "out",
        collection,
        BY_FORCE,
        lambda *at: rows.append(at),
        pool,
    )
    assert contents(tmp_path / "out") == embedded
    assert sum(done.rows for done in told) == document["rows"]
    assert rows[-1] == (document["rows"], document["rows"])
    assert pool.dashboard is not None
    assert [path.name for path in tmp_path.iterdir()] == ["out"], "nothing is left beside it"


def test_refused_files_are_told_as_in_one_process(
    address: str, tmp_path: Path, collection: Collection
) -> None:
    """A damaged file is the sender's to mend: all are named at once, and none is tried again."""
    for number, force in enumerate(("DER", "STF", "WMP")):
        path = tmp_path / "in" / f"force_code={force}" / "a.parquet"
        write_parquet(path, [good(n, force) for n in range(200)])
        if number:
            data = path.read_bytes()
            path.write_bytes(data[:40] + bytes(60) + data[100:])
    refusals = []
    for pool in (in_this_process, Cluster(address, patience=QUICK)):
        with pytest.raises(FilesRefusedError) as caught:
            run_cases(
                find_sources([tmp_path / "in"]), tmp_path / "out", collection, BY_FORCE, pool=pool
            )
        refusals.append(caught.value.findings)
    assert refusals[0] == refusals[1]
    named = [Path(refusal.sheet or "").parent.name for refusal in refusals[1]]
    assert named == ["force_code=STF", "force_code=WMP"]
    assert not (tmp_path / "out").exists()


def test_no_scheduler(extract: Path, tmp_path: Path, collection: Collection) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{taken.getsockname()[1]}"
        started = time.monotonic()
        with pytest.raises(SetupError, match="no scheduler answers at tcp://127"):
            worked(address, extract, tmp_path / "out", collection, patience=Patience(connect=1))
        assert time.monotonic() - started < 5
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_a_result_that_is_gone_with_its_worker_is_soon_asked_for_again(
    address: str, extract: Path, embedded: dict[str, bytes], tmp_path: Path,
    collection: Collection, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    asked, result = list[float](), Future.result

    def first_gone(future: Future[object], timeout: float) -> object:
        asked.append(timeout)
        if len(asked) == 1:
            raise TimeoutError
        return result(future, timeout=timeout)

    monkeypatch.setattr(Future, "result", first_gone)
    worked(address, extract, tmp_path / "out", collection, patience=QUICK)
    assert contents(tmp_path / "out") == embedded
    assert max(asked) < QUICK.answer / 5


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1:8786",
        "http://host:1",
        "tcp://host",
        "tcp://me:secret@host:1",
        "tcp://host:secret",
    ],
)
def test_what_is_no_address(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """An address may hold a password by mistake: it is not quoted."""
    monkeypatch.setenv("MUSTER_DASK", address)
    with pytest.raises(SetupError, match="MUSTER_DASK must be") as caught:
        chosen_pool()
    assert "secret" not in str(caught.value)
    assert checked_address("tls://host:8786/") == "tls://host:8786"


def test_without_the_setting_nothing_is_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MUSTER_DASK", "")
    assert chosen_pool() is in_this_process


@pytest.mark.slow
def test_a_worker_that_sees_other_files(
    two: Processes, tmp_path: Path, collection: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A path that leads elsewhere in another process stands for a disk that is not shared."""
    write_parquet(tmp_path / "in" / "a.parquet", [good(1)])
    monkeypatch.chdir(tmp_path)
    here = Path("/proc/self/cwd")
    with pytest.raises(SetupError, match=r"cannot see /proc/self/cwd/in/a\.parquet"):
        worked(two.address, here / "in", tmp_path / "out", collection)
    with pytest.raises(SetupError, match=r"cannot see /proc/self/cwd/\.out\.partial/run-"):
        worked(two.address, tmp_path / "in", here / "out", collection)
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_a_worker_with_other_code(
    extract: Path, tmp_path: Path, collection: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same name for different rules would give marts that nobody can explain."""
    monkeypatch.setitem(remote.SETUP, "Muster's code", software_sha256.__wrapped__()[:12])
    for package in ("assets", "schemas"):
        shutil.copytree(package, tmp_path / "other" / package)
    with (tmp_path / "other" / "schemas" / "errors.py").open("a") as file:
        file.write("# another version\n")
    with cluster(tmp_path / "cluster", 0) as processes:
        processes.start_worker(PYTHONPATH=str(tmp_path / "other"))
        processes.wait_for_workers(1)
        with pytest.raises(SetupError, match=r"Muster's code .*, not .* Install the same version"):
            worked(processes.address, extract, tmp_path / "out", collection)
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_a_scheduler_with_other_versions(
    two: Processes,
    extract: Path,
    tmp_path: Path,
    collection: Collection,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = versions.get_versions()
    found["packages"] |= {"dask": "1.0"}
    monkeypatch.setattr(versions, "get_versions", lambda: found)
    with pytest.raises(SetupError, match=r"other versions[\s\S]*dask[\s\S]*1\.0"):
        worked(two.address, extract, tmp_path / "out", collection)


@pytest.mark.slow
def test_a_worker_is_killed_and_another_stalls(
    extract: Path, embedded: dict[str, bytes], tmp_path: Path, collection: Collection
) -> None:
    """The stalled one is neither dead nor at work. Awake again, it does no harm."""
    quick = {"DASK_DISTRIBUTED__SCHEDULER__WORKER_TTL": "2s"}
    with cluster(tmp_path / "cluster", 3, SLOW, **quick) as processes:
        killed, stalled, _ = processes.workers

        def lose_both() -> None:
            kill(killed)
            os.kill(stalled.pid, signal.SIGSTOP)

        with third(lose_both) as tell:
            worked(processes.address, extract, tmp_path / "out", collection, tell=tell)
        assert contents(tmp_path / "out") == embedded
        with third(lambda: os.kill(stalled.pid, signal.SIGCONT)) as tell:
            worked(processes.address, extract, tmp_path / "out", collection, tell=tell)
        assert contents(tmp_path / "out") == embedded


@pytest.mark.slow
def test_the_scheduler_restarts(
    extract: Path,
    embedded: dict[str, bytes],
    tmp_path: Path,
    collection: Collection,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What is finished is not done again; the rest is, once there are workers."""
    closed = Client.close

    def close(client: Client, timeout: float = 2) -> None:
        closed(client, timeout=timeout)
        if "muster" in client.id:
            monkeypatch.setattr(Client, "close", closed)
            raise RuntimeError("ConnectionPool is closed")  # as while it is connecting again

    with cluster(tmp_path / "cluster", 2, SLOW) as processes:
        monkeypatch.setattr(Client, "close", close)
        told: list[Done] = []

        def restart(done: Done) -> None:
            told.append(done)
            if len(told) == 3:
                assert processes.scheduler
                kill(processes.scheduler)
                processes.start_scheduler()
                processes.start_worker(SLOW)

        worked(processes.address, extract, tmp_path / "out", collection, tell=restart)
    assert contents(tmp_path / "out") == embedded
    assert len({done.part for done in told}) == len(told)


@pytest.mark.slow
def test_the_scheduler_is_lost(
    extract: Path, embedded: dict[str, bytes], tmp_path: Path, collection: Collection
) -> None:
    out = tmp_path / "out"
    with cluster(tmp_path / "cluster", 2, SLOW) as processes:
        scheduler = processes.scheduler
        assert scheduler
        with (
            third(lambda: kill(scheduler)) as tell,
            pytest.raises(MusterError, match="no scheduler answers"),
        ):
            worked(processes.address, extract, out, collection, tell=tell,
                   patience=Patience(connect=10, back=2))  # fmt: skip
        assert not out.exists()
        assert not out.with_name(".out.partial").exists()
        processes.start_scheduler()
        processes.start_worker(SAME)
        processes.wait_for_workers(1)
        worked(processes.address, extract, out, collection)
    assert contents(out) == embedded


@pytest.mark.slow
def test_all_workers_are_lost(extract: Path, tmp_path: Path, collection: Collection) -> None:
    with cluster(tmp_path / "cluster", 2, SLOW) as processes:

        def kill_all() -> None:
            for worker in processes.workers:
                kill(worker)

        with (
            third(kill_all) as tell,
            pytest.raises(ServiceError, match="all workers of the cluster are lost"),
        ):
            worked(processes.address, extract, tmp_path / "out", collection, tell=tell,
                   patience=Patience(connect=10, back=2))  # fmt: skip
        with pytest.raises(SetupError, match="has no workers"):
            worked(processes.address, extract, tmp_path / "out", collection,
                   patience=Patience(connect=2))  # fmt: skip
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_a_part_kills_its_workers(extract: Path, tmp_path: Path, collection: Collection) -> None:
    """It is tried as often as the scheduler allows, and then named."""
    processes = Processes(tmp_path)
    try:
        # One part at a time: one that only waits on a worker that dies counts as tried there.
        processes.start_scheduler(
            DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES="1",
            DASK_DISTRIBUTED__SCHEDULER__WORKER_SATURATION="1.0",
        )
        for _ in range(3):
            processes.start_worker(DIES)
        processes.wait_for_workers(3)
        with pytest.raises(ServiceError, match=r"every worker that worked on .*force_code=STF"):
            worked(processes.address, extract, tmp_path / "out", collection)
        assert sum(worker.poll() is None for worker in processes.workers) == 1
    finally:
        processes.end()
    assert not (tmp_path / "out").exists()


def test_a_fault_of_the_code_in_a_worker(
    address: str,
    extract: Path,
    tmp_path: Path,
    collection: Collection,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fault(*_: object) -> None:
        raise ZeroDivisionError("of the code")

    monkeypatch.setattr(remote, "outcome", fault)
    with pytest.raises(ZeroDivisionError, match="of the code") as caught:
        worked(address, extract, tmp_path / "out", collection)
    assert "force_code=" in caught.value.__notes__[0]
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_a_run_says_what_the_cluster_did(
    address: str, tmp_path: Path, collection: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MUSTER_DASK", address)
    lake = Lake(tmp_path, collection.id)
    write_parquet(lake.landing / "cases" / "a.parquet", [good(n) for n in range(30)])
    result = dg.materialize(
        [step("cases", PARTS[1:2])],
        partition_key=collection.id,
        resources={"lake_root": tmp_path},
    )
    (made, *_) = (
        event.step_materialization_data.materialization
        for event in result.get_asset_materialization_events()
        if event.asset_key == dg.AssetKey(["cases", "extracts"])
    )
    assert str(made.metadata["dask_dashboard"].value).startswith("http://127.0.0.1")
    (part,) = made.metadata["parts"].records
    assert (part.data["forces"], part.data["rows"]) == ("STF", 30)
    extracts = lake.table("cases/extracts")
    assert pl.read_parquet(extracts)["state"].to_list() == ["accepted"]
    assert [*lake.work.iterdir()] == [extracts.parent], "nothing is left to sweep"
