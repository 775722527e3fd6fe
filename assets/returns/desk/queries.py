"""Queries: what was answered, who accepted it, and for which value it holds.

An answer wants a reason and a second person who accepts it; it lapses once the value changes.
"""

import hashlib
from typing import Any, Final

import polars as pl

from assets.returns.desk.ledger import DeskError, Ledger
from schemas.contract import conform, empty
from schemas.rules.catalogue import UNORDERED
from schemas.tables import Answers

PLACE: Final = ["force_code", "rule_id", "sheet", "row_code", "column_code"]
"""What identifies a query from one version of a return to the next."""

_OF_ANSWER: Final = ("reason", "answered_by", "accepted_by")
_SHORTEST_REASON: Final = 10

STATES: Final = {
    "open": "nobody has answered it",
    "lapsed": "answered for another value than the cell has now",
    "answered": "a reason is recorded; a second person must accept it",
    "accepted": "a second person has accepted the reason",
}


def queries(findings: pl.DataFrame, answers: pl.DataFrame, collection_id: str) -> pl.DataFrame:
    """Return one row a query: query_id, the columns of Findings, answered_by, and `state`.

    Args:
        findings: mart Findings, or the like with force_code.
        answers: table Answers.
        collection_id: the collection that both are of.
    """
    asked = findings.filter(pl.col("severity") == "Q").drop_nulls("force_code")
    identified = _with_query_id(asked, collection_id).drop("reason", "accepted_by", strict=False)
    given = answers.select("query_id", "answered_for", *_OF_ANSWER)
    joined = identified.join(given, on="query_id", how="left", validate="m:1")
    # An answer is given for the cell's value, else for what was observed.
    holds = pl.col("answered_for") == pl.coalesce("value", "message")
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
    ).drop("answered_for")


def _with_query_id(findings: pl.DataFrame, collection_id: str) -> pl.DataFrame:
    """Add the id by which people name a query; of two ties of one force each has its own."""
    tied = pl.when(pl.col("rule_id") == UNORDERED).then("receipt_id")
    places = findings.select(*PLACE, tied.alias("tied")).iter_rows()
    ids = [
        _id_in(collection_id, _hashed("|".join(code or "" for code in place), _OF_OLD))
        for place in ((*place, tied) if tied else place for *place, tied in places)
    ]
    return findings.with_columns(pl.Series("query_id", ids, pl.String))


_OF_OLD: Final = 8
"""Digits of the ids in older ledgers, which queries of two collections had in common."""


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
    for record in ledger.records("answer", "acceptance"):
        query_id = _id_in(ledger.collection, record.content["query_id"])
        if record.kind == "answer":
            newest[query_id] = {**record.content, "query_id": query_id, "answered_by": record.by,
                                "accepted_by": None}  # fmt: skip
            numbers[query_id] = record.number
        elif numbers.get(query_id) == record.content["answer"]:
            newest[query_id]["accepted_by"] = record.by
    rows = pl.DataFrame(list(newest.values()), schema=empty(Answers).schema)
    return conform(Answers, rows)


def answer(ledger: Ledger, query: dict[str, Any], reason: str, by: str) -> None:
    """Record the reason for a query, given its row of `queries`.

    Raises:
        DeskError: the reason says nothing, or nobody is named.
    """
    if len(reason.strip()) < _SHORTEST_REASON:
        raise DeskError(
            f"the reason {reason!r} is too short to be one. Say in a sentence why the value is"
            " right."
        )
    content = {name: query[name] for name in ("query_id", *PLACE)}
    observed = query["value"] if query["value"] is not None else query["message"]
    ledger.add("answer", by, {**content, "answered_for": observed, "reason": reason.strip()})


def accept(ledger: Ledger, query: dict[str, Any], by: str) -> None:
    """Record that a second person accepts the reason given for a query.

    Raises:
        DeskError: there is no reason to accept, or it was recorded by the same person.
    """
    query_id = query["query_id"]
    if query["state"] not in {"answered", "accepted"}:
        raise DeskError(
            f"query {query_id} is {query['state']}: {STATES[query['state']]}. Record a reason"
            f" first: muster answer {query_id} --reason TEXT --by NAME."
        )
    require_second_person(query_id, query["answered_by"], by)
    given = [
        record.number
        for record in ledger.records("answer")
        if _id_in(ledger.collection, record.content["query_id"]) == query_id
    ]
    ledger.add("acceptance", by, {"query_id": query_id, "answer": given[-1]})


def require_second_person(query_id: str, answered_by: str, accepted_by: str) -> None:
    """Refuse that one person answers and accepts.

    Raises:
        DeskError: both names are the same but for case and spaces.
    """
    if " ".join(answered_by.casefold().split()) == " ".join(accepted_by.casefold().split()):
        raise DeskError(
            f"query {query_id} is answered by {answered_by}, who cannot accept it too. Let a second"
            " person accept it."
        )
