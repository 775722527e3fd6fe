"""Scores of queries: how suspicious each is, times what it moves of the figures if it is wrong.

Selective editing: where all queries cannot be settled at once, those come first that could change
what is published, and a line is drawn below which they cannot by more than a limit. A query moves
the cells that its rule speaks of from what they hold to what the rule expects, in proportion.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import polars as pl

from assets.figures.totals.leaves import LEAF, PLACE, counted_in
from assets.figures.totals.national import STATISTICS
from assets.lake import Lake
from assets.tables import read_table
from schemas.breakdown import Band, read_breakdown
from schemas.collection import Collection
from schemas.conform import conform
from schemas.marts import Findings
from schemas.measures import NOW, QUESTION

KEY: Final = ["receipt_id", "rule_id", *PLACE]
_MADE: Final = ("totals/national_totals", "reconciliation/reconciliation")
_HELD: Final = pl.col("number").is_not_null()
_FIGURE: Final = ("measure", "breakdown", "period")


@dataclass(frozen=True)
class Figures:
    """The national figures that queries are held against, by tables that a run makes.

    `live`: table LiveEntries; `national`: mart NationalTotals; `reconciliation`: that mart. The
    figures are those that are published; of a collection without a publication, all its totals.
    """

    collection: Collection
    live: pl.DataFrame
    national: pl.DataFrame
    reconciliation: pl.DataFrame

    @classmethod
    def of(cls, lake: Lake, collection: Collection, live: pl.DataFrame) -> "Figures":
        """Return the figures as the last run made them, with the entries that count now.

        Raises:
            LakeError: nothing has been run yet, or what was written then is damaged.
        """
        national, reconciliation = (read_table(lake.table(name)) for name in _MADE)
        return cls(collection, live, national, reconciliation)

    @cached_property
    def held(self) -> pl.DataFrame:
        """What each cell holds in all live returns: leaf, total, and how many gave an answer."""
        return self.live.group_by(LEAF).agg(
            pl.col("number").sum().alias("total"), pl.col("value").count().alias("answered")
        )

    @cached_property
    def asked(self) -> pl.DataFrame:
        """The figures that may move: figure (its number), the key, name, value, printed."""
        rows = self.reconciliation.filter(scope="national").drop_nulls("computed")
        rows = rows.with_columns(name="figure_id", value="computed", printed="published")
        if self.collection.published is None:
            whole = self.national.filter(period=NOW).drop_nulls("value")
            name = pl.concat_str("measure", "breakdown", separator=" ").str.strip_chars()
            rows = whole.with_columns(name=name, printed="value")
        # Of a figure that is 0, anything would be more than any share.
        printed = pl.col("printed").abs().replace(0.0, 1.0)
        return rows.select(*_FIGURE, "name", "value", printed).with_row_index("figure")

    @cached_property
    def parts(self) -> pl.DataFrame:
        """The cells of each figure that is made of returns, with what all returns hold there.

        Columns: figure, kind, part (`top`, or `rest`: what a share is of besides), leaf, sign (-1
        for what a change is counted from), total, answered. `sum` and `rate` are of cells, `share`
        of some in others, `answers` of forces by their answer, `answers_share` in per cent;
        `ranked` counts or ranks forces by their numbers.
        """
        rows = []
        for number, *key in self.asked.select("figure", *_FIGURE).iter_rows():
            if found := counted_in(self.collection.template, *key):
                rest = sorted({(cell.place, 1) for cell in found.whole} - {*found.signed})
                rows += [
                    (number, _kind(found.kind, key[1]), part, "/".join(place), sign)
                    for part, several in (("top", found.signed), ("rest", rest))
                    for place, sign in several
                ]
        schema = {"figure": pl.UInt32, **dict.fromkeys(("kind", "part", "leaf"), pl.String)}
        parts = pl.DataFrame(rows, {**schema, "sign": pl.Int32}, orient="row")
        return parts.join(self.held, on="leaf", how="left")

    def uncertain(self, moves: pl.DataFrame, by: Sequence[str] = ()) -> pl.DataFrame:
        """Return by how much figures can be wrong, in per cent of what is printed.

        `moves` is as `moves_of` returns it; of several that move one cell, any may be right, and
        of several queries any. `by` are no columns of it, or those that identify a query: then it
        is what each moves. Rows of `by`, figure and most, for each figure that holds a cell that
        moves.
        """
        up, down = pl.col("moved").max().clip(0), -pl.col("moved").min().clip(None, 0)
        cells = moves.group_by(*{*by, "receipt_id", "leaf"}).agg(up=up, down=down)
        turned = pl.col("sign") < 0
        reach = cells.join(self.parts, on="leaf").with_columns(
            up=pl.when(turned).then("down").otherwise("up"),
            down=pl.when(turned).then("up").otherwise("down"),
        )
        ranked = pl.col("kind") == "ranked"
        told = self._summed(reach.filter(~ranked), by), self._ranked(reach.filter(ranked), by)
        return pl.concat(told)

    def _summed(self, reach: pl.DataFrame, by: Sequence[str]) -> pl.DataFrame:
        """Return what `uncertain` does of the figures that cells add up to."""
        ends = reach.group_by(*by, "figure", "kind").agg(
            pl.col(way).filter(pl.col("part") == part).sum().alias(f"{part}_{way}")
            for part in ("top", "rest")
            for way in ("up", "down")
        )
        top, rest, value = pl.col("top"), pl.col("rest"), pl.col("value")
        each = (
            pl.when(kind="rate").then(pl.when(top > 0).then(value / top).otherwise(1.0))
            .when(kind="answers_share").then(100 / pl.col("answered"))
            .otherwise(1.0)
        )  # fmt: skip
        share, held = _percent(top, rest), pl.col("total").fill_null(0)
        sums = self.parts.group_by("figure").agg(
            held.filter(pl.col("part") == "top").sum().alias("top"),
            held.filter(pl.col("part") == "rest").sum().alias("rest"),
            pl.col("answered").max(),
        )
        # What one query moves it moves together; of an answer, one way or the other.
        joint = pl.lit(bool(by)) & ~pl.col("kind").str.starts_with("answers")

        def moved(part: str, else_by: pl.Expr) -> pl.Expr:
            together = pl.col(f"{part}_up") - pl.col(f"{part}_down")
            return pl.when(joint).then(together).otherwise(else_by)

        high, low = (
            value + pl.when(kind="share").then(_percent(n, m) - share).otherwise(each * (n - top))
            for n, m in (
                (
                    top + moved("top", pl.col(f"top_{up}") * way),
                    rest + moved("rest", pl.col(f"rest_{down}") * -way),
                )
                for up, down, way in (("up", "down", 1), ("down", "up", -1))
            )
        )
        most = pl.max_horizontal(high - value, value - low) * 100 / pl.col("printed")
        # A share of which nothing might be left can be anything.
        told = most.fill_null(100.0).clip(0).alias("most")
        figures = ends.join(sums, on="figure").join(self.asked, on="figure")
        return figures.select(*by, "figure", told)

    def _ranked(self, reach: pl.DataFrame, by: Sequence[str]) -> pl.DataFrame:
        """Return what `uncertain` does of the figures that count or rank forces."""
        number = pl.col("number").sum().cast(pl.Float64).alias("now")
        held = self.live.drop_nulls("number").with_columns(LEAF)
        added = held.join(self.parts.filter(kind="ranked"), on="leaf")
        forces = (
            added.group_by("figure", "receipt_id").agg(number).partition_by("figure", as_dict=True)
        )
        ends = reach.group_by(*{*by, "figure", "receipt_id"}).agg(pl.col("up", "down").sum())
        rows = []
        for key, moved in ends.group_by(*by, "figure", maintain_order=True):
            if key[-1:] not in forces:  # nothing that moves counts
                continue
            one = self.asked.row(int(str(key[-1])), named=True)
            now, lost, more = (pl.col(name).fill_null(0) for name in ("now", "down", "up"))
            of = forces[key[-1:]].join(moved, on="receipt_id", how="left")
            ends_of = of.select(now=now, low=now - lost, high=now + more)
            rows.append(
                (*key, _apart(read_breakdown(one["breakdown"]), ends_of) * 100 / one["printed"])
            )
        schema = {**dict.fromkeys(by, pl.String), "figure": pl.UInt32, "most": pl.Float64}
        return pl.DataFrame(rows, schema, orient="row")


def _kind(kind: str, breakdown: str) -> str:
    parts = read_breakdown(breakdown)
    if "count" in parts or parts.get("statistic", "mean") != "mean":
        return "ranked"
    if kind in {"per_month", "statistic"}:
        return "rate"
    if QUESTION in parts:
        return "answers_share" if kind == "answers" else "answers"
    return "share" if kind == "share" else "sum"


def _percent(part: pl.Expr, rest: pl.Expr) -> pl.Expr:
    """Return a part as a percent of itself and the rest; null where nothing is left of both."""
    return pl.when(part + rest > 0).then(part * 100 / (part + rest))


def _apart(parts: Mapping[str, str], forces: pl.DataFrame) -> float:
    """Return by how much a figure that counts or ranks forces can be off.

    `forces` has what each holds `now`, and the `low` and `high` end of what it may.
    """
    now, low, high = (forces.select(total=end) for end in ("now", "low", "high"))
    if "count" in parts:
        band = Band.parse(parts["count"]).contains(pl.col("total"))
        inside, *others = (each.select(band).to_series() for each in (now, low, high))
        # Either end can be what is right, and which it is for one force says nothing of another.
        come, go = ~inside & (others[0] | others[1]), inside & ~(others[0] & others[1])
        return float(max(come.sum(), go.sum()))
    found = STATISTICS[parts["statistic"]]
    value, least, most = (each.select(found).item() for each in (now, low, high))
    return float(max(most - value, value - least))


def moves_of(
    asked: pl.DataFrame, expectations: pl.DataFrame, entries: pl.DataFrame, figures: Figures
) -> pl.DataFrame:
    """Return the cells that queries speak of, and by how much each would move if they are wrong.

    `asked` has the columns of AllFindings, `entries` those of Entries or LiveEntries. One row a
    query and counted cell: receipt_id, rule_id, its place, leaf, number, measure, expected (of all
    its cells), moved; both null where the rule expects no number. An answer has two rows: any
    other may be right, so a force may be one more or one less of its kind.
    """
    template = figures.collection.template
    parts = {
        (use.id, place): [part for text in use.parts for part in template.places(text)]
        for use in template.rules
        for written in use.at
        for place in template.places(written)
        if use.parts
    }
    counted = {entry.place: entry for entry in template.counted()}
    of_sheet = {use.sheet for use in template.rules if use.sheet}
    rows = []
    for key in asked.select(KEY).iter_rows():
        _, rule_id, *at = key
        place = tuple(at)
        whole = [p for p in counted if p[0] in of_sheet and at == [p[0], None, None]]
        about = whole or parts.get((rule_id, place), [place])
        leaves = dict.fromkeys(leaf for p in about for leaf in template.leaves.get(p, (p,)))
        rows += [
            (*key, "/".join(leaf), counted[leaf].measure, one if counted[leaf].answers else None)
            for leaf in leaves
            if leaf in counted
            for one in ((1.0, -1.0) if counted[leaf].answers else (None,))
        ]
    names = [*KEY, "leaf", "measure"]
    schema = {**dict.fromkeys(names, pl.String), "moved": pl.Float64}
    cells = pl.DataFrame(rows, schema, orient="row")
    numbers = entries.select("receipt_id", LEAF, "number").drop_nulls("number")
    typed = pl.col("number").sum().over(KEY)
    # Where nothing was typed, what was expected falls where it does in the other returns.
    usual = (
        pl.when(pl.col("total").sum().over(KEY) > 0).then(pl.col("total").fill_null(0)).otherwise(1)
    )
    weight = pl.when(typed > 0).then("number").otherwise(usual)
    moved = (pl.col("expected") - typed) * weight / weight.sum().over(KEY)
    return (
        cells.join(expectations, on=KEY, how="left", nulls_equal=True)
        .join(numbers, on=["receipt_id", "leaf"], how="left")
        .join(figures.held, on="leaf", how="left")
        .filter(_HELD | pl.col("moved").is_not_null())
        .with_columns(moved=pl.coalesce("moved", moved.cast(pl.Float64)))
        .drop("total", "answered")
    )


def effects(moves: pl.DataFrame, figures: Figures) -> pl.DataFrame:
    """Return by query the figure that it would move most, and by how many per cent of it.

    Columns: those that identify the query, effect, moves (what the figure is called). A query that
    moves none has no row; where what it moves cannot be told, both are null.
    """
    most = figures.uncertain(moves.drop_nulls("moved"), KEY)
    ordered = most.sort("most", "figure", descending=[True, False])
    first = ordered.unique(KEY, keep="first", maintain_order=True)
    named = first.join(figures.asked, on="figure", maintain_order="left")
    return named.select(*KEY, effect="most", moves="name")


def with_effects(
    collection: Collection,
    findings: pl.DataFrame,
    expectations: pl.DataFrame,
    live: pl.DataFrame,
    national: pl.DataFrame,
    reconciliation: pl.DataFrame,
) -> pl.DataFrame:
    """Return the mart Findings with the effect of each query about a return that counts."""
    everything = Figures(collection, live, national, reconciliation)
    counting = live.select("receipt_id").unique()
    asked = findings.filter(severity="Q").join(counting, on="receipt_id", how="semi")
    moves = moves_of(asked, expectations, live, everything)
    found = effects(moves, everything)
    plain = findings.drop("effect")
    return conform(Findings, plain.join(found, on=KEY, how="left", nulls_equal=True))
