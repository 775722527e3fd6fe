"""Force reports: their text, kept by the hash of their files and read into one table of figures."""

import hashlib
import io
import json
import logging
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import polars as pl

from assets.intake.landing import LeftError, opened, waiting
from assets.intake.reader import forces_by_name
from assets.intake.store import ID_LENGTH, kept, kept_at, kept_file
from assets.kept import made_once
from assets.lake import Lake, atomic_file
from schemas.collection import Collection
from schemas.conform import conform
from schemas.contract import empty
from schemas.errors import MusterError
from schemas.tables import ReportFigures
from schemas.wording import plural

MAX_BYTES: Final = 20 * 1024 * 1024
MAX_TEXT: Final = 2_000_000
"""Characters, a hundred times those of a force report; to read them takes some fifteen seconds."""
_PDF_HEADER: Final = b"%PDF-"
_PDF_HEADER_WITHIN: Final = 1024
_TEXT: Final = (".txt", ".md")
_KINDS: Final = (*_TEXT, ".pdf")
_AGAIN: Final = "Get the report again."
_FAR_SMALLER: Final = (
    "A force report is far smaller: check that this is one, or save its text alone."
)


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
        given = path.suffix or "a file without type"
        problem = f"a report is read from {', '.join(_KINDS)}, not from {given}"
        raise UnreadableReportError(path, problem, "Save it as one of these.")
    try:
        if (size := path.stat().st_size) > MAX_BYTES:
            problem = f"it has {size:,} bytes; at most {MAX_BYTES:,} are read"
            raise UnreadableReportError(path, problem, _FAR_SMALLER)
        content = path.read_bytes()
    except OSError as error:
        problem = f"it cannot be opened ({error.strerror or error})"
        raise UnreadableReportError(
            path, problem, "Check the name and your access to it."
        ) from error
    if not content.strip():
        raise UnreadableReportError(path, "the file is empty")
    text = _plain_text(path, content) if kind in _TEXT else _pdf_text(path, content)
    if not text.strip():
        raise UnreadableReportError(path, "there is no text in it")
    if len(text) > MAX_TEXT:
        problem = f"it holds {len(text):,} characters of text; at most {MAX_TEXT:,} are read"
        raise UnreadableReportError(path, problem, _FAR_SMALLER)
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _plain_text(path: Path, content: bytes) -> str:
    if content.startswith(_PDF_HEADER):
        step = "Rename it so that it ends in .pdf."
        raise UnreadableReportError(path, "it is a PDF under another name", step)
    if b"\0" in content:
        step = "Open it and save it as UTF-8 text, or as PDF."
        raise UnreadableReportError(path, "it is not plain text in UTF-8", step)
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


@dataclass(frozen=True)
class ReportsRead:
    """`figures`: table ReportFigures. `problems`: why files were not read whole, by their names.

    No problem quotes a report.
    """

    figures: pl.DataFrame
    problems: dict[str, list[str]]


def read_reports(
    lake: Lake,
    collection: Collection,
    settled: Callable[[Path], bool] = lambda _: True,
    damaged: pl.DataFrame | None = None,
) -> ReportsRead:
    """Keep the reports that were dropped, and read every report ever kept.

    Of a force of which a report is damaged there are no figures: another of its reports could say
    something else. Where it cannot be told whose that was, there are none at all.

    `damaged` is the table DamagedReceipts, which tells whose a damaged report was.

    Raises:
        UnavailableError: a report cannot be kept.
    """
    whose = {} if damaged is None else dict(damaged.select("receipt_id", "force_code").iter_rows())
    lost: set[str | None] = set()
    rows: list[dict[str, object]] = []
    problems = _keep_dropped(lake, settled)
    for each in kept(lake, "report"):
        if damage := each.damage():
            force = whose.get(each.sha256[:ID_LENGTH])
            lost.add(force)
            place = each.place.relative_to(lake.root)
            problems[each.name] = [
                f"{place}: {damage}. Restore it from the backup of the lake, or drop the report"
                f" again. Until then no figure of {force or 'any report'} counts"
            ]
            continue
        path = each.place
        try:
            said = _read(lake, path, each.sha256, collection)
        except UnreadableReportError as error:
            problems[path.name] = [str(error).removeprefix(f"{path}: ")]
            continue
        if number := len(said["problems"]):
            # Not in their own words: they quote the report, and this is logged.
            told = f"muster read-report {path} says what it leaves out"
            problems[path.name] = [f"{plural(number, 'problem')}; {told}"]
        if force := said["force_code"]:
            about = {"file_name": path.name, "sha256": each.sha256, "force_code": force}
            rows += [{**about, **figure} for figure in said["figures"]]
    table = conform(ReportFigures, pl.DataFrame(rows, schema=empty(ReportFigures).schema))
    counts = pl.lit(None not in lost) & ~pl.col("force_code").is_in(list(lost - {None}))
    return ReportsRead(table.filter(counts), problems)


def _read(lake: Lake, path: Path, sha256: str, collection: Collection) -> dict[str, Any]:
    """Read a report once: what it says is kept by its bytes, and by what they are read with."""
    # Hundreds of patterns, compiled for whoever has a report.
    from assets.inputs.reports.report import read_report  # noqa: PLC0415
    from assets.inputs.reports.signs import Times  # noqa: PLC0415

    times = Times.of(collection)
    names = sorted(forces_by_name().items())
    key = (sha256, path.suffix.lower(), json.dumps([times, names]))

    def make() -> bytes:
        return json.dumps(asdict(read_report(report_text(path), times))).encode()

    said: dict[str, Any] = json.loads(made_once(lake, "report", key, make))
    return said


def _keep_dropped(lake: Lake, settled: Callable[[Path], bool]) -> dict[str, list[str]]:
    """Keep what was dropped, and return by name why a file was not kept."""
    problems: dict[str, list[str]] = {}
    for path in filter(settled, waiting(lake.reports).files):
        try:
            with opened(path, MAX_BYTES) as dropped:
                content = dropped.read()
        except LeftError as reason:
            problems[path.name] = [f"left in landing; it {reason}"]
            continue
        sha256 = hashlib.sha256(content).hexdigest()
        before = kept_at(lake, "report", sha256)
        if before.path is None:
            with kept_file(lake, "report", path.name, sha256) as file:
                file.write(content)
        elif before.damage():
            with atomic_file(before.path) as file:
                file.write(content)
    return problems


def agreed(figures: pl.DataFrame) -> pl.DataFrame:
    """Return one row a force and figure; where two reports of a force disagree, none.

    Columns: force_code, measure, breakdown, value.
    """
    key = ["force_code", "measure", "breakdown"]
    once = figures.select(*key, "value").unique()
    return once.filter(pl.len().over(key) == 1).sort(key)
