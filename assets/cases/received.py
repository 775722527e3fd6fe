"""From received versions to the extract of each force that counts, its cases, and what is wrong.

The extract that counts is the newest that is not refused whole.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import polars as pl

from assets.cases.faults import faults
from assets.cases.job import Pool, in_this_process, tables_of
from assets.cases.sources import Source, find_sources, reading
from assets.cases.store import CaseStore
from assets.intake.receipts import UNKNOWN, Damaged, Version
from assets.kept import frame_made_once, made_once
from assets.lake import Lake, put_in_place, scratch_file, write_errors
from schemas.cases import (
    ACCEPTED,
    DAMAGED_STATE,
    LISTS,
    QUARANTINED,
    REJECTED,
    UNDAMAGED,
    UNREADABLE_STATE,
)
from schemas.collection import Collection
from schemas.conform import conform
from schemas.contract import empty
from schemas.finding import FilesRefusedError, Finding, Place, finding
from schemas.marts import InvestigationsByMonth
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

    Where the newest version of a force is refused, the one before it is judged next. Where one is
    damaged none before it is: it may be what counts.

    Raises:
        UnavailableError: the quarantine cannot be written.
        MusterError: the cluster of the pool cannot do the work.
    """
    versions = store.receipts()
    listed = {file for each in versions if each.force_code for file in each.files}
    judged = [
        _judged(version, UNREADABLE_STATE, [version.refusal] if version.refusal else ())
        for version in versions
        if version.force_code is None and listed.isdisjoint(version.files)
    ]
    judged += _in_turn(_by_force(store), _Judge(store, lake, collection, pool), _SETTLED)
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


def counted_before(
    store: CaseStore, lake: Lake, collection: Collection, only: pl.DataFrame, pool: Pool
) -> list[tuple[pl.DataFrame, pl.DataFrame]]:
    """Return what counted before the extracts of `only`: rows of Extracts, and their cases.

    The cases have the columns of InvestigationsByMonth. What was refused is passed over.

    Raises:
        MusterError: the cluster of the pool cannot do the work.
    """
    now = dict(only.select("force_code", "version").iter_rows())
    older: dict[str, list[Version | _Judged]] = {}
    for force, versions in (_by_force(store) if now else {}).items():
        whole = (each for each in versions if isinstance(each, Version))
        if before := [each for each in whole if (each.version or 0) < now.get(force, 0)]:
            older[force] = [*before]
    judged = _in_turn(older, _Judge(store, lake, collection, pool, before=True))
    schema = empty(Extracts).schema
    return [(pl.DataFrame([each.row], schema), each.cases) for each in judged if each.row["live"]]


def _in_turn(
    older: dict[str, list[Version | _Judged]], judge: "_Judge", settled: Sequence[str] = ()
) -> Iterator[_Judged]:
    """Judge the newest versions of all forces in one pass, then those before them.

    Of a force whose version ends in a `settled` state, none before it is judged.
    """
    while older:
        newest = [items.pop() for items in older.values()]
        latest = [item for item in newest if isinstance(item, _Judged)]
        latest += judge([item for item in newest if isinstance(item, Version)])
        for item in latest:
            force = item.row["force_code"]
            if item.row["state"] in settled or not older[force]:
                del older[force]
        yield from latest


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
    told = {name: getattr(version, name) for name in names} | {"files": len(version.files)}
    return _told(state, findings, **(told | about))


def _told(state: str, findings: Iterable[Finding], **about: Any) -> _Judged:
    nothing = dict.fromkeys(empty(Extracts).columns) | {"live": False, "basis": SUBMITTED}
    return _Judged({**nothing, "state": state, **about}, tuple(findings))


def _by_force(store: CaseStore) -> dict[str, list[Version | _Judged]]:
    """Return the versions of each force in order of receipt, and in their places what is lost.

    What is damaged and may be of any force is so for each that had sent an extract before.
    """
    found: dict[str, list[tuple[int, Version | _Judged]]] = {}
    versions = store.receipts()
    for version in versions:
        if version.force_code:
            found.setdefault(version.force_code, []).append((version.sequence, version))
    for item in store.damaged():
        number, whose = item.sequence or 0, ""
        perhaps: list[Damaged[Version] | Version] = [item] if item.force_code else []
        if item.force_code == UNKNOWN:
            whose = "; whose it is cannot be told, so it may be a newer extract of this force"
            last = {each.force_code: each for each in versions if each.sequence < number}
            perhaps = [each for force, each in last.items() if force]
        for each in perhaps:
            force = str(each.force_code)
            lost = _damaged(store.place(item.path), item.problem + whose)
            about = {"receipt_id": each.receipt_id, "force_code": force, "version": each.version}
            judged = _told(DAMAGED_STATE, [lost], **about)
            found.setdefault(force, []).append((number, judged))
    return {
        force: [item for _, item in sorted(items, key=lambda pair: pair[0])]
        for force, items in found.items()
    }


def _damaged(place: str, problem: str) -> Finding:
    return finding(UNDAMAGED, f"{place}: {problem}", Place(sheet=place))


Unusable = dict[str, tuple[str, Finding]]
"""By kept file the state that it gives its version, and why."""


@dataclass(frozen=True)
class _Judge:
    """Judges versions of different forces together; one whose rows have not changed, only once.

    Of what is `before` those that may count, what came of it then is taken whatever became of it.
    """

    store: CaseStore
    lake: Lake
    collection: Collection
    pool: Pool
    before: bool = False

    def __call__(self, versions: Sequence[Version]) -> list[_Judged]:
        """Return what came of each version; one that cannot be read leaves the others."""
        unusable = dict(self._damage(() if self.before else versions))
        judged: list[_Judged] = []
        left: list[Version] = []
        for version in versions:
            if not unusable.keys() & {*version.files}:
                with suppress(LookupError):
                    judged.append(self._kept(version))
                    continue
            left.append(version)
        if self.before:
            unusable |= self._damage(left)
        # What has been judged before need not even be opened.
        sources = self._sources(left, unusable)
        while readable := [each for each in left if not unusable.keys() & {*each.files}]:
            wanted = [sources[kept] for version in readable for kept in version.files]
            wanted.sort(key=lambda source: (source.folder or "", source.file))
            try:
                # In the lake, which a cluster sees as well.
                tables = tables_of(wanted, self.collection, self.lake.work, self.pool)
            except FilesRefusedError as error:
                refused = {str(each.sheet): each for each in error.findings}
                unusable |= {kept: self._refused(kept, why) for kept, why in refused.items()}
                continue
            judged += [self._kept(each, self._result(each, *tables)) for each in readable]
            break
        for version in left:
            if found := [unusable[kept] for kept in version.files if kept in unusable]:
                state = min(state for state, _ in found)
                judged.append(_judged(version, state, [why for of, why in found if of == state]))
        return judged

    def _damage(self, versions: Iterable[Version]) -> Iterator[tuple[str, tuple[str, Finding]]]:
        for kept in (kept for version in versions for kept in version.files):
            file = self.store.kept(kept)
            if problem := file.damage():
                yield kept, (DAMAGED_STATE, _damaged(self.store.place(file.place), problem))

    def _sources(self, versions: Iterable[Version], unusable: Unusable) -> dict[str, Source]:
        """Return the files that can be used, and add the others to what is `unusable`."""
        sources: dict[str, Source] = {}
        whose = {kept: version.force_code for version in versions for kept in version.files}
        for kept, force in whose.items():
            if kept in unusable:
                continue
            try:
                (source,) = find_sources([self.store.kept(kept).place])
            except FilesRefusedError as error:
                unusable[kept] = self._refused(kept, error.findings[0])
            else:
                sources[kept] = replace(source, file=kept, folder=force)
        return sources

    def _refused(self, kept: str, why: Finding) -> tuple[str, Finding]:
        return UNREADABLE_STATE, replace(why, sheet=self.store.kept(kept).name)

    def _result(
        self, version: Version, by_force: pl.DataFrame, counts: pl.DataFrame, bad_rows: pl.DataFrame
    ) -> _Judged:
        own = pl.col("force_code") == version.force_code
        found = by_force.row(by_predicate=own, named=True)
        files = {kept: self.store.kept(kept) for kept in version.files}
        names = {kept: file.name for kept, file in files.items()}
        file = pl.col("file")
        bad = bad_rows.filter(file.is_in(version.files)).with_columns(file.replace(names))
        said = {_basis(file.place) for file in files.values()}
        basis = RECONSTRUCTED if RECONSTRUCTED in said else min(said)
        cases = counts.filter(own).rename(LISTS)
        judged = _judged(
            version,
            found["state"],
            faults(found, bad, [*names.values()], self.collection),
            rows=found["rows"],
            bad=found["bad"],
            live=found["state"] != REJECTED,
            basis=basis,
        )
        return replace(judged, cases=cases.with_columns(pl.lit(basis).alias("basis")), bad=bad)

    def _kept(self, version: Version, now: _Judged | None = None) -> _Judged:
        """Return what came of a version before or now, which is kept unless much of it is bad.

        Raises:
            LookupError: nothing came of it now, and nothing is kept.
        """
        if now and now.bad.height > _MOST_KEPT:
            return now

        def given() -> _Judged:
            if now is None:
                raise LookupError
            return now

        def told() -> bytes:
            return json.dumps([given().row, [*map(asdict, given().findings)]]).encode()

        of, key = self.collection, [repr(version)]
        key += [self.store.kept(file).name for file in version.files]
        key += [repr((of.id, of.forces, of.period, of.census, of.max_bad_share, of.template))]
        row, findings = json.loads(made_once(self.lake, "extract", key, told))
        cases = frame_made_once(self.lake, "extract-cases", key, lambda: given().cases)
        bad = frame_made_once(self.lake, "extract-bad", key, lambda: given().bad)
        return _Judged(row, tuple(Finding(**each) for each in findings), cases, bad)


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
