"""From received versions to the extract of each force that counts, its cases, and what is wrong.

The extract that counts is the newest that is not refused whole. A file on its own can be checked
without a lake.
"""

import json
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import polars as pl

from assets.cases.job import BAD_ROWS, BY_FORCE, COUNTS, Pool, in_this_process, run_cases, told
from assets.cases.sources import Source, find_sources, reading
from assets.cases.store import CaseStore, force_of
from assets.intake.receipts import UNKNOWN, Damaged, Version
from assets.kept import frame_made_once, made_once
from assets.lake import Lake, put_in_place, scratch_file, write_errors
from schemas.cases import (
    ACCEPTED,
    COLUMN_OF,
    DAMAGED_STATE,
    LISTS,
    QUARANTINED,
    REJECTED,
    SHARE,
    TYPES,
    UNDAMAGED,
    UNREADABLE_STATE,
    codes,
)
from schemas.collection import Collection
from schemas.conform import conform
from schemas.contract import empty
from schemas.finding import FilesRefusedError, Finding, Place, finding
from schemas.marts import InvestigationsByMonth
from schemas.rules.catalogue import CASES, rules_of
from schemas.tables import ExtractFindings, Extracts
from schemas.vocabulary import BASES
from schemas.wording import plural

SUBMITTED: Final = "submitted"
RECONSTRUCTED: Final = "reconstructed"

_SETTLED: Final = (ACCEPTED, QUARANTINED, DAMAGED_STATE)
"""States of an extract before which no earlier one of the force is looked at."""

_MOST_KEPT: Final = 100_000
"""Bad rows of a version above which it is rather judged again than kept."""

_ROWS: Final = 5
"""Rows told of each fault; the quarantine has all."""

_HEAD: Final = 4096


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
    versions = store.receipts()
    listed = {file for each in versions if each.force_code for file in each.files}
    judged = [
        _judged(version, UNREADABLE_STATE, [version.refusal] if version.refusal else ())
        for version in versions
        if version.force_code is None and listed.isdisjoint(version.files)
    ]
    older = _by_force(store)
    while older:
        newest = [items.pop() for items in older.values()]
        latest = [item for item in newest if isinstance(item, _Judged)]
        with _folder_to_work_in(lake) as folder:
            judge = _Judge(store, lake, collection, pool, folder / "out")
            latest += judge([item for item in newest if isinstance(item, Version)])
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
            row = dict.fromkeys(empty(Extracts).columns) | {
                "receipt_id": each.receipt_id,
                "force_code": force,
                "version": each.version,
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


@dataclass(frozen=True)
class _Judge:
    """Judges versions of different forces together; one whose rows have not changed, only once."""

    store: CaseStore
    lake: Lake
    collection: Collection
    pool: Pool
    out: Path

    def __call__(self, versions: Sequence[Version]) -> list[_Judged]:
        """Return what came of each version; one that cannot be read leaves the others."""
        unusable = dict(self._damage(versions))
        judged: list[_Judged] = []
        left: list[Version] = []
        for version in versions:
            if not unusable.keys() & {*version.files}:
                with suppress(LookupError):
                    judged.append(self._kept(version))
                    continue
            left.append(version)
        # What has been judged before need not even be opened.
        sources = self._sources(left, unusable)
        while readable := [each for each in left if not unusable.keys() & {*each.files}]:
            wanted = [sources[kept] for version in readable for kept in version.files]
            wanted.sort(key=lambda source: (source.folder or "", source.file))
            try:
                run_cases(wanted, self.out, self.collection, pool=self.pool)
            except FilesRefusedError as error:
                refused = {str(each.sheet): each for each in error.findings}
                unusable |= {kept: self._refused(kept, why) for kept, why in refused.items()}
                continue
            tables = [pl.read_parquet(self.out / name) for name in (BY_FORCE, COUNTS, BAD_ROWS)]
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


def faults(
    found: Mapping[str, Any], bad: pl.DataFrame, files: Sequence[str], collection: Collection
) -> Iterator[Finding]:
    """Yield what is wrong with the files of a force's extract that could be read.

    `found` is its row of the contract CasesByForce, `bad` its rows of the quarantine.
    """
    if found["state"] == REJECTED:
        is_, most = "is" if found["bad"] == 1 else "are", f"{collection.max_bad_share:.0%}"
        share = f"{found['bad']:,} of {plural(found['rows'], 'row')} {is_} bad"
        place = Place(sheet=files[0] if len(files) == 1 else None)
        yield finding(SHARE, f"{share}, above the {most} allowed", place)
    by_rule = (
        bad.with_columns(pl.col("reasons").str.split(";"))
        .explode("reasons")
        .group_by("reasons", "file")
        .agg(pl.len().alias("rows"), pl.col("row").head(_ROWS), pl.col(*TYPES).first())
        .sort("reasons", "file")
    )
    for fault in by_rule.iter_rows(named=True):
        yield _fault(fault, found["state"], collection)


def _fault(fault: Mapping[str, Any], state: str, collection: Collection) -> Finding:
    """Return the finding of one rule that rows of one file break: how many, and the first."""
    rule_id, more = fault["reasons"], fault["rows"] - _ROWS
    column = COLUMN_OF[rule_id]
    rows = ", ".join(map(str, fault["row"])) + (f" and {more:,} more" if more > 0 else "")
    where = f"row {rows}" if fault["rows"] == 1 else f"{plural(fault['rows'], 'row')}: {rows}"
    message = f"{rules_of(CASES)[rule_id].title}: not so in {where}"
    value = told(fault[column], column, codes(collection.template))
    aside, rule = "; set aside, the other rows count", collection.template.cases_rule
    aside += f", and {rule} blocks a workbook that differs from them" if rule else ""
    return finding(
        rule_id,
        message if state == REJECTED else message + aside,
        Place(fault["file"], f"row {fault['row'][0]}", column_code=column, value=value),
        severity="B" if state == REJECTED else "N",
    )


def is_extract(path: Path) -> bool:
    """Return whether a file is meant as an extract: Parquet, or CSV with a column of references."""
    suffix = path.suffix.lower()
    if suffix != ".csv" or not path.is_file():
        return suffix == ".parquet"
    with path.open("rb") as file:
        return b"case_ref" in file.read(_HEAD).replace(b"\0", b"")


def check_extract(
    path: Path, collection: Collection
) -> tuple[str | None, list[Finding], bool, pl.DataFrame]:
    """Return the force of an extract, its faults, whether it can be read, and cases that count."""
    force, cases = None, pl.DataFrame()
    try:
        force = force_of(path, collection)
        source = replace(find_sources([path])[0], file=path.name, folder=force)
        with tempfile.TemporaryDirectory() as folder:
            run_cases([source], out := Path(folder) / "out", collection)
            names = (BY_FORCE, BAD_ROWS, COUNTS)
            of_forces, bad, counts = (pl.read_parquet(out / name) for name in names)
        found = of_forces.row(by_predicate=pl.col("force_code") == force, named=True)
    except FilesRefusedError as error:
        return force, [replace(each, sheet=path.name) for each in error.findings], False, cases
    cases = counts.rename(LISTS) if found["state"] != REJECTED else cases
    return force, [*faults(found, bad, [path.name], collection)], True, cases
