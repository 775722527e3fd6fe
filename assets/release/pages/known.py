"""What paragraphs and expressions of the pages know of a release, and what they can ask of it."""

from datetime import datetime
from functools import lru_cache, partial
from typing import Any, Final

from assets.release.pages.content import NOT_KNOWN
from assets.release.pages.description import first_measure
from assets.release.pages.figures import Edition
from assets.release.pages.wording import band, period, sentence
from schemas import vocabulary as v
from schemas.collection import addressed, command
from schemas.marts import ReturnsStatus, force_profiles_contract
from schemas.measures import NOW
from schemas.research import INSTANCE_CATEGORIES
from schemas.rules.catalogue import CASES, rules_of
from schemas.template import Template
from schemas.wording import long_date

Known = dict[str, Any]
Dims = dict[str, str]
_MANY: Final = 5
"""Forces that are so many are counted in a cell of a table, not named."""


def by_size(edition: Edition, column: str) -> list[str]:
    """Return the forces with a rate of a column of profiles per workforce, the lowest first."""
    rates = {
        code: number / size
        for code in edition.names
        if (number := edition.figure("force_profiles", column, force_code=code).number) is not None
        and (size := edition.figure("workforce", "workforce", force_code=code).number)
    }
    return sorted(rates, key=lambda code: (rates[code], code))


def changed(edition: Edition, part: str) -> list[Known]:
    """Return the national figures that changed: the main ones, or the others."""
    return [
        {**row, "style": "any%" if row["unit"] == "percent" else "any"}
        for row in edition.rows("changed_totals")
        if (row["unit"] == "count" and ";" not in row["breakdown"]) == (part == "main")
    ]


def largest(edition: Edition, measure: str, by: str) -> Known | None:
    """Return the code of a list that has most of a measure; None where that is not known."""
    labels = edition.collection.template.lists.get(by, {})
    rows = {
        code: edition.rows("national_totals", measure=measure, breakdown=f"{by}={code}")
        for code in labels
    }
    values = {code: found[0]["value"] for code, found in rows.items() if found}
    if not values or None in values.values():
        return None
    most = max(values, key=lambda code: values[code])
    return {"code": most, "label": labels[most]}


def many(edition: Edition, codes: str | None) -> str:
    """Return a few forces by name, more of them by their number."""
    named = [edition.names.get(code, code) for code in (codes or "").split(", ") if code]
    return ", ".join(named) if len(named) < _MANY else f"{len(named)} forces"


def measured_by(edition: Edition, figure_id: str) -> str:
    """Return what a published figure measures."""
    found = next(iter(edition.rows("reconciliation", figure_id=figure_id)), None)
    return edition.wording.measured(found["measure"], found["breakdown"]) if found else NOT_KNOWN


def most_found(edition: Edition, year: int) -> str | None:
    """Return the category of which research found most; None where that is not known."""
    found: dict[str, int | None] = {}
    for row in edition.rows("social_media", year=year):
        before, more = found.get(row["category"], 0), row["instances"]
        found[row["category"]] = None if before is None or more is None else before + more
    counts = [(count, code) for code, count in found.items() if count is not None]
    return max(counts)[1] if counts and len(counts) == len(found) else None


_ASKED: Final = (by_size, changed, largest, many, measured_by, most_found)
"""What descriptions ask of an edition, by these names."""


@lru_cache(maxsize=1)
def of_release(edition: Edition) -> Known:
    """Return what is known on every page of a release."""
    collection, rows, wording = edition.collection, edition.rows, edition.wording
    first = first_measure(collection.template)
    labels, told_as = edition.description.labels, edition.about.get("edition", "full")

    def in_state(state: str) -> list[str]:
        found = rows("returns_status", state=state)
        return sorted(edition.names[status["force_code"]] for status in found)

    def figures_of(**where: str) -> list[Known]:
        found = []
        for row in rows("reconciliation", **where):
            yes = row["unit"] == "boolean"
            said = [row["qualifier"]] if yes else [row["unit"], row["qualifier"]]
            words = (wording.words(code) for code in said if code != "exact")
            about = {"measured": wording.measured(row["measure"], row["breakdown"])}
            about |= {"style": "yes" if yes else "any", "said": ", ".join(words) or "yes or no"}
            found.append(row | about)
        return found

    def printed_in(document: str, scope: str) -> str:
        inside = scope in {"national", *edition.names}
        return sentence(wording.words(document)) + ("" if inside else f" ({wording.words(scope)})")

    asked: list[Known] = [
        {
            "code": row.code, "label": row.label, "answers": row.entries[0].answers,
            "yes_no": row.entries[0].answers == ("yes", "no"),
            "area": sentence(wording.words(row.area)) if row.area else "",
        }
        for row in collection.template.asked
    ]  # fmt: skip
    return {
        **{one.__name__: partial(one, edition) for one in _ASKED},
        "about": edition.about,
        "addressed": partial(addressed, collection_id=collection.id, kept=True),
        "answers": [
            {**one, "answer": answer}
            for one in asked
            if not one["yes_no"]
            for answer in one["answers"]
        ],
        "beside": [
            row
            for row in rows("comparisons")
            if row["previous_collection"] and ";" not in row["breakdown"]
        ],
        "BANDS": {code: band(code).capitalize() for code in collection.count_bands},
        "collection": collection,
        "command": partial(command, collection_id=collection.id, kept=True),
        "is_full": told_as == "full",
        "edition": labels["EDITIONS"][told_as],
        "figures_of": figures_of,
        "first": first,
        "in_state": in_state,
        "KINDS": INSTANCE_CATEGORIES,
        "mapped": edition.names.keys() <= edition.description.places.keys(),
        "named": partial(period, collection),
        "names": edition.names,
        "period_now": period(collection, NOW),
        "printed_in": printed_in,
        "questions": asked,
        "rows": rows,
        "SIZED": _sized(collection.template),
        "size_said": labels["SIZES"]["known" if collection.workforce else "unknown"],
        "template": collection.template,
        "trace": edition.description.trace,
        "wording": wording,
        "years": lambda mart: _years(rows(mart)),
        **labels,
        "found_on_social_media": _social_media(_years(rows("social_media"))),
    }


def _sized(template: Template) -> Dims:
    """Return the columns of a profile that rates are of: whole counts; and what they count."""
    labels = {c.name: c.description for c in force_profiles_contract(template).columns}
    return {
        name: labels[name].partition(";")[0]
        for name, of in template.profile.items()
        if of.period == NOW and not of.dims and not template.measures[of.measure].statistics
    }


def _years(rows: list[Known]) -> list[int]:
    return sorted({row["year"] for row in rows})


def _social_media(years: list[int]) -> list[Known]:
    """Return a record for each year and kind of what was found, and for all kinds of a year."""
    return [
        {
            "year": year, "category": code, "kind": label,
            "of": f"year={year} category={code}" if code else f"year={year}",
        }
        for year in years
        for code, label in (*INSTANCE_CATEGORIES.items(), ("", "all kinds"))
    ]  # fmt: skip


def of_force(edition: Edition, force: str) -> Known:
    """Return what is known besides on the page of a force."""
    status = next(iter(edition.rows("returns_status", force_code=force)), {})
    profile = next(iter(edition.rows("force_profiles", force_code=force)), {})
    found = edition.rows("findings", force_code=force)
    of_returns = [row for row in found if row["rule_id"] not in rules_of(CASES)]
    state, received = status.get("state") or "missing", status.get("received_at")
    counts = "which counts" if state in v.LIVE_STATES else "which does not count"
    given = {
        row["question_code"]: row["answer"]
        for row in edition.rows("capability_answers", force_code=force)
    }
    return {
        "answered": [
            {**one, "answer": given.get(one["code"])} for one in of_release(edition)["questions"]
        ],
        "basis": profile.get("basis"),
        "force": force,
        "found_on_social_media": _social_media(
            _years(edition.rows("social_media", force_code=force))
        ),
        "name": profile.get("name") or NOT_KNOWN,
        "newest": [row for row in of_returns if row["receipt_id"] != status.get("receipt_id")],
        "of_extract": [row for row in found if row not in of_returns],
        "of_return": [row for row in of_returns if row["receipt_id"] == status.get("receipt_id")],
        "printed": [
            (column.name, column.description.partition(";")[0])
            for column in force_profiles_contract(edition.collection.template).columns
            if column.dtype.is_numeric() and profile.get(column.name) is not None
        ],
        "received_on": received
        and long_date(edition.collection.day_of(datetime.fromisoformat(received))),
        "size": next(iter(edition.rows("workforce", force_code=force)), {}),
        "state": state,
        "status": dict.fromkeys(column.name for column in ReturnsStatus.columns) | status,
        "version_said": f"Version {status['version']}, {counts}"
        if status.get("version")
        else "No return",
    }
