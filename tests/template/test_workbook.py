"""The workbook a force fills: locked but for its entries, helpful as one types, the same bytes."""

import json
import shutil
import time
import zipfile
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from openpyxl import load_workbook

from assets.feedback.folder import feedback_files
from assets.feedback.letters import Letter
from assets.intake.formulas import verified
from assets.intake.reader import read_return
from assets.intake.reading import Cell, Reading
from assets.lake import Lake
from assets.previous import previous_values
from assets.returns.template.as_ods import as_ods
from assets.returns.template.checks import EARLIER, GUIDANCE, checks
from assets.returns.template.workbook import (
    Suffix,
    Totals,
    earlier_values,
    write_blanks,
    write_workbook,
)
from assets.returns.validation.check import check_files
from assets.sample.write import returns_template
from pipelines.cli.returns import template
from schemas.collection import Collection, read_collection
from schemas.errors import SetupError, UnavailableError
from tests.any_template import drawn_collection
from tests.live import any_live, release_of
from tests.returns import SampleReturn, as_csv, clean_return, validated

FORCE = ("cover", "force_code", "value")
SUFFIXES: tuple[Suffix, Suffix] = "xlsx", "ods"
EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture
def blank(tmp_path: Path, collection: Collection) -> Path:
    return write_blanks(tmp_path, collection, ["STF"])[0]


@pytest.mark.slow
def test_the_same_template_has_the_same_bytes(blank: Path, collection: Collection) -> None:
    before = blank.read_bytes()
    time.sleep(1.1)  # file formats keep whole seconds
    write_blanks(blank.parent, collection, ["STF"])
    assert blank.read_bytes() == before


def test_a_workbook_that_cannot_be_written_is_told_and_leaves_nothing(
    tmp_path: Path, collection: Collection
) -> None:
    (tmp_path / "STF.xlsx").mkdir()
    with pytest.raises(UnavailableError, match="cannot be written"):
        write_blanks(tmp_path, collection, ["STF"])
    assert [path.name for path in tmp_path.iterdir()] == ["STF.xlsx"]


def test_every_sheet_is_locked_but_for_its_entries(blank: Path) -> None:
    book = load_workbook(blank)
    assert book.sheetnames == [GUIDANCE, *(sheet.name for sheet in returns_template().sheets)]
    assert book[GUIDANCE].protection.sheet
    for sheet in returns_template().sheets:
        page = book[sheet.name]
        assert page.protection.sheet
        unlocked = {
            cell.coordinate
            for row in page.iter_rows()
            for cell in row
            if not cell.protection.locked
        }
        entries = {
            sheet.address(entry.row_code, entry.column_code)
            for row in sheet.rows
            for entry in row.entries
            if not entry.locked
        }
        assert unlocked == entries, sheet.name


def test_every_entry_says_in_excel_what_it_accepts(blank: Path) -> None:
    book = load_workbook(blank)
    for entry in returns_template().entries():
        at = returns_template().sheet(entry.sheet).address(entry.row_code, entry.column_code)
        rules = [
            rule
            for rule in book[entry.sheet].data_validations.dataValidation
            if at in {str(part) for part in rule.sqref.ranges}
        ]
        if entry.locked:
            assert rules == []
            continue
        (rule,) = rules
        assert rule.errorTitle
        if entry.kind == "answer":
            assert rule.type == "list"
            assert rule.formula1 == f'"{",".join(entry.answers)}"'
        elif entry.kind == "count":
            assert rule.type == "custom"
            assert all(f'"{reason}"' in rule.formula1 for reason in entry.missing)


def test_the_file_itself_says_what_it_is(blank: Path) -> None:
    properties = {p.name: p.value for p in load_workbook(blank).custom_doc_props.props}
    assert properties == {
        "template": "returns",
        "template_version": "1",
        "collection": "2012-revisit",
        "force_code": "STF",
    }


def test_checks_are_formulas_in_locked_cells_and_none_is_an_entry(blank: Path) -> None:
    book = load_workbook(blank)
    count = 0
    for sheet in returns_template().sheets:
        entries = {sheet.address(r.code, e.column_code) for r in sheet.rows for e in r.entries}
        for check in checks(sheet):
            cell = book[sheet.name].cell(check.row, check.column)
            assert cell.value == check.formula_to_fill
            assert cell.protection.locked
            assert cell.coordinate not in entries
            assert not check.holds({}), "a blank total does not add up"
            count += 1
    assert count == 15 + 2 * 7 + 4 + 1


def test_a_check_turns_when_the_total_is_right(collection: Collection) -> None:
    sample = SampleReturn.of("STF", collection)
    for sheet in returns_template().sheets:
        for check in checks(sheet):
            assert check.holds(sample.values)
            total = (sheet.name, *check.total)
            assert not check.holds({**sample.values, total: "9999"})


def test_a_template_filled_as_a_person_would_is_acceptable(
    blank: Path, collection: Collection
) -> None:
    """What is typed into the open cells, and nothing else, makes a return."""
    sample = SampleReturn.of("STF", collection)
    book: Any = load_workbook(blank)
    for entry in returns_template().entries():
        if not entry.locked:
            text = sample.values[entry.place]
            at = returns_template().sheet(entry.sheet).address(entry.row_code, entry.column_code)
            book[entry.sheet][at] = (
                date.fromisoformat(text)
                if entry.kind == "date"
                else int(text)
                if text.isdigit()
                else text
            )
    book.save(blank)
    (checked,) = check_files([blank], collection)
    assert (checked.state, checked.force_code, checked.findings) == ("accepted", "STF", ())


def test_guidance_says_what_this_template_and_collection_want(blank: Path) -> None:
    book = load_workbook(blank)
    told = {row[0].value: row[1].value for row in book[GUIDANCE].iter_rows(min_row=2)}
    some = "registers (8 of 12 cells), second_jobs (4 of 10 cells), comparators"
    accepts = f"in the cells that accept it: of {some}."
    assert accepts in told["not_held"]
    assert "by 15 June 2012, at the latest by 29 June 2012" in told["By when"]
    assert told["capability"].endswith("41 cells to fill.")
    assert "check FILE" in told["Before you send it"]


def test_a_long_question_can_be_read_whole(blank: Path) -> None:
    page = load_workbook(blank)["capability"]
    heights = {row[1].value: page.row_dimensions[row[1].row].height for row in page.iter_rows()}
    longest = max((label for label in heights if label), key=len)
    assert len(longest) > 75
    assert heights[longest] >= 30


def _summed(sample: SampleReturn, **stored: str) -> Reading:
    """Return the reading of a workbook that makes its totals by formulas, some stored wrongly."""
    totals = {
        (each.sheet.name, each.sheet.address(*each.total)): each.calculated[1:]
        for sheet in returns_template().sheets
        for each in checks(sheet)
    }

    def as_stored(sheet: str, cell: Cell) -> Cell:
        if not cell.text.isdigit():
            return cell
        text = stored.get(f"{sheet}_{cell.address}", cell.text)
        formula = totals.get((sheet, cell.address))
        return cell._replace(text=text, kind="number", formula=formula)

    sheets = [
        replace(sheet, cells=tuple(as_stored(sheet.name, cell) for cell in sheet.cells))
        for sheet in sample.reading().sheets
    ]
    return Reading(verified(tuple(sheets)))


@pytest.mark.parametrize("force", ["STF", "MPS", "CMB"])
def test_sums_that_the_template_makes_are_taken_as_typed(
    force: str, collection: Collection
) -> None:
    """CMB holds no declined offers, and MPS has no police authority."""
    sample = SampleReturn.of(force, collection)
    summed = validated(_summed(sample), collection, force)
    assert summed.findings.equals(validated(sample.reading(), collection, force).findings)
    key = ["sheet", "row_code", "column_code", "value"]
    assert summed.entries.select(key).equals(
        validated(sample.reading(), collection, force).entries.select(key)
    )


def test_a_sum_whose_result_is_not_that_of_its_parts_is_refused(collection: Collection) -> None:
    sample = SampleReturn.of("STF", collection)
    true = sample.values["second_jobs", "total", "count"]
    at = returns_template().sheet("second_jobs").address("total", "count")
    reading = _summed(sample, **{f"second_jobs_{at}": str(int(true) + 1)})
    (found,) = validated(reading, collection, "STF").findings.iter_rows(named=True)
    assert (found["rule_id"], found["severity"], found["cell"]) == ("S006", "B", at)
    assert f"stored result {int(true) + 1}; expected {true}" in found["message"]


def test_a_template_with_sums_is_blank_until_a_part_is_typed(
    tmp_path: Path, collection: Collection
) -> None:
    (blank,) = write_blanks(tmp_path, collection, ["STF"], totals="summed")
    (plain,) = write_blanks(tmp_path / "plain", collection, ["STF"])
    summed, typed = (check_files([path], collection)[0].findings for path in (blank, plain))
    assert summed == typed
    assert {item.rule_id for item in summed} == {"S010"}
    cell = load_workbook(blank)["second_jobs"][returns_template().sheet("second_jobs").address(
        "total", "count"
    )]  # fmt: skip
    assert cell.value.startswith("=IF(COUNT(")
    assert not cell.protection.locked


@pytest.mark.parametrize("totals", ["typed", "summed"])
def test_the_same_template_as_an_open_document_reads_as_the_workbook_does(
    totals: Totals, tmp_path: Path, collection: Collection
) -> None:
    of = {
        suffix: write_blanks(tmp_path, collection, ["STF"], totals=totals, suffix=suffix)[0]
        for suffix in SUFFIXES
    }
    xlsx, ods = (read_return(of[suffix]) for suffix in SUFFIXES)
    assert ods.refusal is None
    assert ods.sheets == xlsx.sheets
    with zipfile.ZipFile(of["ods"]) as file:
        content = file.read("content.xml").decode()
    open_cells = sum(not entry.locked for entry in returns_template().entries())
    sheets = len(returns_template().sheets) + 1
    assert content.count('table:protected="true"') == sheets
    assert content.count("table:content-validation-name=") == open_cells
    assert "of:cell-content-is-in-list(&#34;yes&#34;;&#34;no&#34;)" in content
    assert "of:is-true-formula(OR(IF(ISNUMBER([.C6]);AND([.C6]&gt;=0;[.C6]=INT([.C6]))" in content
    assert "of:=IF(COUNT([.C6];[.D6]" in content
    assert content.count('style:master-page-name="landscape"') == 1, "sheets look alike"
    assert content.count("use-optimal-row-height") == content.count("style:row-height") > 0
    before = of["ods"].read_bytes()
    write_blanks(tmp_path, collection, ["STF"], totals=totals, suffix="ods")
    assert of["ods"].read_bytes() == before


def test_a_filled_open_document_reads_as_the_workbook_does(
    tmp_path: Path, collection: Collection
) -> None:
    filled = SampleReturn.of("MPS", collection).write(tmp_path / "MPS.xlsx")
    (tmp_path / "MPS.ods").write_bytes(as_ods(filled))
    assert read_return(tmp_path / "MPS.ods").sheets == read_return(filled).sheets


def test_a_force_the_collection_does_not_expect_has_no_template(
    tmp_path: Path, collection: Collection
) -> None:
    with pytest.raises(SetupError, match=r"XXX\. It expects AVS"):
        write_blanks(tmp_path, collection, ["XXX"])


def test_a_force_that_ended_is_told_with_its_successor(tmp_path: Path, later: Collection) -> None:
    with pytest.raises(SetupError) as told:
        write_blanks(tmp_path, later, ["BED", "XXX"])
    assert str(told.value).startswith(
        "not forces of collection 2013-revisit: BED, XXX. BED ended on 2013-03-31, before the"
        " census. Bedfordshire and Hertfordshire Police (made up) (BEH) succeeds it: name BEH"
        " instead. It expects AVS"
    )


TABLE = """
[[sheet]]
name = "hours"
title = "Hours"
instructions = []
kind = "count"
measure = "uses"
columns = [
    { code = "day", label = "By day", dims = { shift = "day" } },
    { code = "night", label = "By night", dims = { shift = "night" } },
    { code = "all", label = "All hours", sum_of = ["day", "night"] },
    { code = "counted", label = "All hours again", sum_of = ["day", "night"] },
]
rows = [
    { code = "restraint", dims = { tactic = "restraint" } },
    { code = "spray", dims = { tactic = "spray" } },
    { code = "gentle", label = "Gentle", sum_of = ["restraint", "spray"] },
    { code = "firearm", dims = { tactic = "firearm" } },
    { code = "total", label = "Everything", sum_of = ["gentle", "firearm"], named = "both kinds" },
]
"""


def _with_a_table(folder: Path) -> Collection:
    """Return an example whose template has a table with sums both ways and no word of checks."""
    shutil.copytree(EXAMPLES, folder)
    path = folder / "templates" / "use-of-force-1.toml"
    text = path.read_text(encoding="utf-8")
    shift = '[lists.shift]\nday = "By day"\nnight = "By night"\n\n[measures.uses]'
    path.write_text(text.replace("[measures.uses]", shift) + TABLE.replace('"uses"', '"hours"'))
    hours = '\n[measures.hours]\nunit = "count"\nlevels = [[], ["tactic", "shift"]]\n\n[profile]'
    path.write_text(path.read_text(encoding="utf-8").replace("[profile]", hours, 1))
    return read_collection(folder / "collections" / "use-of-force-2013.toml")


def test_checks_that_the_template_does_not_word_are_worded(tmp_path: Path) -> None:
    collection = _with_a_table(tmp_path / "others")
    labels = [check.label for check in checks(collection.template.sheet("hours")) if check.label]
    assert labels == [
        "Check: the parts add up to Gentle",
        "Check: both kinds add up to Everything",
    ]


def test_a_brace_in_an_instruction_is_a_brace_unless_it_names_a_date(tmp_path: Path) -> None:
    collection = _with_a_table(tmp_path / "others")
    text = "Count {each} } use once by {soft}, {{period}}."
    (sheet, *others) = collection.template.sheets
    changed = replace(sheet, instructions=(text,))
    template = replace(collection.template, sheets=(changed, *others))
    write_workbook(tmp_path / "x.xlsx", template, collection, {})
    told = load_workbook(tmp_path / "x.xlsx")[sheet.name]["A2"].value
    assert told == "Count {each} } use once by 30 April 2013, {1 April 2012 to 31 March 2013}."


def test_a_list_too_long_for_a_drop_down_is_chosen_from_a_column_beside(tmp_path: Path) -> None:
    codes = [f"answer_number_{number}" for number in range(40)]
    shutil.copytree(EXAMPLES, tmp_path / "others")
    path = tmp_path / "others/templates/use-of-force-1.toml"
    sheet = f"""
[[sheet]]
name = "kinds"
title = "Kinds"
instructions = []
kind = "answer"
columns = [{{ code = "answer", label = "Answer" }}]
rows = [{{ code = "one", label = "One", answers = {json.dumps(codes)} }}]
"""
    path.write_text(path.read_text(encoding="utf-8") + sheet, encoding="utf-8")
    later = read_collection(tmp_path / "others/collections/use-of-force-2013.toml")
    filled = clean_return(later).with_values({("kinds", "one", "answer"): codes[-1]})
    book = load_workbook(filled.write(tmp_path / "x.xlsx"))
    (rule,) = book["kinds"].data_validations.dataValidation
    ((top, *_), *rest) = book["kinds"][rule.formula1.replace("$", "").lstrip("=")]
    assert [top.value, *(row[0].value for row in rest)] == codes
    assert top.protection.locked
    (checked,) = check_files([tmp_path / "x.xlsx"], later)
    assert checked.findings == ()


@pytest.mark.parametrize("seed", range(6))
def test_whatever_the_template_its_workbook_is_read_as_it_was_filled(
    seed: int, tmp_path: Path
) -> None:
    """With earlier values beside, and the results of checks as the texts that a CSV file has."""
    collection = drawn_collection(tmp_path / "drawn", seed)
    template, filled = collection.template, clean_return(collection)
    counted = [entry.place for entry in template.entries() if entry.kind == "count"]
    earlier = {"before": dict.fromkeys(counted, "7"), "long before": dict.fromkeys(counted, "9")}
    path = tmp_path / "return.xlsx"
    write_workbook(path, template, collection, filled.values, earlier)
    book: Any = load_workbook(path)
    results: Any = load_workbook(path, data_only=True)
    for sheet in template.sheets:
        found = list(checks(sheet))
        assert [check.total for check in found] == [each.total[1:] for each in sheet.sums()]
        places = {(check.row, check.column) for check in found}
        rows, columns = sheet.row_numbers.values(), sheet.column_numbers.values()
        assert len(places) == len(found)
        assert not places & {(row, column) for row in rows for column in columns}
        for at in places:
            assert results[sheet.name].cell(*at).value == "adds up"
            book[sheet.name].cell(*at).value = "adds up"
    book.save(path)
    judged = validated(read_return(path), collection, filled.values[FORCE])
    expected = validated(filled.reading(), collection, filled.values[FORCE])
    assert judged.entries.equals(expected.entries)
    assert judged.findings.equals(expected.findings)


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory, collection: Collection) -> Path:
    """A lake in which 2012 is released, with a number or an answer of every force."""
    root = tmp_path_factory.mktemp("lake")
    release_of(root, collection, any_live(collection, 5, every_force=True))
    return root


@pytest.fixture
def later() -> Collection:
    return read_collection(EXAMPLES / "collections" / "2013-revisit.toml")


HEADING = "2012-revisit, 1 September 2011 to 31 May 2012"


def test_earlier_values_stand_beside_the_entries_and_are_none(
    tmp_path: Path, released: Path, later: Collection
) -> None:
    """The workbook with them, filled, says what it says without them: as workbook and as CSV."""
    filled = clean_return(later, "STF")
    plain = filled.write(tmp_path / "plain.xlsx")
    earlier = earlier_values(Lake(released, later.id), later)
    (blank,) = write_blanks(tmp_path, later, ["STF"], earlier)
    book: Any = load_workbook(blank)
    for place, entry in later.template.entry_at.items():
        text = filled.values[place]
        at = later.template.sheet(place[0]).address(*place[1:])
        book[place[0]][at] = int(text) if entry.kind == "count" else text
    book.save(tmp_path / "filled.xlsx")
    # openpyxl drops the results of formulas, so what CSV holds comes from the workbook as written.
    write_workbook(blank, later.template, later, filled.values, earlier["STF"])
    ours = as_csv(blank, tmp_path / "STF.zip")
    found = []
    for path in (plain, tmp_path / "filled.xlsx", ours):
        judged = validated(read_return(path), later, "STF")
        found.append((judged.entries, judged.findings))
    for entries, findings in found[1:]:
        assert entries.equals(found[0][0])
        assert findings.equals(found[0][1])


@pytest.mark.parametrize("force", ["STF", "BEH"])
def test_an_earlier_value_stands_in_the_row_of_its_entry_locked_and_under_its_heading(
    force: str, tmp_path: Path, released: Path, later: Collection
) -> None:
    """Of a force that others merged into, their sums."""
    lake = Lake(released, later.id)
    book = load_workbook(write_blanks(tmp_path, later, [force], earlier_values(lake, later))[0])
    found = {}
    for sheet in later.template.sheets:
        page = book[sheet.name]
        last = max([*sheet.column_numbers.values(), *(check.column for check in checks(sheet))])
        codes = {f"{HEADING}: {label}": code for code, label in sheet.columns.items()}
        for head in page[sheet.header_row]:
            if head.value != EARLIER:
                continue
            assert head.column > last, "right of all entries and checks"
            code = codes[page.cell(head.row - 1, head.column).value]
            for row, line in sheet.row_numbers.items():
                cell = page.cell(line, head.column)
                assert cell.protection.locked
                if cell.value is not None:
                    found[sheet.name, row, code] = str(cell.value)
    told = previous_values(lake, later).filter(force_code=force).drop_nulls()
    place = ["sheet", "row_code", "column_code"]
    assert found == {row[:3]: row[3] for row in told.select(*place, "value").iter_rows()}
    assert ("investigations", "other", "left_police") in found
    assert ("investigations", "abuse_of_authority", "total") not in found


@pytest.mark.slow
def test_the_command_and_letters_show_earlier_values_where_there_are_any(
    tmp_path: Path, released: Path, later: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MUSTER_COLLECTIONS", str(EXAMPLES))
    letter = Letter("STF", "missing", later, date(2013, 6, 20))
    (plain,) = write_blanks(tmp_path, later, ["STF"])
    for root, same in ((tmp_path / "none", True), (released, False)):
        monkeypatch.setenv("MUSTER_LAKE", str(root))
        out = tmp_path / f"blanks {same}"
        said = CliRunner().invoke(template, ["STF", "--collection", later.id, "--out", str(out)])
        assert said.exit_code == 0, said.output
        written = (out / "STF.xlsx").read_bytes()
        lake = Lake(root, later.id)
        earlier = earlier_values(lake, later)
        files = feedback_files([letter], [], lake, later, earlier=earlier)
        assert files["STF/STF-blank.xlsx"] == written
        assert (written == plain.read_bytes()) == same


def test_reconstructed_workbooks_say_so_on_every_sheet(
    tmp_path: Path, collection: Collection
) -> None:
    path = SampleReturn.of("STF", collection).write(tmp_path / "x.xlsx")
    for page in load_workbook(path).worksheets:
        texts = [str(cell.value) for row in page.iter_rows() for cell in row if cell.value]
        assert any(text.startswith("RECONSTRUCTED") for text in texts)
        assert "RECONSTRUCTED" in page.oddFooter.center.text
