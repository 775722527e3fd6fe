"""One series over collections: what changed between them is followed or told, never joined."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from assets.figures.comparable import released_collections, series
from assets.lake import Lake
from assets.previous import previous_release
from assets.release.pages.series import write_series
from pipelines.open_demo import ID as DEMONSTRATION
from pipelines.open_demo import open_collection
from schemas.collection import load_collection, read_collection
from schemas.errors import LakeError
from tests.live import any_live, release_of

pytestmark = pytest.mark.slow

EXAMPLES = Path(__file__).parents[2] / "examples"
Row = dict[str, object]


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A lake in which the collections of 2012 and 2013 are released, all forces in both."""
    root = tmp_path_factory.mktemp("lake")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MUSTER_COLLECTIONS", str(EXAMPLES))
        for name in ("2013-revisit", "2012-revisit", "use-of-force-2013"):
            collection = load_collection(name)
            release_of(root, collection, any_live(collection, 1, every_force=True))
    return root


@pytest.fixture(scope="module")
def rows(lake: Path) -> Callable[..., dict[str, Row]]:
    """The rows of a figure by collection, read where no example is known any more."""
    found = write_series(lake)

    def of(measure: str, breakdown: str = "") -> dict[str, Row]:
        mine = found.filter(measure=measure, breakdown=breakdown).to_dicts()
        return {row["collection"]: row for row in mine}

    return of


Rows = Callable[..., dict[str, Row]]


def test_a_figure_that_counts_the_same_is_comparable(rows: Rows) -> None:
    found = rows("investigations", "category=other;outcome=continuing")
    assert list(found) == ["2012-revisit", "2013-revisit"]
    assert all(row["comparable"] for row in found.values())
    first = found["2012-revisit"]
    assert first["per_month"] == pytest.approx(first["value"] / 9)  # type: ignore[operator]
    assert first["why_not"] is None
    assert found["2013-revisit"]["why_not"] == "merged: BED, HRT are BEH"


def test_a_renamed_code_is_followed_and_said(rows: Rows, lake: Path) -> None:
    found = rows("investigations", "category=other;outcome=left_police")
    assert found["2013-revisit"]["comparable"]
    assert str(found["2013-revisit"]["why_not"]).startswith("renamed")
    was = released_collections(lake)[0].mart("national_totals")
    of_2012 = was.filter(measure="investigations", breakdown="category=other;outcome=left_service")
    assert found["2012-revisit"]["value"] == of_2012["value"].item()
    assert not rows("investigations", "category=other;outcome=left_service")


@pytest.mark.parametrize(
    ("measure", "breakdown", "why"),
    [
        ("investigations", "", "new: category=abuse_of_authority"),
        ("investigations", "category=abuse_of_authority", "new"),
        ("investigations_share", "category=other", "new: category=abuse_of_authority"),
        ("second_job_approvals_in_breach", "", "dropped: occupation=driving_instructor"),
        ("second_job_approvals_in_breach", "occupation=driving_instructor", "dropped"),
        ("capability", "question=register_published;answer=yes", "new"),
        ("capability", "question=acu_staffing_change;answer=increased", "reworded; merged"),
        ("capability", "question=card_controls;answer=yes", "merged: BED, HRT are BEH"),
        ("second_job_review_months", "statistic=median", "merged: BED, HRT are BEH"),
        ("investigations_per_force", "category=other;statistic=mean", "merged: BED, HRT are BEH"),
    ],
)
def test_a_break_is_flagged(measure: str, breakdown: str, why: str, rows: Rows) -> None:
    now = rows(measure, breakdown)["2013-revisit"]
    assert not now["comparable"]
    assert str(now["why_not"]).startswith(why)


def test_a_code_that_says_something_else_breaks_the_series(lake: Path) -> None:
    """Under one name `Under 16` was compared with `Under 18` as if nothing had changed."""
    first, last = (r for r in released_collections(lake) if "revisit" in r.collection.id)
    lists = {**last.collection.template.lists}
    lists["category"] = {**lists["category"], "procurement": "Procurement and contracts"}
    template = replace(last.collection.template, lists=lists)
    object.__setattr__(
        last, "collection", last.collection.model_copy(update={"template": template})
    )
    found = series([first, last]).filter(measure="investigations", collection=last.collection.id)
    why = dict(found.select("breakdown", "why_not").iter_rows())
    assert str(why["category=procurement"]).startswith("reworded")
    assert not {at for at, said in why.items() if "reworded" in str(said)} - {
        at for at in why if "category=procurement" in at
    }


def test_statistics_over_the_forces_stand_in_it(rows: Rows) -> None:
    spread = rows("investigations_per_force", "category=other;statistic=mean")["2012-revisit"]
    whole = rows("investigations", "category=other")["2012-revisit"]
    assert spread["value"] == pytest.approx(whole["value"] / 44)  # type: ignore[operator]
    assert spread["per_month"] == pytest.approx(spread["value"] / 9)  # type: ignore[operator]
    months = rows("second_job_review_months", "statistic=median")
    assert {row["per_month"] for row in months.values()} == {None}


def test_a_number_at_a_date_has_no_rate_a_month(rows: Rows) -> None:
    suspended = rows("people_suspended", "category=other")
    assert all(row["value"] is not None for row in suspended.values())
    assert {row["per_month"] for row in suspended.values()} == {None}


def test_what_is_no_longer_counted_has_no_value(rows: Rows) -> None:
    dropped = rows("second_job_approvals_in_breach", "occupation=driving_instructor")
    assert dropped["2012-revisit"]["value"] is not None
    assert dropped["2013-revisit"]["value"] is None


def test_another_return_is_a_series_of_its_own(rows: Rows) -> None:
    assert list(rows("uses", "tactic=spray")) == ["use-of-force-2013"]


def test_a_total_of_fewer_forces_is_not_comparable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MUSTER_COLLECTIONS", str(EXAMPLES))
    for name in ("2012-revisit", "2013-revisit"):
        collection = load_collection(name)
        live = any_live(collection, 1, every_force=True)
        release_of(tmp_path, collection, live.filter(pl.col("force_code") != "STF"))
    now = series(released_collections(tmp_path)).filter(
        measure="people_suspended", breakdown="category=other", collection="2013-revisit"
    )
    assert now["why_not"].item().startswith("2012-revisit has 43 of 44 forces; 2013-revisit has 42")
    assert not now["comparable"].item()


def test_the_same_releases_have_the_same_series_and_page(
    lake: Path, rows: Rows, tmp_path: Path
) -> None:
    assert rows("investigations"), "they are written"
    shutil.copytree(lake, tmp_path / "other", symlinks=True)
    shutil.rmtree(tmp_path / "other" / "marts" / "series")
    read_collection.cache_clear()
    write_series(tmp_path / "other")
    for name in ("series.parquet", "index.html"):
        again, first = (root / "marts" / "series" / name for root in (tmp_path / "other", lake))
        assert again.read_bytes() == first.read_bytes(), name


def test_a_demonstration_is_no_year_of_a_series_and_nothing_is_compared_with_it(
    lake: Path, rows: Rows, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It repeats the returns of another, and nobody who looks at the lake need know it."""
    assert rows("investigations")
    root, described = tmp_path / "other", tmp_path / "described"
    shutil.copytree(lake, root, symlinks=True)
    described.mkdir()
    open_collection(described, date(2026, 1, 31))
    with monkeypatch.context() as shown:
        shown.setenv("MUSTER_COLLECTIONS", str(described))
        demonstration = load_collection(DEMONSTRATION)
        release_of(root, demonstration, any_live(demonstration, 1, every_force=True))
    assert write_series(root).equals(write_series(lake))
    assert DEMONSTRATION not in (root / "marts" / "series" / "index.html").read_text()
    monkeypatch.setenv("MUSTER_COLLECTIONS", str(EXAMPLES))
    before = previous_release(Lake(root, "2013-revisit"), load_collection("2013-revisit"))
    assert before
    assert before.collection.id == "2012-revisit"
    asked = load_collection("2013-revisit").model_copy(update={"comparators": {}})
    before = previous_release(Lake(root, asked.id), asked)
    assert before
    assert before.collection.id == "2012-revisit"
    (root / "marts" / "2012-revisit").unlink()
    assert previous_release(Lake(root, asked.id), asked) is None


def test_without_a_release_there_is_no_series(tmp_path: Path) -> None:
    with pytest.raises(LakeError, match="no release yet"):
        write_series(tmp_path)
