"""What an entry was in the collection before: the same count and nothing else, or unknown."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from assets.lake import Lake
from assets.previous import previous_release, previous_values, renamed
from schemas.collection import Collection, load_collection
from schemas.reference import OURS
from tests.live import any_live, release_of

EXAMPLES = Path(__file__).parents[2] / "examples"
Value = Callable[[str, str], str | None]


@pytest.fixture(scope="module")
def then() -> pl.DataFrame:
    """What was released of 2012, when GLO sent nothing and KEN held no declined offers."""
    live = any_live(load_collection("2012-revisit"), 3, every_force=True)
    declined = (pl.col("force_code") == "KEN") & (pl.col("row_code") == "force.gratuity")
    text = pl.when(declined & (pl.col("column_code") == "declined")).then(pl.lit("not_held"))
    return live.filter(pl.col("force_code") != "GLO").with_columns(
        text.otherwise("value").alias("value")
    )


@pytest.fixture(scope="module")
def now(then: pl.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> pl.DataFrame:
    """The previous values of 2013, in which two forces are one."""
    root = tmp_path_factory.mktemp("lake")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MUSTER_COLLECTIONS", str(EXAMPLES))
        release_of(root, load_collection("2012-revisit"), then)
        collection = load_collection("2013-revisit")
        return previous_values(Lake(root, collection.id), collection)


def _at(frame: pl.DataFrame, force: str, place: str) -> str | None:
    sheet, row, column = place.split("/")
    found = frame.filter(force_code=force, sheet=sheet, row_code=row, column_code=column)
    value: str | None = found["value"].item()
    return value


def test_every_entry_that_counts_has_a_row(now: pl.DataFrame) -> None:
    assert now.columns == ["force_code", "sheet", "row_code", "column_code", "value", "collection"]
    assert now["force_code"].n_unique() == 43
    assert now.select("force_code", "sheet", "row_code", "column_code").is_unique().all()
    assert set(now["collection"]) == {"2012-revisit", None}
    assert now["collection"].is_null().equals(now["value"].is_null())
    assert "cover" not in set(now["sheet"])


@pytest.mark.parametrize(
    ("place", "was"),
    [
        ("investigations/other/continuing", "investigations/other/continuing"),
        ("investigations/other/total", "investigations/other/total"),
        ("investigations/other/left_police", "investigations/other/left_service"),
        ("second_jobs/total/count", "second_jobs/total/count"),
        ("capability/card_controls/answer", "capability/card_controls/answer"),
    ],
)
def test_the_same_count_is_found_by_what_it_counts(
    place: str, was: str, now: pl.DataFrame, then: pl.DataFrame
) -> None:
    assert _at(now, "STF", place) == _at(then, "STF", was)


@pytest.mark.parametrize(
    "place",
    [
        "investigations/abuse_of_authority/continuing",
        "investigations/total/total",  # has a category more
        "capability/register_published/answer",
        "capability/acu_staffing_change/answer",  # asked in other words
    ],
)
def test_what_was_not_counted_then_is_unknown(place: str, now: pl.DataFrame) -> None:
    assert _at(now, "STF", place) is None


def test_a_force_that_sent_nothing_has_no_previous_value(now: pl.DataFrame) -> None:
    assert now.filter(force_code="GLO")["value"].null_count() == now.filter(force_code="GLO").height


def test_what_is_not_held_is_no_number(now: pl.DataFrame) -> None:
    assert _at(now, "KEN", "registers/force.gratuity/declined") == "not_held"


def test_the_period_of_another_collection_is_what_was_counted_there(
    now: pl.DataFrame, then: pl.DataFrame
) -> None:
    cases = then.filter(
        ~pl.col("row_code").is_in(["total", "information_disclosure"]),
        ~pl.col("column_code").is_in(["total", "people_suspended"]),
        force_code="STF",
        sheet="investigations",
    )
    number = cases["value"].cast(pl.Int64).sum()
    assert _at(now, "STF", "comparators/investigations_previous/value") == str(number)


def test_a_merged_force_is_the_sum_of_its_parts_where_all_are_there(
    now: pl.DataFrame, then: pl.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = "investigations/other/continuing"
    both = sum(int(_at(then, force, place) or "") for force in ("BED", "HRT"))
    assert _at(now, "BEH", place) == str(both)
    assert _at(now, "BEH", "capability/card_controls/answer") is None  # two answers are no answer
    assert _at(now, "BEH", "second_jobs/review_months/count") is None  # nor two intervals a sum
    monkeypatch.setenv("MUSTER_COLLECTIONS", str(EXAMPLES))
    release_of(
        tmp_path, load_collection("2012-revisit"), then.filter(pl.col("force_code") != "HRT")
    )
    collection = load_collection("2013-revisit")
    found = previous_values(Lake(tmp_path, collection.id), collection)
    assert found.filter(force_code="BEH")["value"].drop_nulls().is_empty()


def _named(collection: Collection, other: str | None) -> Collection:
    """Return a collection that is compared with another one."""
    compared = {
        name: one.model_copy(update={"collection": other})
        for name, one in collection.comparators.items()
    }
    return collection.model_copy(update={"comparators": compared})


def test_the_collection_before_is_the_one_compared_with_or_else_the_newest(
    then: pl.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MUSTER_COLLECTIONS", str(EXAMPLES))
    collection, lake = load_collection("2013-revisit"), Lake(tmp_path, "2013-revisit")
    assert previous_release(lake, collection) is None
    assert previous_values(lake, collection)["value"].drop_nulls().is_empty()
    release_of(tmp_path, load_collection("2012-revisit"), then)
    for other in ("2012-revisit", None):
        found = previous_release(lake, _named(collection, other))
        assert found is not None
        assert found.collection.id == "2012-revisit"
    assert previous_release(lake, _named(collection, "2011-revisit")) is None
    uses = load_collection("use-of-force-2013")  # another return
    assert previous_release(Lake(tmp_path, uses.id), uses) is None


def test_codes_are_followed_through_versions_that_nobody_collected_on() -> None:
    first = load_collection("2012-revisit").template
    second = replace(first, version=2, since={"outcome": {"a": "b", "b": "a", "left": "gone"}})
    third = replace(first, version=3, since={"outcome": {"went": "left"}})
    called = renamed(first, third, OURS, [second])
    # Two codes that changed places in one version are not taken for one.
    assert called["outcome"] == {"a": "b", "b": "a", "gone": "went"}
    assert renamed(first, third, OURS) == {"outcome": {"left": "went"}}
    # The name that a code of the first had is another's then: of this one, nothing is before.
    again = replace(first, version=2, since={"outcome": {"ended": "left_service"}})
    later = replace(first, version=3, since={"outcome": {"other": "left_service"}})
    assert renamed(first, later, OURS, [again]) == {"outcome": {"left_service": "ended"}}
    # Two codes of one name would be added as one.
    onto = replace(first, version=2, since={"outcome": {"left_service": "continuing"}})
    told = {"continuing": "left_service", "left_service": "left_service (returns-1)"}
    assert renamed(first, onto, OURS) == {"outcome": told}
    group = replace(first, version=2, since={"outcome": {"completed": "left_service"}})
    told = {"left_service": "completed", "completed": "completed (returns-1)"}
    assert renamed(first, group, OURS) == {"outcome": told}
