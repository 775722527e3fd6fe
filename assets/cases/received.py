"""From received versions to the extract of each force that counts, and its cases.

The extract that counts is the newest that is not refused whole.
"""

import json
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import polars as pl

from assets.cases.faults import faults
from assets.cases.job import BAD_ROWS, BY_FORCE, COUNTS, Pool, in_this_process, run_cases
from assets.cases.sources import Source, find_sources, reading
from assets.cases.store import CaseStore
from assets.intake.receipts import UNKNOWN, Version
from assets.kept import frame_made_once, made_once
from assets.lake import Lake, put_in_place, scratch_file, write_errors
from schemas.cases import (
    ACCEPTED,
    DAMAGED_STATE,
    QUARANTINED,
    REJECTED,
    UNDAMAGED,
    UNREADABLE_STATE,
)
from schemas.collection import Collection
from schemas.contract import conform, empty
from schemas.finding import FilesRefusedError, Finding, Place, finding
from schemas.marts.facts import InvestigationsByMonth
from schemas.tables import ExtractFindings, Extracts
from schemas.vocabulary import BASES

SUBMITTED: Final = "submitted"
RECONSTRUCTED: Final = "reconstructed"

_SETTLED: Final = (ACCEPTED, QUARANTINED, DAMAGED_STATE)
"""States of an extract before which no earlier one of the force is looked at."""

_MOST_KEPT: Final = 100_000
"""Bad rows of a version above which it is rather judged again than kept."""


@dataclass(frozen=True)
class _Judged:
    """A force's version as a row of Extracts, what is wrong with it, its counts and bad rows."""

    row: dict[str, Any]
    findings: tuple[Finding, ...] = ()
    cases: pl.DataFrame = field(default_factory=pl.DataFrame)
    bad: pl.DataFrame = field(default_factory=pl.DataFrame)


def judge_received(
    store: CaseStore, lake: Lake, collection: Collection, pool: Pool = in_this_process
) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """Return the tables Extracts and ExtractFindings, and the mart InvestigationsByMonth.

    Bad rows go to quarantine.

    The newest versions of all forces are judged in one pass; where one is refused, the version
    before it is judged next. Where one is damaged none before it is: it may be what counts.

    Raises:
        UnavailableError: the quarantine cannot be written.
        MusterError: the cluster of the pool cannot do the work.
    """
    judged = [
        _judged(version, UNREADABLE_STATE, [version.refusal] if version.refusal else ())
        for version in store.receipts()
        if version.force_code is None
    ]
    older = _by_force(store, collection)
    while older:
        newest = [items.pop() for items in older.values()]
        latest = [item for item in newest if isinstance(item, _Judged)]
        with _folder_to_work_in(lake) as folder:
            versions = [item for item in newest if isinstance(item, Version)]
            latest += _judge(versions, store, _Keeper(lake, store, collection), folder, pool)
        for item in latest:
            force = item.row["force_code"]
            if item.row["state"] in _SETTLED or not older[force]:
                del older[force]
        judged += latest
    for item in judged:
        _set_aside(item, store)
    extracts = pl.DataFrame([item.row for item in judged], schema=empty(Extracts).schema)
    live = [item.cases for item in judged if item.row["live"]]
    cases = pl.concat([empty(InvestigationsByMonth), *live])
    found = pl.DataFrame(
        [{**item.row, **asdict(each)} for item in _current(judged) for each in item.findings],
        schema=empty(ExtractFindings).schema,
    )
    return (
        conform(Extracts, extracts),
        conform(InvestigationsByMonth, cases),
        conform(ExtractFindings, found),
    )


def _current(judged: Sequence[_Judged]) -> Iterator[_Judged]:
    """Yield what is to be told of: each force's newest, what counts, and what is nobody's or lost.

    The newest of a force is judged before all others of it.
    """
    newest = {item.row["force_code"]: item for item in reversed(judged)}
    for item in judged:
        force, state = item.row["force_code"], item.row["state"]
        if not force or item.row["live"] or state == DAMAGED_STATE or item is newest[force]:
            yield item


def _judged(version: Version, state: str, findings: Iterable[Finding], **about: Any) -> _Judged:
    """Return a version as it stands in Extracts; without more about it, it does not count."""
    names = ("receipt_id", "force_code", "version", "sha256", "received_at")
    row = {name: getattr(version, name) for name in names} | {"files": len(version.files)}
    nothing = {"rows": None, "bad": None, "live": False, "basis": SUBMITTED}
    return _Judged({**row, **nothing, "state": state, **about}, tuple(findings))


def _by_force(store: CaseStore, collection: Collection) -> dict[str, list[Version | _Judged]]:
    """Return the versions of each force in order of receipt, and in their places what is lost.

    What is damaged and may be of any force is so for each that had sent an extract before.
    """
    found: dict[str, list[tuple[int, Version | _Judged]]] = {}
    versions = store.receipts()
    for version in versions:
        if version.force_code:
            found.setdefault(version.force_code, []).append((version.sequence, version))
    for item in store.damaged():
        owner, number = store.force_of_damaged(item, collection), item.sequence or 0
        before = [v for v in versions if v.sequence < number]
        about: dict[str, tuple[int | None, str | None]] = {}
        if owner == UNKNOWN:
            last = {version.force_code: version for version in before}
            about = {force: (v.version, v.receipt_id) for force, v in last.items() if force}
        elif owner:
            after = store.last_version(owner, before, [], collection) + 1
            about = {owner: (after, item.receipt_id)}
        for force, (version_number, receipt_id) in about.items():
            lost = _damaged(store.place(item.path), item.problem)
            if owner == UNKNOWN:
                whose = "; whose it is cannot be told, so it may be a newer extract of this force"
                lost = replace(lost, message=lost.message + whose)
            row = dict.fromkeys(empty(Extracts).columns) | {
                "receipt_id": receipt_id,
                "force_code": force,
                "version": version_number,
                "state": DAMAGED_STATE,
                "live": False,
                "basis": SUBMITTED,
            }
            found.setdefault(force, []).append((number, _Judged(row, (lost,))))
    return {
        force: [item for _, item in sorted(items, key=lambda pair: pair[0])]
        for force, items in found.items()
    }


def _damaged(place: str, problem: str) -> Finding:
    return finding(UNDAMAGED, f"{place}: {problem}", Place(sheet=place))


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


Unusable = dict[str, tuple[str, Finding]]
"""By kept file the state that it gives its version, and why."""


def _judge(
    versions: Sequence[Version], store: CaseStore, keeper: "_Keeper", folder: Path, pool: Pool
) -> list[_Judged]:
    """Judge versions of different forces together; one that cannot be read leaves the others."""
    sources, unusable = _sources(versions, store)
    judged: list[_Judged] = []
    left: list[Version] = []
    for version in versions:
        if unusable.keys() & set(version.files) or not (before := keeper.before(version)):
            left.append(version)
        else:
            judged.append(before)
    out = folder / "out"
    while readable := [version for version in left if not unusable.keys() & set(version.files)]:
        wanted = [sources[kept] for version in readable for kept in version.files]
        wanted.sort(key=lambda source: (source.folder or "", source.file))
        try:
            run_cases(wanted, out, keeper.collection, pool=pool)
        except FilesRefusedError as error:
            refused = {str(each.sheet): each for each in error.findings}
            unusable |= {kept: _refused(kept, why, store) for kept, why in refused.items()}
            continue
        tables = {name: pl.read_parquet(out / name) for name in (BY_FORCE, COUNTS, BAD_ROWS)}
        judged += [
            keeper.keep(each, _result(each, tables, store, keeper.collection)) for each in readable
        ]
        break
    for version in left:
        if found := [unusable[kept] for kept in version.files if kept in unusable]:
            state = min(state for state, _ in found)
            judged.append(_judged(version, state, [why for of, why in found if of == state]))
    return judged


@dataclass(frozen=True)
class _Keeper:
    """Keeps what came of a version, so that one whose rows have not changed is judged once."""

    lake: Lake
    store: CaseStore
    collection: Collection

    def _kept(self, version: Version, given: Callable[[], _Judged]) -> _Judged:
        of, key = self.collection, [repr(version)]
        key += [self.store.kept(file).name for file in version.files]
        key += [repr((of.id, of.forces, of.period, of.census, of.max_bad_share, of.template))]
        about = made_once(
            self.lake,
            "extract",
            key,
            lambda: json.dumps([given().row, [*map(asdict, given().findings)]]).encode(),
        )
        row, findings = json.loads(about)
        cases = frame_made_once(self.lake, "extract-cases", key, lambda: given().cases)
        bad = frame_made_once(self.lake, "extract-bad", key, lambda: given().bad)
        return _Judged(row, tuple(Finding(**each) for each in findings), cases, bad)

    def before(self, version: Version) -> _Judged | None:
        """Return what came of a version before; None where that is not kept."""

        def ask() -> _Judged:
            raise LookupError

        with suppress(LookupError):
            return self._kept(version, ask)
        return None

    def keep(self, version: Version, item: _Judged) -> _Judged:
        """Keep what came of a version, unless it has too many bad rows, and return it."""
        return item if item.bad.height > _MOST_KEPT else self._kept(version, lambda: item)


def _sources(versions: Sequence[Version], store: CaseStore) -> tuple[dict[str, Source], Unusable]:
    sources: dict[str, Source] = {}
    unusable: Unusable = {}
    for version in versions:
        for kept in version.files:
            file = store.kept(kept)
            if problem := file.damage():
                unusable[kept] = DAMAGED_STATE, _damaged(store.place(file.path or file.at), problem)
                continue
            try:
                (source,) = find_sources([file.there()])
            except FilesRefusedError as error:
                unusable[kept] = _refused(kept, error.findings[0], store)
            else:
                sources[kept] = replace(source, file=kept, folder=version.force_code)
    return sources, unusable


def _refused(kept: str, why: Finding, store: CaseStore) -> tuple[str, Finding]:
    return UNREADABLE_STATE, replace(why, sheet=store.kept(kept).name)


def _result(
    version: Version,
    tables: Mapping[str, pl.DataFrame],
    store: CaseStore,
    collection: Collection,
) -> _Judged:
    own = pl.col("force_code") == version.force_code
    found = tables[BY_FORCE].row(by_predicate=own, named=True)
    files = {kept: store.kept(kept) for kept in version.files}
    of_force = (
        tables[BAD_ROWS]
        .filter(pl.col("file").is_in(version.files))
        .with_columns(pl.col("file").replace({kept: file.name for kept, file in files.items()}))
    )
    said = {_basis(file.there()) for file in files.values()}
    basis = RECONSTRUCTED if RECONSTRUCTED in said else min(said)
    about = {name: found[name] for name in ("rows", "bad")}
    about |= {"live": found["state"] != REJECTED, "basis": basis}
    cases = (
        tables[COUNTS]
        .filter(own)
        .rename({"status_at_census": "outcome"})
        .with_columns(pl.lit(basis).alias("basis"))
    )
    names = [file.name for file in files.values()]
    findings = faults(found, of_force, names, collection)
    judged = _judged(version, found["state"], findings, **about)
    return replace(judged, cases=cases, bad=of_force)


def _basis(path: Path) -> str:
    """Return what a Parquet file's own metadata say of its basis; `submitted` unless they do.

    The sample says `reconstructed` there, so that it is never taken for what a force sent.
    """
    if path.suffix.lower() != ".parquet":
        return SUBMITTED
    try:
        with reading([path], path.name):
            said = pl.read_parquet_metadata(path).get("basis", SUBMITTED)
    except FilesRefusedError:
        return SUBMITTED
    return said if said in BASES else SUBMITTED


def _set_aside(item: _Judged, store: CaseStore) -> None:
    """Write the bad rows of a version, as they were sent, with their reasons."""
    if item.bad.is_empty():
        return
    path = store.bad_rows(item.row["force_code"], item.row["version"])
    with write_errors(path.parent), scratch_file(path.parent) as scratch:
        item.bad.write_parquet(scratch)
        put_in_place(scratch, path, mode=0o644)
