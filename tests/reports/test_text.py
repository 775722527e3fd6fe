"""Text comes out of every file that has some; of the others people learn what to do."""

import json
from pathlib import Path

import pypdf
import pytest
from click.testing import CliRunner

from assets.inputs.reports import kept_reports as reports_text
from assets.inputs.reports.kept_reports import UnreadableReportError, report_text
from assets.inputs.reports.report import read_report
from pipelines.cli.figures import read_report as command
from schemas.errors import MusterError
from tests.reports.reading import KENT, TIMES, said

BODY = KENT.format("The force received 91 applications for second jobs; 88 were approved.")


def pdf_of(text: str) -> bytes:
    """Return a PDF with one page, its lines set as they are in the text."""
    shown = text.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)").split("\n")
    lines = " ".join(f"({line}) Tj T*" for line in shown)
    content = f"BT /F1 10 Tf 12 TL 50 780 Td {lines} ET".encode("latin-1") if text else b""
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R"
        b" /Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(content), content),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
    ]
    made, places = b"%PDF-1.4\n", []
    for number, entry in enumerate(objects, start=1):
        places.append(len(made))
        made += b"%d 0 obj\n%s\nendobj\n" % (number, entry)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    head = b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    trailer = b"trailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF"
    return made + head + table + trailer % (len(objects) + 1, len(made))


@pytest.mark.parametrize("name", ["report.txt", "REPORT.TXT", "report.md"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252"])
def test_plain_text_is_read_in_its_encoding(tmp_path: Path, name: str, encoding: str) -> None:
    path = tmp_path / name
    path.write_bytes("The force’s café\r\nis “open”\n".encode(encoding))
    assert report_text(path) == "The force’s café\nis “open”\n"


def test_a_pdf_is_read_like_its_text(tmp_path: Path) -> None:
    path = tmp_path / "report.pdf"
    path.write_bytes(pdf_of(BODY))
    report = read_report(report_text(path), TIMES)
    assert report.force_code == "KEN"
    assert said(report) == {"app=91", "ok=88"}


def test_a_pdf_without_password_is_read_though_encrypted(tmp_path: Path) -> None:
    assert "Kent Police" in report_text(encrypted(tmp_path, password=""))


def encrypted(folder: Path, password: str) -> Path:
    plain = folder / "plain.pdf"
    plain.write_bytes(pdf_of(BODY))
    writer = pypdf.PdfWriter(clone_from=plain)
    writer.encrypt(user_password=password, owner_password="owner", algorithm="AES-256")
    path = folder / "locked.pdf"
    writer.write(path)
    return path


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("a.txt", b"", "the file is empty"),
        ("a.txt", b" \n\n", "the file is empty"),
        ("a.txt", b"\xef\xbb\xbf\n", "no text in it"),
        ("a.txt", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "not plain text"),
        ("a.txt", "Kent".encode("utf-16"), "not plain text"),
        ("a.txt", b"%PDF-1.4 ...", "a PDF under another name"),
        ("a.pdf", b"Kent Police", "not a PDF"),
        ("a.pdf", b"%PDF-1.4\nnothing else", "the PDF is damaged"),
        ("a.pdf", pdf_of(BODY)[:300], "the PDF is damaged"),
        ("a.pdf", pdf_of(""), "pictures but no text"),
        ("a.docx", b"PK\x03\x04", "not from .docx"),
        ("a", b"Kent Police", "not from a file without type"),
    ],
)
def test_what_holds_no_text_says_what_to_do(
    tmp_path: Path, name: str, content: bytes, problem: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(UnreadableReportError, match=problem) as raised:
        report_text(path)
    assert isinstance(raised.value, MusterError)
    assert str(raised.value).startswith(str(path))
    assert str(raised.value).endswith(".")


def test_a_locked_pdf_says_so(tmp_path: Path) -> None:
    with pytest.raises(UnreadableReportError, match=r"encrypted\. Save a copy without a password"):
        report_text(encrypted(tmp_path, password="secret"))


def test_a_missing_file_and_a_folder_are_explained(tmp_path: Path) -> None:
    (tmp_path / "folder.txt").mkdir()
    for name in ("none.txt", "folder.txt"):
        with pytest.raises(UnreadableReportError, match="cannot be opened"):
            report_text(tmp_path / name)


def test_a_file_too_large_is_not_even_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reports_text, "MAX_BYTES", 10)
    (tmp_path / "a.txt").write_text("Kent Police, December 2012")
    with pytest.raises(UnreadableReportError, match="26 bytes; at most 10 are read"):
        report_text(tmp_path / "a.txt")
    monkeypatch.undo()
    monkeypatch.setattr(reports_text, "MAX_TEXT", 10)
    with pytest.raises(UnreadableReportError, match="26 characters of text; at most 10 are read"):
        report_text(tmp_path / "a.txt")


def test_a_program_is_told_what_is_to_be_looked_up_and_what_is_no_report(tmp_path: Path) -> None:
    """Without it, a figure in doubt looks like one that the report does not print."""
    doubtful, none = tmp_path / "kent.txt", tmp_path / "none.pdf"
    doubtful.write_text(BODY.replace("91", "about 91"))
    none.write_bytes(b"Kent Police")
    result = CliRunner().invoke(command, ["--json", str(doubtful), str(none)])
    assert result.exit_code == 2
    assert CliRunner().invoke(command, [str(doubtful)]).exit_code == 1
    doubtful.write_text(BODY)
    assert CliRunner().invoke(command, [str(doubtful)]).exit_code == 0
    kent, unread = json.loads(result.stdout)
    assert (kent["force_code"], kent["figures"]) == ("KEN", [])
    assert "about 91 applications" in kent["problems"][0]
    assert (unread["force_code"], unread["figures"]) == (None, [])
    assert unread["problems"] == [
        f"{none}: it is not a PDF, whatever its name says. Get the report again."
    ]
