"""What comes back in the list of problems of a marked copy: recorded, lapsed, or refused aloud."""

import json
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook

from assets.feedback.marked_copy import marked_copy, write_marked_copies
from assets.feedback.problems import to_do
from assets.intake.reader import read_return
from assets.lake import Lake
from assets.returns.desk import decisions
from assets.returns.desk.decisions import Ledger, id_of, read_answers
from assets.returns.desk.returned import code_of, written_in
from assets.returns.validation.assets import answers
from assets.returns.validation.check import check_files
from assets.returns.validation.states import standing
from assets.tables import work_table
from schemas.collection import Collection
from schemas.contract import empty
from schemas.tables import Choices, DamagedReceipts
from tests.feedback.conftest import CARDS, Sample, answered, write
from tests.returns import SampleReturn, address_of, as_csv, take_in

AT = f"comparators__{address_of(*CARDS)}"
REASON = "Nine thousand cards were issued when the register was begun anew."
ROLE = "Head of professional standards"
GIVEN = {"X005": (REASON, ROLE)}


class Desk:
    """A lake of a few forces, and what is asked of them."""

    def __init__(self, root: Path, collection: Collection) -> None:
        self.lake, self.collection, self.root = Lake(root / "lake", collection.id), collection, root
        self.files: list[Path] = []

    def send(self, *files: Path) -> None:
        """Take files in, and record what was answered in them, as a run does."""
        self.files += files
        take_in(self.lake, self.files, self.collection)
        read = {name: work_table(self.lake, name) for name in (
            "intake/receipts", "validation/all_findings",
            "validation/entries", "cases/extracts",
        )}  # fmt: skip
        tables = {name.partition("/")[2]: table for name, table in read.items()}
        more = {"choices": empty(Choices), "damaged": empty(DamagedReceipts)}
        answers(self.lake, self.collection, **tables, **more)

    def copy(self, force: str) -> Path:
        """Return the marked copy that goes out to a force now."""
        made = write(self.lake, self.collection, date(2012, 6, 20)).files
        path = self.root / f"{force}-marked-{len(self.files)}.xlsx"
        path.write_bytes(made[f"{force}/{force}-marked.xlsx"])
        return path

    def back(self, name: str, texts: dict[str, tuple[Any, Any]], **cells: Any) -> Path:
        """Return the copy of AVS as it comes back."""
        return answered(self.copy("AVS"), self.root / name, texts, **cells)

    def query(self, rule: str, force: str = "AVS") -> dict[str, Any]:
        now, told = standing(self.lake), read_answers(Ledger(self.lake))
        asked = decisions.queries(now.asked(), told, self.collection.id)
        return asked.filter(rule_id=rule, force_code=force).row(0, named=True)

    def newest(self) -> str:
        return str(standing(self.lake).receipts.sort("sequence")["receipt_id"][-1])

    def told(self) -> list[tuple[str, str]]:
        """Return what is said of the newest file's list: rule and message."""
        found = standing(self.lake).all_findings.filter(sheet="problems")
        last = self.newest()
        assert found["severity"].to_list() == ["N"] * found.height
        return list(found.filter(receipt_id=last).select("rule_id", "message").iter_rows())

    def ledger(self) -> int:
        return len(Ledger(self.lake).records())


@pytest.fixture
def desk(tmp_path: Path, six: Collection) -> Desk:
    """AVS is asked two things about one cell, and BED about one."""
    desk = Desk(tmp_path, six)
    for force, cards in (("AVS", "9000"), ("BED", "8000")):
        changed = SampleReturn.of(force, six).with_values({CARDS: cards})
        desk.files.append(changed.write(tmp_path / f"{force}.xlsx"))
    desk.send()
    return desk


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory, six: Collection) -> Path:
    """A marked copy of AVS, not to be changed."""
    folder = tmp_path_factory.mktemp("copy")
    avs = SampleReturn.of("AVS", six).with_values({CARDS: "9000"}).write(folder / "AVS.xlsx")
    (made,) = write_marked_copies(check_files([avs], six), folder, six.template)
    return made


@pytest.mark.slow
def test_an_answer_is_recorded_once_and_names_its_receipt(desk: Desk) -> None:
    back = desk.back("back.xlsx", GIVEN)
    assert check_files([back], desk.collection)[0].answers == 1, "a check says as much"
    desk.send(back)
    query, receipt = desk.query("X005"), desk.newest()
    assert (query["state"], query["reason"]) == ("answered", REASON)
    assert query["answered_by"] == f"{ROLE} of AVS, receipt {receipt}"
    (record,) = Ledger(desk.lake).records("answer")
    assert record.content["receipt_id"] == receipt
    assert desk.query("V007")["state"] == "open", "nothing was written beside it"
    assert desk.told() == []
    decisions.accept_all(Ledger(desk.lake), [query], "Ann")
    again = desk.root / "again.xlsx"
    again.write_bytes(back.read_bytes())
    desk.send(again)
    # The copy that goes out now asks for less; the earlier one may come back with more.
    desk.send(answered(back, desk.root / "more.xlsx", GIVEN | {"V007": (REASON, ROLE)}))
    assert (desk.query("X005")["state"], desk.query("V007")["state"]) == ("accepted", "answered")
    assert desk.ledger() == 3


@pytest.mark.slow
def test_an_answer_is_for_the_value_that_was_asked_about(desk: Desk) -> None:
    """Whichever way the value has changed: in the copy itself, or before an old copy comes."""
    old = desk.copy("AVS")
    desk.send(answered(old, desk.root / "changed.xlsx", GIVEN, **{AT: 8999}))
    assert desk.query("X005")["state"] == "open"
    ((rule, said),) = desk.told()
    assert (rule, "another value" in said) == ("S015", True)
    assert desk.ledger() == 0
    desk.send(answered(old, desk.root / "kept.xlsx", GIVEN))
    assert desk.query("X005")["state"] == "answered", "the cell has that value again"
    late = answered(desk.copy("AVS"), desk.root / "late.xlsx", {"V007": (REASON, ROLE)})
    mended = answered(late, desk.root / "mended.xlsx", {}, **{AT: 7000})
    desk.send(mended)
    assert desk.query("X005")["state"] == "lapsed"
    assert {rule for rule, _ in desk.told()} == {"S015"}


@pytest.mark.slow
def test_whoever_kills_it_in_the_middle_finds_each_answer_recorded_once(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    back = desk.back("back.xlsx", GIVEN | {"V007": (REASON, "Chief of staff")})
    add = Ledger.add

    def killed(ledger: Ledger, *record: Any) -> object:
        if ledger.records():
            raise KeyboardInterrupt
        return add(ledger, *record)

    with monkeypatch.context() as patch:
        patch.setattr(Ledger, "add", killed)
        with pytest.raises(KeyboardInterrupt):
            desk.send(back)
    assert desk.ledger() == 1
    desk.send()
    desk.send()
    assert [desk.query(rule)["state"] for rule in ("V007", "X005")] == ["answered", "answered"]
    assert desk.ledger() == 2


@pytest.mark.slow
def test_the_last_word_counts_whoever_says_it(desk: Desk) -> None:
    back = desk.back("back.xlsx", GIVEN)
    desk.send(back)
    decisions.answer_all(
        Ledger(desk.lake), [(desk.query("X005"), "They told us by telephone.")], "Ann"
    )
    desk.send()
    assert desk.query("X005")["answered_by"] == "Ann"
    for path in (desk.lake.desk / "ledger").iterdir():
        if "telephone" in path.read_text():  # as if it had been told before the copy came
            record = json.loads(path.read_text())
            path.write_text(json.dumps({**record, "at": "2012-06-01T00:00:00+00:00"}))
    other = "The register was begun anew in that year, with every card."
    desk.send(answered(back, desk.root / "other.xlsx", {"X005": (other, ROLE)}))
    assert desk.query("X005")["reason"] == other


@pytest.mark.slow
def test_a_copy_of_another_force_answers_nothing(desk: Desk) -> None:
    bed = desk.copy("BED")
    book = load_workbook(bed)
    cover = {row[0].value: row[2] for row in book["cover"].iter_rows(max_col=3)}
    cover["force_code"].value = "AVS"
    names = dict(desk.collection.bodies.select("force_code", "full_name").iter_rows())
    cover["force_name"].value = names["AVS"]
    book.save(bed)
    desk.send(answered(bed, desk.root / "theirs.xlsx", GIVEN, **{AT: 9000}))
    assert desk.query("X005")["state"] == "open"
    ((rule, said),) = desk.told()
    assert (rule, "no code of a query to this force" in said) == ("S015", True)
    assert desk.ledger() == 0


@pytest.mark.parametrize(
    ("reason", "role", "rule", "says"),
    [
        ("PC Zbigniewska counted every card twice.", ROLE, "V008", "a rank or title with a name"),
        (REASON, "DI Zbigniewska", "V008", "a rank or title with a name"),
        ("They were counted by officer 4127.", ROLE, "V008", "three or more digits"),
        ("too short", ROLE, "S015", "9 characters"),
        ("x" * 1001, ROLE, "S015", "1,001 characters"),
        (REASON, None, "S015", "no role"),
        (None, ROLE, "S015", "no reason"),
        ('="as in the year "&"before"', ROLE, "S015", "not a plain text"),
        (20120630, ROLE, "S015", "not a plain text"),
    ],
)
def test_a_reason_that_fails_is_told_at_its_cell(
    copy: Path, tmp_path: Path, six: Collection, reason: object, role: object, rule: str, says: str
) -> None:
    back = answered(copy, tmp_path / "back.xlsx", {"X005": (reason, role)})
    (checked,) = check_files([back], six)
    (found,) = (item for item in checked.findings if item.sheet == "problems")
    assert (found.rule_id, found.severity) == (rule, "N")
    assert says in found.message
    assert checked.answers == 0
    assert (found.cell or "")[0] in "JK"
    assert found.row_code in checked.codes.values()
    assert "Zbigniewska" not in str(found)


@pytest.mark.parametrize("what", ["another value", "no code"])
def test_a_reason_that_answers_nothing_is_told_before_it_is_sent(
    copy: Path, tmp_path: Path, six: Collection, what: str
) -> None:
    """Though the value that it was given for stands in another cell now."""
    elsewhere = f"comparators__{address_of('comparators', 'cards_2011', 'value')}"
    cells = {AT: 8999, elsewhere: 9000} if what == "another value" else {}
    back = answered(copy, tmp_path / "back.xlsx", GIVEN, **cells)
    if what == "no code":
        book = load_workbook(back)
        for row in book["problems"].iter_rows():
            row[-1].value = row[-1].value if row[-1].value == "query" else None
        book.save(back)
    (checked,) = check_files([back], six)
    (found,) = (item for item in checked.findings if item.sheet == "problems")
    assert (found.rule_id, found.severity, what in found.message) == ("S015", "N", True)


def test_numbers_of_the_return_may_stand_in_a_reason(desk: Desk) -> None:
    desk.send(desk.back("back.xlsx", {"X005": ("All 9,000 are in the register of 2012.", ROLE)}))
    assert (desk.told(), desk.query("X005")["state"]) == ([], "answered")


@pytest.mark.slow
def test_what_was_written_and_not_recorded_stands_in_the_next_copy(
    desk: Desk, six: Collection
) -> None:
    back = desk.back("back.xlsx", {"X005": ("too short", ROLE)})
    desk.send(back)
    assert desk.ledger() == 0
    (checked,) = write_marked_copies(check_files([back], six), desk.root, six.template)
    for copy in (checked, desk.copy("AVS")):
        (first,) = written_in(read_return(copy).sheets)
        assert (first.reason, first.role) == ("too short", ROLE)


@pytest.mark.slow
def test_nothing_is_said_of_a_reason_for_what_others_have_ceased_to_ask(desk: Desk) -> None:
    """A query by comparison goes when other returns change, and its answer is no mistake."""
    back, asked = desk.back("back.xlsx", GIVEN), desk.query("X005")["query_id"]
    of_peers = id_of(desk.collection.id, "", "AVS", "Q103", *CARDS)
    book = load_workbook(back)
    cells = [cell for row in book["problems"].iter_rows() for cell in row]
    (code,) = (cell for cell in cells if cell.value == code_of(asked, "9000"))
    code.value = code_of(of_peers, "9000")
    book.save(back)
    desk.send(back)
    assert (desk.told(), desk.ledger()) == ([], 0)


def test_two_reasons_for_one_query_are_none(desk: Desk) -> None:
    back = desk.back("back.xlsx", GIVEN)
    book = load_workbook(back)
    sheet = book.copy_worksheet(book["problems"])
    assert sheet["A1"].value == book["problems"]["A1"].value
    book.save(back)
    desk.send(back)
    assert {said.partition(";")[0] for _, said in desk.told()} == {
        "this query has several reasons in one file"
    }
    assert desk.ledger() == 0


@pytest.mark.slow
def test_a_zip_of_csv_has_no_list_and_says_nothing(desk: Desk) -> None:
    book = load_workbook(desk.back("back.xlsx", GIVEN))
    del book["problems"]
    book.save(desk.root / "plain.xlsx")
    desk.send(as_csv(desk.root / "plain.xlsx", desk.root / "plain.zip"))
    assert (desk.told(), desk.query("X005")["state"], desk.ledger()) == ([], "open", 0)


def test_one_reason_answers_all_queries_of_a_question_but_those_with_one_of_their_own(
    sample: Sample, tmp_path: Path, collection: Collection
) -> None:
    path = sample("MPS").write(tmp_path / "MPS.xlsx")
    (checked,) = check_files([path], collection)
    item, *others = [f for f in checked.findings if f.rule_id == "Q102"]
    assert not others
    asked = [replace(item, cell=cell, row_code=row) for cell, row in (("H9", "x"), ("H10", "y"))]
    codes = {it: f"Q-{number:010}-{number:08}" for number, it in enumerate([item, *asked])}
    about = dict.fromkeys(codes, "size: more than expected")
    things = to_do([*codes], collection.template, questions=about)
    whole = path, read_return(path), things, collection.template
    (tmp_path / "made.xlsx").write_bytes(marked_copy(*whole, name="a", codes=codes))
    book = load_workbook(tmp_path / "made.xlsx")
    rows = {row[-1].value: row for row in book["problems"].iter_rows() if row[-1].value}
    (of_all,) = (code for code in rows if {*code.split()} == {*codes.values()})
    for code, text in ((of_all, REASON), (codes[asked[0]], f"Own: {REASON}")):
        *_, reason, role, _ = rows[code]
        assert not reason.protection.locked
        reason.value, role.value = text, ROLE
    rows[codes[item]][-2].value = ROLE  # which says nothing without a reason
    book.save(tmp_path / "back.xlsx")
    found = written_in(read_return(tmp_path / "back.xlsx").sheets)
    assert {each.code: each.reason for each in found} == {
        code: f"Own: {REASON}" if it is asked[0] else REASON for it, code in codes.items()
    }
