"""The public edition: what of the marts everybody may see, and whether it holds.

Belongs here: putting choice, public forms and audit together. Does not: any of them, nor writing
files (write.py).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import polars as pl

from assets.disclosure.audit import audit, problems
from assets.disclosure.choose import choose
from assets.disclosure.counts import blocks
from assets.disclosure.forms import public_forms
from assets.disclosure.report import report
from schemas.collection import Collection
from schemas.contract import empty
from schemas.marts.public import DisclosureReport, SuppressionAudit


@dataclass(frozen=True)
class PublicEdition:
    """The public marts by name, and what is to be said about them.

    `audit` is the mart SuppressionAudit and `report` the mart DisclosureReport, which belong in the
    full edition alone. `problems` are the cases against rule M010. `withheld` says why there is no
    public edition, None where there is one; then `marts` is not empty.
    """

    marts: Mapping[str, pl.DataFrame] = field(default_factory=dict)
    audit: pl.DataFrame = field(default_factory=lambda: empty(SuppressionAudit))
    report: pl.DataFrame = field(default_factory=lambda: empty(DisclosureReport))
    problems: tuple[str, ...] = ()
    withheld: str | None = None


def public_edition(
    marts: Mapping[str, pl.DataFrame], collection: Collection, *, secondary: bool = True
) -> PublicEdition:
    """Return the public edition of a release.

    Args:
        marts: the marts of the full edition by name; those of the public one are chosen from them,
            and `cells` are read as well.
        collection: the collection, whose `disclosure` says what is small and what is exempt.
        secondary: whether counts are hidden to protect others; without, the audit has cases.

    Raises:
        ContractError: the marts contradict each other.
    """
    settings = collection.disclosure
    if settings is None:
        return PublicEdition(withheld="the collection file has no [disclosure]")
    live = marts["investigations"]["force_code"].n_unique()
    if live < settings.fewest_forces:
        return PublicEdition(
            withheld=f"{live} returns are in, and a public edition needs {settings.fewest_forces}:"
            " national totals of few forces would tell of each"
        )
    chosen = [
        (block, choose(block, settings.counts[block.subject], secondary=secondary))
        for block in blocks(marts, collection)
    ]
    public = public_forms(marts, chosen, collection)
    audited = audit(public, collection)
    return PublicEdition(public, audited, report(chosen, settings), tuple(problems(audited)))
