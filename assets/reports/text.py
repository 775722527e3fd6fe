"""Gets the plain text out of a published report's file.

Belongs here: file formats, encodings, size, and what to tell people when there is no text.
Does not: what the text says (reader.py).
"""

from collections.abc import Callable
from pathlib import Path
from typing import Final

from schemas.errors import MusterError

MAX_BYTES: Final = 20 * 1024 * 1024
_PDF_HEADER: Final = b"%PDF-"
_PDF_HEADER_WITHIN: Final = 1024


class UnreadableReportError(MusterError):
    """A report's file holds no text that can be read; the message says what to do."""

    def __init__(self, path: Path, problem: str, next_step: str) -> None:
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
    read = _READERS.get(path.suffix.lower())
    if read is None:
        kinds = ", ".join(_READERS)
        raise UnreadableReportError(
            path, f"a report is read from {kinds}, not from {path.suffix or 'a file without type'}",
            "Save it as one of these.",
        )  # fmt: skip
    text = read(path, _content(path))
    if not text.strip():
        raise UnreadableReportError(path, "there is no text in it", "Get the report again.")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _content(path: Path) -> bytes:
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise UnreadableReportError(
                path, f"it has {size:,} bytes; at most {MAX_BYTES:,} are read",
                "A force report is far smaller: check that this is one, or save its text alone.",
            )  # fmt: skip
        content = path.read_bytes()
    except OSError as error:
        reason = error.strerror or str(error)
        raise UnreadableReportError(
            path, f"it cannot be opened ({reason})", "Check the name and your access to it."
        ) from error
    if not content.strip():
        raise UnreadableReportError(path, "the file is empty", "Get the report again.")
    return content


def _plain_text(path: Path, content: bytes) -> str:
    if content.startswith(_PDF_HEADER):
        raise UnreadableReportError(
            path, "it is a PDF under another name", "Rename it so that it ends in .pdf."
        )
    if b"\0" in content:
        raise UnreadableReportError(
            path, "it is not plain text in UTF-8", "Open it and save it as UTF-8 text, or as PDF."
        )
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        # Five bytes have no meaning in cp1252; a report is still readable without them.
        return content.decode("cp1252", errors="replace")


def _pdf_text(path: Path, content: bytes) -> str:
    if _PDF_HEADER not in content[:_PDF_HEADER_WITHIN]:
        raise UnreadableReportError(
            path, "it is not a PDF, whatever its name says", "Get the report again."
        )
    pages = _pdf_pages(path, content)
    if not any(page.strip() for page in pages):
        raise UnreadableReportError(
            path, f"its {len(pages)} page(s) hold pictures but no text, as a scan does",
            "Run text recognition (OCR) on it, or copy its text into a .txt file.",
        )  # fmt: skip
    return "\n".join(pages)


def _pdf_pages(path: Path, content: bytes) -> list[str]:
    # Imported here because only PDFs need it and every other command would pay for it.
    import io  # noqa: PLC0415
    import logging  # noqa: PLC0415

    import pypdf  # noqa: PLC0415

    # A damaged file makes pypdf log a line for each fault it mends; only the outcome matters here.
    logging.getLogger("pypdf").setLevel(logging.CRITICAL)
    try:
        document = pypdf.PdfReader(io.BytesIO(content))
        if document.is_encrypted and not document.decrypt(""):
            raise UnreadableReportError(
                path, "it is encrypted", "Save a copy without a password and read that."
            )
        return [page.extract_text() for page in document.pages]
    except UnreadableReportError:
        raise
    # pypdf lets whatever a broken file provokes through: KeyError, RecursionError, struct.error...
    except Exception as error:
        raise UnreadableReportError(
            path, f"the PDF is damaged ({type(error).__name__})", "Get the report again."
        ) from error


_READERS: Final[dict[str, Callable[[Path, bytes], str]]] = {
    ".txt": _plain_text,
    ".md": _plain_text,
    ".pdf": _pdf_text,
}
