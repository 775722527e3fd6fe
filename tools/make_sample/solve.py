"""Makes the sample and writes its tables: `python -m tools.make_sample.solve`.

Reconstructed, as returns and research were not published: counts that add up to every published
figure and rise with the ASSUMED size of each force (its officers and staff of about March 2012,
rounded), which serves to make them plausible, no more. Each table has a module solve_*.py.
"""

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from assets.sample.research import INSTANCES_PATH, PROFILES_PATH, SURVEY_PATH
from assets.sample.write import COLUMNS, RETURNS_PATH
from schemas.collection import Collection, load_collection
from schemas.research import InstancesInUse, ProfilesInUse, columns_sent
from tools.make_sample.published import Place
from tools.make_sample.solve_capability import solve_capability
from tools.make_sample.solve_comparators import solve_comparators
from tools.make_sample.solve_cover import solve_cover
from tools.make_sample.solve_outcomes import solve_outcomes
from tools.make_sample.solve_registers import solve_registers
from tools.make_sample.solve_rows import solve_rows
from tools.make_sample.solve_second_jobs import solve_second_jobs
from tools.make_sample.solve_social_media import solve_social_media
from tools.make_sample.solve_survey import solve_survey

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


def solve_research(collection: Collection) -> dict[Path, str]:
    """Return the text of each stored table of research, by its path."""
    profiles, instances = solve_social_media(collection)
    survey = [(*answered, count) for answered, count in solve_survey(collection).items()]
    return {
        PROFILES_PATH: _as_csv([c.name for c in columns_sent(ProfilesInUse)], profiles),
        INSTANCES_PATH: _as_csv([c.name for c in columns_sent(InstancesInUse)], instances),
        SURVEY_PATH: _as_csv(("year", "wave", "question", "answer", "respondents"), survey),
    }


def as_csv(entries: dict[Place, int | str]) -> str:
    """Return the entries as the text of returns.csv: one line each, sorted by place."""
    return _as_csv(COLUMNS, ([*place, value] for place, value in sorted(entries.items())))


def _as_csv(heads: Sequence[str], rows: Iterable[Sequence[int | str]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(heads)
    writer.writerows(rows)
    return text.getvalue()


def main() -> None:
    """Solve the sample and write it."""
    collection = load_collection(COLLECTION)
    tables = {RETURNS_PATH: as_csv(solve(collection)), **solve_research(collection)}
    for path, text in tables.items():
        path.write_text(text, encoding="utf-8", newline="")


if __name__ == "__main__":
    main()
