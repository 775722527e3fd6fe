"""Another template has pages that follow from what it counts and asks."""

import re
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from assets.figures.comparable import comparisons
from assets.release.pages.description import description
from assets.release.pages.figures import Edition
from assets.release.pages.pages import national_page
from assets.release.pages.wording import period
from assets.release.pages.workbook import summary
from schemas.collection import Collection, load_collection
from schemas.contract import empty
from schemas.marts import contracts_of, force_profiles_contract
from schemas.measures import Measure
from schemas.template import Template
from schemas.template_file import load_template
from tests.any_template import STATISTICS, drawn_collection
from tests.live import any_live
from tests.pages.released import (
    ABOUT,
    Answers,
    is_number,
    marts_of,
    pages_in,
    read_page,
    write_pages,
)
from tests.test_structure import ROOT

EXAMPLES = ROOT / "examples"


def _total(measure: str, breakdown: str, value: int, unit: str) -> dict[str, Any]:
    return {
        "measure": measure, "breakdown": breakdown, "period": "collection", "value": float(value),
        "unit": unit, "forces_included": 42, "forces_expected": 42, "provisional": False,
    }  # fmt: skip


def _release(collection: Collection) -> dict[str, pl.DataFrame]:
    """Return marts in which every total and every cell is another number."""
    template, number = collection.template, iter(range(10, 100_000))
    totals: dict[tuple[str, str], dict[str, Any]] = {}
    for name, measure in template.measures.items():
        for statistic in measure.statistics:
            breakdown = f"statistic={statistic}"
            totals[name, breakdown] = _total(name, breakdown, next(number), measure.unit)
        wanted = [(name, level.by, "") for level in measure.levels]
        wanted += [(measure.share_name(name, share), share.by, "") for share in measure.shares]
        wanted += [(f"{name}_per_force", by, "statistic=median") for by in measure.per_force]
        for of, by, statistic in wanted:
            for entry in template.counted():
                dims = [f"{d}={entry.dims[d]}" for d in by if d in entry.dims]
                if entry.measure == name and len(dims) == len(by):
                    breakdown = ";".join([*dims, *([statistic] if statistic else [])])
                    total = _total(of, breakdown, next(number), measure.unit)
                    totals.setdefault((of, breakdown), total)
    cells = [
        {
            "force_code": force, "receipt_id": "a" * 16, "sha256": "a" * 64, "sheet": entry.sheet,
            "cell": "C7", "row_code": entry.row_code, "column_code": entry.column_code,
            "value": str(next(number)),
        }
        for force in collection.forces
        for entry in template.entries()
        if entry.kind == "count"
    ]  # fmt: skip
    status = [
        {
            "force_code": force, "state": "accepted", "receipt_id": "a" * 16, "version": 1,
            "received_at": "2014-01-20T22:30:00+00:00", "sha256": "a" * 64, "blocking": 0,
            "queries_open": 0, "queries_answered": 0, "notes": None,
        }
        for force in collection.forces
    ]  # fmt: skip
    of_force = {column.name: column for column in force_profiles_contract(template).columns}
    profiles = [
        {
            name: next(number) if column.dtype.is_numeric() else "reconstructed"
            for name, column in of_force.items()
        }
        | {"force_code": force, "name": force, "state": "accepted"}
        for force in collection.forces
    ]
    spread = [
        {"measure": f"{name}_per_force", "breakdown": "", "statistic": each, "value": next(number)}
        for name, measure in template.measures.items()
        for each in STATISTICS
        if () in measure.per_force
    ]
    rows = {"national_totals": [*totals.values()], "cells": cells, "returns_status": status}
    rows["distribution"] = spread
    rows["force_profiles"] = profiles
    return {
        name: pl.DataFrame(rows.get(name, []), schema=empty(contract).schema)
        for name, contract in contracts_of(template).items()
    }


@pytest.fixture
def example(monkeypatch: pytest.MonkeyPatch) -> Collection:
    monkeypatch.setenv("MUSTER_COLLECTIONS", str(EXAMPLES))
    return load_collection("use-of-force-2013")


def test_a_sheet_of_counts_has_a_table_of_its_measures(example: Collection, tmp_path: Path) -> None:
    marts = _release(example)
    edition = Edition(marts, {**ABOUT, "collection": example.id, "sources": "returns"})
    write_pages(tmp_path, edition)
    (tmp_path / "summary.xlsx").write_bytes(summary(edition))
    answers = Answers(marts)
    for page in (tmp_path / "index.html", tmp_path / "forces" / "AVS.html"):
        shown, _ = read_page(page)
        assert [wrong for one in shown if (wrong := answers.wrong(one))] == []
        html = page.read_text(encoding="utf-8")
        for label in example.template.lists["tactic"].values():
            assert f">{label}</th>" in html
        for foreign in ("nvestigation", "urvey", "ublished figures", "rrangement"):
            assert foreign not in re.sub(r"<style>.*?</style>", "", html, flags=re.S)
    mine = "cells force_code=AVS sheet=uses row_code=total column_code=count value"
    of_all = "national_totals measure=uses breakdown= period=collection value"
    force, _ = read_page(tmp_path / "forces" / "AVS.html")
    firearm = "force_profiles force_code=AVS firearm"
    of_them = "national_totals measure=uses breakdown=tactic=firearm period=collection value"
    assert {mine, of_all, firearm, of_them} <= {one.source for one in force}
    html = (tmp_path / "forces" / "AVS.html").read_text(encoding="utf-8")
    headlines, _, below = html.partition('<section id="place"')
    assert ">Uses: Firearm discharged</dt>" in headlines
    national_html = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert below.count('<div class="cols"') == 2, (
        "a place among the forces for each figure of a whole measure"
    )
    national, _ = read_page(tmp_path / "index.html")
    share = "national_totals measure=uses_share breakdown=tactic=spray period=collection value"
    median = "distribution measure=uses_per_force breakdown= statistic=median value"
    assert {share, median} <= {one.source for one in national}
    assert national_html.count('<ul class="bars">') == 1
    assert re.findall(r'aria-describedby="(\S+)-text', national_html) == ["chart-uses-spread"]
    points = national_html.partition('<ol class="points"')[2].partition("</ol>")[0]
    for said in ("Most by tactic: ", "in the force with most", "in 42 of 42 forces"):
        assert said in re.sub(r"<[^>]+>", "", points), points
    profiled = {one.source for one in national if one.source.startswith("force_profiles ")}
    assert len(profiled) == 3 * len(example.forces)
    assert not [one.source for one in force if one.text == "not known"]


def test_a_measure_of_statistics_alone_has_a_section_of_its_own(
    example: Collection, tmp_path: Path
) -> None:
    """What is not added up over forces, such as days, is shown by its statistics."""
    days = Measure(unit="days", statistics=("minimum", "median", "maximum"))
    measures = {**example.template.measures, "people_hurt": days}
    template = replace(example.template, name="use-of-force-days", measures=measures)
    of_days = example.model_copy(update={"template": template})
    marts = _release(of_days)
    edition = Edition(marts, {**ABOUT, "collection": example.id})
    edition.__dict__["collection"] = of_days
    write_pages(tmp_path, edition)
    html = (tmp_path / "index.html").read_text(encoding="utf-8")
    shown, _ = read_page(tmp_path / "index.html")
    assert '<h2 id="people_hurt-title">People hurt</h2>' in html
    for statistic in days.statistics:
        of = f"measure=people_hurt breakdown=statistic={statistic} period=collection"
        assert {f"national_totals {of} {column}" for column in ("value", "forces_included")} <= {
            one.source for one in shown
        }
    shown += read_page(tmp_path / "forces" / "AVS.html")[0]
    assert [wrong for one in shown if (wrong := Answers(marts).wrong(one))] == []
    assert not [one.source for one in shown if one.text == "not known"]
    force = (tmp_path / "forces" / "AVS.html").read_text(encoding="utf-8")
    assert "People hurt (all forces: median)" in force


def test_a_title_with_braces_stands_on_pages_as_it_was_written(
    example: Collection, tmp_path: Path
) -> None:
    """Braces mean something in the description of pages, and nothing in a template's words."""
    title = "Uses {of} {{ force }} {% in % the period"
    sheets = tuple(replace(sheet, title=title) for sheet in example.template.sheets)
    lists = {"tactic": dict.fromkeys(example.template.lists["tactic"], "{firearm}")}
    template = replace(example.template, name="use-of-braces", sheets=sheets, lists=lists)
    of_braces = example.model_copy(update={"template": template, "title": "{title}"})
    edition = Edition(_release(of_braces), {**ABOUT, "collection": example.id, "sources": "{a} b"})
    edition.__dict__["collection"] = of_braces
    write_pages(tmp_path, edition)
    html = (tmp_path / "forces" / "AVS.html").read_text(encoding="utf-8")
    assert f"<caption><span>{title}</span></caption>" in html
    national = (tmp_path / "index.html").read_text(encoding="utf-8")
    cited = "its release: {title}, release"
    for said in (">{firearm}</th>", "<h1>{title}</h1>", "Sources: {a} b.", cited):
        assert said in national


def test_what_no_level_asks_for_is_not_totalled_and_else_not_known(
    example: Collection, tmp_path: Path
) -> None:
    whole = Measure.model_validate(
        {"unit": "count", "levels": [[]], "shares": [{"by": ["tactic"]}]}
    )
    measures = {**example.template.measures, "uses": whole}
    template = replace(example.template, name="use-of-whole", measures=measures)
    of_whole = example.model_copy(update={"template": template})
    marts = _release(of_whole)
    marts["national_totals"] = marts["national_totals"].filter(pl.col("measure") != "people_hurt")
    edition = Edition(marts, {**ABOUT, "collection": example.id})
    edition.__dict__["collection"] = of_whole
    write_pages(tmp_path, edition)
    (tmp_path / "summary.xlsx").write_bytes(summary(edition))
    force = {one.source: one.text for one in read_page(tmp_path / "forces" / "AVS.html")[0]}
    of = "national_totals measure={} breakdown={} period=collection value".format
    assert force[of("uses", "tactic=spray")] == "not totalled"
    assert force[of("people_hurt", "")] == "not known"
    national = {one.source: one.text for one in read_page(tmp_path / "index.html")[0]}
    assert national[of("uses_share", "tactic=spray")].endswith("%")
    assert of("uses", "tactic=spray") not in national


_GROUPED = """name = "grouped"
version = 1

[lists.kind]
rude = "Rude"
late = "Late"
rough = "Rough"

[lists.result]
upheld = "Upheld"
not_upheld = "Not upheld"
open = "Open"

[groups.kind]
harmless = ["rude", "late"]

[groups.result]
finished = ["upheld", "not_upheld"]

[measures.complaints]
unit = "count"
levels = [[], ["kind"]]
crossed_by = "result"

[measures.praise]
unit = "count"
levels = [[]]

[profile]
complaints = { measure = "complaints" }

[[sheet]]
name = "complaints"
title = "Complaints"
instructions = []
kind = "count"
columns = [
    { code = "upheld", dims = { result = "upheld" } },
    { code = "not_upheld", dims = { result = "not_upheld" } },
    { code = "finished", label = "Finished", sum_of = ["upheld", "not_upheld"] },
    { code = "open", dims = { result = "open" } },
    { code = "unproven", label = "Unproven", sum_of = ["not_upheld", "open"] },
    { code = "total", label = "Total", sum_of = ["finished", "open"] },
]
rows = [
    { code = "rude", measure = "complaints", dims = { kind = "rude" } },
    { code = "late", measure = "complaints", dims = { kind = "late" } },
    { code = "words", label = "Words", sum_of = ["rude", "late"] },
    { code = "rough", measure = "complaints", dims = { kind = "rough" } },
    { code = "all", label = "All", sum_of = ["words", "rough"] },
]

[[sheet]]
name = "praise"
title = "Praise"
instructions = []
kind = "count"
columns = [{ code = "count", label = "Count" }]
rows = [
    { code = "praise", label = "Praise", measure = "praise" },
]
"""


def _grouped(folder: Path, text: str) -> Template:
    used = (EXAMPLES / "templates" / "use-of-force-1.toml").read_text("utf-8")
    (folder / "templates").mkdir()
    cover = used.split("[[sheet]]")[1]
    (folder / "templates" / "grouped-1.toml").write_text(f"{text}\n[[sheet]]{cover}", "utf-8")
    return load_template("grouped-1", folder)


def test_a_table_of_what_only_some_cells_are_counted_by_does_not_end_with_all(
    tmp_path: Path,
) -> None:
    """Its rows add up to less, and the last was taken for their sum."""
    text = _GROUPED.replace("[lists.result]", '[lists.manner]\nspoken = "Spoken"\n[lists.result]')
    text = text.replace('levels = [[], ["kind"]]', 'levels = [[], ["kind"], ["kind", "manner"]]')
    text = text.replace('{ kind = "rude" }', '{ kind = "rude", manner = "spoken" }, label = "Rude"')
    pages = description(_grouped(tmp_path, text))
    tables = [each for section in pages.national.section for each in section.table]
    ends = {each.caption: {lines.all for lines in each.lines} for each in tables}
    assert ends["Complaints by kind"] == {"All"}
    assert ends["Complaints by kind and manner"] == {""}


def test_a_sum_of_cells_stands_beside_the_total_of_just_those_cells(
    example: Collection, tmp_path: Path
) -> None:
    """A group of codes has a total of its own where columns are crossed; other parts have none."""
    grouped = example.model_copy(update={"template": _grouped(tmp_path, _GROUPED)})
    live = any_live(grouped, 1, every_force=True)
    marts = marts_of(live, grouped)
    edition = Edition(marts, {**ABOUT, "collection": example.id})
    edition.__dict__["collection"] = grouped
    write_pages(tmp_path, edition)
    shown, _ = read_page(tmp_path / "forces" / "AVS.html")
    assert [wrong for one in shown if (wrong := Answers(marts).wrong(one))] == []
    beside = dict(pairwise(one for one in shown if one.source.startswith(("cells", "national"))))
    here = {
        tuple(part.partition("=")[2] for part in one.source.split()[3:5]): of_all.text
        for one, of_all in beside.items()
        if one.source.startswith("cells") and "sheet=complaints" in one.source
    }
    numbers = {
        (row, column): live.filter(sheet="complaints", row_code=row, column_code=column)[
            "number"
        ].sum()
        for row in ("rude", "late", "rough")
        for column in ("upheld", "not_upheld", "open")
    }
    columns = {column: (column,) for column in ("upheld", "not_upheld", "open")}
    columns |= {"finished": ("upheld", "not_upheld"), "total": (*columns,)}
    rows = {row: (row,) for row in ("rude", "late", "rough")} | {"all": ("rude", "late", "rough")}
    known = {
        (row, column): f"{sum(numbers[a, b] for a in parts for b in among):,}"
        for row, parts in rows.items()
        for column, among in columns.items()
    }
    assert len(here) == 5 * 6
    assert {at: here[at] for at in known} == known
    assert {text for at, text in here.items() if at not in known} == {"not totalled"}


def test_a_changed_version_keeps_its_pages_with_its_own_codes(
    collection: Collection, tmp_path: Path
) -> None:
    changed = {"template": load_template("returns-2", EXAMPLES), "forces": ("AVS", "STF")}
    of_two = collection.model_copy(update=changed)
    edition = Edition(_release(of_two), ABOUT)
    edition.__dict__["collection"] = of_two
    write_pages(tmp_path, edition)
    html = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert html.count(">Abuse of authority for gain</th>") >= 4
    assert ">Left the police (dismissed, resigned or retired)</th>" in html
    assert "Left the service" not in html
    assert "driving instructor" not in html
    assert "category=information_disclosure;recipient=media" in html


@pytest.mark.slow
def test_a_collection_compared_with_another_speaks_of_no_year_of_2012(
    collection: Collection, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("MUSTER_COLLECTIONS", str(EXAMPLES))
    for name, there in (("2012-revisit", True), ("2013-revisit", False)):
        marts = _release(load_collection(name))
        if not there:
            marts["comparisons"] = comparisons(
                marts["national_totals"], marts["cells"], load_collection(name)
            )
        about = {**ABOUT, "collection": name, "release": f"{name}-0123456789ab"}
        write_pages(tmp_path / name, Edition(marts, about))
        html = (tmp_path / name / "index.html").read_text(encoding="utf-8")
        assert ("2010/11" in html) == there
        assert ("in the collection before" in html) != there
        compared = tmp_path / name / "compared.html"
        assert compared.exists() != there
        assert ('href="compared.html"' in html) != there
        if not there:
            assert "2012-revisit has no release of this return" in compared.read_text("utf-8")
        assert (f"muster explain INV-01 --collection {name}" in html) == there
        force = (tmp_path / name / "forces" / "STF.html").read_text(encoding="utf-8")
        for page in (html, force):
            typed = re.findall(r"<code>(muster explain .*)</code>", page)
            assert typed
            assert all(command.endswith(f" --collection {name}") for command in typed)
        # Research is part of 2012 and of no other collection; there it is missing, here it is not.
        assert ("Not known: this release has no such data." in html) == there
        assert ('href="#survey"' in html) == ('href="#social-media"' in html) == there
    assert period(load_collection("2013-revisit"), "previous") == "September 2011 to May 2012"
    assert period(collection, "2010-11") == "2010/11"


def test_a_public_edition_says_nothing_of_what_another_collection_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It is in no public mart, and so would be said to be not known."""
    monkeypatch.setenv("MUSTER_COLLECTIONS", str(EXAMPLES))
    marts = _release(load_collection("2013-revisit"))
    for edition in ("full", "public"):
        about = {**ABOUT, "collection": "2013-revisit", "edition": edition}
        notes = [headline.note.parts for headline in national_page(Edition(marts, about)).headlines]
        assert len(notes) > 1
        assert ("in the collection before" in str(notes)) == (edition == "full")


def test_a_collection_compared_with_nothing_has_no_section_of_comparisons(
    collection: Collection, tmp_path: Path
) -> None:
    alone = collection.model_copy(update={"comparators": {}, "count_bands": ()})
    edition = Edition(_release(alone), ABOUT)
    edition.__dict__["collection"] = alone
    write_pages(tmp_path, edition)
    html = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert "rates" not in re.findall(r'href="#([\w-]+)"', html)
    assert 't-thresholds"' not in html
    assert 't-per_force"' in html


@pytest.mark.parametrize("seed", [0, 2, 5])
def test_a_template_drawn_at_random_has_pages_that_say_what_its_marts_say(
    seed: int, tmp_path: Path
) -> None:
    drawn = drawn_collection(tmp_path / "drawn", seed)
    marts = marts_of(any_live(drawn, seed), drawn)
    edition = Edition(marts, {**ABOUT, "collection": drawn.id})
    edition.__dict__["collection"] = drawn
    write_pages(tmp_path, edition)
    (tmp_path / "summary.xlsx").write_bytes(summary(edition))
    answers = Answers(marts)
    for path in pages_in(tmp_path):
        shown, bare = read_page(path)
        assert [wrong for one in shown if (wrong := answers.wrong(one))] == []
        assert [text for text in bare if is_number(text) and path.stem == "index"] == []
    head = (tmp_path / "index.html").read_text(encoding="utf-8").partition("</header>")[0]
    assert "not known" not in head
