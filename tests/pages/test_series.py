"""The page of the series says what the mart says, and where a count is another one."""

import re
from pathlib import Path

import polars as pl
import pytest

from assets.figures.totals.national import national_totals
from assets.release.pages.figures import Edition
from assets.release.pages.pages import national_page, page_html
from assets.release.pages.series import write_series
from schemas.collection import load_collection
from tests.live import any_live
from tests.pages.released import ABOUT, Answers, is_number, read_page, show_release
from tests.test_structure import ROOT

pytestmark = pytest.mark.slow

NAMES = ("2012-revisit", "2013-revisit")


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A lake in which 2012 and 2013 are released, of all forces, and the series is written."""
    root = tmp_path_factory.mktemp("lake")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MUSTER_COLLECTIONS", str(ROOT / "examples"))
        for name in NAMES:
            collection = load_collection(name)
            live = any_live(collection, 1, every_force=True)
            show_release(root, national_totals(live, collection), collection, cells=live)
    write_series(root)
    return root


@pytest.fixture(scope="module")
def mart(lake: Path) -> pl.DataFrame:
    return pl.read_parquet(lake / "marts" / "series" / "series.parquet")


@pytest.fixture(scope="module")
def html(lake: Path) -> str:
    return (lake / "marts" / "series" / "index.html").read_text(encoding="utf-8")


def test_every_figure_of_the_mart_stands_on_the_page(lake: Path, mart: pl.DataFrame) -> None:
    shown, bare = read_page(lake / "marts" / "series" / "index.html")
    answers = Answers({"series": mart})
    assert [wrong for one in shown if (wrong := answers.wrong(one))] == []
    assert [text for text in bare if is_number(text)] == []
    expected = {
        f"series measure={measure} breakdown={breakdown} collection={collection} value"
        for measure, breakdown, collection, why in mart.select(
            "measure", "breakdown", "collection", "why_not"
        ).iter_rows()
        if why != "dropped"
    }
    assert expected <= {one.source for one in shown}
    rate = "series measure=investigations breakdown= collection=2012-revisit per_month"
    assert rate in {one.source for one in shown}


def test_a_break_is_said_in_words_beside_its_figure(mart: pl.DataFrame, html: str) -> None:
    later = mart.filter(pl.col("collection") == NAMES[1])
    broken = later.filter(~pl.col("comparable"))
    assert html.count(">BREAK: ") == broken.height > 100
    plain = html.replace("Abuse of authority for gain", "category=abuse_of_authority").replace(
        "driving instructor", "occupation=driving_instructor"
    )
    for why in set(broken["why_not"]):
        assert f">BREAK: {why}<" in plain
    followed = later.filter("comparable").drop_nulls("why_not")["why_not"].unique()
    assert all(f">same count ({why})<" in plain for why in followed)
    assert "new: category=abuse_of_authority; " in plain, "told by its words alone"
    assert re.findall(r">[^<]*\w=\w[^<]*<", html.partition("</style>")[2]) == []
    assert '>Abuse of authority for gain</th><td class="n">not counted</td>' in html


def test_a_bar_says_where_it_is_not_the_same_count_as_the_one_before(
    mart: pl.DataFrame, html: str
) -> None:
    whole = mart.filter(collection=NAMES[1], breakdown="").drop_nulls("per_month")
    kinds = set()
    for measure, comparable in whole.select("measure", "comparable").iter_rows():
        drawn = html.partition(f'<section id="returns-{measure}"')[2].partition("</figure>")[0]
        first, then = re.findall(r'<span class="l">([^<]+)</span>', drawn)
        assert first == NAMES[0]
        assert then.startswith(NAMES[1])
        assert (" (BREAK)" in then) != comparable, measure
        kinds.add(comparable)
    assert kinds == {True, False}


def test_the_series_and_the_reports_lead_to_each_other(lake: Path, html: str) -> None:
    for name in NAMES:
        assert f'href="../{name}/report/index.html"' in html
    totals = pl.read_parquet(lake / "marts" / NAMES[0] / "national_totals.parquet")
    report = page_html(national_page(Edition({"national_totals": totals}, ABOUT)), [], ABOUT)
    assert not re.findall(r'href="([^"]*series[^"]*)"', report), "there may be no series yet"
    (named,) = re.findall(r"[\w/.]*series/index.html", report)
    assert (lake / named).is_file()
    assert "2012-revisit: reconstructed" in html


def test_what_is_finer_is_folded_away_and_the_list_of_contents_is_of_measures(html: str) -> None:
    folded = re.findall(r"<summary>Table: ([^<]*)</summary>", html)
    assert "Investigations: Information disclosure (not by social media), by collection" in folded
    assert "Investigations share, per cent, by collection" in folded
    assert "Capability: Register up to date, by collection" in folded
    open_ = re.sub(r"<details>.*?</details>", "", html, flags=re.DOTALL)
    assert html.count("<tr") > 400
    assert open_.count("<tr") < 90
    contents = html.partition('aria-label="On this page"')[2].partition("</nav>")[0]
    assert "Register entries</a>" in contents
    assert "share" not in contents
    assert "BED is Bedfordshire Police, " in html


def test_the_page_asks_for_nothing(html: str) -> None:
    assert not re.search(r"https?://|<script|@import|url\(|src=", html)
