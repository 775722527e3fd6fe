"""What an edition tells of those before it: which there were, what is different from the last.

It is told inside the edition, so that it stays true and no link leads to one that is pruned. An
edition is made once; the last one is the one that was shown when it was made.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import polars as pl

from assets.disclosure.ledger import Entry
from assets.figures.explain.compare import KEY, apart, between
from assets.figures.explain.released import Drafted, Released
from assets.history import shown
from assets.lake import Lake
from assets.release.pages.drawn import TOTALS
from schemas.errors import MusterError

_OF_PUBLIC: Final = {
    TOTALS: ("national_totals", [*KEY, "unit"], ["value", "symbol"]),
    "changed_forces": ("returns_status", ["force_code"], ["state"]),
    "changed_figures": ("reconciliation", ["figure_id"], ["computed", "status", "symbol"]),
}
"""What is told of what is different: in which mart, by what key, and in which columns."""

_UNREADABLE: Final = (MusterError, OSError, ValueError, KeyError, pl.exceptions.PolarsError)
"""What reading an edition of any age may end in: then nothing is told of it, and that is said."""

Told = tuple[dict[str, pl.DataFrame], dict[str, str]]


@dataclass(frozen=True)
class Since:
    """What an edition tells of those before it, as tables by name, and facts to say.

    `changed_totals` and `changed_figures`: old and new of what is different. `changed_forces`:
    force_code, old and new, which are the hashes of returns that count, in a public edition the
    states. The facts: `before`, the names of all those before it; `previous`, the last edition;
    `otherwise`, what else it was made from that is different; `why_not`, why that is not known.
    """

    tables: Mapping[str, pl.DataFrame] = field(default_factory=dict)
    facts: Mapping[str, str] = field(default_factory=dict)


def since_release(lake: Lake, now: Drafted, release: str) -> Since:
    """Return what a release in the making tells of those that were shown before it."""
    names = [entry.release for entry in shown(lake)]
    if not names and lake.marts.exists():  # of a time before there was a record
        names = [lake.marts.resolve().name]
    names = names[: names.index(release)] if release in names else names
    kept = [name for name in names if (lake.releases / name).is_dir()]

    def told(name: str) -> Told:
        found = between(Released(lake.releases / name, now.collection), now)
        changed = (found.totals, found.returns, found.figures)
        return dict(zip(_OF_PUBLIC, changed, strict=True)), {
            "otherwise": ", ".join(found.otherwise)
        }

    return _since(names, kept, told)


def since_edition(before: Sequence[Entry], marts: Mapping[str, pl.DataFrame]) -> Since:
    """Return what a public edition tells of those before it, from public files alone."""

    def told(_: str) -> Told:
        last = before[-1].public
        changed = {
            name: apart(pl.read_parquet(last / f"{mart}.parquet"), marts[mart], key, *values)
            for name, (mart, key, values) in _OF_PUBLIC.items()
            if mart in marts
        }
        changed[TOTALS] = changed[TOTALS].with_columns(
            change=pl.col("new") - pl.col("old"),
            change_symbol=pl.coalesce("new_symbol", "old_symbol"),
            because=pl.lit(None, pl.String),
        )
        return changed, {}

    names = [entry.release for entry in before]
    return _since(names, names, told)


def _since(names: Sequence[str], kept: Sequence[str], told: Callable[[str], Told]) -> Since:
    """Return what there is to tell: of all by their names, of the last that is kept by `told`."""
    facts = {"before": ", ".join(dict.fromkeys(reversed(names)))}
    if not kept:
        return Since({}, facts)
    facts["previous"] = kept[-1]
    try:
        tables, more = told(kept[-1])
    except _UNREADABLE as error:
        return Since({}, facts | {"why_not": type(error).__name__})
    return Since(tables, facts | more)
