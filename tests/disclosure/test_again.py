"""What was found of one system of sums is kept, and is found anew where anything of it changed."""

from collections import Counter
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from assets.disclosure import edition as edition_of
from assets.disclosure.bounds import Extremes
from assets.disclosure.choose import Choice, choose
from assets.disclosure.counts import Block
from assets.disclosure.edition import PublicEdition, choose_ahead, public_edition
from assets.disclosure.published import behind
from assets.kept import made_once
from assets.lake import Lake
from assets.tables import write_made
from schemas.collection import Collection
from tests.disclosure.conftest import SOME
from tests.disclosure.marts import Marts, marts_of


def _is_same(one: PublicEdition, other: PublicEdition) -> bool:
    return (
        one.audit.equals(other.audit)
        and one.report.equals(other.report)
        and one.marts.keys() == other.marts.keys()
        and all(one.marts[name].equals(other.marts[name]) for name in one.marts)
    )


def _kinds(lake: Lake) -> Counter[str]:
    return Counter(path.parent.name for path in lake.kept.glob("*/*"))


@pytest.mark.slow
def test_an_edition_of_the_same_counts_is_not_proved_again_unless_what_is_kept_is_damaged(
    edition: PublicEdition,
    some: Marts,
    live: pl.DataFrame,
    collection: Collection,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lake = Lake(tmp_path, collection.id)
    keep = partial(made_once, lake)
    assert _is_same(public_edition(some, collection, keep=keep), edition)
    kept = _kinds(lake)

    with monkeypatch.context() as without:
        without.delattr(edition_of, "choose")
        without.delattr(Extremes, "widen")
        assert _is_same(public_edition(some, collection, keep=keep), edition)

    own = (pl.col("force_code") == "GMP") & (pl.col("sheet") == "second_jobs")
    here = own & pl.col("row_code").is_in(["pending"])
    changed = live.filter(pl.col("force_code").is_in(SOME)).with_columns(
        pl.when(here).then(pl.col("number") + 1).otherwise("number").alias("number")
    )
    other = marts_of(changed, collection)
    made = public_edition(other, collection, keep=keep)
    assert _is_same(made, public_edition(other, collection))
    assert _kinds(lake) - kept == Counter({"choice": 1, "audit": 1})

    for path in lake.kept.glob("*/*"):
        content = path.read_bytes()
        path.write_bytes(content[:-2] + b"0]")
    assert _is_same(public_edition(some, collection, keep=keep), edition)


@pytest.mark.slow
def test_what_is_chosen_ahead_is_not_chosen_again(
    edition: PublicEdition,
    some: Marts,
    collection: Collection,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It is chosen from tables that lie in the lake before there is a release."""
    lake = Lake(tmp_path, collection.id)
    tables = {name: f"totals/{name}" for name in behind(some)}
    for name, table in tables.items():
        write_made(lake, table, some[name])
    monkeypatch.setattr(edition_of, "load_collection", lambda _: collection)
    choose_ahead(lake, tables)
    chosen = _kinds(lake)
    assert [*chosen] == ["choice"]
    sizes: list[int] = []

    def counted(block: Block, *how: Any) -> Choice:
        sizes.append(len(block.counts))
        return choose(block, *how)

    monkeypatch.setattr(edition_of, "choose", counted)
    assert _is_same(public_edition(some, collection, keep=partial(made_once, lake)), edition)
    others = [*sizes]
    public_edition(some, collection)
    assert max(others) < max(sizes)
    assert _kinds(lake)["choice"] == chosen["choice"] + len(others)
