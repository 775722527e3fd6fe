"""Letters: who gets one, that it says all there is to do, and that nothing in it runs."""

import json
import os
import re
from dataclasses import replace
from datetime import date
from html.parser import HTMLParser
from io import BytesIO
from pathlib import Path

import pytest
from click.testing import CliRunner
from openpyxl import load_workbook

from assets.feedback.folder import LIST, feedback_files, letter_page, write_feedback
from assets.feedback.letters import Letter, letters
from assets.feedback.marked_copy import marked_copy
from assets.feedback.problem_list import FILLS
from assets.feedback.problems import to_do
from assets.html import TEXT_WIDTH
from assets.intake.raw_store import RawStore
from assets.lake import Lake
from assets.returns.desk.decisions import Ledger, answer_all, queries, read_answers
from assets.returns.validation.states import standing
from pipelines.cli.returns import feedback as command
from schemas.collection import Collection
from schemas.errors import SetupError
from schemas.finding import Place, finding
from schemas.reference import COLLECTIONS
from schemas.rules.catalogue import rules
from schemas.wording import plural
from tests.feedback.conftest import BLANK, CARDS, HOSTILE, SLIP, Sample, Written, at, write
from tests.returns import SampleReturn, take_in

MONTHS: Place = ("second_jobs", "review_months", "count")
TIME = 1_339_300_000


class _Page(HTMLParser):
    """The text of a page, its tags, and every address it mentions."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.said: list[str] = []
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.said.append(data)


def _flat(text: str) -> str:
    return " ".join(text.split())


def test_forces_with_something_to_do_get_a_letter_and_no_others(written: Written) -> None:
    assert {code: letter.situation for code, letter in written.letters.items()} == {
        "AVS": "queried",
        "DER": "resubmission_rejected",
        "STF": "rejected",
        "WMP": "missing",
        "WYK": "missing",
    }
    assert {name.partition("/")[0] for name in written.files} == {*written.letters, "index.html"}
    assert [file.file_name for file in written.unattributed] == ["WMP & co.xlsx"]


def test_a_letter_names_everything_there_is_to_do(written: Written) -> None:
    for code, letter in written.letters.items():
        page = _flat(" ".join(_Page(written.text(f"{code}/letter.html")).said))
        text = _flat(written.text(f"{code}/letter.txt"))
        for said in (page, text):
            assert letter.force_name in said
            assert letter.collection.title in said
            assert "29 June 2012" in said
            assert (
                f"muster check {letter.attachments[0]} --collection {letter.collection.id}" in said
            )
            assert ("RECONSTRUCTED" in said) == (letter.sent is not None)
        for item in letter.sent.findings if letter.sent else ():
            for what in (item.rule_id, item.message, item.cell or "", rules()[item.rule_id].why):
                assert what in text
                assert what in page
            advice, _, ours = item.how_to_fix.partition(" See docs/")
            assert ours
            assert advice in text or item.rule_id in {"C101", "C102"}, "one advice for the cause"
        assert "docs/" not in text
        assert "docs/" not in page


def test_a_letter_and_its_copy_name_what_waits_for_cells_that_could_not_be_read(
    written: Written,
) -> None:
    """Who mends all that is listed is not told afterwards of sums that nobody mentioned."""
    waits = "Not checked yet, because what they look at could not be read: C501, Q110, "
    sheet = load_workbook(BytesIO(written.files["STF/STF-marked.xlsx"]))["problems"]
    above = " ".join(str(cell.value) for cell in sheet["A"][:12])
    page = " ".join(_Page(written.text("STF/letter.html")).said)
    for said in (above, page, written.text("STF/letter.txt")):
        assert waits in _flat(said)
    assert f"C501: {rules()['C501'].title}" in _flat(written.text("STF/letter.txt"))
    assert "Not checked" not in written.text("AVS/letter.txt")


def test_the_letter_is_about_the_newest_return_and_says_which_counts(written: Written) -> None:
    sent = written.letters["DER"].sent
    assert sent
    assert sent.receipt.file_name == "DER again.xlsx"
    assert [item.rule_id for item in sent.findings] == ["S010"]
    assert "your version 1, which stays" in _flat(written.text("DER/letter.txt"))
    book = load_workbook(BytesIO(written.files["DER/DER-marked.xlsx"]))
    assert "S010" in at(book, BLANK).comment.text


def test_a_letter_counts_findings_as_the_status_does(written: Written, six: Collection) -> None:
    """Several that follow from one cause are told as one thing to do."""
    status = standing(written.lake).status(six)
    for code, blocking in status.select("force_code", "blocking").iter_rows():
        if blocking:
            assert written.letters[code].number("B") == blocking
            many = plural(blocking, "finding")
            assert f"{many} keep" in _flat(written.text(f"{code}/letter.txt"))
            copy = load_workbook(BytesIO(written.files[f"{code}/{code}-marked.xlsx"]))
            assert plural(blocking, "blocking finding") in str(copy["problems"]["A2"].value)
    assert len(written.letters["STF"].items("B")) < written.letters["STF"].number("B")


def test_a_query_that_follows_from_a_cause_is_not_counted_with_what_blocks(
    tmp_path: Path, collection: Collection
) -> None:
    """It stands with the cause that it follows from, and wants a reason alone."""
    alone = collection.model_copy(update={"forces": ("DER",)})
    lake = Lake(tmp_path, alone.id)
    lake.landing.mkdir(parents=True)
    first = SampleReturn.of("DER", alone)
    files = [
        first.write(lake.landing / "DER.xlsx"),
        first.with_values({SLIP: "50"}).write(lake.landing / "DER again.xlsx"),
    ]
    take_in(lake, files, alone)
    written = write(lake, alone, date(2012, 6, 20))
    letter, text = written.letters["DER"], _flat(written.text("DER/letter.txt"))
    blocking = standing(lake).status(alone)["blocking"].item()
    assert letter.sent
    asked = [item.rule_id for item in letter.sent.findings if item.severity == "Q"]
    assert asked == ["Q111"]
    assert (letter.number("B"), letter.number("Q")) == (blocking, 1)
    assert letter.items("Q") == [], "it stands with its cause"
    many = plural(blocking, "finding")
    assert f"{many} keep it from taking the place of your version 1" in text
    assert f"WHAT BLOCKS THE RETURN: {many.upper()}, BESIDE 1 QUERY TO ANSWER" in text
    assert "1 query about it blocks nothing: it wants a reason, or a correction." in text
    assert "type the reason" in text
    book = load_workbook(BytesIO(written.files["DER/DER-marked.xlsx"]))
    assert f"{plural(blocking, 'blocking finding')}, 1 query" in str(book["problems"]["A2"].value)


@pytest.mark.parametrize("sent", [2, 3])
def test_a_version_that_queries_alone_hold_back_is_told_so(
    sent: int, tmp_path: Path, collection: Collection
) -> None:
    alone = collection.model_copy(update={"forces": ("DER",)})
    lake = Lake(tmp_path, alone.id)
    lake.landing.mkdir(parents=True)
    files = []
    for number, name in enumerate(("DER.xlsx", "DER a.xlsx", "DER b.xlsx")[-sent:]):
        of = SampleReturn.of("DER", alone).with_values({MONTHS: str(6 + number)})
        files.append(of.write(lake.landing / name))
        os.utime(files[-1], (TIME, TIME) if number >= sent - 2 else (TIME - 90, TIME - 90))
        if number == sent - 3 or number == sent - 1:
            take_in(lake, files, alone)
            files = []
    written = write(lake, alone, date(2012, 6, 20))
    letter, text = written.letters["DER"], _flat(written.text("DER/letter.txt"))
    assert letter.sent
    assert "S014" in {item.rule_id for item in letter.sent.findings}
    assert letter.number("B") == 0
    many = plural(letter.number("Q"), "query")
    stays = "it from taking the place of your version 1, which stays in the national totals"
    assert f"{many} keep" in text
    assert (stays if sent == 3 else "it out of the national totals for now") in text
    assert "It is in the national totals" not in text


def test_a_letter_names_a_file_as_the_force_sent_it(written: Written, six: Collection) -> None:
    now = standing(written.lake)
    sha256 = now.receipts.filter(force_code="DER", version=2)["sha256"].item()
    names = {sha256: "Own.xlsx"}
    (told,) = letters(written.lake, now, six, date(2012, 6, 20), None, "DER", names)
    assert "(Own.xlsx, version 2" in _flat(letter_page(told, "letter.txt"))


def test_a_letter_says_where_to_look_first_where_sums_do_not_hold(written: Written) -> None:
    for name in ("STF/letter.html", "STF/letter.txt"):
        said = _flat(" ".join(_Page(written.text(name)).said))
        assert "where to look first" in said.lower()
        assert "4 FINDINGS" in said.upper(), "in three things to do"
        _, _, told = said.partition("investigations C11")
        assert "Disclosure to others: Continuing" in told[:60]
        assert "C11: 5 in place of 50 mends what does not add up (C101, C102)." in told
        for follows in ("H11 (C101): the five outcomes", "C12 (C102): "):
            assert follows in told
    book = load_workbook(BytesIO(written.files["STF/STF-marked.xlsx"]))
    assert at(book, SLIP).fill.fgColor.rgb == FILLS["look"].fgColor.rgb
    for code in written.letters.keys() - {"STF"}:
        assert "LOOK FIRST" not in written.text(f"{code}/letter.txt")


def test_rules_are_linked_where_it_is_said_where_they_are_published(
    written: Written, monkeypatch: pytest.MonkeyPatch
) -> None:
    letter = written.letters["STF"]
    assert ("href", "https://") not in [(k, v[:8]) for k, v in _links(letter)]
    monkeypatch.setenv("MUSTER_RULES_URL", "https://returns.example/rules/")
    assert ("href", "https://returns.example/rules/structure.md#s010") in _links(letter)
    assert "https://returns.example/rules/structure.md#s010" in letter_page(letter, "letter.txt")
    monkeypatch.setenv("MUSTER_RULES_URL", "javascript:alert(1)//")
    assert "javascript" not in letter_page(letter, "letter.html")


def _links(letter: Letter) -> list[tuple[str, str]]:
    page = _Page(letter_page(letter, "letter.html"))
    return [(name, value or "") for name, value in page.attributes if name == "href"]


def test_a_missing_force_gets_a_blank_workbook(written: Written) -> None:
    book = load_workbook(BytesIO(written.files["WYK/WYK-blank.xlsx"]))
    assert at(book, ("cover", "force_code", "value")).value == "WYK"
    assert "muster template WYK" in _flat(written.text("WYK/letter.txt"))


def test_nothing_that_a_force_typed_is_markup(written: Written) -> None:
    for name in ("AVS/letter.html", "STF/letter.html", "index.html"):
        page = _Page(written.text(name))
        assert not {"script", "b", "img", "iframe"} & set(page.tags)
    assert not any(HOSTILE in written.text(name) for name in written.files if "letter" in name)
    assert "<b>STF.xlsx" in " ".join(_Page(written.text("STF/letter.html")).said)
    assert "WMP &amp; co.xlsx" in written.text("index.html")


def test_pages_load_nothing_and_can_be_read_aloud(written: Written) -> None:
    for name, content in written.files.items():
        if name.endswith(".html"):
            page = _Page(content.decode())
            assert ("lang", "en-GB") in page.attributes
            assert {"title", "main", "h1"} <= set(page.tags)
            assert not {"script", "img"} & set(page.tags)
            assert "url(" not in content.decode()
            links = [value or "" for key, value in page.attributes if key in {"href", "src"}]
            assert set(links) <= {*written.files, "data:,", "#main"}
            assert page.tags.count("th") == sum(k == "scope" for k, _ in page.attributes)


def test_plain_text_fits_a_terminal(written: Written) -> None:
    for name, content in written.files.items():
        if name.endswith(".txt"):
            assert max(map(len, content.decode().splitlines())) <= TEXT_WIDTH


@pytest.mark.parametrize(
    ("today", "asked"),
    [
        (date(2012, 6, 15), "by 15 June 2012."),
        (date(2012, 6, 29), "by 29 June 2012."),
        (date(2012, 6, 30), "as soon as you can."),
    ],
)
def test_the_deadline_is_the_next_one(today: date, asked: str, written: Written) -> None:
    for letter in written.letters.values():
        said = replace(letter, written_on=today).said("deadline")
        assert said.endswith(asked)


def test_only_notes_are_ever_left_out(written: Written) -> None:
    def with_findings(rule: str) -> Letter:
        stf = written.letters["STF"]
        assert stf.sent
        found = tuple(finding(rule, f"no. {n}", Place(f"sheet {n}")) for n in range(30))
        things = to_do(found, stf.collection.template)
        return replace(stf, sent=replace(stf.sent, things=things))

    for rule in ("S010", "S012"):
        text = letter_page(with_findings(rule), "letter.txt")
        assert all(f"no. {number}\n" in text for number in range(30))
    notes = letter_page(with_findings("X004"), "letter.txt")
    assert "For your information: 30 notes".upper() in notes
    assert "And 25 more notes, in the marked copy." in notes


@pytest.mark.slow
def test_a_copy_that_is_kept_is_the_one_that_would_be_made(
    written: Written, six: Collection
) -> None:
    """It is of the file under its name, of what was found in it, and of the template's words."""
    stf = written.letters["STF"]
    assert stf.sent
    sheets = tuple(replace(sheet, title="Changed") for sheet in six.template.sheets)
    changed = six.model_copy(update={"template": replace(six.template, sheets=sheets)})
    renamed = replace(stf.sent.receipt, file_name="other.xlsx")
    variants = [
        stf,
        replace(stf, sent=replace(stf.sent, things=stf.sent.things[1:])),
        replace(stf, sent=replace(stf.sent, receipt=renamed)),
        replace(stf, collection=changed),
    ]
    for letter in (*variants, *reversed(variants)):
        sent, store, template = letter.sent, RawStore(written.lake), letter.collection.template
        assert sent
        files = feedback_files([letter], [], written.lake, six)
        path, reading = store.path(sent.receipt), store.read(sent.receipt)
        name = sent.receipt.file_name
        known = path, reading, sent.things, template
        made = marked_copy(*known, name=name, not_evaluable=sent.untold)
        assert files["STF/STF-marked.xlsx"] == made


@pytest.mark.slow
def test_a_query_with_its_reason_is_not_asked_again(
    sample: Sample, tmp_path: Path, six: Collection
) -> None:
    """The force has done its part; the second person is one of the data team."""
    lake = Lake(tmp_path / "lake", six.id)
    path = sample("AVS").with_values({CARDS: "200"}).write(tmp_path / "AVS.xlsx")
    take_in(lake, [path], six)
    assert "AVS" in write(lake, six, date(2012, 6, 20)).letters
    ledger = Ledger(lake)
    findings = standing(lake).current_findings()
    for query in queries(findings, read_answers(ledger), lake.collection).to_dicts():
        answer_all(ledger, [(query, "Cards were given to all inspectors.")], "A. Analyst")
    assert "AVS" not in write(lake, six, date(2012, 6, 20)).letters


def test_a_rerun_removes_what_is_not_needed_now_and_nothing_else(tmp_path: Path) -> None:
    folder = tmp_path / "letters"
    write_feedback(folder, {"index.html": b"1", "STF/letter.txt": b"a", "DER/letter.txt": b"b"})
    (folder / "DER" / "our notes.txt").write_text("called on Monday")
    write_feedback(folder, {"index.html": b"2"})
    kept = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert kept == {"index.html", "DER/our notes.txt", LIST}
    assert not (folder / "STF").exists()
    assert (folder / "index.html").read_bytes() == b"2"


@pytest.mark.parametrize("name", ["report.docx", LIST])
def test_a_folder_of_other_things_is_refused(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text("mine")
    with pytest.raises(SetupError, match="Name a new folder"):
        write_feedback(tmp_path, {"index.html": b"1"})
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_the_command_writes_the_folder(
    sample: Sample, tmp_path: Path, six: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = f"{six.id}.toml"
    codes = [*six.forces, "CHS", "WMC"]  # which its published figures are about too
    forces = f"forces = {json.dumps(codes)}"
    text = (COLLECTIONS / file).read_text(encoding="utf-8")
    (tmp_path / file).write_text(re.sub(r"^forces = \[[^]]*\]", forces, text, count=1, flags=re.M))
    monkeypatch.setenv("MUSTER_COLLECTIONS", str(tmp_path))
    monkeypatch.setenv("MUSTER_LAKE", str(tmp_path / "lake"))
    path = sample("STF").with_values({BLANK: None}).write(tmp_path / "STF.xlsx")
    take_in(Lake(tmp_path / "lake", six.id), [path], six)
    out = tmp_path / "out"
    for _ in range(2):
        said = CliRunner().invoke(command, ["--out", str(out)])
        assert said.exit_code == 0, said.output
        assert "Wrote 8 letters" in said.output
        assert "STF: rejected" in said.output
    assert sorted(path.name for path in out.iterdir() if path.is_dir()) == sorted(codes)
    found = load_workbook(out / "STF" / "STF-marked.xlsx")
    assert "S010" in at(found, BLANK).comment.text
