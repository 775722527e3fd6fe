"""Extracts and results on an object store, shown by a pointer; the store is real, on loopback."""

import json
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner, Result
from moto.server import ThreadedMotoServer

from assets import object_store
from assets.cases import bounds, sources
from assets.cases.destination import results_at
from assets.cases.job import RESULTS, run_cases
from assets.cases.sources import find_sources
from assets.lake import lake_root
from assets.marts import write_manifest
from assets.object_store import (
    POINTER,
    copy_folder,
    files_below,
    head,
    publish_folder,
    put,
    shown_at,
)
from assets.release.publish import publish_marts
from benchmarks.make_cases import Recipe, write
from pipelines.cli.returns import cases as command
from schemas.collection import Collection
from schemas.errors import LakeError, ServiceError, SetupError
from schemas.finding import FilesRefusedError
from tests.cases.extracts import frame, good, run, write_csv
from tests.cases.stores import SETTINGS, store
from tests.cases.test_refusals import fewer_than_none

LAKE = "s3://muster/a lake"


@pytest.fixture(scope="module")
def server() -> Iterator[ThreadedMotoServer]:
    with pytest.MonkeyPatch.context() as environment, store(environment) as server:
        yield server


@pytest.fixture
def bucket(server: ThreadedMotoServer, request: pytest.FixtureRequest) -> str:
    """A prefix of this test's own."""
    assert server
    return f"{LAKE}/{request.node.name}"


def _run(*arguments: object) -> Result:
    return CliRunner().invoke(command, [str(argument) for argument in arguments])


def _shown(prefix: str) -> dict[str, bytes]:
    folder = shown_at(prefix)
    sizes = files_below(folder)
    return {url.removeprefix(f"{folder}/"): head(url, size) for url, size in sizes.items()}


@pytest.mark.slow
def test_the_same_results_as_from_files(
    bucket: str, tmp_path: Path, few: Collection, collection: Collection
) -> None:
    """Only the address of a file differs: folders, CSV and hidden files mean the same."""
    source = tmp_path / "in"
    write(Recipe(200, seed=3, shape="bad"), source, "hive", few)
    write_csv(source / "force_code=STF" / "b [1].csv", [good(1), good(1)])
    (source / "_SUCCESS").touch()
    copy_folder(source, f"{bucket}/in")
    expected = run(source, tmp_path / "out", collection)
    result = _run(f"{bucket}/in/", "--out", f"{bucket}/out", "--json")
    assert result.exit_code == 1, result.output
    shown = _shown(f"{bucket}/out")
    assert set(shown) == set(RESULTS)
    for name in RESULTS:
        if name.endswith(".parquet"):
            table = pl.read_parquet(shown[name])
            named = [c for c in table.columns if c == "file"]
            table = table.with_columns(
                pl.col(named).str.replace(f"{bucket}/in", str(source), literal=True)
            )
            assert table.equals(getattr(expected, name.removesuffix(".parquet"))), name
    assert json.loads(result.stdout)["national"] == expected.summary["national"]
    counts = pl.read_parquet(f"{shown_at(f'{bucket}/out')}/counts.parquet", glob=False)
    assert counts.equals(expected.counts), "as anybody reads it"


@pytest.mark.slow
def test_a_lake_on_an_object_store(
    bucket: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("MUSTER_LAKE", bucket)
    frame([good(1), good(2)]).write_parquet(tmp_path / "a.parquet")
    landing = f"{bucket}/landing/2012-revisit/cases/a.parquet"
    put(landing, (tmp_path / "a.parquet").read_bytes())
    result = _run()
    assert result.exit_code == 0, result.output
    assert f"Results in {bucket}/cases/2012-revisit" in result.output
    first = shown_at(f"{bucket}/cases/2012-revisit")
    assert _run().exit_code == 0
    assert shown_at(f"{bucket}/cases/2012-revisit") == first, "named by what is in it"
    frame([good(1)]).write_parquet(tmp_path / "a.parquet")
    put(landing, (tmp_path / "a.parquet").read_bytes())
    assert _run().exit_code == 0
    assert shown_at(f"{bucket}/cases/2012-revisit") != first
    assert len(files_below(first)) == len(RESULTS), "who reads the old results reads on"
    with pytest.raises(SetupError, match="this needs a lake in a folder"):
        lake_root()


def test_no_place_and_no_lake(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("MUSTER_LAKE", str(tmp_path))
    result = _run()
    assert result.exit_code == 2
    assert "Name files or folders" in result.stderr


def test_what_cannot_be_an_extract_there(bucket: str) -> None:
    put(f"{bucket}/in/a.parquet", b"PAR1 and no more")
    put(f"{bucket}/in/b.csv", b"name\n")
    put(f"{bucket}/in/c.txt", b"words")
    result = _run(f"{bucket}/in", "--out", f"{bucket}/out")
    assert result.exit_code == 2
    assert f"{bucket}/in/a.parquet: the file is damaged or cut off" in result.stderr
    assert f"{bucket}/in/c.txt: the file is neither" in result.stderr
    assert files_below(f"{bucket}/out") == {}
    assert "holds no file" in _run(f"{bucket}/none", "--out", f"{bucket}/out").stderr


def _release(folder: Path, name: str, text: str) -> Path:
    release = folder / name
    (release / "parts").mkdir(parents=True)
    frame([good(1)]).write_parquet(release / "cases.parquet")
    (release / "parts" / "a.txt").write_text(text)
    write_manifest(release, {"release": name, "made_from": {"live": []}})
    return release


def test_a_release_is_copied_whole_and_then_shown(bucket: str, tmp_path: Path) -> None:
    first, second = (_release(tmp_path, name, name) for name in ("r-1", "r-2"))
    assert publish_marts(first, bucket) == f"{bucket}/releases/r-1"
    assert _shown(bucket)["parts/a.txt"] == b"r-1"
    assert pl.read_parquet(f"{shown_at(bucket)}/cases.parquet").height == 1
    publish_marts(second, bucket)
    assert shown_at(bucket).endswith("/r-2")
    publish_marts(first, bucket)
    assert shown_at(bucket).endswith("/r-1"), "going back is the same"


def test_done_twice_nothing_is_written(
    bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    release = _release(tmp_path, "r-1", "text")
    publish_marts(release, bucket)
    monkeypatch.setattr(object_store, "copy_folder", None)
    assert publish_marts(release, bucket) == f"{bucket}/releases/r-1"
    monkeypatch.undo()
    put(f"{bucket}/releases/r-1/parts/a.txt", b"cut")
    publish_marts(release, bucket)
    assert _shown(bucket)["parts/a.txt"] == b"text", "what is not whole is copied again"


def test_killed_half_way_the_old_release_is_shown(
    bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = (_release(tmp_path, name, name) for name in ("r-1", "r-2"))
    publish_marts(first, bucket)

    def half(folder: Path, url: str) -> None:
        put(f"{url}/cases.parquet", (folder / "cases.parquet").read_bytes())
        raise KeyboardInterrupt

    monkeypatch.setattr(object_store, "copy_folder", half)
    with pytest.raises(KeyboardInterrupt):
        publish_marts(second, bucket)
    assert _shown(bucket)["parts/a.txt"] == b"r-1"
    monkeypatch.undo()
    publish_marts(second, bucket)
    assert _shown(bucket)["parts/a.txt"] == b"r-2"


def test_a_copy_that_is_not_whole_is_not_shown(
    bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    release = _release(tmp_path, "r-1", "text")
    monkeypatch.setattr(object_store, "copy_folder", lambda _folder, _url: None)
    with pytest.raises(ServiceError, match="does not hold what was copied"):
        publish_marts(release, bucket)
    with pytest.raises(SetupError, match=f"holds no {POINTER}"):
        shown_at(bucket)


def test_a_damaged_release_is_not_copied(bucket: str, tmp_path: Path) -> None:
    release = _release(tmp_path, "r-1", "text")
    (release / "parts" / "a.txt").write_text("other")
    with pytest.raises(LakeError, match=r"is damaged: parts/a\.txt"):
        publish_marts(release, bucket)
    assert files_below(bucket) == {}


def test_the_pages_of_a_file_in_a_store_are_followed_too(bucket: str, tmp_path: Path) -> None:
    """Less than none is what a reader would make room for, and end the run."""
    fewer_than_none(tmp_path / "a.parquet")
    put(f"{bucket}/a.parquet", (tmp_path / "a.parquet").read_bytes())
    with pytest.raises(FilesRefusedError, match="its pages do not follow"):
        find_sources([bucket])


def test_a_large_file_in_a_store_is_held_to_what_its_footer_says(
    bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was held to nothing, though its footer may say that it unpacks to gigabytes."""
    path, rows = tmp_path / "a.parquet", [good(n) for n in range(1000)]
    frame(rows).write_parquet(path)
    put(f"{bucket}/a.parquet", path.read_bytes())
    monkeypatch.setattr(sources, "_FETCHED", path.stat().st_size - 1)
    assert find_sources([bucket])[0].rows == 1000
    monkeypatch.setattr(bounds, "_ANY", 1024)
    monkeypatch.setattr(bounds, "_RATIO", 2)
    with pytest.raises(FilesRefusedError, match=r"a\.parquet: the file unpacks to"):
        find_sources([bucket])
    put(f"{bucket}/a.parquet", path.read_bytes()[:-8] + b"\xff\xff\xff\x7fPAR1")
    with pytest.raises(FilesRefusedError, match="damaged"):
        find_sources([bucket])


@pytest.mark.parametrize("url", ["s3://", "s3:///prefix", "s3://me:word@bucket/prefix"])
def test_what_is_no_url(url: str, tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="addressed s3://bucket/prefix") as caught:
        publish_folder(tmp_path, url, "name")
    assert "word" not in str(caught.value)


def test_no_such_bucket(server: ThreadedMotoServer, tmp_path: Path) -> None:
    assert server
    with pytest.raises(SetupError, match=r"s3://elsewhere.* no bucket .*Check the address"):
        find_sources(["s3://elsewhere/in"])
    with pytest.raises(SetupError, match="s3://elsewhere"):
        publish_folder(tmp_path, "s3://elsewhere/out", "name")


@pytest.mark.slow
def test_a_store_that_stops_answering(
    tmp_path: Path, collection: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is no damaged file, and not the sender's to mend; nor are keys told to anyone."""
    with store(monkeypatch, "ends") as server:
        frame([good(1)]).write_parquet(tmp_path / "a.parquet")
        put("s3://ends/in/a.parquet", (tmp_path / "a.parquet").read_bytes())
        sources = find_sources(["s3://ends/in"])
    assert server
    said = []
    with pytest.raises(ServiceError, match="did not do its part") as caught:
        run_cases(sources, tmp_path / "out", collection)
    said.append(str(caught.value))
    with pytest.raises(ServiceError) as caught:
        find_sources(["s3://ends/in"])
    said.append(str(caught.value))
    with pytest.raises(ServiceError) as caught, results_at("s3://ends/out") as folder:
        run_cases(find_sources([tmp_path / "a.parquet"]), folder, collection)
    said.append(str(caught.value))
    for text in said:
        assert "start again" in text
        assert not [value for name, value in SETTINGS.items() if "KEY" in name and value in text]
    assert not (tmp_path / "out").exists()
