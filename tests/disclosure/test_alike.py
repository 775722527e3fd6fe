"""What proves that a count may be another: put into the returns, it changes nothing that is public.

The audit models what is public. Here nothing is modelled: of the tables that it rests on, the marts
are made anew, and whatever number, share or status is then another one can tell a count.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from assets.disclosure import audit as audit_of
from assets.disclosure import edition as edition_of
from assets.disclosure.audit import audit, problems
from assets.disclosure.bounds import Extremes
from assets.disclosure.edition import PublicEdition, public_edition
from assets.disclosure.forms import public_forms
from assets.disclosure.published import Edition
from assets.disclosure.solver import Floats
from schemas.collection import Collection
from tests.disclosure.marts import Marts, as_published, marts_of
from tests.disclosure.test_any_template import drawn_and_protected
from tests.live import any_live

AT = ["force_code", "sheet", "row_code", "column_code"]


class Watched:
    """A public edition, what its making was given to hide, and the tables by which it was judged.

    A table is what is another number than in fact, by the name of the count.
    """

    def __init__(self, full: Marts, collection: Collection, patch: pytest.MonkeyPatch) -> None:
        """Make it, and take note."""
        judged: list[tuple[Extremes, Any]] = []
        found: list[tuple[Extremes, Floats]] = []

        def forms(marts: Marts, hidden: Any, *others: Any) -> Marts:
            self.given = [*hidden], *others
            judged.clear()
            return public_forms(marts, *self.given)

        class Judge(audit_of._Judge):
            def __init__(self, *args: Any) -> None:
                super().__init__(*args)
                judged.append((self._extremes, self._known.names))

        def noted(ends: Extremes, tables: Floats) -> None:
            found.extend((ends, table) for table in tables[ends._rows.fits(tables)])
            note(ends, tables)

        note = Extremes._note
        patch.setattr(edition_of, "public_forms", forms)
        patch.setattr(audit_of, "_Judge", Judge)
        patch.setattr(Extremes, "_note", noted)
        self.edition: PublicEdition = public_edition(full, collection)
        self.now: Edition = as_published(self.edition, full, collection)
        told = ((names, table) for ends, names in judged for of, table in found if of is ends)
        tables = (zip(names, np.rint(table).tolist(), strict=False) for names, table in told)
        others = ({n: int(v) for n, v in table if v != (n[-1] or 0)} for table in tables)
        self.tables = [*{repr(table): table for table in others if table}.values()]

    def alike(self, live: pl.DataFrame, table: Mapping[Any, int]) -> list[str]:
        """Return the public marts that are others where the returns have the counts of a table."""
        places = {
            (*each.name, each.number): (each.key["force_code"], *each.leaf)
            for _, entries in self.now.entries
            for each in entries
        }
        rows = [(*places[name], value) for name, value in table.items()]
        news = pl.DataFrame(rows, [*AT, "other"], orient="row")
        other = live.join(news, on=AT, how="left", maintain_order="left").with_columns(
            pl.coalesce("other", "number").alias("number"),
            pl.coalesce(pl.col("other").cast(pl.String), "value").alias("value"),
        )
        hidden, collection, *totals = self.given
        again = public_forms(marts_of(other, collection), hidden, collection, *totals)
        return [name for name, mart in self.edition.marts.items() if not mart.equals(again[name])]


@pytest.mark.slow
@pytest.mark.parametrize(("seed", "every_force"), [(0, True), (5, False), (10, False), (17, False)])
def test_no_public_number_tells_a_table_that_proves_a_count(
    seed: int, every_force: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Shares of sums that are no totals were shown, unrounded, and unread by the audit."""
    drawn = drawn_and_protected(tmp_path, seed, monkeypatch)
    live = any_live(drawn, seed, every_force=every_force)
    made = Watched(marts_of(live, drawn), drawn, monkeypatch)
    assert made.edition.problems == ()
    assert len(made.tables) > 10
    assert [found for table in made.tables if (found := made.alike(live, table))] == []


def test_a_share_that_no_total_says_is_a_case(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn = drawn_and_protected(tmp_path, 10, monkeypatch)
    full = marts_of(any_live(drawn, 10), drawn)
    made = public_edition(full, drawn)
    key = ["measure", "breakdown", "period"]
    national = made.marts["national_totals"].join(
        full["national_totals"].select(*key, true="value"), on=key, maintain_order="left"
    )
    is_share = pl.col("measure") == "counted0_share"
    assert set(national.filter(is_share)["symbol"]) == {"c"}
    back = national.with_columns(
        value=pl.when(is_share).then("true").otherwise("value"),
        symbol=pl.when(~is_share).then("symbol"),
    ).drop("true")
    now = as_published(made, full, drawn).retold(public={**made.marts, "national_totals": back})
    assert any("counted0_share" in problem for problem in problems(audit([now], drawn)))
