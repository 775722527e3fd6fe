"""A count against those of the other forces: their middle, and how far apart they are."""

import math
import random
import statistics
import subprocess
import sys
from collections.abc import Sequence

import polars as pl
import pytest

from assets.returns.validation.rules.entries import (
    BETWEEN,
    ENTRY_KINDS,
    NO_CASES,
    NONE_BEFORE,
    Returns,
    entry_tests,
)
from assets.returns.validation.rules.evaluate import ENTRY, evaluate
from assets.returns.validation.rules.kinds import Use
from schemas.collection import Collection, load_collection

_AT = ("investigations", "total", "total")
_RULE = "Q103"
_COLUMNS = ("receipt_id", "force_code", "version", "number")


def _returns(rows: Sequence[tuple[str, str | None, int, int | None]]) -> Returns:
    """Make returns of one entry each, all acceptable but those whose receipt ends with x."""
    types = dict(zip(_COLUMNS, (pl.String, pl.String, pl.Int64, pl.Int64), strict=True))
    table = pl.DataFrame(rows, types, orient="row")
    places = dict(zip(ENTRY, map(pl.lit, _AT), strict=True))
    entries = table.select("receipt_id", "number").with_columns(
        value=pl.col("number").cast(pl.String), missing=pl.lit(None, pl.String), **places
    )
    acceptable = frozenset(receipt for receipt, *_ in rows if not receipt.endswith("x"))
    return Returns(entries, table.drop("number"), NO_CASES, NONE_BEFORE, acceptable)


def test_peers_are_the_newest_acceptable_returns_of_the_other_forces(
    collection: Collection,
) -> None:
    chance, use = (
        random.Random(1),
        next(Use(item, collection) for item in collection.template.rules if item.use == "peers"),
    )
    for forces in (1, 2, 3, 8, 30, 60):
        rows = [
            (f"{force}-{version}{'x' * (chance.random() < 0.2)}", f"F{force}", version,
             chance.choice([None, 0, 1, 2, 5, chance.randrange(1_000)]))
            for force in range(forces) for version in range(chance.randint(1, 3))
        ]  # fmt: skip
        newest = {force: number for receipt, force, _, number in rows if not receipt.endswith("x")}
        table = ENTRY_KINDS["peers"](use, _returns([*rows, ("unknown", None, 1, 7)]))
        here = table.filter(**dict(zip(ENTRY, _AT, strict=True)))
        found = {row["receipt_id"]: row for row in here.rows(named=True)}
        for receipt, force, _, _ in rows:
            roots = [math.sqrt(n) for who, n in newest.items() if who != force and n is not None]
            assert (found[receipt]["peers"] or 0) == len(roots)
            if roots:
                centre = statistics.median(roots)
                apart = statistics.median(abs(root - centre) for root in roots)
                assert found[receipt]["centre"] == pytest.approx(centre)
                assert found[receipt]["deviation"] == pytest.approx(apart)
        assert found["unknown"]["peers"] is None


def far_from_their_peers(bodies: int) -> set[str]:
    """Return which returns of so many bodies the rule asks about; one of them is a slip."""
    collection = load_collection("2012-revisit")
    rows = [(f"R{body}", f"F{body}", 1, 40 + body % 30) for body in range(bodies)]
    rows[7] = ("R7", "F7", 1, 47_000)
    off = {use.id for use in collection.template.rules} - {_RULE} | {"S011"}
    failures, _ = evaluate(entry_tests(_returns(rows), BETWEEN, collection, off))
    return set(failures["receipt_id"])


@pytest.mark.slow
def test_many_bodies_are_not_held_against_each_other_one_by_one() -> None:
    """Every body beside every other would be 400 million rows, and more than a machine holds."""
    code = (
        "import resource; resource.setrlimit(resource.RLIMIT_DATA, (4 << 30, 4 << 30));"
        "from tests.validation.test_peers import far_from_their_peers;"
        "print(far_from_their_peers(20_000))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "{'R7'}", done.stderr[-500:]
