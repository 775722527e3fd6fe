"""Gets the plain text out of a published report's file."""

import io
import logging
from pathlib import Path
from typing import Final

from schemas.errors import MusterError

MAX_BYTES: Final = 20 * 1024 * 1024
_PDF_HEADER: Final = b"%PDF-"
_PDF_HEADER_WITHIN: Final = 1024
_TEXT: Final = (".txt", ".md")
_KINDS: Final = (*_TEXT, ".pdf")
_AGAIN: Final = "Get the report again."


class UnreadableReportError(MusterError):
    """A report's file holds no text that can be read; the message says what to do."""

    def __init__(self, path: Path, problem: str, next_step: str = _AGAIN) -> None:
        """Name the file, what is wrong with it, and what to do."""
        super().__init__(f"{path}: {problem}. {next_step}")
        self.path = path


def report_text(path: Path) -> str:
    r"""Return the text of a .txt, .md or .pdf file, its lines ended by `\n`.

    Lines of a text file keep their numbers; pages of a PDF follow each other line by line.

    Raises:
        UnreadableReportError: the file is missing, too large, empty, encrypted, neither text nor
            PDF, or a PDF that holds pictures of pages only.
    """
    kind = path.suffix.lower()
    if kind not in _KINDS:
        read = f"a report is read from {', '.join(_KINDS)}"
        problem = f"{read}, not from {path.suffix or 'a file without type'}"
        raise UnreadableReportError(path, problem, "Save it as one of these.")
    try:
        if (size := path.stat().st_size) > MAX_BYTES:
            problem = f"it has {size:,} bytes; at most {MAX_BYTES:,} are read"
            step = "A force report is far smaller: check that this is one, or save its text alone."
            raise UnreadableReportError(path, problem, step)
        content = path.read_bytes()
    except OSError as error:
        problem = f"it cannot be opened ({error.strerror or error})"
        step = "Check the name and your access to it."
        raise UnreadableReportError(path, problem, step) from error
    if not content.strip():
        raise UnreadableReportError(path, "the file is empty")
    text = _plain_text(path, content) if kind in _TEXT else _pdf_text(path, content)
    if not text.strip():
        raise UnreadableReportError(path, "there is no text in it")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _plain_text(path: Path, content: bytes) -> str:
    if content.startswith(_PDF_HEADER):
        problem, step = "it is a PDF under another name", "Rename it so that it ends in .pdf."
        raise UnreadableReportError(path, problem, step)
    if b"\0" in content:
        problem = "it is not plain text in UTF-8"
        step = "Open it and save it as UTF-8 text, or as PDF."
        raise UnreadableReportError(path, problem, step)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        # Five bytes have no meaning in cp1252; a report is still readable without them.
        return content.decode("cp1252", errors="replace")


def _pdf_text(path: Path, content: bytes) -> str:
    if _PDF_HEADER not in content[:_PDF_HEADER_WITHIN]:
        raise UnreadableReportError(path, "it is not a PDF, whatever its name says")
    import pypdf  # noqa: PLC0415 - only PDFs need it, and every other command would pay for it

    # A damaged file makes pypdf log a line for each fault it mends; only the outcome matters here.
    logging.getLogger("pypdf").setLevel(logging.CRITICAL)
    try:
        document = pypdf.PdfReader(io.BytesIO(content))
        locked = document.is_encrypted and not document.decrypt("")
        pages = [] if locked else [page.extract_text() for page in document.pages]
    # pypdf lets whatever a broken file provokes through: KeyError, RecursionError, struct.error...
    except Exception as error:
        problem = f"the PDF is damaged ({type(error).__name__})"
        raise UnreadableReportError(path, problem) from error
    if locked:
        step = "Save a copy without a password and read that."
        raise UnreadableReportError(path, "it is encrypted", step)
    if not any(page.strip() for page in pages):
        problem = f"its {len(pages)} page(s) hold pictures but no text, as a scan does"
        step = "Run text recognition (OCR) on it, or copy its text into a .txt file."
        raise UnreadableReportError(path, problem, step)
    return "\n".join(pages)
