"""What a release is made from, and the name that follows from it: never from the time."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Final

import polars as pl

from assets.lake import software_sha256
from schemas.collection import description
from schemas.contract import CONTRACT_VERSION

DUE: Final = "due"
EARLY: Final = "early"
LOST: Final = "lost"
"""Whether the release may have a public edition of its own: it may; the hard deadline has not
passed; nobody can say which ones there were."""

_NAME_LENGTH: Final = 12


@dataclass(frozen=True)
class Ingredients:
    """What a release is made from.

    `returns` has the sha256 of every receipt that shows in the marts, `live` of those that count,
    `cases` of the case-level extracts that count; `reports` the sha256 of every force report read,
    `research` the name, sha256 and basis of every research file in use. All are sorted.
    `collection_sha256` is of the files that say what the collection is, with its template;
    `decisions_sha256` of the answers, the choices of versions and the corrections, without
    their times; `extracts_sha256` of what was found of case-level extracts, also of those that do
    not count, "" where none came. `public` says whether there may be a public edition (DUE, EARLY
    or LOST): what the returns are made into changes with it. `compared` has the other collections
    that it is compared with, and the release of each.
    """

    collection: str
    collection_sha256: str
    contract_version: str
    software_sha256: str
    returns: tuple[tuple[str | None, str], ...]
    live: tuple[tuple[str, str], ...]
    reports: tuple[str, ...]
    decisions_sha256: str
    research: tuple[tuple[str, str, str], ...] = ()
    cases: tuple[tuple[str, str], ...] = ()
    public: str = DUE
    compared: tuple[tuple[str, str], ...] = ()
    extracts_sha256: str = ""

    @property
    def release_id(self) -> str:
        """The release's name: the collection and the start of the hash of all that is here."""
        text = json.dumps(asdict(self), sort_keys=True)
        digest = hashlib.sha256(text.encode()).hexdigest()
        return f"{self.collection}-{digest[:_NAME_LENGTH]}"


def ingredients(
    collection_id: str,
    returns: list[tuple[str | None, str]],
    live: list[tuple[str, str]],
    reports: list[str],
    decisions: list[pl.DataFrame],
    research: Sequence[tuple[str, str, str]] = (),
    cases: Sequence[tuple[str, str]] = (),
) -> Ingredients:
    """Return the ingredients of a release, from what Ingredients says of each.

    `decisions` are the tables of what people decided, without times.
    """
    described = {name: _sha256(text) for name, text in description(collection_id).items()}
    return Ingredients(
        collection=collection_id,
        collection_sha256=_sha256(json.dumps(described, sort_keys=True).encode()),
        contract_version=CONTRACT_VERSION,
        software_sha256=software_sha256(),
        returns=tuple(sorted(returns, key=lambda item: (item[0] or "", item[1]))),
        live=tuple(sorted(live)),
        reports=tuple(sorted(reports)),
        decisions_sha256=sha256_of_tables(decisions),
        research=tuple(sorted(research)),
        cases=tuple(sorted(cases)),
    )


def sha256_of_tables(tables: Sequence[pl.DataFrame]) -> str:
    """Return the hash of what stands in several tables, in this order."""
    return _sha256("".join(table.write_csv() for table in tables).encode())


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
