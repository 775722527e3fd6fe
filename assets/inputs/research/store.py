"""Research files: each kept for ever by its hash, the newest acceptable one of each name in use."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import polars as pl

from assets.inputs.research.reading import ROW, read_rows, research_finding, research_years
from assets.inputs.research.tables import ResearchTables
from assets.intake.landing import ARRIVING, OPEN, LeftError, name_as_text, opened, waiting
from assets.intake.store import Kept, kept, kept_file
from assets.kept import frame_made_once
from assets.lake import Lake
from schemas.collection import Collection
from schemas.contract import conform, empty, keys
from schemas.errors import LakeError
from schemas.finding import FilesRefusedError, Finding
from schemas.reference import forces
from schemas.research import BASIS_FILE, FILES
from schemas.tables import ResearchFiles, ResearchProblems
from schemas.template import column_letter
from schemas.vocabulary import BASES
from schemas.wording import listed

MAX_BYTES: Final = 50 * 1024 * 1024
"""Some twenty times a survey of seven thousand respondents."""

_SHOWN: Final = 50
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
            place = (each.path or each.at).relative_to(lake.root)
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
        read, _ = read_rows(file.name, file.there().read_bytes(), collection)
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
            instances=row["instances"],
        )


@dataclass(frozen=True)
class Evidence:
    """A research file as it was received, so that a figure can be traced to its cells.

    `rows`: the columns of its contract and ROW. `headings`: the columns in the order of the file.
    """

    file: str
    sha256: str
    rows: pl.DataFrame
    headings: tuple[str, ...]

    def where(self, holds: pl.Expr) -> "Evidence":
        """Return the rows of which something holds."""
        return replace(self, rows=self.rows.filter(holds))

    def cell(self, column: str) -> pl.Expr:
        """Return the address of a column's cell in each row, as a spreadsheet shows it."""
        letter = column_letter(self.headings.index(column) + 1)
        return pl.format(f"{letter}{{}}", pl.col(ROW))


def evidence(kept: Path, file: str, sha256: str, collection: Collection) -> Evidence:
    """Return a kept research file by its name and hash.

    Raises:
        LakeError: it is gone, or no longer what was received.
    """
    for path in kept.glob(f"*-{sha256}/{file}"):
        content = path.read_bytes()
        if hashlib.sha256(content).hexdigest() == sha256:
            return Evidence(file, sha256, *read_rows(file, content, collection))
    raise LakeError(
        kept / file,
        f"the research file with the sha256 {sha256} is gone or has changed",
        "Restore it from the backup of the lake.",
    )
