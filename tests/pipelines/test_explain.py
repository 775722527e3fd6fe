"""A figure traced to cells: the cells are there, they add up, and a wrong total is refused."""

import hashlib
import json
import shutil
from dataclasses import replace
from functools import cache
from pathlib import Path

import polars as pl
import pytest
from openpyxl import load_workbook

from assets.figures.explain.explain import Explanation, explain, read_question
from assets.figures.explain.released import Released
from assets.figures.explain.terms import Question
from assets.lake import Lake
from assets.marts import write_manifest
from schemas.collection import Collection
from schemas.errors import ContractError, LakeError, SetupError
from tests.pipelines.conftest import Demo, Muster, invoke

_DECLINED = "body=force;decision=declined"
RETURNS = {
    "investigations": "category=second_jobs;outcome=continuing",
    "investigations_share": "category=information_disclosure",
    "investigations_per_force": "statistic=mean",
    "investigations_per_month": "",
    "people_suspended": "",
    "register_entries": "body=authority;decision=declined",
    "register_entries_share": "body=force;kind=hospitality;decision=accepted",
    "second_job_applications": "decision=approved",
    "second_job_applications_share": "decision=refused",
    "second_job_approvals_share": "conditions=yes",
    "second_job_approvals_in_breach": "",
    "second_job_review_months": "statistic=median",
    "cards_held": "year=2012",
    "cards_held_change": "",
    "capability": "question=card_controls;answer=yes",
    "capability_share": "question=card_controls;answer=yes",
    "forces_with_investigations": "count=0..10",
    "reporting_bodies": "kind=territorial",
    "months_in_collection": "",
}


@pytest.fixture(scope="module")
def released(demo: Demo, collection: Collection) -> Released:
    lake = Lake(demo.lake, collection.id)
    one = Released(lake.marts.resolve(), collection, lake.kept_research)
    for read in (one.mart, one.research):  # each file once
        object.__setattr__(one, read.__name__, cache(read))
    return one


def _value(explanation: Explanation) -> float:
    """Work the figure out from the contributions alone, as a reader of the JSON would."""
    sums = dict(explanation.contributions.group_by("part").agg(pl.col("value").sum()).iter_rows())
    if "value" in sums:
        return float(sums["value"])
    quotient = sums["numerator"] / sums["denominator"]
    return float(quotient * (100 if explanation.unit == "percent" else 1))


@pytest.mark.slow
def test_every_total_is_what_its_contributions_make(released: Released) -> None:
    totals = released.mart("national_totals").filter(pl.col("measure").is_in(list(RETURNS)))
    for row in totals.iter_rows(named=True):
        found = explain(Question(row["measure"], row["breakdown"], row["period"]), released)
        if row["value"]:
            assert _value(found) == pytest.approx(row["value"], rel=1e-12), row


@pytest.mark.parametrize(("measure", "breakdown"), RETURNS.items())
def test_every_measure_of_the_returns_has_contributions(
    released: Released, measure: str, breakdown: str
) -> None:
    found = explain(read_question(measure, breakdown, None, None, released), released)
    assert not found.contributions.is_empty()
    assert _value(found) == pytest.approx(found.value)
    worked_out = found.arithmetic.rpartition("= ")[2].replace(",", "")
    assert float(worked_out) == pytest.approx(found.value, abs=1e-3)


def test_every_entry_stands_in_its_file_at_its_cell(released: Released, demo: Demo) -> None:
    """An address that is off by a row would send people to the wrong cell."""
    found = explain(
        read_question("investigations", "category=second_jobs", None, "MPS", released), released
    )
    path = demo.lake / "landing" / "2012-revisit" / "MPS.xlsx"
    book = load_workbook(path)
    assert found.contributions.height == 5
    for row in found.contributions.iter_rows(named=True):
        assert str(book[row["sheet"]][row["cell"]].value) == row["entry"]
        assert float(row["entry"]) == row["value"]


def test_a_share_divides_its_numerator_by_its_denominator(released: Released) -> None:
    found = explain(
        read_question("investigations_share", "category=second_jobs", None, None, released),
        released,
    )
    assert set(found.contributions["part"]) == {"numerator", "denominator"}
    assert "154 / 2,207 x 100" in found.arithmetic


def test_a_count_of_forces_names_them_and_the_cells_that_decide(released: Released) -> None:
    found = explain(
        read_question("forces_with_investigations", "count=91..", None, None, released), released
    )
    assert found.contributions["value"].to_list() == [1.0] * int(found.value or 0)
    by_force = found.behind.group_by("force_code").agg(pl.col("value").sum())
    assert set(by_force["force_code"]) == set(found.contributions["force_code"])
    assert by_force["value"].min() >= 91  # type: ignore[operator]


def test_who_is_left_out_is_said(released: Released) -> None:
    found = explain(
        read_question("register_entries", "body=force;decision=declined", None, None, released),
        released,
    )
    assert len(found.left_out) == 11
    assert {row["reason"] for row in found.left_out} == {"not_held (the force does not record it)"}
    assert len(found.included) == 44 - 11


def test_who_holds_a_part_alone_is_said(released: Released) -> None:
    """Of a share, a force that does not record the part is in the whole with the others."""
    share = explain(
        read_question(
            "register_entries_share", "body=force;decision=declined", None, None, released
        ),
        released,
    )
    assert len(share.included) == 33
    assert {row["reason"] for row in share.left_out} == {
        "not_held (the force does not record it); its other numbers are in the whole"
    }
    whole = explain(read_question("register_entries", "body=force", None, None, released), released)
    assert whole.left_out == []
    assert {row["force_code"] for row in whole.partly} == {r["force_code"] for r in share.left_out}
    assert "2 of its 4 cells here: not_held" in whole.partly[0]["reason"]


def test_of_a_force_that_gave_nothing_there_is_no_rate_and_of_0_no_share(
    released: Released,
) -> None:
    """A missing force had 0 a month, and a share of 0 ended the command."""
    gone = replace(released)
    object.__setattr__(gone, "live", released.live.filter(pl.col("force_code") != "BED"))
    rate = explain(read_question("investigations_per_month", "", None, "BED", gone), gone)
    assert (rate.value, rate.arithmetic) == (None, "not computed: no live return gives it")
    assert [row["force_code"] for row in rate.left_out] == ["BED"]
    breakdown = "body=authority;kind=hospitality;decision=declined"
    of_none = read_question("register_entries_share", breakdown, None, "BED", released)
    share = explain(of_none, released)
    assert share.value is None
    assert share.arithmetic.endswith("0 / 0 x 100 = nothing, as nothing is divided by 0")
    assert (share.included, share.contributions.height) == (["BED"], 3)


def test_a_statistic_is_of_every_force_that_holds_a_number(released: Released) -> None:
    asked = ("forces_with_investigations", "count=91..", None, None)
    found = explain(read_question(*asked, released), released)
    assert len(found.included) == 44
    assert found.left_out == []


def test_a_median_says_between_whose_numbers_it_lies_and_shows_the_others(
    released: Released,
) -> None:
    asked = ("investigations_per_force", "category=other;statistic=median", None, None)
    found = explain(read_question(*asked, released), released)
    assert (
        found.arithmetic
        == "number 22 and 23 of 44 forces, least first: BED 3 x 0.5 + CMB 3 x 0.5 = 3"
    )
    assert set(found.contributions["force_code"]) == {"BED", "CMB"}
    assert set(found.behind["force_code"]) == set(found.included) - {"BED", "CMB"}


def test_a_release_is_explained_by_the_template_it_keeps(
    released: Released, tmp_path: Path
) -> None:
    """What the template says today is of no account."""
    shutil.copytree(released.folder, tmp_path / "release")
    kept = tmp_path / "release" / "description" / "templates" / "returns-1.toml"
    moved = 'code = "other", label = "Other integrity matters", dims = { category = '
    assert moved in kept.read_text()
    kept.write_text(kept.read_text().replace(moved + '"other"', moved + '"procurement"'))
    then = Released(tmp_path / "release", released.collection)
    question = read_question("investigations", "category=procurement", None, None, then)
    with pytest.raises(ContractError, match="its cells make"):
        explain(question, then)


def test_cells_that_do_not_make_the_figure_are_refused(released: Released, tmp_path: Path) -> None:
    """An explanation of a wrong total must not look like one of a right total."""
    for mart in released.folder.glob("*.parquet"):
        (tmp_path / mart.name).symlink_to(mart)
    totals = released.mart("national_totals").with_columns(pl.col("value") + 1)
    (tmp_path / "national_totals.parquet").unlink()
    totals.write_parquet(tmp_path / "national_totals.parquet")
    write_manifest(tmp_path, {"made_from": {"live": []}})
    wrong = Released(tmp_path, released.collection)
    question = read_question("investigations", "category=other", None, None, wrong)
    with pytest.raises(ContractError, match=r"the release says 185, its cells make 184"):
        explain(question, wrong)


@pytest.mark.parametrize(
    ("name", "breakdown", "period", "force", "message"),
    [
        ("INV-O1", "", None, None, "no figure or measure INV-O1. There are:.* INV-01"),
        ("investigation", "", None, None, "There are: investigations"),
        ("nonsense", "", None, None, "muster reconcile lists the figures, muster explain --help"),
        ("investigations", "category=second_job", None, None, "category=second_jobs"),
        ("investigations", "second_jobs", None, None, "Write it like"),
        ("investigations", "colour=red", None, None, "There are: category="),
        ("investigations", "", "2009-10", None, "There are: 2010-11"),
        ("investigations", "", None, "STAFFS", "no force STAFFS"),
        ("INV-01", "category=other", None, None, "Give the id alone"),
    ],
)
def test_a_name_that_is_none_gets_the_nearest(
    released: Released, name: str, breakdown: str, period: str | None, force: str | None,
    message: str,
) -> None:  # fmt: skip
    with pytest.raises(SetupError, match=message):
        read_question(name, breakdown, period, force, released)


def test_what_a_published_figure_is_asked_besides_is_asked_of_its_measure(
    released: Released, run: Muster
) -> None:
    told = str(run("explain", "GFT-01", "--force", "STF", "--cells").exception)
    asked = "muster explain register_entries body=force --force STF"
    assert told.endswith(f"Give the id alone, or ask of its measure: {asked}")
    assert run(*asked.split()[1:]).exit_code == 0
    with pytest.raises(SetupError, match="no force STAFFS"):
        read_question("GFT-01", "", None, "STAFFS", released)


def test_the_keys_of_a_breakdown_come_in_any_order(released: Released) -> None:
    question = read_question(
        "investigations", "outcome=continuing;category=other", None, None, released
    )
    assert question.breakdown == "category=other;outcome=continuing"


def test_explain_prints_one_document_for_machines(run: Muster) -> None:
    document = json.loads(run("explain", "INV-02", "--json").stdout)
    assert document["figure_id"] == "INV-02"
    assert document["value"] == sum(row["value"] for row in document["contributions"])
    first = {"force_code", "sha256", "sheet", "cell", "row_code", "column_code", "value", "part"}
    assert first <= set(document["contributions"][0])
    assert [*document["contributions"][0]][-1] == "file_name"
    assert document["arithmetic"].endswith("= 1,737")


def test_explain_reads_a_measure_and_breakdown_as_one_or_two_words(run: Muster) -> None:
    two = run("explain", "investigations", "category=other")
    one = run("explain", "investigations category=other")
    assert two.exit_code == 0
    assert two.output == one.output
    assert "184 count: MPS" in two.output
    assert "STF.xlsx" in two.output, "the name that the force knows its file by"


def test_a_count_of_bodies_rests_on_no_cell_and_names_them(run: Muster) -> None:
    for count in ("SCOPE-01", "reporting_bodies kind=territorial"):
        told = run("explain", count)
        assert told.exit_code == 0, told.output
        assert "\nvalue  AVS    -" in told.output


def test_a_figure_that_is_not_computed_says_why(run: Muster) -> None:
    document = json.loads(run("explain", "SCOPE-07", "--json").stdout)
    assert document["value"] is None
    assert document["contributions"] == []
    assert "not computed: counts recommendations in the text" in document["arithmetic"]


OWN = ("social_media", "survey")


@pytest.mark.slow
def test_every_total_of_research_is_what_its_rows_make(released: Released) -> None:
    totals = released.mart("national_totals").filter(
        pl.any_horizontal(pl.col("measure").str.starts_with(name) for name in OWN),
        pl.col("measure").is_first_distinct() | pl.col("measure").str.contains("share"),
    )
    assert totals["measure"].n_unique() == 13
    for row in totals.iter_rows(named=True):
        found = explain(Question(row["measure"], row["breakdown"], row["period"]), released)
        assert _value(found) == pytest.approx(row["value"], rel=1e-12), row


def test_every_row_of_research_stands_in_its_file_at_its_cell(
    released: Released, demo: Demo
) -> None:
    found = explain(read_question("WMC-03", "", None, None, released), released)
    path = demo.lake / "landing" / "2012-revisit" / "research" / "social_media_instances.csv"
    lines = [line.split(",") for line in path.read_text().splitlines()]
    assert found.contributions.height == 8
    for row in found.contributions.iter_rows(named=True):
        column, number = row["cell"][0], int(row["cell"][1:])
        assert lines[number - 1][ord(column) - ord("A")] == row["entry"]
        assert lines[number - 1][0] == "WMC"
        assert row["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()


def test_research_says_which_forces_have_no_part_in_it(released: Released) -> None:
    found = explain(
        read_question("social_media_profiles", "year=2011", None, None, released), released
    )
    assert len(found.left_out) == 44 - 8
    survey = read_question("survey_percent", "question=corruption_common;year=2012", None, None,
                           released)  # fmt: skip
    assert explain(survey, released).left_out == []


def test_research_that_has_gone_from_the_store_is_not_guessed(
    released: Released, tmp_path: Path
) -> None:
    elsewhere = Released(released.folder, released.collection, tmp_path)
    with pytest.raises(LakeError, match="is gone or has changed"):
        explain(read_question("SOC-05", "", None, None, elsewhere), elsewhere)


@pytest.mark.slow
def test_a_correction_is_shown_with_what_the_force_sent(lake: Lake, run: Muster) -> None:
    before = json.loads(
        run("explain", "second_job_review_months", "statistic=maximum", "--json").stdout
    )
    row = before["contributions"][0]
    sent, instead = row["entry"], str(int(row["entry"]) + 6)
    lake.desk.mkdir(parents=True, exist_ok=True)
    (lake.desk / "corrections.csv").write_text(
        "force_code,sheet,row_code,column_code,from_value,to_value,reason,owner,agreed_on\n"
        f"{row['force_code']},second_jobs,review_months,count,{sent},{instead},"
        "wrong unit,data team,2012-07-02\n"
    )
    assert run("run").exit_code == 0
    document = json.loads(
        run("explain", "second_job_review_months", "statistic=maximum", "--json").stdout
    )
    (corrected,) = document["contributions"]
    assert (corrected["entry"], corrected["sent"]) == (instead, sent)
    assert document["value"] == before["value"] + 6


def test_a_figure_that_no_data_give_is_not_computed_and_says_why(released: Released) -> None:
    figures = released.mart("reconciliation").filter(pl.col("computed").is_null())
    assert "TRN-12" in set(figures["figure_id"])  # is named as research is, and in no file of it
    for name in figures["figure_id"]:
        found = explain(read_question(name, "", None, None, released), released)
        assert found.arithmetic.startswith("not computed: ")
        assert found.contributions.is_empty()
        assert found.included == []


def test_a_figure_is_told_to_readers_of_prov(demo: Demo) -> None:
    asked = ("explain", "investigations_share", "category=information_disclosure")
    told = json.loads(invoke(demo.lake, *asked, "--prov").stdout)
    made = json.loads(invoke(demo.lake, *asked, "--json").stdout)
    entities, known = told["entity"], {*told["entity"], *told["activity"], *told["agent"]}
    for relation in ("hadMember", "wasGeneratedBy", "used", "wasDerivedFrom", "wasAttributedTo"):
        ends = [end for each in told[relation].values() for key, end in each.items()]
        named = {end for end in ends if isinstance(end, str) and end.startswith(tuple(_KINDS))}
        assert named, relation
        assert named <= known, relation
    parts = [use["prov:role"] for use in told["used"].values()]
    assert sorted(parts) == sorted(row["part"] for row in made["contributions"])
    cells = [use["prov:entity"] for use in told["used"].values()]
    entries = sorted(entities[cell]["prov:value"] for cell in cells)
    assert entries == sorted(row["entry"] for row in made["contributions"])
    files = {row["sha256"] for row in made["contributions"]}
    assert {e["muster:sha256"] for e in entities.values() if "muster:sha256" in e} == files


def test_research_is_attributed_to_no_force(demo: Demo) -> None:
    told = json.loads(invoke(demo.lake, "explain", "SOC-01", "--prov").stdout)
    assert told["used"]
    assert "agent" not in told


_KINDS = ("release:", "figure:", "computation:", "cell:", "file:", "force:")
