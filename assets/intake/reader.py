"""The one way from a file to its raw cells."""

from dataclasses import replace
from pathlib import Path

from assets.intake.container import open_container
from assets.intake.csv_zip import read_csv_zip
from assets.intake.foreign import SEND_AGAIN
from assets.intake.formulas import verified
from assets.intake.ods import read_ods
from assets.intake.reading import Reading, RefusedError
from assets.intake.workbook import read_workbook


def read_return(path: Path) -> Reading:
    """Return what a received file holds; a file that cannot be read is a reading that says why.

    Raises:
        OSError: the file itself cannot be opened, which is no fault of its content.
        MemoryError: there is too little memory here, which is none either.
    """
    try:
        container = open_container(path)
        if container.kind == "csv":
            return Reading(read_csv_zip(container))
        reading = read_ods(container) if container.kind == "ods" else read_workbook(container)
        return replace(reading, sheets=verified(reading.sheets))
    except RefusedError as refusal:
        return Reading(refusal=refusal)
    except (MemoryError, OSError):
        raise
    except Exception as error:
        # Content that nobody thought of. What the error says may quote a cell; its name does not.
        problem = f"the file cannot be read as a return ({type(error).__name__})"
        return Reading(refusal=RefusedError(problem, SEND_AGAIN))
