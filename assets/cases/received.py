"""From received versions to the extract of each force that counts, and its cases.

Belongs here: which version is live: the newest that is not refused whole. Does not: keeping files
(store.py), judging rows (job.py).
"""

import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import polars as pl

from assets.cases.job import BAD_ROWS, COUNTS, HERE, Pool, run_sources
from assets.cases.sources import ExtractRefusedError, Refusal, Source, find_sources
from assets.cases.store import CaseStore
from assets.cases.whose import RECONSTRUCTED, SUBMITTED, basis_of
from assets.intake.store import UNKNOWN, Damaged, Version
from assets.lake import Lake, put_in_place, scratch_file, write_errors
from schemas.cases.columns import ACCEPTED, QUARANTINED, REJECTED
from schemas.cases.rules import case_rules
from schemas.cases.tables import DAMAGED_STATE, UNREADABLE_STATE, Extracts
from schemas.collection import Collection
from schemas.contract import conform, empty
from schemas.marts.facts import InvestigationsByMonth
from schemas.wording import plural

_SETTLED: Final = (ACCEPTED, QUARANTINED, DAMAGED_STATE)
"""States of an extract before which no earlier one of the force is looked at."""

_NOTHING: Final = {"rows": None, "bad": None, "live": False, "basis": SUBMITTED}

_PLACES: Final = 5
"""Places told of each fault; the quarantine has all."""


@dataclass(frozen=True)
class _Judged:
    """A force's version with its row of Extracts and the counts and the bad rows of its cases."""

    force_code: str | None
    version: int | None
    row: dict[str, Any]
    cases: pl.DataFrame
    bad: pl.DataFrame | None = None


def judge_received(
    store: CaseStore, lake: Lake, collection: Collection, pool: Pool = HERE
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the table Extracts and the mart InvestigationsByMonth; bad rows go to quarantine.

    The newest versions of all forces are judged in one pass; where one is refused, the version
    before it is judged next. Where one is damaged none before it is: it may be what counts.

    Raises:
        UnavailableError: the quarantine cannot be written.
        MusterError: the cluster of the pool cannot do the work.
    """
    judged = [
        _unreadable(version, version.problem)
        for version in store.versions()
        if version.force_code is None
    ]
    older = _by_force(store, collection)
    while older:
        newest = [items.pop() for items in older.values()]
        latest = [item for item in newest if isinstance(item, _Judged)]
        with _folder_to_work_in(lake) as folder:
            versions = [item for item in newest if isinstance(item, Version)]
            latest += _judge(versions, store, collection, folder, pool)
        for item in latest:
            force = item.force_code
            if force and (item.row["state"] in _SETTLED or not older[force]):
                del older[force]
        judged += latest
    _set_aside(judged, lake.quarantine / "cases")
    extracts = pl.DataFrame([item.row for item in judged], schema=empty(Extracts).schema)
    live = [item.cases for item in judged if item.row["live"]]
    cases = pl.concat([empty(InvestigationsByMonth), *live])
    return conform(Extracts, extracts), conform(InvestigationsByMonth, cases)


def _by_force(store: CaseStore, collection: Collection) -> dict[str, list[Version | _Judged]]:
    """Return the versions of each force in order of receipt, and in their places what is lost.

    What is damaged and may be of any force is so for each that had sent an extract before.
    """
    found: dict[str, list[tuple[int, Version | _Judged]]] = {}
    versions = store.versions()
    for version in versions:
        if version.force_code:
            found.setdefault(version.force_code, []).append((version.sequence, version))
    for item in store.damaged():
        whose, place = store.whose(item, collection), store.place(item.path)
        for force in [*found] if whose == UNKNOWN else [whose] if whose else []:
            before = [v for v in versions if v.sequence < (item.sequence or 0)]
            mine = [v for v in before if v.force_code == force]
            if whose != UNKNOWN:
                last = store.last_version(force, before, [], collection)
                lost = _damaged(item, place, force, last + 1)
            elif mine:
                lost = _damaged(item, place, force, mine[-1].version, mine[-1].receipt_id)
            else:
                continue
            found.setdefault(force, []).append((item.sequence or 0, lost))
    return {
        force: [item for _, item in sorted(items, key=lambda pair: pair[0])]
        for force, items in found.items()
    }


def _damaged(
    item: Damaged[Version],
    place: str,
    force: str,
    version: int | None,
    receipt_id: str | None = None,
) -> _Judged:
    """Return what stands for a damaged receipt; for one of any force, with the version before."""
    row = {
        "receipt_id": receipt_id or item.receipt_id,
        "force_code": force,
        "version": version,
        "sha256": None,
        "received_at": None,
        "files": None,
        **_NOTHING,
        "state": DAMAGED_STATE,
        "problem": _restore(place, item.problem)
        + (" Whose it is cannot be told, so a newer extract of this force." if receipt_id else ""),
    }
    return _Judged(force, version, row, empty(InvestigationsByMonth))


def _restore(place: str, problem: str) -> str:
    return (
        f"{place}: {problem}. Restore it from the backup of the lake. Where it is lost, let the"
        " force write its extract anew and send it again; until then none of the force counts."
    )


@contextmanager
def _folder_to_work_in(lake: Lake) -> Iterator[Path]:
    """Yield a folder in the lake, which a cluster sees as well; sweep finds it if left behind."""
    with write_errors(lake.work):
        lake.work.mkdir(parents=True, exist_ok=True)
        work = tempfile.TemporaryDirectory(
            dir=lake.work, prefix=".cases-", suffix=".partial", ignore_cleanup_errors=True
        )
    with work as name:
        yield Path(name)


def _judge(
    versions: Sequence[Version],
    store: CaseStore,
    collection: Collection,
    folder: Path,
    pool: Pool,
) -> list[_Judged]:
    """Judge versions of different forces together; one that cannot be read leaves the others."""
    sources, refused, lost = _sources(versions, store)
    out = folder / "out"
    while True:
        unusable = refused.keys() | lost.keys()
        readable = [version for version in versions if not unusable & set(version.files)]
        wanted = [sources[kept] for version in readable for kept in version.files]
        wanted.sort(key=lambda source: (source.folder or "", source.file))
        try:
            document = run_sources(wanted, out, collection, pool=pool)
            break
        except ExtractRefusedError as error:
            refused |= {refusal.file: refusal for refusal in error.refusals}
    counts, bad = (pl.read_parquet(out / table) for table in (COUNTS, BAD_ROWS))
    judged = [_result(version, document, counts, bad, store) for version in readable]
    for version in versions:
        if gone := [kept for kept in version.files if kept in lost]:
            judged.append(_unreadable(version, lost[gone[0]], DAMAGED_STATE))
        elif version not in readable:
            kept = next(kept for kept in version.files if kept in refused)
            problem = f"{store.kept(kept).name}: {refused[kept].problem}. {refused[kept].fix}"
            judged.append(_unreadable(version, problem))
    return judged


def _sources(
    versions: Iterable[Version], store: CaseStore
) -> tuple[dict[str, Source], dict[str, Refusal], dict[str, str]]:
    """Return the files of versions, those that are no extracts, and what is lost of the others."""
    sources: dict[str, Source] = {}
    refused: dict[str, Refusal] = {}
    lost: dict[str, str] = {}
    for version in versions:
        for kept in version.files:
            file = store.kept(kept)
            if problem := file.damage():
                lost[kept] = _restore(store.place(file.path or file.at), problem)
                continue
            try:
                (source,) = find_sources([file.there()])
            except ExtractRefusedError as error:
                refused[kept] = error.refusals[0]
            else:
                sources[kept] = replace(source, file=kept, folder=version.force_code)
    return sources, refused, lost


def _about(version: Version) -> dict[str, Any]:
    names = ("receipt_id", "force_code", "version", "sha256", "received_at")
    return {name: getattr(version, name) for name in names} | {"files": len(version.files)}


def _unreadable(version: Version, problem: str | None, state: str = UNREADABLE_STATE) -> _Judged:
    row = {**_about(version), **_NOTHING, "state": state, "problem": problem}
    return _Judged(version.force_code, version.version, row, empty(InvestigationsByMonth))


def _result(
    version: Version,
    document: dict[str, Any],
    counts: pl.DataFrame,
    bad: pl.DataFrame,
    store: CaseStore,
) -> _Judged:
    files = [item for item in document["files"] if item["file"] in version.files]
    of_force = bad.filter(pl.col("file").is_in(version.files)).with_columns(
        pl.col("file").replace({kept: store.kept(kept).name for kept in version.files})
    )
    said = {basis_of(store.kept(kept).there()) for kept in version.files}
    basis = RECONSTRUCTED if RECONSTRUCTED in said else min(said)
    rejected = version.force_code in document["rejected"]
    row = {
        **_about(version),
        "rows": sum(item["rows"] for item in files),
        "bad": of_force.height,
        "state": REJECTED if rejected else QUARANTINED if of_force.height else ACCEPTED,
        "live": not rejected,
        "basis": basis,
        "problem": "; ".join(_faults(files, of_force)) or None,
    }
    cases = (
        counts.filter(pl.col("force_code") == version.force_code)
        .rename({"status_at_census": "outcome"})
        .with_columns(pl.lit(basis).alias("basis"))
    )
    return _Judged(version.force_code, version.version, row, cases, of_force)


def _faults(files: Iterable[dict[str, Any]], bad: pl.DataFrame) -> Iterator[str]:
    """Yield what is wrong by rule: exact counts, and the first places of each."""
    counts: Counter[str] = Counter()
    for item in files:
        counts.update(item["rules"])
    for rule_id, rows in sorted(counts.items()):
        at = bad.filter(pl.col("reasons").str.contains(rule_id, literal=True)).head(_PLACES)
        places = ", ".join(f"{file} row {row}" for file, row in at.select("file", "row").rows())
        told = "first at" if rows > _PLACES else "at"
        yield f"{rule_id} ({case_rules()[rule_id].title}): {plural(rows, 'row')}, {told} {places}"


def _set_aside(judged: Iterable[_Judged], folder: Path) -> None:
    """Write the bad rows of each version, as they were sent, with their reasons."""
    for item in judged:
        if item.bad is None or item.bad.is_empty():
            continue
        path = folder / f"{item.force_code}-{item.version}.parquet"
        with write_errors(folder), scratch_file(folder) as scratch:
            item.bad.write_parquet(scratch)
            put_in_place(scratch, path, mode=0o644)
