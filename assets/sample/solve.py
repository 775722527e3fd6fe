"""Makes the 44 sample returns and writes returns.csv: `python -m assets.sample.solve`.

Reconstructed, as the forces' own were not published: counts that add up to every published figure
and rise with the ASSUMED size of each force (its officers and staff of about March 2012, rounded),
which serves to make them plausible, no more. Does not belong here: any one sheet (solve_*.py).
"""

import csv
import io
from typing import Final

from assets.sample.published import Place
from assets.sample.returns import COLUMNS, RETURNS_PATH
from assets.sample.solve_capability import solve_capability
from assets.sample.solve_comparators import solve_comparators
from assets.sample.solve_cover import solve_cover
from assets.sample.solve_outcomes import solve_outcomes
from assets.sample.solve_registers import solve_registers
from assets.sample.solve_rows import solve_rows
from assets.sample.solve_second_jobs import solve_second_jobs
from schemas.collection import Collection, load_collection

COLLECTION: Final = "2012-revisit"
"""The collection the sample is made for."""


def solve(collection: Collection) -> dict[Place, int | str]:
    """Return every entry of the 44 returns that other entries do not determine."""
    rows = solve_rows(collection)
    answers = solve_capability(collection)
    recording = {
        place.force_code
        for place, answer in answers.items()
        if place.row_code == "register_records_declined" and answer == "yes"
    }
    return {
        **solve_cover(collection),
        **solve_outcomes(collection, rows),
        **solve_registers(collection, recording),
        **solve_second_jobs(collection),
        **answers,
        **solve_comparators(collection, rows),
    }


def as_csv(entries: dict[Place, int | str]) -> str:
    """Return the entries as the text of returns.csv: one line each, sorted by place."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows([*place, value] for place, value in sorted(entries.items()))
    return text.getvalue()


def main() -> None:
    """Solve the sample and write it."""
    text = as_csv(solve(load_collection(COLLECTION)))
    RETURNS_PATH.write_text(text, encoding="utf-8", newline="")


if __name__ == "__main__":
    main()
