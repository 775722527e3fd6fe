"""The public edition: what of the marts everybody may see, and whether it holds.

Belongs here: putting choice, public forms and audit together, and when there is none. Does not: any
of them, nor files (write.py) and the editions before (ledger.py).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np
import polars as pl

from assets.disclosure.audit import audit, problems
from assets.disclosure.choose import Choice, choose
from assets.disclosure.counts import Block, blocks
from assets.disclosure.forms import public_forms
from assets.disclosure.published import Edition, changed, edition_behind
from assets.disclosure.report import report
from schemas import vocabulary as v
from schemas.collection import Collection
from schemas.contract import empty
from schemas.marts.public import DisclosureReport, SuppressionAudit
from schemas.wording import plural

_TOLD: Final = {
    "M010": "rule M010: with it, counts that are hidden could be told",
    "M011": "rule M011: it is too early for another one",
}
"""What the public is told of a rule that withholds an edition: nothing about any count."""


@dataclass(frozen=True)
class PublicEdition:
    """The public marts by name, and what is to be said about them.

    `audit` is the mart SuppressionAudit and `report` the mart DisclosureReport, which belong in the
    full edition alone. `problems` are the cases against rule M010. `withheld` says why there is no
    public edition, None where there is one; `told` says it in words that may be public. `rule` is
    the rule that withholds it, None where none does.
    """

    marts: Mapping[str, pl.DataFrame] = field(default_factory=dict)
    audit: pl.DataFrame = field(default_factory=lambda: empty(SuppressionAudit))
    report: pl.DataFrame = field(default_factory=lambda: empty(DisclosureReport))
    problems: tuple[str, ...] = ()
    withheld: str | None = None
    told: str | None = None
    rule: str | None = None

    def without(self, rule: str, why: str) -> "PublicEdition":
        """Return that there is no edition by a rule, with what was found out about the one made."""
        return replace(
            self, marts={}, problems=(), withheld=f"rule {rule}: {why}", told=_TOLD[rule], rule=rule
        )


def public_edition(
    marts: Mapping[str, pl.DataFrame],
    collection: Collection,
    earlier: Sequence[Edition] = (),
    *,
    due: bool = True,
    secondary: bool = True,
) -> PublicEdition:
    """Return the public edition of a release.

    Args:
        marts: the marts of the full edition by name; those of the public one are chosen from them,
            and those that published.BEHIND names are read as well.
        collection: the collection, whose `disclosure` says what is small and what is exempt.
        earlier: every public edition that was ever shown, oldest first.
        due: whether the hard deadline has passed.
        secondary: whether counts are hidden to protect others; without, the audit has cases.

    Raises:
        ContractError: the marts contradict each other, or no numbers fit all editions.
    """
    settings = collection.disclosure
    if settings is None:
        why = "the collection file has no [disclosure]"
        return PublicEdition(withheld=why, told=why)
    if collection.template.disclosure is None:
        why = f"template {collection.template.name} does not say what is to be protected"
        return PublicEdition(withheld=why, told=why)
    live = marts["returns_status"].filter(pl.col("state").is_in(v.LIVE_STATES)).height
    if live < settings.fewest_forces:
        why = (
            f"{live} returns are in, and a public edition needs {settings.fewest_forces}: national"
            " totals of few forces would tell of each"
        )
        return PublicEdition(withheld=why, told=why)
    now = edition_behind("", marts, collection)
    if early := too_early(now, earlier, collection, due=due):
        return PublicEdition().without("M011", early)
    chosen = [
        (block, choose(block, settings.counts[block.subject], secondary=secondary))
        for block in blocks(now, collection, earlier)
    ]
    public = public_forms(marts, chosen, collection)
    tables = [table for block, choice in chosen for table in _named(block, choice)]
    audited = audit([*earlier, replace(now, public=public)], collection, tables)
    return PublicEdition(public, audited, report(chosen, settings), tuple(problems(audited)))


def too_early(
    now: Edition, earlier: Sequence[Edition], collection: Collection, *, due: bool
) -> str | None:
    """Return why it is too early for another public edition by rule M011, None where it is not.

    Args:
        now: what would be in it.
        earlier: every public edition that was ever shown.
        collection: the collection, with its hard deadline and its settings.
        due: whether the hard deadline has passed.
    """
    assert collection.disclosure is not None
    hard, least = collection.deadlines.hard, collection.disclosure.least_changed
    if not due:
        return f"returns may come in until {hard}, and two editions would tell which did"
    for edition in reversed(earlier):
        forces = changed(edition, now)
        if 0 < forces < least:
            return (
                f"{plural(forces, 'force')} changed since the public edition of {edition.release},"
                f" and the next one needs {least}: what differs between two editions is about"
                " those alone"
            )
    return None


def _named(block: Block, choice: Choice) -> Iterator[dict[Any, int]]:
    """Yield the tables that a choice rests on by name: what is another number than in fact."""
    names = block.names
    true = np.array([count.value for count in block.counts])
    for table in choice.tables:
        places = np.flatnonzero(table != true).tolist()
        yield {names[place]: int(table[place]) for place in places if names[place]}
