"""What a query moves, which queries are one question, and the line below which they move little."""

from collections.abc import Callable
from random import Random

import polars as pl
import pytest

from assets.figures.agenda import Agenda, ordered
from assets.figures.reconcile import reconcile
from assets.figures.scores import KEY, Figures, effects, moves_of
from assets.figures.totals.leaves import LEAF
from assets.figures.totals.national import national_totals
from assets.returns.desk.decisions import queries
from schemas.collection import Collection
from schemas.conform import conform
from schemas.contract import empty
from schemas.marts import Findings
from schemas.rules.catalogue import EXPECTED, rules
from schemas.tables import Answers, Expectations, ReportFigures
from schemas.template import Place
from tests.returns import SampleReturn, validated

Asked = tuple[str, str, Place, float | None]
"""Force, rule, place, and what was expected."""

DISCLOSURE = ("investigations", "information_disclosure", "total")
ALL = ("investigations", "total", "total")
CARDS = ("comparators", "cards_2012", "value")


@pytest.fixture(scope="session")
def figures(collection: Collection, live: pl.DataFrame) -> Figures:
    national = national_totals(live, collection)
    printed = reconcile(national, live, empty(ReportFigures), collection)
    return Figures(collection, live, national, printed)


def _tables(asked: list[Asked], figures: Figures) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return queries as the desk has them, and what was expected."""
    receipts = dict(figures.live.select("force_code", "receipt_id").unique().iter_rows())
    names = ["force_code", "rule_id", "sheet", "row_code", "column_code", "expected"]
    rows = pl.DataFrame(
        [(force, rule, *at, value) for force, rule, at, value in asked],
        {**dict.fromkeys(names[:-1], pl.String), "expected": pl.Float64},
        orient="row",
    ).with_columns(receipt_id=pl.col("force_code").replace_strict(receipts, return_dtype=pl.String))
    fixed = {"severity": "Q", "cell": "A1", "value": "1", "message": "m", "how_to_fix": "h"}
    none = [pl.lit(None, pl.String).alias(name) for name in ("reason", "accepted_by")]
    found = rows.with_columns(
        *none, effect=pl.lit(None, pl.Float64), **{k: pl.lit(v) for k, v in fixed.items()}
    )
    told = queries(conform(Findings, found), empty(Answers), figures.collection.id)
    return told, conform(Expectations, rows.drop_nulls("expected"))


def _agenda(asked: list[Asked], figures: Figures) -> Agenda:
    told, expected = _tables(asked, figures)
    return ordered(told, expected, figures.live, figures)


def _effects(asked: list[Asked], figures: Figures) -> dict[tuple[str, str], tuple[float, str]]:
    told, expected = _tables(asked, figures)
    found = effects(moves_of(told, expected, figures.live, figures), figures)
    rows = found.select("rule_id", "row_code", "effect", "moves").iter_rows()
    return {(rule, row): (effect, moves) for rule, row, effect, moves in rows}


def test_a_rule_says_what_it_expects(
    sample: Callable[[str], SampleReturn], collection: Collection
) -> None:
    """Each by the use that fails; only of what looks rounded, or contradicts, nobody can tell."""
    for rule in rules().values():
        assert {*rule.expects} <= {*rule.says}, rule.id
        assert {*rule.expects.values()} <= {*EXPECTED}, rule.id
    untold = {use.id for use in collection.template.rules if use.use not in rules()[use.id].expects}
    assert untold == {"X001", "X003", "X004", "X006", "Q110"}
    cards = {CARDS: "900", ("comparators", "cards_2011", "value"): "100"}
    found = validated(sample("MPS").with_values(cards).reading(), collection).expectations
    rows = found.select("rule_id", "row_code", "expected").rows()
    assert ("Q102", "information_disclosure", 90.0) in rows
    assert ("X005", "cards_2012", 100.0) in rows


def test_an_effect_is_of_the_figure_that_moves_most(figures: Figures) -> None:
    """900,000 cards against 100 fewer; two cases more are a published minimum of two."""
    typed = figures.live.filter(force_code="CAM", row_code="cards_2012")["number"].item()
    found = _effects(
        [
            ("CAM", "X005", CARDS, typed + 10),
            ("CAM", "Q102", DISCLOSURE, 3),
            ("MPS", "Q103", ALL, 29),
        ],
        figures,
    )
    assert found["X005", "cards_2012"] == (10.0, "PRO-01")
    assert found["Q102", "information_disclosure"] == (100.0, "DIS-17")
    assert found["Q103", "total"][0] == pytest.approx(100 * (403 - 29) / 403)


def test_what_is_in_no_figure_has_no_effect(figures: Figures) -> None:
    asked = [("STF", "V007", ("comparators", "cards_2011", "value"), None)]
    agenda = _agenda([("STF", "S011", ("cover", "submitted_on", "value"), None)], figures)
    assert agenda.rows.select("effect", "moves", "score").row(0) == (None, None, 0.0)
    assert agenda.above == []
    untold = _agenda(asked, figures)
    assert untold.rows.select("effect", "score").row(0) == (None, None)
    assert untold.above == untold.rows["question"].to_list(), "nobody can tell what it moves"


def test_queries_of_one_cause_are_one_question(figures: Figures) -> None:
    size = [("MPS", "Q102", DISCLOSURE, 90.0), ("MPS", "Q103", ALL, 29.0)]
    others = [
        ("GMP", "Q102", DISCLOSURE, 90.0),
        ("MPS", "Q101", ALL, 100.0),
        ("CAM", "Q102", DISCLOSURE, 3.0),
    ]
    rows = _agenda([*size, *others], figures).rows
    assert rows["question"].n_unique() == 4
    assert rows.filter(rows["question"].str.starts_with("G-"))["force_code"].to_list() == [
        "MPS",
        "MPS",
    ]
    assert set(rows["about"]) == {
        "size: more than expected", "size: less than expected",
        "change in investigations: more than expected",
    }  # fmt: skip
    assert rows["force_code"].to_list()[:2] == ["MPS", "MPS"], "what moves most comes first"
    assert rows["score"].to_list()[0] == rows["score"].max()


def test_an_answer_moves_the_counts_of_forces_that_gave_it(figures: Figures) -> None:
    place = ("capability", "audit_software", "answer")
    agenda = _agenda([("STF", "X006", place, None)], figures)
    row = agenda.rows.row(0, named=True)
    assert row["score"] == row["effect"] > 0
    assert row["moves"].startswith("CAP") or row["moves"]


def _moved(moves: pl.DataFrame, chance: Random, figures: Figures) -> pl.DataFrame:
    """Return the live entries once some of the queries are seen to be right."""
    keys = moves.select("receipt_id", "rule_id", "row_code", "column_code", "sheet").unique()
    right = keys.filter(
        pl.Series([chance.random() < 0.6 for _ in range(keys.height)], dtype=pl.Boolean)
    )
    kept = moves.join(right, on=keys.columns, how="semi")
    one = kept.sample(fraction=1, shuffle=True, seed=chance.randrange(999))
    one = one.unique(["receipt_id", "leaf"], keep="first", maintain_order=True)
    leaf = pl.concat_str("sheet", "row_code", "column_code", separator="/").alias("leaf")
    joined = figures.live.with_columns(leaf).join(
        one.select("receipt_id", "leaf", "moved"), on=["receipt_id", "leaf"], how="left"
    )
    return joined.with_columns(pl.col("number") + pl.col("moved").fill_null(0.0)).drop(
        "moved", "leaf"
    )


@pytest.mark.parametrize(
    "seed", [0, *(pytest.param(n, marks=pytest.mark.slow) for n in range(1, 12))]
)
def test_the_stop_line_bounds_every_figure(figures: Figures, seed: int) -> None:
    """Whatever queries below it turn out to be right, nothing published moves by more."""
    chance = Random(seed)
    template = figures.collection.template
    places = [e.place for e in template.entries() if e.kind == "count"]
    numbers = {
        (force, (sheet, row, column)): number
        for force, sheet, row, column, number in figures.live.select(
            "force_code", "sheet", "row_code", "column_code", "number"
        ).iter_rows()
    }
    asked = []
    for _ in range(60):
        force, at = chance.choice(figures.collection.forces), chance.choice(places)
        typed = numbers.get((force, at))
        if typed is not None and (force, at) not in {(one[0], one[2]) for one in asked}:
            rule = chance.choice(["Q102", "Q111", "V007"])
            asked.append(
                (force, rule, at, max(0.0, typed + chance.choice([-9, -2, -1, 1, 1, 3, 30])))
            )
    limit = chance.choice([0.5, 2.0])
    mine = Figures(
        figures.collection.model_copy(update={"stop_line": limit}), figures.live,
        figures.national, figures.reconciliation,
    )  # fmt: skip
    told, expected = _tables(asked, mine)
    agenda = ordered(told, expected, mine.live, mine)
    below = told.filter(
        ~told["query_id"].is_in(
            agenda.rows.filter(agenda.rows["question"].is_in(agenda.above))["query_id"]
        )
    )
    assert 0 < below.height < told.height, "there is a line"
    every = moves_of(told, expected, mine.live, mine)
    left = moves_of(below, expected, mine.live, mine)
    for moves, most in ((every, mine.uncertain(every)), (left, None)):
        then = national_totals(_moved(moves, chance, mine), mine.collection)
        values = {
            row[:3]: row[3]
            for row in then.select("measure", "breakdown", "period", "value").iter_rows()
        }
        bounds = dict(most.select("figure", "most").iter_rows()) if most is not None else {}
        of_returns = mine.asked.join(mine.parts, on="figure", how="semi")
        assert of_returns.height > 100
        for number, *key, name, value, printed in of_returns.iter_rows():
            off = abs(values[tuple(key)] - value) * 100 / printed
            assert off <= bounds.get(number, limit if most is None else 0.0) + 1e-6, name


@pytest.mark.parametrize("rule", ["Q101", "Q103"])
def test_an_effect_is_what_a_figure_moves_by_once_all_cells_of_a_sum_are_as_expected(
    figures: Figures, rule: str
) -> None:
    """Of a share, both what it is of and what it is a part of move: it was held for constant."""
    told, expected = _tables([("MPS", rule, ALL, 100.0), ("GMP", rule, ALL, 400.0)], figures)
    moves = moves_of(told, expected, figures.live, figures)
    most = figures.uncertain(moves, KEY)
    for (receipt_id,), of_one in most.group_by("receipt_id"):
        own = moves.filter(receipt_id=receipt_id).select("receipt_id", "leaf", "moved")
        live = figures.live.with_columns(LEAF).join(own, on=["receipt_id", "leaf"], how="left")
        number = pl.col("number") + pl.col("moved").fill_null(0)
        then = national_totals(live.with_columns(number).drop("moved", "leaf"), figures.collection)
        key = ["measure", "breakdown", "period"]
        off = (pl.col("then") - pl.col("value")).abs() * 100 / pl.col("printed")
        found = (
            of_one.join(figures.asked, on="figure")
            .join(then.select(*key, then="value"), on=key)
            .filter(pl.col("measure") != "investigations_per_force")
        )
        assert found.filter(pl.col("measure").str.ends_with("share")).height > 0
        wrong = found.filter((off - pl.col("most")).abs() > 1e-6)
        assert wrong.is_empty(), wrong.select(*key, "most", off)
