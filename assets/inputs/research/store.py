"""Research files: each kept for ever by its hash, the newest acceptable one of each name in use."""

import csv
import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import StringIO
from itertools import chain, islice
from pathlib import Path
from typing import Any, Final

import polars as pl

from assets.inputs.research.tables import ResearchTables
from assets.intake.landing import ARRIVING, OPEN, LeftError, name_as_text, opened, waiting
from assets.intake.store import Kept, kept, kept_file
from assets.kept import frame_made_once
from assets.lake import Lake
from schemas.collection import Collection
from schemas.conform import conform
from schemas.contract import Column, Contract, empty, keys
from schemas.finding import FilesRefusedError, Finding
from schemas.reference import forces
from schemas.research import (
    ALONE,
    BASIS_FILE,
    FILES,
    INSTANCE_CATEGORIES,
    QUESTIONS,
    ROW_CHECKS,
    SITES,
    columns_sent,
)
from schemas.rules.catalogue import rules_of
from schemas.tables import ResearchFiles, ResearchProblems
from schemas.vocabulary import BASES, NOT_HELD
from schemas.wording import Number, listed, plural

MAX_BYTES: Final = 50 * 1024 * 1024
"""Some twenty times a survey of seven thousand respondents."""

_MOST: Final = 10_000
"""Problems of one file that are told; a file that has more has one cause of most of them."""

_SHOWN: Final = 50
"""Characters of a cell or heading that a message repeats."""

_UNLESS_SAID: Final = "submitted"


@dataclass(frozen=True)
class Research:
    """The research in use.

    `tables`: what it says. `files`: table ResearchFiles, the files that it comes from. `problems`:
    table ResearchProblems, of the newest file of each name and of the folder. `new`: names of the
    files that were received now; `left` maps the name of one that waits in landing to why.
    """

    tables: ResearchTables
    files: pl.DataFrame
    problems: pl.DataFrame
    new: tuple[str, ...]
    left: dict[str, str]


def read_research(
    lake: Lake, collection: Collection, settled: Callable[[Path], bool] = lambda _: True
) -> Research:
    """Keep the files that were dropped, and read the newest acceptable one of each name.

    Raises:
        UnavailableError: a file cannot be kept.
    """
    contents, basis, findings, left = _dropped(lake.research, settled)
    new = [name for name, content in contents.items() if _keep(lake, name, content, basis)]
    tables: dict[str, pl.DataFrame] = {}
    used = []
    for name, contract in FILES.items():
        table, file, wrong = _newest_acceptable(lake, name, collection)
        tables[name] = empty(contract) if table is None else table
        findings += wrong
        used += [(name, file.sha256, file.basis)] if file else []
    research = ResearchTables(*tables.values())
    findings += _disagreements(research.profiles, research.instances)
    files = pl.DataFrame(used, schema=empty(ResearchFiles).schema, orient="row")
    rows = [
        (f.sheet, row, f.column_code, f.rule_id, f.message, f.how_to_fix)
        for f in findings
        for row in [int(f.row_code) if f.row_code else None]
    ]
    told = pl.DataFrame(rows, schema=empty(ResearchProblems).schema, orient="row")
    once = told.unique(keys(ResearchProblems), keep="first", maintain_order=True)
    tables_of_files = conform(ResearchFiles, files), conform(ResearchProblems, once)
    return Research(research, *tables_of_files, tuple(new), left)


def _dropped(
    folder: Path, settled: Callable[[Path], bool]
) -> tuple[dict[str, bytes], str, list[Finding], dict[str, str]]:
    """Return what can be kept by its name, the basis of it all, what is wrong, and what waits.

    Where the basis cannot be told nothing is taken: a file must not pass for what it is not.
    """
    found, names = waiting(folder), (*FILES, BASIS_FILE)
    unknown = [("unknown", path) for path in found.files if path.name not in names]
    findings = [
        research_finding(what, name_as_text(path.name), "not taken in", names=listed(names))
        for what, path in (*unknown, *(("folder", path) for path in found.folders))
    ]
    left = {path.name: OPEN for path in found.unfinished}
    contents: dict[str, bytes] = {}
    for path in (path for path in found.files if path.name in names):
        try:
            if not settled(path):
                raise LeftError(ARRIVING)
            with opened(path, MAX_BYTES) as file:
                contents[path.name] = file.read()
        except LeftError as reason:
            left[path.name] = str(reason)
    if BASIS_FILE in left:
        return {}, _UNLESS_SAID, findings, left | dict.fromkeys(contents, f"waits for {BASIS_FILE}")
    said = contents.pop(BASIS_FILE, _UNLESS_SAID.encode()).decode(errors="replace").strip()
    if said not in BASES:
        observed = repr(said[:_SHOWN])
        findings.append(research_finding("basis", BASIS_FILE, observed, bases=listed(BASES)))
        return {}, _UNLESS_SAID, findings, left
    return contents, said, findings, left


def _newest_first(lake: Lake, name: str) -> list[Kept]:
    """Return the files of a name, and those of which not even the name is left."""
    files = reversed(kept(lake, "research"))
    return [each for each in files if each.path is None or each.name == name]


def _keep(lake: Lake, name: str, content: bytes, basis: str) -> bool:
    """Keep a file unless it is the newest of its name already; return whether it was new.

    The newest alone is compared: a name is always the same, so an earlier file that is dropped
    again is meant to count again. One that is damaged now is kept anew.
    """
    sha256 = hashlib.sha256(content).hexdigest()
    newest = next(iter(_newest_first(lake, name)), None)
    if newest and (newest.sha256, newest.basis) == (sha256, basis) and not newest.damage():
        return False
    number = max((each.number for each in kept(lake, "research")), default=0) + 1
    with kept_file(lake, "research", name, sha256, number, basis) as file:
        file.write(content)
    return True


def _newest_acceptable(
    lake: Lake, name: str, collection: Collection
) -> tuple[pl.DataFrame | None, Kept | None, Sequence[Finding]]:
    """Return a file's table of FILES, where it lies, and what is wrong with the newest.

    Where one is damaged none before it is used: it may be what counts.
    """
    findings: Sequence[Finding] = ()
    for each in _newest_first(lake, name):
        if damage := each.damage():
            place = each.place.relative_to(lake.root)
            return None, None, (*findings, research_finding("lost", name, f"{place}: {damage}"))
        try:
            return _read(lake, each, collection), each, findings
        except FilesRefusedError as error:
            findings = findings or error.findings
    return None, None, findings


def _read(lake: Lake, file: Kept, collection: Collection) -> pl.DataFrame:
    """Read a file once: its rows are kept by its bytes, and by what they are held against.

    Raises:
        FilesRefusedError: something in it is wrong, which is told anew each time.
    """
    years = map(str, research_years(collection))
    key = (file.sha256, file.name, file.basis, *years, *forces()["force_code"])

    def rows() -> pl.DataFrame:
        read, _ = read_rows(file.name, file.place.read_bytes(), collection)
        return conform(FILES[file.name], read.with_columns(pl.lit(file.basis).alias("basis")))

    return frame_made_once(lake, "research", key, rows)


def _disagreements(profiles: pl.DataFrame, instances: pl.DataFrame) -> Iterator[Finding]:
    """Yield a finding for each force and year whose profiles do not fit its instances.

    Years or forces that only one of the files has are not compared. A disagreement keeps neither
    file out: which of them is right is for the researchers to say.
    """
    found = instances.group_by("force_code", "year").agg(pl.col("instances").sum())
    both = profiles.drop_nulls("profiles_inappropriate").join(found, on=["force_code", "year"])
    part, whole = pl.col("profiles_inappropriate"), pl.col("instances")
    wrong = both.filter((part > whole) | ((part == 0) & (whole > 0)))
    for row in wrong.sort("force_code", "year").iter_rows(named=True):
        yield research_finding(
            "disagreement",
            "social_media_profiles.csv",
            f"{row['profiles_inappropriate']} for {row['force_code']} in {row['year']}",
            column="profiles_inappropriate",
            instances=Number(row["instances"]),
        )


ROW: Final = "row"
"""Column with the row's number as a spreadsheet shows it."""

_WHOLE: Final = r"^([0-9]{1,9}|[1-9][0-9]{0,2}(,[0-9]{3}){1,2})$"


def research_finding(
    what: str,
    file: str,
    observed: str,
    row: int | None = None,
    column: str | None = None,
    **words: Any,
) -> Finding:
    """Return a finding in a file of the research folder: its sheet is the file.

    `what` is wrong, as a rule of tier `research` says it, whose texts hold `words`; the headings
    are row 1. Without row or column it is about the whole file, column or row.
    """
    rule = next(rule for rule in rules_of("research").values() if what in rule.says)
    message = f"{observed}; expected {rule.says[what].format_map(words)}"
    fix = rule.advice(rule.fixes.get(what, rule.fix).format_map(words))
    at = None if row is None else str(row)
    return Finding(rule.id, rule.severity, message, fix, file, None, at, column)


def research_years(collection: Collection) -> tuple[int, int]:
    """Return the years that a collection's research and survey may be of: the last and its own."""
    return collection.census.year - 1, collection.census.year


def read_rows(
    file: str, content: bytes, collection: Collection
) -> tuple[pl.DataFrame, tuple[str, ...]]:
    """Return the rows of a research file with their numbers (ROW), and its headings in order.

    Raises:
        FilesRefusedError: something in it is wrong; it lists everything that is.
    """
    sent = columns_sent(FILES[file])
    cells, headings, findings = _table(file, content, [column.name for column in sent])
    typed = cells.select(ROW, *map(_typed, sent))
    of_cells = (_cell_findings(file, c, cells, typed[c.name], collection) for c in sent)
    findings += islice(chain.from_iterable(of_cells), _MOST + 1 - len(findings))
    if len(findings) <= _MOST:  # else not all rows that are wrong are known
        sound = typed.filter(~pl.col(ROW).cast(pl.String).is_in([f.row_code for f in findings]))
        of_rows = _row_findings(file, FILES[file], sound, all_sound=not findings)
        findings += islice(of_rows, _MOST + 1 - len(findings))
    if findings:
        told = sorted(findings[:_MOST], key=lambda f: (int(f.row_code or 0), f.column_code or ""))
        if len(findings) > _MOST:
            told.insert(0, research_finding("many", file, f"more than {_MOST:,} problems"))
        raise FilesRefusedError(told)
    return typed, headings


def _table(
    file: str, content: bytes, names: Sequence[str]
) -> tuple[pl.DataFrame, tuple[str, ...], list[Finding]]:
    """Return the cells as text under `names`, the headings as they stand, and rows left out."""
    try:
        text = StringIO(content.decode("utf-8-sig"), newline="")
        lines = list(csv.reader(text, strict=True))
    except (UnicodeDecodeError, csv.Error) as error:
        unread = research_finding("csv", file, f"not readable ({error})")
        raise FilesRefusedError([unread]) from error
    filled = [row for row, line in enumerate(lines, 1) if any(line)]
    headings = tuple(text.strip() for row in filled[:1] for text in lines[row - 1])
    if len(headings) == 1 and {*headings[0]} & {*";|\t"}:
        unread = research_finding("csv", file, "not separated by commas")
        raise FilesRefusedError([unread])
    wrong = [
        *(("absent", name, "the column is missing") for name in names if name not in headings),
        *(("unknown_column", name, "unknown column") for name in headings if name not in names),
        *(("twice", name, "the column stands twice") for name in names if headings.count(name) > 1),
    ]
    if wrong:
        expected = listed(names)
        raise FilesRefusedError(
            [
                research_finding(
                    what, file, observed, 1, name[:_SHOWN] or "without a heading", names=expected
                )
                for what, name, observed in wrong
            ]
        )
    if len(filled) == 1:
        raise FilesRefusedError([research_finding("rows", file, "headings without rows")])
    width = len(headings)
    others = (row for row in filled[1:] if len(lines[row - 1]) != width)
    findings = [
        research_finding("cells", file, plural(len(lines[row - 1]), "cell"), row, cells=width)
        for row in islice(others, _MOST + 1)
    ]
    fitting = [row for row in filled[1:] if len(lines[row - 1]) == width]
    # By column: a tuple for each row would take longer than reading the file.
    cells = {
        name: [lines[row - 1][at].strip() for row in fitting]
        for name in names
        for at in [headings.index(name)]
    }
    schema = {ROW: pl.Int64, **dict.fromkeys(names, pl.String)}
    return pl.DataFrame({ROW: fitting, **cells}, schema=schema), headings, findings


def _typed(column: Column) -> pl.Expr:
    """Return a column in its type, null where its text is not of that type."""
    text = pl.col(column.name)
    if column.dtype is pl.String:
        return pl.when(text != "").then(text).alias(column.name)
    number = text.str.replace_all(",", "").cast(pl.Int64, strict=False)
    return pl.when(text.str.contains(_WHOLE)).then(number).alias(column.name)


def _cell_findings(
    file: str, column: Column, cells: pl.DataFrame, typed: pl.Series, collection: Collection
) -> Iterator[Finding]:
    """Yield a finding for each cell that is not of its type, or holds a code not in its list.

    Only `not_held` makes a null where the contract allows one, so any other text is no null.
    """
    name = column.name
    codes = research_years(collection) if name == "year" else column.allowed
    count = "count_or_not" if column.nullable else "count"
    what = "code" if codes else "text" if column.dtype is pl.String else count
    wrong = ~typed.is_in(codes).fill_null(value=False) if codes else typed.is_null()
    for row, text in cells.filter(wrong).select(ROW, name).iter_rows():
        if not (column.nullable and text == NOT_HELD):
            observed = repr(text[:_SHOWN]) if text else "a blank cell"
            yield research_finding(what, file, observed, row, name, codes=listed(codes))


def _row_findings(
    file: str, contract: Contract, sound: pl.DataFrame, *, all_sound: bool
) -> Iterator[Finding]:
    """Yield a finding for each row that breaks a check on whole rows."""
    key = keys(contract)
    checks = {"one_key": (None, pl.struct(key).is_unique()), **ROW_CHECKS[contract]}
    broken = {check: sound.filter(~holds) for check, (_, holds) in checks.items()}
    rules = rules_of("research").values()
    by_others = {what for rule in rules if rule.needs == "other rows" for what in rule.says}
    certain = {check: rows for check, rows in broken.items() if check not in by_others}
    if not all_sound or any(rows.height for rows in certain.values()):
        broken = certain
    for check, rows in broken.items():
        column, _ = checks[check]
        for row in rows.iter_rows(named=True):
            observed = ", ".join(str(row[name]) for name in ([column] if column else key))
            yield research_finding(check, file, observed, row.pop(ROW), column, **_words(row))


def _words(row: Mapping[str, Any]) -> dict[str, Any]:
    question = QUESTIONS.get(row.get("question", ""))
    asked_of = question.asked_of if question else None
    return {
        **{name: NOT_HELD if value is None else value for name, value in row.items()},
        "answers": listed(question.answers) if question else "",
        "route": f"{asked_of[1]} to {asked_of[0]}" if asked_of else "",
        "alone": " and ".join(ALONE),
        "kinds": len(SITES) * len(INSTANCE_CATEGORIES),
    }
