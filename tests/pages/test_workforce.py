"""Rates per 1,000 workforce, from a table that a collection from outside names."""

import re
from pathlib import Path

import polars as pl
import pytest

from assets.disclosure.forms import public_forms
from assets.figures.totals.marts import workforce
from assets.release.pages.figures import Edition
from assets.release.pages.pages import force_page, national_pages, page_html
from schemas.collection import description, load_collection
from schemas.marts import marts_of
from schemas.reference import COLLECTIONS
from tests.pages.released import ABOUT, Answers, Marts, read_page

TABLE = """\
force_code,as_at,workforce,source,source_line
AVS,2012-03-31,4000,A made-up count,line 3
BED,2012-03-31,,A made-up count,line 4
CAM,2011-03-31,2400,A made-up count,line 5
DER,2012-03-31,2999.5,Another count,page 7
DER,2011-03-31,1,Another count,page 6
"""
WHY = {
    "BED": "its source gives none",
    "CAM": "known as at 2011-03-31 alone",
    "CHS": "the table has no row of it",
}


@pytest.fixture
def sized(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, whole: Marts) -> Marts:
    """A release of a collection with a table of workforce."""
    text = (COLLECTIONS / "2012-revisit.toml").read_text(encoding="utf-8")
    named = '[workforce]\nfigures = "made-up.csv"\nas_at = 2012-03-31\n\n[period]'
    for name, content in (
        ("collections/2012-revisit.toml", text.replace("[period]", named, 1)),
        ("reference/made-up.csv", TABLE),
    ):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_text(content, encoding="utf-8")
    monkeypatch.setenv("MUSTER_COLLECTIONS", str(tmp_path))
    return whole | {"workforce": workforce(load_collection("2012-revisit"))}


def _pages(folder: Path, marts: Marts, *forces: str, public: bool = False) -> dict[str, str]:
    edition = Edition(marts, {**ABOUT, **({"edition": "public"} if public else {})})
    pages = {"index": national_pages(edition)["index"]}
    pages |= {code: force_page(edition, code) for code in forces}
    answers, html = Answers(marts), {}
    for name, page in pages.items():
        html[name] = page_html(page, [], edition.about)
        (folder / f"{name}.html").write_text(html[name], encoding="utf-8")
        shown, _ = read_page(folder / f"{name}.html")
        assert [wrong for one in shown if (wrong := answers.wrong(one))] == [], name
    return html


def test_a_rate_stands_beside_each_force_whose_workforce_is_known(
    sized: Marts, tmp_path: Path
) -> None:
    html = _pages(tmp_path, sized, "AVS", "BED", "CAM", "CHS", "DER")
    number = sized["force_profiles"].filter(force_code="AVS")["investigations"].item()
    rate = f'data-of="workforce force_code=AVS workforce" data-per="1000">{number / 4:.1f}<'
    for name in ("index", "AVS"):
        assert rate in html[name]
    assert "Workforce on 31 March 2012: " in html["AVS"]
    assert "Source: A made-up count, line 3." in html["AVS"]
    assert ">2,999.5<" in html["DER"]
    for force, why in WHY.items():
        assert f"31 March 2012 is not known: {why}." in html[force]
        assert f">{why}<" in html["index"]
    assert re.search(r"per 1,000 workforce: from <span[^>]*>[\d.]+</span> in ", html["index"])
    assert "rates per 1,000 workforce allow for that" in html["index"]
    assert "reference/made-up.csv" in description("2012-revisit"), "a release keeps it"
    assert "workforce" in marts_of(load_collection("2012-revisit"))


def test_without_a_table_nothing_is_invented_and_each_page_says_why(
    whole: Marts, tmp_path: Path
) -> None:
    html = _pages(tmp_path, whole, "AVS")
    for said in html.values():
        assert said.count("so that there is no rate per 1,000") >= 1
        assert "per_1000" not in said
        assert "data-per" not in said
        assert "Beside the size" not in said
    assert whole["workforce"].is_empty()
    assert "workforce" not in marts_of(load_collection("2012-revisit"))


def test_the_rate_of_a_hidden_count_is_hidden(sized: Marts, tmp_path: Path) -> None:
    """Who knows the workforce and the rate has the count."""
    forms = public_forms(sized, [], load_collection("2012-revisit"))
    mine = pl.col("force_code") == "AVS"
    forms["force_profiles"] = forms["force_profiles"].with_columns(
        investigations=pl.when(~mine).then("investigations"),
        investigations_symbol=pl.when(mine).then(pl.lit("c")),
    )
    html = _pages(tmp_path, forms, "AVS", "DER", public=True)
    of = re.compile(r'force_code=AVS investigations"[^>]*data-per="1000">([^<]*)<')
    assert {*of.findall(html["index"])} == {*of.findall(html["AVS"])} == {"hidden"}
    assert "no column" in html["index"].partition('id="chart-workforce-text"')[2][:2000]
