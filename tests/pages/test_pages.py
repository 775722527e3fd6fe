"""Pages say what the marts say, and what is missing is said to be."""

import re
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from assets.release.pages.content import Figure, PageTable
from assets.release.pages.figures import Edition
from assets.release.pages.pages import force_page, national_page, page_html
from schemas.collection import Collection
from schemas.conform import conform
from schemas.contract import empty
from schemas.marts import Findings
from tests.pages.conftest import HOSTILE
from tests.pages.released import (
    ABOUT,
    Answers,
    Marts,
    finding,
    is_number,
    pages_in,
    read_page,
    write_pages,
)
from tools.make_sample.described import capability_questions

SOME = ("AVS", "BED", "CAM", "DER", "MPS", "STF")


def _some(folder: Path) -> list[Path]:
    return [folder / "index.html", *(folder / "forces" / f"{code}.html" for code in SOME)]


@pytest.mark.parametrize("release", ["whole", "patchy"])
def test_every_figure_on_a_page_is_what_the_marts_say(
    release: str, request: pytest.FixtureRequest
) -> None:
    """A number that was typed, rounded wrongly or taken from another row misleads a minister."""
    answers = Answers(request.getfixturevalue(release))
    for path in _some(request.getfixturevalue(f"{release}_pages")):
        shown, bare = read_page(path)
        assert [wrong for item in shown if (wrong := answers.wrong(item))] == [], path
        assert [text for text in bare if is_number(text) and path.stem == "index"] == []


def test_every_mart_of_figures_is_on_the_national_page(whole_pages: Path) -> None:
    """A section that reads nothing would pass every comparison."""
    shown = [one for path in whole_pages.glob("*.html") for one in read_page(path)[0]]
    of_forces = {"register_entries", "second_jobs", "investigations"}
    assert {item.source.partition(" ")[0] for item in shown} >= {
        "national_totals", "outcome_breakdown", "force_profiles", "capability_adoption",
        "comparisons", "distribution", "social_media", "survey", "survey_changes",
        "national_checks", "reconciliation", "returns_status",
    }  # fmt: skip
    force = {item.source.partition(" ")[0] for item in read_page(_some(whole_pages)[-1])[0]}
    assert of_forces | {"cells", "social_media"} <= force


def test_a_force_is_shown_the_answers_it_gave(whole: Marts) -> None:
    given = dict(
        whole["capability_answers"]
        .filter(force_code="AVS")
        .select("question_code", "answer")
        .iter_rows()
    )
    edition = Edition(whole, ABOUT)
    page = force_page(edition, "AVS")
    (section,) = [one for one in page.sections if one.name == "arrangements"]
    (table,) = section.blocks
    assert isinstance(table, PageTable)
    codes = capability_questions()["question_code"]
    assert len(table.rows) == len(given) == 41
    for code, cells in zip(codes, table.rows, strict=True):
        assert cells[3].text.lower() == edition.wording.answer(given[code])
        assert isinstance(cells[1].content, Figure)
        assert f"answer={given[code]} " in cells[1].content.source


def test_all_that_a_complete_release_does_not_know_was_never_collected(whole_pages: Path) -> None:
    """An address with a slip of the pen finds no row, and a page would call the figure unknown."""
    shown, _ = read_page(whole_pages / "index.html")
    unknown = {item.source for item in shown if item.text == "not known"}
    allowed = re.compile(
        r"^(reconciliation figure_id=\S+ (computed|difference)"
        r"|survey\S* question=\S+ answer=\S+ year=\d+ \w+"
        r"|national_totals measure=social_media_\w+ breakdown=year=\d+ period= value)$"
    )
    assert [source for source in unknown if not allowed.match(source)] == []
    assert sum("survey" in source for source in unknown) < 10


def test_every_published_figure_is_shown_with_its_status(whole: Marts, whole_pages: Path) -> None:
    """A difference that is left out of the page is a difference nobody explains."""
    html = (whole_pages / "figures.html").read_text(encoding="utf-8")
    for status, figures in whole["reconciliation"].group_by("status"):
        table = html.split(f'id="t-reconciliation_{status[0]}"')[1].split("</table>")[0]
        for figure_id in figures["figure_id"]:
            assert f">{figure_id}</th>" in table
    assert "t-reconciliation_differs" not in html


def test_a_figure_that_differs_stands_first(patchy_pages: Path, patchy: Marts) -> None:
    assert (patchy["reconciliation"]["status"] == "differs").any()
    html = (patchy_pages / "figures.html").read_text(encoding="utf-8")
    opened = re.sub(r"<details>.*?</details>", "", html, flags=re.S)
    assert re.findall(r'id="t-reconciliation_(\w+)"', opened)[0] == "differs"
    assert 't-reconciliation_match"' not in opened
    tables = re.findall(r'id="t-reconciliation_(\w+)"', html)
    assert tables[0] == "differs"
    assert tables[-1] == "match"


def test_the_page_begins_with_a_story_and_each_chart_says_its_finding(whole_pages: Path) -> None:
    html = (whole_pages / "index.html").read_text(encoding="utf-8")
    figures = (whole_pages / "figures.html").read_text(encoding="utf-8")
    told, _, below = html.partition('<dl class="headlines">')
    points = re.findall(r"<li>(.*?)</li>", told.partition('class="points"')[2], flags=re.S)
    assert len(points) == 5
    for point in points:
        assert "data-from=" in point
        (ident,) = re.findall(r'href="figures.html#([A-Z0-9-]+)"', point)
        assert f'<tr id="{ident}">' in figures
    captions = re.findall(r"<figcaption>(.*?)</figcaption>", below)
    assert len(captions) == 10
    assert all("data-from=" in caption for caption in captions)
    for section in re.findall(r"<section.*?</section>", below, flags=re.S):
        opened = re.sub(r"<details>.*?</details>", "", section, flags=re.S)
        assert "<figure>" not in opened or "<table" not in opened, "a chart and its table"


def test_codes_are_in_words_but_for_commands(whole_pages: Path) -> None:
    for path in pages_in(whole_pages):
        html = re.sub(r"<style>.*?</style>|<pre.*?</pre>", "", path.read_text("utf-8"), flags=re.S)
        said = re.sub(r"<[^>]+>", " ", html)
        coded = re.findall(r"[a-z_]{3,}=[a-z_]{2,}|\bboolean\b|, exact\b|\w\.\.\w", said)
        assert coded == [], path


def test_the_basis_is_said_once_above_every_page(whole_pages: Path) -> None:
    for path in pages_in(whole_pages):
        head = path.read_text(encoding="utf-8").partition("</header>")[0]
        assert head.count("Reconstructed: made so that the published totals hold") == 1, path


def test_who_is_missing_is_said_on_every_page(patchy_pages: Path) -> None:
    """A total of 41 forces must never be taken for one of 44."""
    for path in pages_in(patchy_pages):
        said = re.sub(r"<[^>]+>", "", path.read_text(encoding="utf-8").split("</header>")[0])
        assert "41 of 44 forces are in the totals." in said
        assert "2 missing: Bedfordshire, Staffordshire." in said
        assert "1 rejected: Derbyshire." in said
        assert "1 queried: Cambridgeshire." in said
        assert "Reconstructed: made so" in said
        assert "Full edition" in said


def test_each_finding_stands_with_its_own_version(patchy: Marts) -> None:
    """A live return must not be shown with the findings of the resubmission that was refused."""
    note = "version 2 was rejected (1 blocking); version 1 stays live"
    mine = pl.col("force_code") == "KEN"
    status = patchy["returns_status"].with_columns(
        notes=pl.when(mine).then(pl.lit(note)), blocking=mine.cast(pl.Int64)
    )
    found = [
        finding("KEN", "Q", message="asked of the first"),
        finding("KEN", "B", message="wrong in the second", receipt_id="b" * 16),
    ]
    marts = patchy | {
        "returns_status": status,
        "findings": conform(Findings, pl.DataFrame(found, schema=empty(Findings).schema)),
    }
    edition = Edition(marts, ABOUT)
    page = page_html(force_page(edition, "KEN"), [], ABOUT)
    head, _, below = page.partition("</header>")
    assert "Version 2 was rejected (1 blocking); version 1 stays live." in head
    live, _, newest = below.partition("What was found in the newest version, which does not count")
    assert "What was found in version 1, which counts" in live
    assert "asked of the first" in live
    assert "wrong in the second" not in live
    assert "wrong in the second" in newest
    assert "Blocking findings in the newest return and case extract" in live
    refused = page_html(force_page(edition, "DER"), [], ABOUT)
    assert "Version 1, which does not count" in refused
    assert "Version 1 was refused: it does not count." in refused
    assert "Version 1 counts. Version 2 was rejected" in page


def test_a_force_without_return_shows_what_its_report_printed(patchy_pages: Path) -> None:
    page = (patchy_pages / "forces" / "STF.html").read_text(encoding="utf-8")
    assert "No return in the totals" in page
    assert "None of its figures" not in page
    assert 'data-from="force_profiles force_code=STF investigations">48<' in page
    assert "printed in the force&#39;s own inspection report" in page
    assert "STF-REPORT-ffffffff-01" in page
    assert "t-outcomes" not in page, "tables of a return that was never sent"


def test_a_force_without_return_or_report_is_unknown_and_not_zero(patchy_pages: Path) -> None:
    path = patchy_pages / "forces" / "BED.html"
    shown, _ = read_page(path)
    own = [item for item in shown if item.source.startswith("force_profiles force_code=BED")]
    assert own
    assert {item.text for item in own} == {"not known"}
    assert "No published report of it has been read." in path.read_text(encoding="utf-8")


def test_no_cell_is_blank(whole_pages: Path, patchy_pages: Path) -> None:
    """A blank could be none, or unknown."""
    for folder in (whole_pages, patchy_pages):
        for path in _some(folder):
            shown, bare = read_page(path)
            assert all([*(item.text.strip() for item in shown), *(text.strip() for text in bare)])


def test_findings_and_their_answers_are_shown_as_text(patchy_pages: Path) -> None:
    """What a force writes must not run in a reader's browser."""
    page = (patchy_pages / "forces" / "CAM.html").read_text(encoding="utf-8")
    assert HOSTILE not in page
    assert page.count("&lt;script&gt;alert(1)&lt;/script&gt;") == 2
    assert "(accepted by A. Second)" in page
    assert "no total" in (patchy_pages / "forces" / "DER.html").read_text(encoding="utf-8")


def test_the_thresholds_are_the_collections(whole_pages: Path, collection: Collection) -> None:
    html = (whole_pages / "index.html").read_text(encoding="utf-8")
    for band in collection.count_bands:
        address = f"measure=forces_with_investigations breakdown= statistic={band} value"
        assert html.count(address) >= 1
    said = re.sub(r"<[^>]+>", "", html)
    assert "60 or more: 11 forces" in said
    assert "more than 90: 7 forces" in said


def test_research_that_is_absent_is_said_to_be(patchy: Marts) -> None:
    """A release before the research was in has no such marts at all."""
    without = {name: patchy[name] for name in patchy if name not in {"survey", "social_media"}}
    html = page_html(national_page(Edition(without, ABOUT)), [], ABOUT)
    assert html.count("Not known: this release has no such data.") == 2


def test_marts_without_a_row_make_pages_that_know_nothing(whole: Marts, tmp_path: Path) -> None:
    write_pages(tmp_path, Edition({name: frame.clear() for name, frame in whole.items()}, ABOUT))
    shown, _ = read_page(tmp_path / "index.html")
    numbers = {item.text for item in shown if not item.source.endswith(" rows")}
    assert numbers == {"not known"}


def test_the_same_marts_give_the_same_bytes(
    whole: Marts, whole_pages: Path, tmp_path: Path
) -> None:
    write_pages(tmp_path, Edition({name: whole[name] for name in reversed(whole)}, dict(ABOUT)))
    names = [path.relative_to(tmp_path) for path in pages_in(tmp_path)]
    assert len(names) == 49
    for name in names:
        assert (tmp_path / name).read_bytes() == (whole_pages / name).read_bytes(), name


def test_what_a_cell_looks_like_is_no_text(whole_pages: Path) -> None:
    """A quote that is escaped in a tag begins no attribute: bars and columns would be gone."""
    for path in (whole_pages / "index.html", *sorted((whole_pages / "forces").iterdir())[:2]):
        tags = re.findall(r"<td[^>]*>", path.read_text(encoding="utf-8"))
        assert any('class="bar"' in tag for tag in tags)
        assert not [tag for tag in tags if "=&#34;" in tag]


def test_pages_are_small_and_point_nowhere_else(whole_pages: Path) -> None:
    """They are opened without a network, and sent by mail."""
    pages = {path: path.read_text(encoding="utf-8") for path in pages_in(whole_pages)}
    assert sum(len(html.encode()) for html in pages.values()) < 5_000_000
    for path, html in pages.items():
        assert not re.search(r"https?://|<script|@import|url\(|src=", html), path
        for href in re.findall(r'href="([^"#]+)', html):
            known = {"data:,", "../dictionary.md", "../muster.duckdb"}
            known |= {"../summary.xlsx", "../quality/index.html", "../public/README.txt"}
            assert href in known or (path.parent / href).resolve().is_file(), href


def test_a_comparator_that_a_force_does_not_hold_is_unknown(whole: Marts) -> None:
    here = (pl.col("force_code") == "AVS") & (pl.col("row_code") == "cards_2011")
    value = pl.when(here).then(pl.lit("not_held")).otherwise("value").alias("value")
    edition = Edition(whole | {"cells": whole["cells"].with_columns(value)}, ABOUT)
    said = [
        cell.content
        for section in force_page(edition, "AVS").sections
        for block in section.blocks
        if block.kind == "table"
        for cells in block.rows
        for cell in cells
    ]
    (figure,) = [f for f in said if not isinstance(f, str) and "=cards_2011 " in f.source]
    assert figure.text == "not known"


@pytest.mark.parametrize(("number", "said"), [(1, "1 person was"), (2, "2 people were")])
def test_words_fit_the_figure_before_them(patchy: Marts, number: int, said: str) -> None:
    of_all = pl.when(measure="people_suspended", breakdown="").then(pl.lit(float(number)))
    mine = pl.when(force_code="AVS").then(pl.lit(number))
    marts = patchy | {
        "national_totals": patchy["national_totals"].with_columns(value=of_all.otherwise("value")),
        "force_profiles": patchy["force_profiles"].with_columns(
            investigations=mine.otherwise("investigations")
        ),
    }
    edition = Edition(marts, ABOUT)
    pages = [page_html(one, [], ABOUT) for one in
             (national_page(edition), force_page(edition, "AVS"))]  # fmt: skip
    national, force = (re.sub("<[^>]+>", "", page) for page in pages)
    assert f"when {said} suspended" in national
    assert f"\n{number} investigation{'s' * (number > 1)}: " in force


def test_a_correction_shows_what_was_sent(patchy: Marts) -> None:
    """The marts hold the corrected value; who reads the page must see that it was one."""
    row = ("AVS", "registers", "force.gratuity", "accepted", "a" * 16, "C6", "540", "54",
           "a digit too many", "Head of data", date(2012, 6, 25))  # fmt: skip
    corrections = pl.DataFrame([row], schema=patchy["corrections"].schema, orient="row")
    edition = Edition(patchy | {"corrections": corrections}, ABOUT)
    of_avs, of_cam = (page_html(force_page(edition, code), [], ABOUT) for code in ("AVS", "CAM"))
    for html in (of_avs, page_html(national_page(edition), [], ABOUT)):
        table = html.split('id="t-corrections"')[1].split("</table>")[0]
        for said in ("540", "54", "a digit too many", "Head of data", "25 June 2012"):
            assert f">{said}<" in table
    assert "t-corrections" not in of_cam
