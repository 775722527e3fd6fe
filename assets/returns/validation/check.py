"""Checks returns and extracts on their own: no lake, no receipt, nothing written."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from assets.cases.derived import derived_entries, told_of_rows
from assets.cases.faults import check_extract, is_extract
from assets.intake.container import check_entry
from assets.intake.reader import declared_force, read_return
from assets.intake.reading import RefusedError, place
from assets.intake.store import ID_LENGTH, utc_now
from assets.returns.desk.returned import codes_of
from assets.returns.validation.judge import judge
from assets.returns.validation.repairs import repairs_of
from assets.returns.validation.rules.entries import Received
from schemas.collection import Collection
from schemas.contract import empty
from schemas.finding import Finding, finding
from schemas.marts import Findings
from schemas.template import Template
from schemas.wording import plural


@dataclass(frozen=True)
class Checked:
    """One checked file: what it is, where it stands, and everything found in it.

    `repairs` is as repairs_of returns it; `entries` has the columns of the table Entries. `codes`
    has the code of each query, which an answer to it in the marked copy is known by. `answers` is
    how many such the file brings that can be recorded. `fewer`: rows that stand in the place of a
    return are set aside, so that cases may be missing.
    """

    file: str
    receipt_id: str
    force_code: str | None
    findings: tuple[Finding, ...]
    not_evaluable: tuple[str, ...]
    readable: bool
    repairs: pl.DataFrame
    entries: pl.DataFrame
    codes: Mapping[Finding, str] = field(default_factory=dict)
    answers: int = 0
    fewer: bool = False

    @property
    def state(self) -> str:
        """The state its force's return would be in."""
        severities = {f.severity for f in self.findings}
        asked = "Q" in severities or self.fewer
        return "rejected" if "B" in severities else "queried" if asked else "accepted"

    @property
    def exit_code(self) -> int:
        """0 acceptable, 1 blocking findings, 2 not readable as a return."""
        if not self.readable:
            return 2
        return 1 if self.state == "rejected" else 0

    def as_json(self) -> dict[str, Any]:
        """Return the file with its findings as in the mart Findings."""
        of_file = {"force_code": self.force_code, "receipt_id": self.receipt_id}
        return {
            "file": self.file,
            "force_code": self.force_code,
            "state": self.state,
            "findings": [
                {
                    name: of_file.get(name, getattr(f, name, None))
                    for name in empty(Findings).columns
                }
                for f in self.findings
            ],
            "repairs": self.repairs.drop("receipt_id").to_dicts(),
            "not_evaluable": list(self.not_evaluable),
            "answers": self.answers,
        }


def answers_read(number: int) -> str:
    """Return in words that a file brings answers to queries."""
    many = plural(number, "answer")
    return f"{many} read. A run records what is still asked, and a second person accepts it."


def not_checked(rule_ids: Sequence[str], template: Template) -> list[str]:
    """Return in sentences which rules could not be told of a return, and why."""
    by_peers = {use.id for use in template.rules if use.use == "peers"}
    unread = [each for each in rule_ids if each not in by_peers]
    alone = [each for each in rule_ids if each in by_peers]
    if 2 * len(unread) > len(template.rules_in_use):
        return ["Nearly all else is checked once this is mended."]
    told = {
        "Not checked yet, because what they look at could not be read: {}. Once it"
        " can be read, they are.": unread,
        "Not asked of one return alone, as they compare it with the others: {}.": alone,
    }
    return [words.format(", ".join(several)) for words, several in told.items() if several]


def check_files(
    files: Sequence[Path], collection: Collection, *, cases: bool = False
) -> list[Checked]:
    """Check files by every rule, in the order given: returns, and with `cases` extracts too.

    Raises:
        OSError: a file cannot be opened.
    """
    keys = [f"{number}:{_receipt_id(path)}" for number, path in enumerate(files)]
    cases = cases and collection.cases is not None
    paths = dict(zip(keys, files, strict=True))
    extracts = {
        key: check_extract(path, collection)
        for key, path in paths.items()
        if cases and is_extract(path)
    }
    readings = {key: read_return(path) for key, path in paths.items() if key not in extracts}
    forces = {key: declared_force(reading, collection) for key, reading in readings.items()}
    only = _rows_alone(extracts, forces.values())
    forces |= {key: force for force, key in only.iter_rows()}
    counts = [extracts[key][3] for key in only["receipt_id"]]
    today = collection.day_of(utc_now())
    received = {key: Received(today, force) for key, force in forces.items()}
    entries = derived_entries(pl.concat(counts), only, collection.template) if counts else None
    judged = judge(readings, received, collection, derived=entries)
    names = {force: [paths[key].name] for force, key in only.iter_rows()}
    found = told_of_rows(judged.findings, only, names, collection.template)
    mended = repairs_of(judged.findings, judged.entries, collection.template)
    untold = judged.results.filter(pl.col("result") == "not_evaluable")
    sheets = {sheet.name: number for number, sheet in enumerate(collection.template.sheets)}
    counted_alone, checked = {*only["receipt_id"]}, list[Checked]()
    for key, path in zip(keys, files, strict=True):
        mine = pl.col("receipt_id") == key
        findings = sorted(
            map(Finding.of, found.filter(mine).iter_rows(named=True)),
            key=lambda it: (sheets.get(it.sheet or "", -1), place(it.cell) if it.cell else (0, 0)),
        )
        if key in extracts:
            force, of_rows, readable, _ = extracts[key]
        else:
            force, of_rows, readable = forces[key], [], not readings[key].refusal
        findings += of_rows
        receipt_id = key.partition(":")[2]
        earlier = next((item for item in checked if item.receipt_id == receipt_id), None)
        if earlier:
            findings.append(finding("S002", f"these are the bytes of {earlier.file}"))
        checked.append(
            Checked(
                file=str(path),
                receipt_id=receipt_id,
                force_code=force,
                findings=tuple(findings),
                not_evaluable=() if key in extracts else tuple(untold.filter(mine)["rule_id"]),
                readable=readable,
                repairs=mended.filter(mine),
                entries=judged.entries.filter(mine, pl.lit(key in readings)),
                codes=codes_of(findings, collection.id, receipt_id, force),
                answers=judged.answers.get(key, 0),
                fewer=bool(of_rows) and key in counted_alone,
            )
        )
    return checked


def _rows_alone(
    extracts: Mapping[str, tuple[str | None, list[Finding], bool, pl.DataFrame]],
    others: Iterable[str | None],
) -> pl.DataFrame:
    """Return force_code and receipt_id of each extract that is all that is checked of its force."""
    known = Counter([*(force for force, *_ in extracts.values()), *others])
    rows = [
        (force, key)
        for key, (force, *_, cases) in extracts.items()
        if cases.height and known[force] == 1
    ]
    return pl.DataFrame(rows, dict.fromkeys(("force_code", "receipt_id"), pl.String), orient="row")


def _receipt_id(path: Path) -> str:
    try:
        check_entry(path)
    except RefusedError:
        return f"not read: {path}"  # hashing 2 GB would make somebody wait for nothing
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:ID_LENGTH]
