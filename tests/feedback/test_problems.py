"""Findings are told as few problems as there are things to do, and none is lost."""

from pathlib import Path
from typing import Any

import pytest

from assets.feedback.causes import causes_of
from assets.feedback.problems import grouped, tally, to_do
from assets.returns.validation.check import check_files
from assets.returns.validation.repairs import repairs_of
from schemas.collection import Collection
from schemas.finding import Finding, Place, finding
from schemas.wording import visible
from tests.feedback.conftest import Sample, heading
from tests.returns import Place as EntryPlace
from tests.returns import validated


def _findings(path: Path, collection: Collection) -> tuple[Finding, ...]:
    return check_files([path], collection)[0].findings


@pytest.mark.parametrize("text", ["Continueing", "continuing cases", "Open at the census"])
def test_one_misspelt_heading_is_one_problem(
    text: str, sample: Sample, tmp_path: Path, collection: Collection
) -> None:
    """A heading nobody can guess gives two findings: one is missing, one is unknown."""

    def change(book: Any) -> None:
        heading(book, "investigations", "continuing").value = text

    path = sample("DER").write(tmp_path / "DER.xlsx", change)
    problems = grouped(_findings(path, collection), collection.template)
    assert [(p.rule_id, p.sheet) for p in problems] == [("S005", "investigations")]
    assert any(cell.startswith("C") for cell in problems[0].cells)


def test_blank_cells_of_a_sheet_are_one_problem_with_every_address(
    sample: Sample, tmp_path: Path, collection: Collection
) -> None:
    blanks: dict[EntryPlace, str | None] = {
        ("investigations", row, column): None
        for row in ("social_media", "procurement", "other")
        for column in ("continuing", "referred_external", "left_service", "people_suspended")
    }
    path = sample("DER").with_values(blanks).write(tmp_path / "DER.xlsx")
    (problem,) = grouped(_findings(path, collection), collection.template)
    assert len(problem.cells) == 12
    assert problem.lines == ("12 cells: the cell is blank; a whole number belongs here",)
    assert problem.where == "investigations " + ", ".join(problem.cells)


def test_no_finding_is_lost_and_what_blocks_comes_first(collection: Collection) -> None:
    places = [Place("registers", "C7", value="x"), Place("cover", "C10"), Place(), Place("second")]
    found = [
        finding(rule, f"message {number}", place)
        for number, (rule, place) in enumerate(
            [(r, p) for r in ("S012", "V001", "X004", "S001", "V001") for p in places]
        )
    ]
    problems = grouped(found, collection.template)
    told = [item for problem in problems for item in problem.findings]
    assert sorted(told, key=found.index) == found
    assert "".join(problem.severity for problem in problems) == "B" * 8 + "Q" * 4 + "N" * 4
    assert tally(found) == "12 blocking findings, 4 queries, 4 notes"
    assert sum(thing.number for thing in to_do(found, collection.template)) == len(found)
    for problem in problems:
        assert all(item.message in " ".join(problem.lines) for item in problem.findings)


def test_the_same_advice_with_another_address_is_the_same_problem(collection: Collection) -> None:
    found = [
        finding("V001", "a share", Place("registers", cell), fix=f"Format {cell} as a number.")
        for cell in ("C10", "C7", "C1")
    ]
    (problem,) = grouped(found, collection.template)
    assert problem.cells == ("C1", "C7", "C10")
    assert problem.fix.startswith("Format the cell as a number.")


def test_nothing_invisible_is_shown() -> None:
    assert visible("a\x1b[31m\u202eb\u200b\xa0\n") == "a\\x1b[31m\\u202eb\\u200b\\xa0\\n"
    assert visible("Café = 5") == "Café = 5"
    assert len(visible("x" * 40_000)) < 400


def test_cells_that_are_wrong_together_are_told_each_with_what_would_do(
    sample: Sample, collection: Collection
) -> None:
    """Two lines of a column exchanged: its sums hold, and each row tells of both."""
    one, other = (("investigations", row, "continuing") for row in ("procurement", "other"))
    values = sample("MPS").values
    typed = {one: values[other], other: values[one]}
    judged = validated(sample("MPS").with_values(typed).reading(), collection)
    causes = causes_of(
        repairs_of(judged.findings, judged.entries, collection.template), collection.template
    )
    findings = [Finding(**row) for row in judged.findings.drop("receipt_id").to_dicts()]
    (told,) = to_do([f for f in findings if f.blocks], collection.template, causes)
    assert told.where == "investigations C17, investigations C19"
    assert told.lines[0] == (
        f"C17: {values[one]} in place of {values[other]};"
        f" C19: {values[other]} in place of {values[one]}"
        " together mend what does not add up (C101)."
    )


def test_each_line_of_a_question_is_about_its_own_cells(collection: Collection) -> None:
    said = {"E6": "204, but 5 in the earlier return", "H6": "211, but 12 in the earlier return"}
    found = [finding("Q111", text, Place("investigations", cell)) for cell, text in said.items()]
    about = dict.fromkeys(found, "change: more than expected")
    (item,) = to_do(found, collection.template, questions=about)
    assert item.where == "investigations E6, H6"
    assert item.lines[1:] == tuple(
        f"investigations {cell} (Q111): {text}" for cell, text in said.items()
    )


def test_what_stands_in_a_cell_to_look_at_first_is_told_though_it_is_no_number(
    sample: Sample, tmp_path: Path, collection: Collection
) -> None:
    changed: dict[EntryPlace, str | None] = {("second_jobs", "pending", "count"): "nil"}
    path = sample("STF").with_values(changed).write(tmp_path / "STF.xlsx")
    (checked,) = check_files([path], collection)
    causes = causes_of(checked.repairs, collection.template)
    (item,) = to_do(checked.findings, collection.template, causes)
    assert item.value == "nil"


def test_every_way_to_mend_a_sum_is_told_and_each_sum_at_its_own_cell(
    sample: Sample, tmp_path: Path, collection: Collection
) -> None:
    typed = sample("STF").values
    slips = [
        ("investigations", f"information_disclosure.{row}", column)
        for row, column in (("criminals", "no_further_action"), ("friends_family", "left_service"))
    ]
    changed: dict[EntryPlace, str | None] = {at: str(int(typed[at]) + 1) for at in slips}
    path = sample("STF").with_values(changed).write(tmp_path / "STF.xlsx")
    (checked,) = check_files([path], collection)
    causes = causes_of(checked.repairs, collection.template)
    (item,) = to_do(checked.findings, collection.template, causes)
    one, other, *sums = item.lines
    assert one.startswith("G6: 0 in place of 1; E7: 0 in place of 1 together mend")
    assert other == "Or E6: 4 in place of 5 and G7: 1 in place of 2."
    assert [each.partition(":")[0] for each in sums] == [
        "H6 (C101)", "H7 (C101)", "E12 (C102)", "G12 (C102)",
    ]  # fmt: skip
