"""What people decided about returns: the ledger, and answers to queries.

One record a file, only ever added to. An answer wants a reason and a second person who accepts it;
it lapses once the value changes, or another number that the query speaks of.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import polars as pl

from assets.intake.store import Clock, entries, read_errors, utc_now
from assets.lake import Lake, scratch_file, to_disk, write_errors
from schemas.conform import conform
from schemas.contract import empty
from schemas.errors import LakeError, MusterError
from schemas.names import names_somebody
from schemas.rules.catalogue import UNORDERED, rules
from schemas.tables import Answers

_CONTENT: Final[dict[str, dict[str, type]]] = {
    "answer": dict.fromkeys(("query_id", "force_code", "rule_id", "answered_for", "reason"), str),
    "acceptance": {"query_id": str, "answer": int},
    "refusal": {"query_id": str, "answer": int, "why": str},
    "choice": {"force_code": str, "version": int, "up_to": int, "reason": str},
    "sign_off": {"receipt_id": str, "force_code": str, "level": str},
}
"""What a record of each kind must say, and as what; of several at once, `answers`, each of them."""


class DeskError(MusterError):
    """A decision cannot be recorded; the message says why and what to do instead."""


@dataclass(frozen=True)
class Record:
    """One decision: its number in the ledger, what kind, who made it and when, and the rest."""

    number: int
    kind: str
    by: str
    at: str
    content: dict[str, Any]

    @property
    def each(self) -> list[dict[str, Any]]:
        """What it says, one by one: `answers` are several answers that were given at once."""
        several: list[dict[str, Any]] = [self.content]
        if self.kind in self.content:
            several = self.content[self.kind]
        return several


class Ledger:
    """The ledger of one collection; with `until`, as it stood at that moment."""

    _DIGITS: Final = 6

    def __init__(self, lake: Lake, clock: Clock = utc_now, until: datetime | None = None) -> None:
        self.collection = lake.collection
        self._folder = lake.desk / "ledger"
        self._clock = clock
        self._until = until

    def records(self, *kinds: str) -> list[Record]:
        """Return the records of some kinds, or all, in order.

        Raises:
            LakeError: a record is damaged, or cannot be read.
        """
        found = []
        for path in entries(self._folder):
            if path.suffix != ".json":
                continue
            try:
                with read_errors(path):
                    said = path.read_bytes()
                record = Record(**json.loads(said.decode()))
                at = datetime.fromisoformat(record.at)
                for key, kind in _CONTENT[record.kind.removesuffix("s")].items():
                    if not all(isinstance(of[key], kind) for of in record.each):
                        raise TypeError(key)
            except (ValueError, TypeError, LookupError, RecursionError) as error:
                raise LakeError(
                    path,
                    f"is not a record ({type(error).__name__})",
                    "Restore it from the backup of the lake: what people decided is nowhere else.",
                ) from error
            known = self._until is None or at <= self._until
            if known and (not kinds or record.kind in kinds):
                found.append(record)
        return found

    def add(self, kind: str, by: str, content: dict[str, Any]) -> Record:
        """Add a record and return it.

        Raises:
            DeskError: nobody is named.
            LakeError: the ledger cannot be written.
        """
        if not by.strip():
            raise DeskError("nobody is named. Say who decides: --by NAME.")
        at = self._clock().isoformat(timespec="seconds")
        with write_errors(self._folder), scratch_file(self._folder) as scratch:
            while True:
                taken = (int(p.name[: self._DIGITS]) for p in self._folder.glob("[0-9]*.json"))
                number = max(taken, default=0) + 1
                record = Record(number, kind, by.strip(), at, content)
                scratch.write_text(json.dumps(vars(record), indent=1), encoding="utf-8")
                to_disk(scratch)
                try:
                    # A link, unlike a rename, fails where somebody else took the number.
                    (self._folder / f"{number:0{self._DIGITS}d}-{kind}.json").hardlink_to(scratch)
                except FileExistsError:
                    continue
                to_disk(self._folder)
                return record


PLACE: Final = ["force_code", "rule_id", "sheet", "row_code", "column_code"]
"""What identifies a query from one version of a return to the next."""

_OF_ANSWER: Final = ("reason", "answered_by", "accepted_by")
SHORTEST_REASON: Final = 10

STATES: Final = {
    "open": "a reason is still wanted",
    "lapsed": "answered for other numbers than stand there now",
    "answered": "a reason is recorded; a second person must accept it",
    "accepted": "a second person has accepted the reason",
}


def queries(findings: pl.DataFrame, answers: pl.DataFrame, collection_id: str) -> pl.DataFrame:
    """Return one row a query: query_id, the columns of Findings, answered_by, and `state`.

    And `asked_again`: what the last reason lacked, null where none was refused.
    `findings` are those of the mart Findings, or the like with force_code.
    """
    asked = findings.filter(pl.col("severity") == "Q").drop_nulls("force_code")
    places = asked.select("receipt_id", *PLACE).iter_rows()
    ids = [id_of(collection_id, *place) for place in places]
    identified = asked.with_columns(pl.Series("query_id", ids, pl.String))
    identified = identified.drop("reason", "accepted_by", strict=False)
    beside = [numbers_of(query) for query in identified.iter_rows(named=True)]
    identified = identified.with_columns(pl.Series("beside", beside, pl.String))
    given = answers.select("query_id", "answered_for", "numbers", *_OF_ANSWER, "asked_again")
    joined = identified.join(given, on="query_id", how="left", validate="m:1")
    # An answer is given for the cell's value, else for what was observed.
    holds = pl.col("answered_for") == pl.coalesce("value", "message")
    holds &= pl.col("numbers").is_null() | (pl.col("numbers") == pl.col("beside"))
    state = (
        pl.when(pl.col("answered_for").is_null())
        .then(pl.lit("open"))
        .when(~holds)
        .then(pl.lit("lapsed"))
        .when(pl.col("accepted_by").is_null())
        .then(pl.lit("answered"))
        .otherwise(pl.lit("accepted"))
    )
    return joined.with_columns(
        state.alias("state"),
        *(pl.when(holds).then(name).alias(name) for name in _OF_ANSWER),
    ).drop("answered_for", "numbers", "beside")


_OF_OLD: Final = 8
"""Digits of the ids in older ledgers, which queries of two collections had in common."""


def id_of(collection_id: str, receipt_id: str, force: str, rule_id: str, *at: str | None) -> str:
    """Return the id of a query, given where it stands: sheet, row code and column code."""
    # Of two ties of one force each has an id of its own.
    tie = (receipt_id,) if rule_id == UNORDERED else ()
    place = "|".join(code or "" for code in (force, rule_id, *at, *tie))
    return _id_in(collection_id, _hashed(place, _OF_OLD))


def observed(query: Mapping[str, Any]) -> str:
    """Return what a query is answered for: the cell's value, else what was found."""
    return str(query["message"] if query["value"] is None else query["value"])


def numbers_of(query: Mapping[str, Any]) -> str:
    """Return the numbers that a query speaks of, of which its own cell's is but one.

    None of what other forces sent, which changes without this one's: `peers` are nothing else, and
    `ratios` say what is usual behind a colon.
    """
    rule, own = rules().get(query["rule_id"]), query["message"]
    if rule and "ratios" in rule.says:
        own, _, _ = own.partition(":")
    return "" if rule and "peers" in rule.says else " ".join(_NUMBER.findall(own))


_NUMBER: Final = re.compile(r"\d[\d,.]*(?<=\d)")


def _id_in(collection_id: str, query_id: str) -> str:
    """Return the id that a query has in a collection: an old one is that of its place alone."""
    old = len(query_id) == len("Q-") + _OF_OLD
    return _hashed(f"{collection_id}|{query_id}", _OF_OLD + 2) if old else query_id


def _hashed(text: str, digits: int) -> str:
    return f"Q-{hashlib.sha256(text.encode()).hexdigest()[:digits]}"


def read_answers(ledger: Ledger) -> pl.DataFrame:
    """Return the table Answers from the ledger."""
    newest: dict[str, dict[str, Any]] = {}
    numbers: dict[str, int] = {}
    for record, of in each_of(ledger, "answer", "acceptance", "refusal"):
        query_id = of["query_id"]
        if "reason" in of:
            newest[query_id] = {**of, "answered_by": record.by}
            numbers[query_id] = record.number
        elif numbers.get(query_id) == of["answer"]:
            if "why" in of:
                del numbers[query_id]
                lost = dict.fromkeys(("answered_for", "numbers", *_OF_ANSWER))
                newest[query_id] |= lost | {"asked_again": of["why"]}
            else:
                newest[query_id]["accepted_by"] = record.by
    rows = pl.DataFrame(list(newest.values()), schema=empty(Answers).schema)
    return conform(Answers, rows)


def each_of(ledger: Ledger, *kinds: str) -> Iterator[tuple[Record, dict[str, Any]]]:
    """Yield what is said of each query, with its record, of which one can speak of several."""
    for record in ledger.records(*kinds, *(f"{kind}s" for kind in kinds)):
        for of in record.each:
            yield record, {**of, "query_id": _id_in(ledger.collection, of["query_id"])}


def answer_all(
    ledger: Ledger, given: Iterable[tuple[dict[str, Any], str]], by: str, **came: str
) -> None:
    """Record the reasons for several queries, each with its row of `queries`: all of them or none.

    `came` says how they came, and is recorded with each.

    Raises:
        DeskError: a reason says nothing, or somebody; or nobody is named who gives them.
    """
    answers = []
    for query, reason in given:
        content = {name: query[name] for name in ("query_id", *PLACE)} | came
        about = {"answered_for": observed(query), "numbers": numbers_of(query)}
        answers.append({**content, **about, "reason": sentence("reason", reason)})
    _add(ledger, "answer", by, answers)


def sentence(what: str, text: str) -> str:
    """Return a text that people read, without spaces around it.

    Raises:
        DeskError: it says nothing, or somebody.
    """
    if len(text.strip()) < SHORTEST_REASON:
        raise DeskError(f"the {what} {text!r} is too short to be one. Say in a sentence why.")
    if who := names_somebody(text, None, doubted=True):
        raise DeskError(
            f"the {what} has what looks like {who}, and everybody who sees the query reads it. Say"
            " it without."
        )
    return text.strip()


def accept_all(ledger: Ledger, asked: Iterable[dict[str, Any]], by: str) -> None:
    """Record that a second person accepts the reasons given for several queries: all or none.

    Raises:
        DeskError: there is no reason to accept, or it was recorded by the same person.
    """
    _of_answers(ledger, "acceptance", asked, by)


def refuse_all(ledger: Ledger, asked: Iterable[dict[str, Any]], why: str, by: str) -> None:
    """Record that a second person asks again, given what the reasons lack: all queries or none.

    They are open again, and the reason that was not accepted does not come back with the file that
    it came in.

    Raises:
        DeskError: there is no reason to refuse, it was recorded by the same person, or what it
            lacks is not said.
    """
    _of_answers(ledger, "refusal", asked, by, why=sentence("word to the force", why))


def _of_answers(
    ledger: Ledger, kind: str, asked: Iterable[dict[str, Any]], by: str, **said: str
) -> None:
    numbers = {of["query_id"]: record.number for record, of in each_of(ledger, "answer")}
    items = []
    for query in asked:
        query_id = query["query_id"]
        if query["state"] not in {"answered", "accepted"}:
            raise DeskError(
                f"query {query_id} is {query['state']}: {STATES[query['state']]}. Record a reason"
                f" first: muster answer {query_id} --reason TEXT --by NAME."
            )
        require_second_person(query_id, query["answered_by"], by)
        items.append({"query_id": query_id, "answer": numbers[query_id], **said})
    _add(ledger, kind, by, items)


def _add(ledger: Ledger, kind: str, by: str, items: list[dict[str, Any]]) -> None:
    """Add what is said of queries as one record, which is there whole or not at all."""
    if len(items) == 1:
        ledger.add(kind, by, items[0])
    elif items:
        ledger.add(f"{kind}s", by, {f"{kind}s": items})


_SENT: Final = re.compile(r" of \S+, receipt \S+$")


def sent_by(role: str, force_code: str, receipt_id: str) -> str:
    """Return who answered by what a force sent: the role written beside the answer, and where."""
    return f"{role} of {force_code}, receipt {receipt_id}"


def same_person(one: str, other: str) -> bool:
    """Whether two names, or roles, are the same but for case, spaces and where it was written."""
    first, second = (" ".join(_SENT.sub("", text).casefold().split()) for text in (one, other))
    return first == second


def require_second_person(query_id: str, answered_by: str, accepted_by: str) -> None:
    """Refuse that one person answers and decides about the answer.

    Raises:
        DeskError: both names are those of the same_person.
    """
    if same_person(answered_by, accepted_by):
        raise DeskError(
            f"query {query_id} is answered by {answered_by}, who cannot accept it too. Let a second"
            " person do so, by another name or role: at the desk, its own."
        )
