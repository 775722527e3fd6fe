"""What a release is made from, and the name that follows from it: never from the time."""

import hashlib
import json
from collections.abc import Iterable, Sequence
from typing import Any, Final

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


MadeFrom = dict[str, Any]
"""What a release is made from, as its manifest says it: plain data, lists sorted.

Keys: `returns`, force code and sha256 of every receipt that shows in the marts, `live` of those
that count, `cases` of the case-level extracts that count; `reports`, the sha256 of every force
report read; `research`, the name, sha256 and basis of every research file in use.
`collection_sha256` is of the files that say what the collection is, with its template;
`decisions_sha256` of the answers, the choices of versions and the corrections, without their times;
`extracts_sha256` of what was found of case-level extracts, also of those that do not count, ""
where none came. `public` says whether there may be a public edition (DUE, EARLY or LOST): what the
returns are made into changes with it. `compared` has the other collections that it is compared
with, and the release of each. Besides `collection`, `contract_version` and `software_sha256`.
"""


def ingredients(
    collection_id: str,
    returns: Iterable[tuple[str | None, str]],
    live: Iterable[tuple[str, str]],
    reports: Iterable[str],
    decisions: Sequence[pl.DataFrame],
    research: Iterable[tuple[str, str, str]] = (),
    **more: Any,
) -> MadeFrom:
    """Return the ingredients of a release, from what MadeFrom says of each.

    `decisions` are the tables of what people decided, without times. Of `more` there is nothing
    where it is left out, and a public edition is due.
    """
    described = {name: _sha256(text) for name, text in description(collection_id).items()}
    return {
        "collection": collection_id,
        "collection_sha256": _sha256(json.dumps(described, sort_keys=True).encode()),
        "contract_version": CONTRACT_VERSION,
        "software_sha256": software_sha256(),
        "returns": sorted(map(list, returns), key=lambda item: (item[0] or "", item[1])),
        "live": sorted(map(list, live)),
        "reports": sorted(reports),
        "decisions_sha256": sha256_of_tables(decisions),
        "research": sorted(map(list, research)),
        "cases": [],
        "public": DUE,
        "compared": [],
        "extracts_sha256": "",
        **more,
    }


def release_id(made_from: MadeFrom) -> str:
    """Return a release's name: the collection and the start of the hash of all that it is from."""
    digest = _sha256(json.dumps(made_from, sort_keys=True).encode())
    return f"{made_from['collection']}-{digest[:_NAME_LENGTH]}"


def sha256_of_tables(tables: Sequence[pl.DataFrame]) -> str:
    """Return the hash of what stands in several tables, in this order."""
    return _sha256("".join(table.write_csv() for table in tables).encode())


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
