"""Which force gets a letter, and what it says: by the states of returns and their findings."""

import re
import tomllib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final, Literal

import polars as pl

from assets.feedback.causes import causes_of
from assets.feedback.problems import Problem, Thing, basis_line, findings_of, grouped, to_do
from assets.figures.agenda import so_far
from assets.html import words
from assets.intake.raw_store import RawStore
from assets.intake.reader import cover_values
from assets.intake.receipts import ReturnReceipt
from assets.lake import Lake
from assets.returns.validation.check import not_checked
from assets.returns.validation.repairs import beside, repairs_of
from assets.returns.validation.rules.evaluate import ENTRY
from assets.returns.validation.states import Standing
from assets.tables import read_table, work_table
from assets.unattributed import Unattributed, unattributed_files
from schemas.cases import UNDAMAGED
from schemas.collection import Collection, command
from schemas.finding import Finding
from schemas.rules.catalogue import CASES, UNORDERED, Rule, every_rule, rules_of
from schemas.template import Template

Situation = Literal[
    "missing",
    "rejected",
    "resubmission_rejected",
    "held",
    "queried",
    "rows_asked",
    "extract_refused",
]

_WORDS: Final[dict[str, Any]] = tomllib.loads(
    Path(__file__).with_name("letters.toml").read_text(encoding="utf-8")
)


@dataclass(frozen=True)
class _File:
    """A file that a letter is about, and the `things` that the force has to do with it."""

    things: tuple[Thing, ...]

    @property
    def findings(self) -> list[Finding]:
        """What they are about."""
        return findings_of(self.things)


@dataclass(frozen=True)
class Sent(_File):
    """The return that a letter is about.

    `live_version` is the version that counts, null where none does. `untold` are the rules that
    what stands in it leaves open.
    """

    receipt: ReturnReceipt
    live_version: int | None
    basis: str | None
    untold: tuple[str, ...]


@dataclass(frozen=True)
class Extract(_File):
    """Why a case-level extract is refused, or blocks the return, or what is asked of it alone."""

    receipt_ids: tuple[str, ...]


@dataclass(frozen=True)
class Letter:
    """What one force is told; `sent` is null where it is not about a return.

    `extract` is null where there is nothing to mend in one. `note` says what else did come
    where no return has, null for nothing; of case rows alone, their state.
    """

    force_code: str
    situation: Situation
    collection: Collection
    written_on: date
    sent: Sent | None = None
    extract: Extract | None = None
    note: str | None = None

    @property
    def force_name(self) -> str:
        """The force's full name."""
        return self.collection.name_of(self.force_code)

    @property
    def attachments(self) -> list[str]:
        """Names of the workbooks that go with it: about the return, and about the extract."""
        whole = ["marked"] if self.sent else ["blank"] if self.situation == "missing" else []
        about = [*whole, "extract"] if self.extract else whole
        return [f"{self.force_code}-{what}.xlsx" for what in about]

    def items(self, severity: str, of: str = "sent") -> list[Thing]:
        """Return what there is to do of a severity: what follows from one cause is one."""
        about: _File | None = getattr(self, of)
        return [each for each in about.things if each.severity == severity] if about else []

    def number(self, severity: str, of: str = "sent") -> int:
        """Return how many findings of a severity there are, in whatever there is to do."""
        about: _File | None = getattr(self, of)
        return sum(item.severity == severity for item in about.findings) if about else 0

    @property
    def rules(self) -> list[Rule]:
        """The rules that the letter names, in their order."""
        about = (each for each in (self.sent, self.extract) if each)
        named = {item.rule_id for each in about for item in each.findings}
        named |= {rule_id for line in self.not_checked for rule_id in re.findall(r"\w+", line)}
        return [rule for rule in every_rule().values() if rule.id in named]

    @property
    def not_checked(self) -> list[str]:
        """What waits for what could not be read, in sentences."""
        return not_checked(self.sent.untold, self.collection.template) if self.sent else []

    @property
    def basis(self) -> str | None:
        """The line that stands over a letter about a reconstructed return."""
        return basis_line(self.sent.basis) if self.sent else None

    @property
    def received_on(self) -> date:
        """The day on which the return came, where it is about one."""
        assert self.sent
        return self.collection.day_of(datetime.fromisoformat(self.sent.receipt.received_at))

    @property
    def sections(self) -> list[tuple[str, list[Thing], str]]:
        """The lists of what there is to do: heading, items, and what is left out of the list."""
        found = []
        for section in _WORDS["sections"]:
            if several := self.items(section["severity"], section.get("of", "sent")):
                noun, shown = section["noun"], several[: section.get("most")]
                of = Counter(item.severity for item in findings_of(several))
                number, rest = of[section["severity"]], of.total() - len(findings_of(shown))
                title = words(section["title"], number=number, noun=noun, queries=of["Q"])
                more = words(_WORDS["more"], number=rest, noun=noun) if rest else ""
                found.append((title, shown, more))
        return found

    @property
    def steps(self) -> list[tuple[str, str]]:
        """What to do next, in order: the text, and the command for it, "" where there is none."""
        about, told = _WORDS[self.situation], []
        asked = self.number("Q") + self.number("Q", "extract")
        steps = about["steps_asked" if asked else "steps"]
        if self.extract and len(self.attachments) > 1:
            steps = [*steps, *_WORDS["extract_refused"]["steps"]]
        for step in map(_WORDS["steps"].get, steps):
            typed = words(step.get("command", ""), letter=self)
            whole = command(typed, self.collection.id, kept=True) if typed else ""
            told.append((words(step["text"], letter=self), whole))
        return told

    def said(self, key: str) -> str:
        """Return a text by its name: the heading, which is a line, the opening, the deadline."""
        return words({**_WORDS, **_WORDS[self.situation]}[key], letter=self)


def unattributed(
    lake: Lake, now: Standing, collection: Collection
) -> dict[Unattributed, list[Problem]]:
    """Return the files in landing that are nobody's, and what was found in each that was opened.

    Nobody gets a letter about them.
    """
    nobodys = now.current_findings().filter(pl.col("force_code").is_null())
    return {
        file: grouped(_findings(nobodys.filter(receipt_id=file.key)), collection.template)
        for file in unattributed_files(lake)
    }


def letters(
    lake: Lake,
    now: Standing,
    collection: Collection,
    today: date,
    asked: pl.DataFrame | None = None,
    force_code: str | None = None,
    sent_as: Mapping[str, str] | None = None,
) -> list[Letter]:
    """Return a letter for each force that has something to do, or for one of them if it has.

    A query that has its reason waits for the data team, not for the force. `asked` has the queries
    with their questions, as Agenda.rows, where they are known; `sent_as` what forces called what
    they sent through the drop-off page, by its SHA-256.

    Raises:
        LakeError: a raw file is gone, or no longer what was received.
    """
    store, template = RawStore(lake), collection.template
    status, findings = now.status(collection), now.current_findings()
    if force_code:
        status, findings = (t.filter(force_code=force_code) for t in (status, findings))
    asked = so_far(lake, collection, now).rows if asked is None else asked
    findings = _with_questions(findings, asked)
    known, left_open = None, dict[str, list[str]]()
    if lake.table("cases/investigations_by_month").exists():  # before a run there is none
        left_open = _left_open(lake, template)
        by_month = read_table(lake.table("cases/investigations_by_month"))
        known = beside(now.receipts, now.changes, now.extracts, by_month, template)
    answered = (pl.col("severity") == "Q") & pl.col("reason").is_not_null()
    of_extract = pl.col("rule_id").is_in([*rules_of(CASES)])
    waiting = findings.filter(~answered & ~of_extract)
    receipts = {
        each.receipt_id: replace(each, file_name=(sent_as or {}).get(each.sha256, each.file_name))
        for each in store.receipts()
    }
    # What is no receipt is what case rows add up to; what is damaged here is for us to mend.
    of_rows = waiting.filter(pl.col("severity") != "N", ~pl.col("receipt_id").is_in([*receipts]))
    of_files = findings.filter(of_extract, pl.col("rule_id") != UNDAMAGED)
    # Rows set aside are what such a force has to mend, unless a newer extract is refused.
    refused_files = of_files.filter(severity="B")["force_code"].to_list()
    fewer = now.only.filter(pl.col("bad") > 0, ~pl.col("force_code").is_in(refused_files))
    of_extracts = pl.concat([of_rows, of_files])
    alone = {*of_rows["force_code"], *fewer["force_code"]}
    written = []
    for row in status.iter_rows(named=True):
        force, mine = row["force_code"], waiting.filter(force_code=row["force_code"])
        situation, receipt_id = (None, None) if force in alone else _situation(row, mine)
        differs = mine.filter(rule_id=template.cases_rule or "", severity="B").height > 0
        told = ["B", "Q", "N"] if differs or force in alone else ["B", "Q"]
        refused = of_extracts.filter(pl.col("severity").is_in(told), force_code=force)
        if situation is None and refused.is_empty():
            continue
        sent = extract = None
        part = mine.filter(severity="Q").drop_nulls("about")
        questions = dict(zip(_findings(part), part["about"], strict=True))
        if refused.height:
            ids = refused["receipt_id"].unique(maintain_order=True)
            extract = Extract(to_do(_findings(refused), template, (), questions), tuple(ids))
        if receipt_id is not None:
            receipt = receipts[receipt_id]
            live = None if row["state"] == "rejected" else row["version"]
            reading = store.read(receipt)
            basis = cover_values(reading).get("basis")
            found = mine.filter(receipt_id=receipt_id)
            causes = causes_of(repairs_of(found, now.entries, template, known), template)
            things = to_do(_findings(found), template, causes, questions)
            untold = () if reading.refusal else left_open.get(receipt_id, ())
            sent = Sent(things, receipt, live, basis, tuple(untold))
        situation = situation or ("rows_asked" if force in alone else "extract_refused")
        note = {"missing": row["notes"], "rows_asked": row["state"]}.get(situation)
        written.append(Letter(force, situation, collection, today, sent, extract, note))
    return written


def _left_open(lake: Lake, template: Template) -> dict[str, list[str]]:
    """Return by receipt the rules that wait for what could not be read in it."""
    results = work_table(lake, "validation/rule_results").filter(result="not_evaluable")
    # What compares a return with the others waits for them, too.
    between = [use.id for use in template.rules if use.use == "peers"]
    of = results.filter(~pl.col("rule_id").is_in(between)).group_by("receipt_id")
    return dict(of.agg(pl.col("rule_id").sort()).iter_rows())


def _with_questions(findings: pl.DataFrame, asked: pl.DataFrame) -> pl.DataFrame:
    """Return findings with `about`, what the question is about that a query is part of.

    Where it is asked again, what to do begins with what the reason lacked.
    """
    place = ["receipt_id", "rule_id", *ENTRY]
    about = pl.when(pl.col("question").str.starts_with("G-")).then("about")
    of = asked.select(*place, about.alias("about"), "asked_again")
    again = pl.format("Your answer was not accepted: {} {}", "asked_again", "how_to_fix")
    both = findings.join(of, on=place, how="left", nulls_equal=True, maintain_order="left")
    return both.with_columns(how_to_fix=pl.coalesce(again, "how_to_fix"))


def _situation(row: dict[str, Any], findings: pl.DataFrame) -> tuple[Situation | None, str | None]:
    """Return what there is to say to a force, if anything, and about which receipt.

    Only the newest receipt can have blocking findings here: one that has any is never live.
    """
    if row["state"] == "missing":
        return "missing", None
    blocked = findings.filter(pl.col("severity") == "B")
    if blocked.height:
        rejected: Situation = "rejected" if row["state"] == "rejected" else "resubmission_rejected"
        return rejected, blocked["receipt_id"][0]
    queries = findings.filter(pl.col("severity") == "Q")
    if unordered := queries.filter(pl.col("rule_id") == UNORDERED)["receipt_id"].to_list():
        counts = row["state"] != "rejected" and unordered[0] == row["receipt_id"]
        return "queried" if counts else "held", unordered[0]
    if queries.filter(pl.col("receipt_id") == row["receipt_id"]).height:
        return "queried", row["receipt_id"]
    return None, None


def _findings(mart: pl.DataFrame) -> tuple[Finding, ...]:
    return tuple(map(Finding.of, mart.iter_rows(named=True)))
