"""How investigations are spread over the forces, and each force with its main figures."""

from typing import Final

from assets.pages.content import COUNT, RATE, Cell, Section, Table, heads, row, text
from assets.pages.figures import Edition
from assets.pages.national.investigations import by_size
from assets.pages.spread_charts import skyline
from assets.pages.wording import STATES, band
from schemas import vocabulary as v
from schemas.breakdown import Band

_STATISTICS: Final = {
    "minimum": "Fewest",
    "lower_quartile": "Lower quartile",
    "median": "Median",
    "mean": "Mean",
    "upper_quartile": "Upper quartile",
    "maximum": "Most",
}
_FORCES: Final = "forces_with_investigations"
_PER_FORCE: Final = "investigations_per_force"
_WHOLE: Final = ("All investigations", "")


def sections(edition: Edition) -> list[Section]:
    """Return the sections about the forces' shares in the whole."""
    return [_distribution(edition), _forces(edition)]


def _distribution(edition: Edition) -> Section:
    bands = edition.collection.count_bands
    subjects = [
        _WHOLE,
        *((v.CATEGORIES[code], f"category={code}") for code in by_size(edition)),
    ]
    counted = tuple(
        row(
            label,
            *(
                edition.figure(
                    "distribution", "value", measure=_FORCES, breakdown=subject, statistic=name
                )
                for name in bands
            ),
        )
        for label, subject in subjects
    )
    placed = tuple(
        row(
            label,
            *(
                edition.figure(
                    "distribution", "value", RATE,
                    measure=_PER_FORCE, breakdown=subject, statistic=name,
                )
                for name in _STATISTICS
            ),
        )
        for label, subject in subjects
    )  # fmt: skip
    cases = [
        (name, edition.figure("investigations", "cases", force_code=code))
        for code, name in edition.names.items()
    ]
    return Section(
        "distribution",
        "How the forces differ",
        (
            text(
                "Each column is one force. The lines are the thresholds that the publication"
                " counts forces by. Forces differ in size, and no figure here allows for that."
            ),
            skyline("chart-forces", "Investigations by force", cases, _thresholds(edition)),
            Table(
                "thresholds",
                "Number of forces by how many investigations they opened",
                heads("Category", *(f"{band(name).capitalize()} (forces)" for name in bands)),
                counted,
            ),
            Table(
                "per_force",
                "Investigations per force: the spread",
                heads("Category", *_STATISTICS.values()),
                placed,
            ),
        ),
    )


def _thresholds(edition: Edition) -> list[tuple[float, str]]:
    """Return the bands that begin or end within the spread, each at its limit."""
    lines = []
    for name in edition.collection.count_bands:
        limits = Band.parse(name)
        limit = limits.low if limits.high is None else limits.high
        if limit < 2 or limits.low == limits.high:
            continue
        forces = edition.figure(
            "distribution", "value", measure=_FORCES, breakdown="", statistic=name
        )
        lines.append((float(limit), f"{band(name)}: {forces.text} forces"))
    return lines


def _forces(edition: Edition) -> Section:
    figures = ("investigations", "investigations_per_month", "people_suspended",
               "register_entries", "second_job_applications")  # fmt: skip
    most = max((f["investigations"] or 0 for f in edition.rows("force_profiles")), default=0) or 1
    rows = []
    for code, name in sorted(edition.names.items(), key=lambda item: item[1]):
        first, *rest = (
            edition.figure(
                "force_profiles", column, RATE if column.endswith("month") else COUNT,
                force_code=code,
            )
            for column in figures
        )  # fmt: skip
        state = edition.figure("returns_status", "state", force_code=code).text
        basis = edition.figure("force_profiles", "basis", force_code=code).text
        rows.append(
            row(
                Cell(name, href=f"forces/{code}.html"),
                Cell(first, bar=(first.number or 0) / most),
                *rest,
                STATES.get(state, state),
                basis,
            )
        )
    return Section(
        "forces",
        "Every force",
        (
            text("Each name leads to a page of its own, beside the national picture."),
            Table(
                "forces",
                "Main figures of each force",
                heads(
                    "Force", "Investigations", "A month", "People suspended",
                    "Register entries (force)", "Second-job applications",
                    words=("Return", "Basis"),
                ),
                tuple(rows),
            ),
        ),
    )  # fmt: skip
