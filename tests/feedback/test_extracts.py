"""A refused extract is found, counted and answered like a return: file in, findings and letter out.

Every rule about an extract fires here once.
"""

from datetime import date
from io import BytesIO
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner
from openpyxl import load_workbook

from assets.cases.derived import refused_extracts
from assets.cases.faults import check_extract
from assets.cases.received import judge_received
from assets.cases.store import CaseStore
from assets.lake import Lake
from assets.returns.validation.states import Standing, standing
from assets.sample.write import sample_cases
from pipelines.alerts.look import rejected
from pipelines.cli.desk import status as status_command
from schemas.collection import Collection
from schemas.rules.catalogue import CASES, rules_of
from tests.cases.extracts import good, write_csv, write_parquet
from tests.feedback.conftest import Written, take_in_cases, write
from tests.returns import SampleReturn, take_in

SMITH = "Sergeant Smith"
WITH_WORKBOOKS = ("AVS", "BED", "DER")

BAD = [
    good(1, "AVS", force_code="XXX", case_ref="XXX-2011-1"),
    good(2, "AVS", case_ref=SMITH),
    good(3, "AVS", category=SMITH),
    good(4, "AVS", recipient=None, media=None),
    good(5, "AVS", media=None),
    good(6, "AVS", opened_on="2010-01-01"),
    good(7, "AVS", status_at_census=None),
    good(8, "AVS", closed_on="yesterday"),
    good(9, "AVS", suspended="maybe"),
    good(10, "AVS", workforce=None),
    *[good(11, "AVS")] * 2,
]
"""Each of the first ten rows breaks the rule of its number, the last two the eleventh."""


def _drop(lake: Lake) -> None:
    """Drop an extract of each kind, for forces with a workbook that counts and without."""
    cases = lake.landing / "cases"
    write_csv(cases / "force_code=AVS" / "avs.csv", BAD)
    (cases / "force_code=BED").mkdir()
    (cases / "force_code=BED" / "bed.csv").write_text("")
    write_csv(cases / "force_code=DER" / "der.csv", [good(n, "DER") for n in range(5)])
    write_parquet(cases / "stf.parquet", [good(n) for n in range(30)] + [good(99, workforce=None)])
    write_csv(cases / "wmp.csv", [good(n, "WMP") for n in range(5)])
    write_csv(cases / "wyk.csv", [good(1, "WYK", suspended=None)])
    write_csv(cases / "who.csv", [good(1), good(1, "DER")])


@pytest.fixture(scope="module")
def refused(tmp_path_factory: pytest.TempPathFactory, six: Collection) -> tuple[Standing, Written]:
    """Where returns stand, and the letters; not to be changed."""
    folder, lake = tmp_path_factory.mktemp("sent"), Lake(tmp_path_factory.mktemp("lake"), six.id)
    books = [SampleReturn.of(f, six).write(folder / f"{f}.xlsx") for f in WITH_WORKBOOKS]
    take_in(lake, books, six)
    _drop(lake)
    store = CaseStore(lake)
    store.take_in(six)
    der = lake.landing / "cases" / "force_code=DER" / "der.csv"
    der.write_text(f"force_code,{SMITH}\nDER,x\n")
    store.take_in(six)
    (wmp,) = (lake.raw / "cases").glob("*/wmp.csv")
    wmp.write_text("damaged")
    tables = judge_received(store, lake, six)
    for name, table in zip(
        ("extracts", "investigations_by_month", "extract_findings"), tables, strict=True
    ):
        table.write_parquet(lake.table(f"cases/{name}"))
    return standing(lake), write(lake, six, date(2012, 6, 20))


def test_every_rule_fires_at_its_file_and_row(refused: tuple[Standing, Written]) -> None:
    found = refused[0].current_findings().filter(pl.col("rule_id").is_in([*rules_of(CASES)]))
    assert set(found["rule_id"]) == set(rules_of(CASES))
    places = found.select("force_code", "rule_id", "severity", "sheet", "cell", "column_code")
    told = {(force, rule): at for force, rule, *at in places.iter_rows()}
    avs = "force_code=AVS/avs.csv"
    columns = {rule: at for (force, rule), at in told.items() if force == "AVS"}
    assert columns.pop("CASE15") == ["B", avs, None, None]
    for number, (rule, (severity, file, cell, column)) in enumerate(sorted(columns.items()), 1):
        assert (rule, severity, file, cell) == (f"CASE{number:02}", "B", avs, f"row {number}")
        assert column
    assert told["BED", "CASE12"] == ["B", "force_code=BED/bed.csv", None, None]
    assert told["DER", "CASE13"] == ["B", "force_code=DER/der.csv", None, None]
    assert told[None, "CASE14"] == ["B", "who.csv", None, None]
    assert told["STF", "CASE10"] == ["N", "stf.parquet", "row 31", "workforce"], "set aside"
    assert told["WMP", "CASE16"][0] == "B"
    for row in found.iter_rows(named=True):
        assert row["how_to_fix"].endswith(f"See docs/rules/cases.md#{row['rule_id'].lower()}.")
        assert row["rule_id"] == "CASE13" or SMITH not in str(row), "a heading is told, no cell"


def test_a_few_codes_are_listed_and_a_date_that_is_none_is_called_so(
    tmp_path: Path, six: Collection
) -> None:
    """Without their codes nobody can write one exactly; and 2 September is in the period."""
    rows = sample_cases(six).filter(force_code="STF").with_row_index()
    of = pl.col("index").cast(pl.Int64)
    day, typed = pl.col("opened_on").cast(pl.String), pl.col("status_at_census")
    rows.with_columns(
        opened_on=pl.when(of < 1).then(pl.lit("02/09/2011")).when(of < 2)
        .then(pl.lit("1999-01-01")).otherwise(day),
        status_at_census=pl.when(of == 9).then(pl.lit("closed")).otherwise(typed),
    ).drop("index").write_csv(tmp_path / "STF.csv")  # fmt: skip
    told = {each.rule_id: each for each in check_extract(tmp_path / "STF.csv", six)[1]}
    assert ": not so in 2 rows: 1, 2; 1 of them is no date of the form YYYY-MM-DD" in (
        told["CASE06"].message
    )
    listed = "continuing, left_service, management_action, no_further_action, referred_external"
    assert f"The codes are {listed}. See docs/" in told["CASE07"].how_to_fix


def test_a_force_whose_workbook_counts_is_told_that_its_extract_does_not(
    refused: tuple[Standing, Written], six: Collection
) -> None:
    now, written = refused
    situations = {code: letter.situation for code, letter in written.letters.items()}
    assert situations == {
        **dict.fromkeys(WITH_WORKBOOKS, "extract_refused"),
        "WMP": "missing",
        "WYK": "missing",
        "STF": "rows_asked",
    }, "STF counts, but a case may be missing; what is damaged is not for WMP to mend"
    status = now.status(six)
    assert dict(status.select("force_code", "state").iter_rows())["AVS"] == "accepted"
    for code in (*WITH_WORKBOOKS, "WYK"):
        text = " ".join(written.text(f"{code}/letter.txt").split())
        asked = now.current_findings().filter(force_code=code, severity="B")
        for message, fix in asked.select("message", "how_to_fix").iter_rows():
            assert message in text
            assert fix.partition(" See docs/")[0] in text
        assert f"{code}-extract.xlsx" in text
        assert "Send the whole extract" in text
        assert f"with the folder force_code={code} if its rows leave that column out" in text
    assert "Your return counts" in written.text("DER/letter.html")
    assert "extract" not in written.text("WMP/letter.txt").lower().replace("muster doctor", "")
    assert "AVS/AVS-extract.xlsx" in written.text("index.html")


def test_the_list_has_every_problem_and_the_bad_rows_as_they_were_sent(
    refused: tuple[Standing, Written],
) -> None:
    book = load_workbook(BytesIO(refused[1].files["AVS/AVS-extract.xlsx"]))
    problems, rows = book.worksheets
    told = [cell.value for column in problems.iter_cols() for cell in column if cell.value]
    assert {f"CASE{number:02}" for number in (*range(1, 12), 15)} <= set(told)
    assert "blocks the extract" in told
    heads, *sent = rows.iter_rows(values_only=True)
    assert heads[:2] == ("file", "row")
    assert len(sent) == len(BAD)
    assert sent[2][heads.index("category")] == SMITH
    assert sent[2][heads.index("reasons")] == "CASE03"
    empty = load_workbook(BytesIO(refused[1].files["BED/BED-extract.xlsx"]))
    assert empty.sheetnames == ["problems"]
    blank = {name for name in refused[1].files if name.startswith("WYK/")}
    assert {"WYK/WYK-blank.xlsx", "WYK/WYK-extract.xlsx"} <= blank


def test_it_is_counted(refused: tuple[Standing, Written], six: Collection) -> None:
    now, written = refused
    blocking = dict(now.status(six).select("force_code", "blocking").iter_rows())
    assert blocking == {"AVS": 12, "BED": 1, "DER": 1, "STF": 0, "WMP": 0, "WYK": 2}
    lake = str(written.lake.root)
    told = CliRunner(env={"MUSTER_LAKE": lake}).invoke(status_command, ["--collection", six.id])
    said = "Refused besides, what 4 forces sent last: AVS, BED, DER, WYK"
    assert said in told.output, told.output


def test_alerts_name_the_rules_and_nothing_that_was_sent(
    refused: tuple[Standing, Written], six: Collection
) -> None:
    now, _ = refused
    extracts = refused_extracts(now.extracts)
    found = rejected(now.judged, now.current_findings(), extracts, [], six)
    assert found is not None
    assert "DER case extract version 2: unreadable (CASE13 1)" in found.cases
    assert "WYK case extract version 1: rejected (CASE09 1, CASE15 1)" in found.cases
    assert SMITH not in str(found)


def test_a_column_that_nothing_reads_any_more_is_passed_over(
    refused: tuple[Standing, Written],
) -> None:
    now, written = refused
    path = written.lake.table("cases/extracts")
    older = pl.read_parquet(path).with_columns(problem=pl.lit("CASE12: it is empty"))
    whole = path.read_bytes()
    older.write_parquet(path)
    try:
        assert standing(written.lake).extracts.equals(now.extracts)
    finally:
        path.write_bytes(whole)


def _sent_with_rows(lake: Lake, six: Collection, bad: int) -> Written:
    """Have a force send its return, and its cases of which the first few break a rule each."""
    book = SampleReturn.of("DER", six).write(lake.root / "DER.xlsx")
    take_in(lake, [book], six)
    cases = sample_cases(six).filter(force_code="DER").with_row_index("row")
    broken = pl.when(pl.col("row") < bad).then(pl.lit("")).otherwise("workforce")
    path = lake.landing / "cases" / "DER.parquet"
    path.parent.mkdir(parents=True)
    cases.with_columns(workforce=broken).drop("row").write_parquet(path)
    take_in_cases(lake, six)
    return write(lake, six, date(2012, 6, 20))


@pytest.mark.parametrize("bad", [1, 2])
def test_a_workbook_that_rows_set_aside_block_is_told_of_them(
    tmp_path: Path, six: Collection, bad: int
) -> None:
    """Nothing is wrong with the workbook: only the row that was set aside says what to mend."""
    written = _sent_with_rows(Lake(tmp_path, six.id), six, bad)
    now = standing(written.lake)
    differs = now.current_findings().filter(rule_id="X007")
    aside = "1 bad row is" if bad == 1 else "2 bad rows are"
    said = f"{aside} set aside and not counted: see DER.parquet row 1 (CASE10)"
    assert differs.height
    assert differs["message"].str.ends_with(said).all()
    note = now.current_findings().filter(rule_id="CASE10").row(0, named=True)
    assert note["severity"] == "N"
    text = " ".join(written.text("DER/letter.txt").split())
    assert written.letters["DER"].situation == "rejected"
    for told in (said, note["message"], "DER-extract.xlsx", "Send the whole extract"):
        assert told in text
    *_, rows = load_workbook(BytesIO(written.files["DER/DER-extract.xlsx"])).worksheets
    assert rows.max_row == 1 + bad
    alone = check_extract(written.lake.landing / "cases" / "DER.parquet", six)[1]
    assert [each.message for each in alone] == [note["message"]]
    assert "X007 blocks a workbook that differs from them" in note["message"]
    notes = now.status(six).filter(force_code="DER")["notes"].item()
    assert f"{bad} of {sample_cases(six).filter(force_code='DER').height} rows set aside" in notes


def test_of_an_extract_without_a_bad_row_nothing_is_said_to_be_set_aside(
    tmp_path: Path, six: Collection
) -> None:
    written = _sent_with_rows(Lake(tmp_path, six.id), six, 0)
    assert standing(written.lake).current_findings().filter(rule_id="X007").is_empty()
    assert not written.letters.get("DER")
