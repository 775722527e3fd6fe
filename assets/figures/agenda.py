"""What to ask first: queries as questions, by score, and the line below which they move little."""

import hashlib
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

import polars as pl

from assets.figures.scores import KEY, Figures, effects, moves_of
from assets.lake import Lake
from assets.returns.desk.decisions import Ledger, queries, read_answers
from assets.returns.validation.states import Standing, live_entries, standing
from assets.tables import work_table
from schemas.collection import Collection
from schemas.errors import LakeError
from schemas.rules.catalogue import UNORDERED, rules

ADDED: Final = ("effect", "moves", "score", "about", "question")
"""The columns that queries have here besides."""

SETTLED: Final = "accepted"
_DIGITS: Final = 10


@dataclass(frozen=True)
class Agenda:
    """Every current query, the one to ask first at the top.

    `rows`: as decisions.queries returns them, and `effect` (per cent of the figure that it moves
    most, null for none), `moves` (that figure), `score` (per cent, null where nothing tells),
    `question` (the id of the question that it is part of; one that stands alone is its own) and
    `about` (what the question is about).
    `above`: the questions to be settled, after which no figure is in doubt by more than `limit`
    per cent.
    """

    rows: pl.DataFrame
    above: list[str]
    limit: float

    @property
    def open(self) -> pl.DataFrame:
        """The queries that are not settled."""
        return self.rows.filter(pl.col("state") != SETTLED)

    @property
    def asked_first(self) -> int:
        """How many queries are above the stop line."""
        return self.open.filter(pl.col("question").is_in(self.above)).height


def agenda(lake: Lake, collection: Collection, now: Standing | None = None) -> Agenda:
    """Return what is asked now, by what the last run read and the desk has decided since.

    `now` says where the returns stand, if that is known; nothing in the lake is changed.

    Raises:
        LakeError: nothing has been run yet, or what was written then is damaged.
    """
    at = now or standing(lake)
    asked = queries(at.asked(), read_answers(Ledger(lake)), collection.id)
    expected = work_table(lake, "validation/expectations")
    figures = Figures.of(lake, collection, live_entries(at.live_returns(), at.entries))
    return ordered(asked, expected, at.entries, figures)


def so_far(lake: Lake, collection: Collection, now: Standing) -> Agenda:
    """Return the same; where no run has added up yet, nobody knows what a query moves."""
    with suppress(LakeError):
        return agenda(lake, collection, now)
    rows = queries(now.asked(), now.answers, collection.id)
    unknown = pl.lit(None, pl.Float64)
    rows = rows.with_columns(
        question="query_id",
        effect=unknown,
        score=unknown,
        moves=None,
        about=pl.lit(None, pl.String),
    )
    return Agenda(rows.sort("rule_id", "sheet", "cell"), [], 0)


def ordered(
    asked: pl.DataFrame, expectations: pl.DataFrame, entries: pl.DataFrame, figures: Figures
) -> Agenda:
    """Return queries by score, those first of which nobody can tell what they move.

    Arguments are as `scores.moves_of` takes them; `asked` as decisions.queries returns it.
    """
    moves = moves_of(asked, expectations, entries, figures)
    typed, expected = pl.col("number").sum(), pl.col("expected").first()
    told = moves.group_by(KEY, maintain_order=True).agg(
        # An answer that another contradicts is in doubt altogether.
        ((expected - typed).abs() / pl.max_horizontal(expected, typed))
        .fill_null(1.0)
        .alias("suspicion"),
        (expected > typed).alias("expected_more"),
        pl.col("measure").unique(maintain_order=True).str.join(" and ").alias("measure"),
        pl.col("moved").is_null().any().alias("untold"),
    )
    rows = asked.drop("effect", strict=False)
    for each in (told, effects(moves, figures)):
        rows = rows.join(each, on=KEY, how="left", nulls_equal=True, maintain_order="left")
    # Which of two versions counts can move anything.
    untold = pl.col("untold").fill_null(value=False) | (pl.col("rule_id") == UNORDERED)
    score = pl.when(~untold).then((pl.col("suspicion") * pl.col("effect")).fill_null(0.0))
    rows = _asked_at_once(rows.with_columns(score=score), figures.collection.id)
    most = pl.col("score").fill_null(float("inf")).max().over("question")
    own = pl.col("score").fill_null(float("inf"))
    order = [most, "force_code", "question", own, "rule_id", "sheet", "cell"]
    rows = rows.sort(order, descending=[True, False, False, True, False, False, False])
    above = _above(rows, moves, figures)
    rows = rows.drop("suspicion", "expected_more", "measure", "untold")
    return Agenda(rows, above, figures.collection.stop_line)


def _asked_at_once(rows: pl.DataFrame, collection_id: str) -> pl.DataFrame:
    """Add which question each query is part of: those of one force with one cause are one."""
    causes = {rule.id: rule.cause for rule in rules().values() if rule.cause}
    named = pl.col("rule_id").replace_strict(causes, default=None, return_dtype=pl.String)
    cause = named.str.replace("{measure}", pl.col("measure").fill_null("counts"), literal=True)
    way = pl.when("expected_more").then(pl.lit("less")).otherwise(pl.lit("more"))
    told = pl.when(pl.col("expected_more").is_not_null()).then(
        pl.format("{}: {} than expected", cause, way)
    )
    about = pl.coalesce(told, cause)
    rows = rows.with_columns(about=about)
    ids = []
    for query, force, text in rows.select("query_id", "force_code", "about").iter_rows():
        digest = hashlib.sha256(f"{collection_id}|{force}|{text}".encode()).hexdigest()
        ids.append(query if text is None else f"G-{digest[:_DIGITS]}")
    several = pl.len().over("question") > 1
    of = rows.with_columns(pl.Series("question", ids, pl.String))
    return of.with_columns(question=pl.when(several).then("question").otherwise("query_id"))


def _above(rows: pl.DataFrame, moves: pl.DataFrame, figures: Figures) -> list[str]:
    """Return the questions above the stop line.

    The more is settled the less is in doubt, so the line is found by halving.
    """
    waiting = rows.filter(pl.col("state") != SETTLED)
    asked = waiting["question"].unique(maintain_order=True).to_list()

    def holds(settled: int) -> bool:
        below = waiting.filter(~pl.col("question").is_in(asked[:settled]))
        if below["score"].null_count():
            return False
        most = figures.uncertain(moves.join(below, on=KEY, how="semi", nulls_equal=True))
        return most.filter(pl.col("most") > figures.collection.stop_line).is_empty()

    few, many = 0, len(asked)
    while few < many:
        middle = (few + many) // 2
        few, many = (few, middle) if holds(middle) else (middle + 1, many)
    return asked[:few]
