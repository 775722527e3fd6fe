"""The one way from a file to its raw cells."""

from pathlib import Path

from assets.intake.container import open_container
from assets.intake.csv_zip import read_csv_zip
from assets.intake.formulas import verified
from assets.intake.reading import Reading, RefusedError
from assets.intake.workbook import read_workbook, workbook_facts


def read_return(path: Path) -> Reading:
    """Return what a received file holds; a file that cannot be read is a reading that says why.

    Raises:
        OSError: the file itself cannot be opened, which is no fault of its content.
    """
    try:
        with open_container(path) as container:
            if container.kind == "csv":
                return Reading(read_csv_zip(container))
            return Reading(verified(read_workbook(container)), workbook_facts(container))
    except RefusedError as refusal:
        return Reading(refusal=refusal)
