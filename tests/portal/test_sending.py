"""A workbook in: a verdict, or a file in landing and a receipt; nothing of anybody else."""

import hashlib
import json
import multiprocessing
import os
import re
import resource
from base64 import b64decode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

import openpyxl
import pytest

from assets.returns.desk.decisions import Ledger
from assets.returns.desk.sign_off import PREPARED, sign_off
from pipelines import doctor
from pipelines.portal import sending
from pipelines.portal.accounts import Accounts
from pipelines.portal.demo import make_accounts
from pipelines.portal.judging import verdicts
from pipelines.portal.uploads import Upload
from pipelines.portal.web import Portal
from schemas.collection import Collection
from tests.portal.conftest import Browser, log_of
from tests.returns import SampleReturn

Open = Callable[..., Browser]


@pytest.fixture(scope="module")
def workbook(
    tmp_path_factory: pytest.TempPathFactory, collection: Collection
) -> Callable[..., bytes]:
    """Return a way to make a force's return with some entries changed."""
    path = tmp_path_factory.mktemp("made") / "made.xlsx"

    @cache
    def made(force_code: str, *changes: tuple[str, str, str, str]) -> bytes:
        changed = {(sheet, row, column): value for sheet, row, column, value in changes}
        whole = SampleReturn.of(force_code, collection).with_values(changed)
        return whole.write(path).read_bytes()

    return made


def _files(portal: Portal) -> list[str]:
    """Return everything that lies in the lake, but for what the portal must note anyway."""
    own = {"accounts.json", ".accounts.lock", "secret", "state.sqlite"}
    paths = (path for path in portal.lake.root.rglob("*") if path.is_file())
    return sorted(p.name for p in paths if not (p.name in own or p.name.startswith("audit-")))


def test_checking_keeps_nothing(browser: Open, portal: Portal, workbook: Any) -> None:
    found = browser("stf.prepares")
    found.go("/")
    answer = found.upload("/check", workbook("STF", ("investigations", "total", "total", "331")))
    assert answer.status_code == 200
    assert "C103" in answer.text
    assert "Not asked of one return alone" in answer.text
    assert "where to look first" in answer.text
    (link,) = re.findall(
        r'href="data:[^,]*;base64,([^"]*)" download="STF-marked.xlsx"', answer.text
    )
    marked = openpyxl.load_workbook(BytesIO(b64decode(link)))
    assert marked.sheetnames[0] == "problems"
    assert _files(portal) == []
    line = log_of(portal)[-1]
    assert (line["action"], line["state"]) == ("check", "rejected")


def test_sending_puts_the_same_bytes_into_landing_and_gives_a_receipt(
    browser: Open, portal: Portal, workbook: Any
) -> None:
    found, content = browser("stf.prepares"), workbook("STF")
    found.go("/")
    answer = found.upload("/send", content, "../../../etc/passwd.xlsx")
    digest = hashlib.sha256(content).hexdigest()
    assert answer.url.path == "/receipts/1"
    assert "Receipt STF-0001" in answer.text
    assert "<dt>File</dt><dd>passwd.xlsx</dd>" in answer.text
    assert digest in answer.text
    assert f"<dt>Lies in landing as</dt><dd>STF-{digest[:16]}.xlsx</dd>" in answer.text
    (landed,) = portal.lake.landing.iterdir()
    assert landed.name == f"STF-{digest[:16]}.xlsx"
    assert landed.read_bytes() == content
    assert sign_off(Ledger(portal.lake), digest[:16]).level == PREPARED
    for again in (found, browser("stf.signs")):
        again.go("/")
        assert again.upload("/send", content).url.path == "/receipts/1"
        assert "You have sent this file already" in again.shown.text
    assert sign_off(Ledger(portal.lake), digest[:16]).recorded[PREPARED].by == "stf.prepares"
    assert len(list(portal.lake.landing.iterdir())) == 1
    assert "waits to be taken in" in found.go("/").text
    signs = browser("stf.signs")
    signs.go("/receipts/1")
    signs.send("/receipts/1/sign")
    assert "What is to do" not in signs.go("/").text, "nothing is"


def test_what_must_be_mended_is_received_and_says_so(
    browser: Open, portal: Portal, workbook: Any
) -> None:
    found = browser("stf.signs")
    found.go("/")
    answer = found.upload("/send", workbook("STF", ("investigations", "total", "total", "331")))
    assert "It does not count until" in answer.text
    assert "what blocks it must be mended first.\n</p>" in found.go("/").text, "in its first line"
    assert "nothing is left to do" not in found.shown.text
    desk = browser("desk.one")
    (row,) = re.findall(r"<tr>(?:(?!</tr>).)*Staffordshire.*?</tr>", desk.go("/").text, re.S)
    assert ("STF-0001 waits to be taken in" in row, "Ask for its return" in row) == (True, False)
    assert "waits to be taken in: 2 blocking findings" in desk.go("/desk/forces/STF").text
    copy = found.go("/receipts/1/marked.xlsx").content
    assert openpyxl.load_workbook(BytesIO(copy)).sheetnames[0] == "problems"
    assert len(list(portal.lake.landing.iterdir())) == 1
    found.go("/")
    signed = found.send("/receipts/1/sign")
    assert (signed.status_code, "it must be mended first" in signed.text) == (422, True)
    assert sign_off(Ledger(portal.lake), sending.Sent(portal, "STF").receipts()[0].receipt_id).due


@pytest.mark.parametrize("path", ["/check", "/send"])
def test_another_forces_workbook_is_told_like_one_of_no_force(
    browser: Open, portal: Portal, workbook: Any, path: str
) -> None:
    found = browser("stf.prepares")
    place = ("cover", "force_code", "value")
    told = []
    for content in (
        workbook("KEN"),
        workbook("STF", (*place, "XXX")),
        workbook("STF", (*place, "KEN")),
    ):
        found.go("/")
        answer = found.upload(path, content)
        assert answer.status_code == 422
        assert "KEN" not in answer.text
        assert "Kent" not in answer.text
        told.append(answer.text)
    assert len(set(told)) == 1
    assert _files(portal) == []


def test_a_file_that_is_no_return_is_told_and_not_kept(browser: Open, portal: Portal) -> None:
    bomb = BytesIO()
    with ZipFile(bomb, "w", ZIP_DEFLATED) as made:
        made.writestr("cover.csv", bytes(20 * 1024**2))
    found = browser("stf.prepares")
    for path, code, content in (
        ("/check", 200, b"%PDF-1.4 not a workbook"),
        ("/send", 422, bomb.getvalue()),
    ):
        found.go("/")
        answer = found.upload(path, content)
        assert answer.status_code == code
        assert "S001" in answer.text
        assert "This could not be read as a return" in answer.text
        assert "What was counted" not in answer.text
    assert _files(portal) == []


def test_a_force_sees_nothing_of_another(browser: Open, workbook: Any) -> None:
    """What is another's is answered as what is not there at all, to the letter."""
    mine, other = browser("stf.prepares"), browser("ken.prepares")
    mine.go("/")
    mine.upload("/send", workbook("STF"))
    nothing = other.go("/receipts/99")
    assert nothing.status_code == 404
    for path in ("/receipts/1", "/receipts/1/marked.xlsx", "/receipts/STF-0001", "/nothing"):
        answer = other.go(path)
        assert (answer.status_code, answer.text) == (404, nothing.text)
    other.go("/")
    other.upload("/send", workbook("KEN"))
    assert "KEN-0001" in other.shown.text, "numbers tell nothing of how many others have sent"


@pytest.mark.parametrize("token", ["", "0" * 64])
def test_a_file_in_a_form_that_is_not_ours_is_not_even_written(
    browser: Open, portal: Portal, token: str
) -> None:
    found = browser("stf.prepares")
    for data in ({"token": token}, {}):
        answer = found.client.post("/send", data=data, files={"return": ("a.xlsx", b"x" * 100)})
        assert answer.status_code == 403
    last = b'--b\r\nContent-Disposition: form-data; name="return"; filename="a"\r\n\r\nxx\r\n'
    last += b'--b\r\nContent-Disposition: form-data; name="token"\r\n\r\n'
    last += found.go("/") and found.token.encode()
    kind = {"Content-Type": "multipart/form-data; boundary=b"}
    answer = found.client.post("/send", content=last + b"\r\n--b--\r\n", headers=kind)
    assert answer.status_code == 403
    assert _files(portal) == []


def test_a_form_that_is_cut_off_or_strange_is_refused(browser: Open, portal: Portal) -> None:
    found = browser("stf.prepares")
    found.go("/")
    whole = b'--b\r\nContent-Disposition: form-data; name="token"\r\n\r\n' + found.token.encode()
    whole += b'\r\n--b\r\nContent-Disposition: form-data; name="return"; filename="a"\r\n\r\nxx\r\n'
    kind = {"Content-Type": "multipart/form-data; boundary=b"}
    for content in (whole, b"nothing", whole + b"--c--", b""):
        answer = found.client.post("/send", content=content, headers=kind)
        assert answer.status_code == 400
    assert found.client.post("/send", content=whole).status_code == 400
    assert _files(portal) == []


@pytest.mark.parametrize("told", [True, False])
def test_what_is_too_large_is_refused_before_it_has_come(
    browser: Open, portal: Portal, told: bool
) -> None:
    found = browser("stf.prepares")
    found.go("/")

    def body() -> Iterator[bytes]:
        yield b'--b\r\nContent-Disposition: form-data; name="token"\r\n\r\n' + found.token.encode()
        yield b'\r\n--b\r\nContent-Disposition: form-data; name="return"; filename="a"\r\n\r\n'
        yield from [b"0" * 1024**2] * 12

    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    if told:
        headers["Content-Length"] = str(1024**3)
    answer = found.client.post("/send", content=b"" if told else body(), headers=headers)
    assert answer.status_code == 413
    assert answer.headers["connection"] == "close"
    assert _files(portal) == []


@pytest.mark.parametrize("moment", ["landing", "receipt"])
def test_killed_in_between_nothing_is_lost_and_nothing_twice(
    browser: Open, portal: Portal, workbook: Any, moment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object, **__: object) -> None:
        raise KeyError("nothing of what stands here is shown")

    found, content = browser("stf.prepares"), workbook("STF")
    found.go("/")
    with monkeypatch.context() as patch:
        if moment == "landing":
            patch.setattr("assets.lake.put_in_place", killed)
        else:
            patch.setattr(sending.Sent, "_write", killed)
        answer = found.upload("/send", content)
        assert answer.status_code == 500
        assert "nothing of what" not in answer.text
    assert [p.name[0] for p in portal.lake.landing.iterdir()] == ["S"] * (moment == "receipt")
    assert found.go("/receipts/1").status_code == 404
    found.go("/")
    assert "Receipt STF-0001" in found.upload("/send", content).text
    (landed,) = portal.lake.landing.iterdir()
    assert landed.read_bytes() == content


def test_a_receipt_never_leads_to_a_copy_that_is_not_there(
    browser: Open, workbook: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed between the two files, and sent again."""
    whole = sending.write_private

    def killed(path: Path, content: bytes) -> None:
        if path.suffix == ".json":
            raise KeyError
        whole(path, content)

    found, content = (
        browser("stf.prepares"),
        workbook("STF", ("investigations", "total", "total", "331")),
    )
    found.go("/")
    with monkeypatch.context() as patch:
        patch.setattr(sending, "write_private", killed)
        assert found.upload("/send", content).status_code == 500
    found.go("/")
    found.upload("/send", content)
    assert found.go("/receipts/1/marked.xlsx").status_code == 200


@contextmanager
def _no_file_beyond(size: int) -> Iterator[None]:
    """Let the system refuse what makes a file longer, as it does where the disk is full."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_disk_that_is_full_while_a_file_comes_is_told_and_nothing_kept(
    browser: Open, portal: Portal, caplog: pytest.LogCaptureFixture
) -> None:
    found = browser("stf.prepares")
    found.go("/")
    with _no_file_beyond(256 * 1024):
        answer = found.upload("/send", bytes(1024 * 1024))
    assert answer.status_code == 507
    assert "was not received" in answer.text
    assert "cannot be written (File too large)" in caplog.text
    assert "Free space" in caplog.text
    assert _files(portal) == []


@pytest.mark.parametrize("suffix", [".json", ".xlsx"])
def test_a_disk_that_is_full_when_a_receipt_is_written_gives_none_until_it_is_sent_again(
    browser: Open, portal: Portal, workbook: Any, suffix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = sending.write_private

    def tight(path: Path, content: bytes) -> None:
        with _no_file_beyond(100 if path.suffix == suffix else 2**30):
            whole(path, content)

    found = browser("stf.prepares")
    content = workbook("STF", ("investigations", "total", "total", "331"))
    found.go("/")
    with monkeypatch.context() as patch:
        patch.setattr(sending, "write_private", tight)
        assert found.upload("/send", content).status_code == 507
    assert found.go("/receipts/1").status_code == 404
    assert not list(portal.folder.rglob("*.partial"))
    found.go("/")
    assert "Receipt STF-0001" in found.upload("/send", content).text
    assert found.go("/receipts/1/marked.xlsx").status_code == 200
    assert [path.read_bytes() for path in portal.lake.landing.iterdir()] == [content]


def test_a_disk_that_is_full_lets_nobody_do_what_cannot_be_noted(
    browser: Open, caplog: pytest.LogCaptureFixture
) -> None:
    found = browser("stf.prepares")
    with _no_file_beyond(0):
        answer = found.go("/")
    assert (answer.status_code, "was not received" in answer.text) == (507, True)
    assert "state.sqlite: cannot be written" in caplog.text
    assert found.go("/").status_code == 200


def test_two_processes_that_are_given_one_file_at_once_give_one_receipt(
    portal: Portal, workbook: Any, tmp_path: Path, collection: Collection
) -> None:
    """The one that judged it first, and the one that judged it meanwhile."""
    path = tmp_path / "STF.xlsx"
    path.write_bytes(workbook("STF", ("investigations", "total", "total", "331")))
    (verdict,) = verdicts([(path, "STF")], collection)
    content = path.read_bytes()
    upload = Upload(path, hashlib.sha256(content).hexdigest(), len(content))
    there = multiprocessing.get_context("fork")
    ready, told = there.Barrier(2), there.SimpleQueue()

    def send() -> None:
        ready.wait(60)
        receipt, is_new = sending.Sent(portal, "STF").send(upload, verdict, "stf.prepares")
        told.put((receipt.number, is_new))

    processes = [there.Process(target=send) for _ in range(2)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert sorted(told.get() for _ in processes) == [(1, False), (1, True)]
    assert len(sending.Sent(portal, "STF").receipts()) == 1
    assert [landed.read_bytes() for landed in portal.lake.landing.iterdir()] == [content]


def test_receipts_go_on_beyond_four_digits(browser: Open, portal: Portal, workbook: Any) -> None:
    found = browser("stf.prepares")
    found.go("/")
    found.upload("/send", workbook("STF"))
    folder = portal.folder / "receipts" / portal.collection.id / "STF"
    first = json.loads((folder / "0001.json").read_text())
    for number in (9999, 10000):
        text = json.dumps({**first, "number": number, "sha256": f"{number:064d}"})
        (folder / f"{number}.json").write_text(text)
    found.go("/")
    found.upload("/send", workbook("STF", ("cover", "data_as_at", "value", "2012-06-02")))
    numbers = [each.number for each in sending.Sent(portal, "STF").receipts()]
    assert numbers == [10001, 10000, 9999, 1]


def test_the_doctor_looks_at_the_page_too(browser: Open, portal: Portal, workbook: Any) -> None:
    found = browser("stf.prepares")
    found.go("/")
    found.upload("/send", workbook("STF"))
    (well,) = doctor.portal(portal.folder)
    assert well.level == "ok"
    left = portal.folder / "uploads" / portal.collection.id / "left"
    left.write_bytes(b"x")
    os.utime(left, (0, 0))
    (portal.folder / "secret").unlink()
    portal.accounts.path.chmod(0o644)
    (landed,) = portal.lake.landing.iterdir()
    landed.unlink()
    told = {Path(each.where).name: each.observed for each in doctor.portal(portal.folder)}
    assert told == {
        "secret": "is not there",
        "accounts.json": "others may read it (2 paths in all)",
        "0001.json": "receipt STF-0001 is for a file that lies neither in landing nor in raw",
        "left": "1 upload of a page that was killed",
    }
    portal.accounts.path.write_text("{")
    (first, *_) = doctor.portal(portal.folder)
    assert (first.level, first.observed) == ("bad", "is no accounts file (JSONDecodeError)")


def test_an_account_made_up_anew_has_no_session_of_before(tmp_path: Path) -> None:
    versions = set()
    for _ in range(2):
        make_accounts(tmp_path, ["STF"])
        versions.add(Accounts(tmp_path).all()["stf.prepares"].version)
    assert len(versions) == 2


def test_the_workbook_to_fill_is_that_of_the_force(browser: Open) -> None:
    answer = browser("stf.prepares").go("/blank/workbook.xlsx")
    assert 'filename="STF-2012-revisit.xlsx"' in answer.headers["content-disposition"]
    book = openpyxl.load_workbook(BytesIO(answer.content))
    cells = [cell.value for row in book["cover"].iter_rows() for cell in row]
    assert "STF" in cells
    summed = browser("stf.prepares").go("/blank/workbook-with-sums.xlsx").content
    assert openpyxl.load_workbook(BytesIO(summed))["investigations"]["H6"].value
    answer = browser("stf.prepares").go("/blank/workbook.ods")
    assert answer.headers["content-disposition"].endswith('.ods"')
    assert b"opendocument.spreadsheet" in answer.content[:100]
