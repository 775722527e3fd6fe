"""Rules Q: figures that may be right and still want a word. Limits are the collection's."""

from typing import Final

import polars as pl

from assets.validation.rules.across import WHOLE_RETURN
from assets.validation.rules.engine import Limits, Test, rule
from assets.validation.rules.validity import EACH_ENTRY
from assets.validation.rules.views import PeerView, missing, number
from schemas import vocabulary as v
from schemas.collection import Collection
from schemas.returns_template import BREACH, INVESTIGATION_ROWS, REGISTER_ROWS, TOTAL

Place = tuple[str, str, str]

_ALL: Final = ("investigations", TOTAL, TOTAL)
_DISCLOSURE: Final = ("investigations", "information_disclosure", TOTAL)
_SECOND_JOBS: Final = ("investigations", "second_jobs", TOTAL)
_COMPARED: Final = {
    _ALL: ("comparators", "investigations_2010_11", "value"),
    _DISCLOSURE: ("comparators", "information_disclosure_2010_11", "value"),
    _SECOND_JOBS: ("comparators", "second_jobs_2010_11", "value"),
}
_PERIOD: Final = "2010-11"

PEERS: Final = PeerView(
    "peers",
    (
        _ALL,
        _DISCLOSURE,
        ("second_jobs", TOTAL, "count"),
        *(("registers", f"force.{kind}", TOTAL) for kind in v.REGISTER_KINDS),
    ),
)
_CONSISTENT: Final = 1.4826
"""Makes the median absolute deviation an estimate of the standard deviation."""


@rule("Q101", WHOLE_RETURN)
def the_monthly_rate_is_in_line(limits: Limits, collection: Collection) -> list[Test]:
    """Outside the usual ratio, and by enough cases to matter."""
    low, high, matters = limits["lowest"], limits["highest"], limits["difference"]
    months, earlier_months = collection.period.months, collection.comparators[_PERIOD].months
    tests = []
    for now, then in _COMPARED.items():
        expected = number(*then) * months / earlier_months
        usual = number(*now).cast(pl.Float64).is_between(expected * low, expected * high)
        tests.append(
            Test(
                at=now,
                valid=usual | ((number(*now) - expected).abs() < matters),
                message=pl.format(
                    f"{{}} in {months} months, against {{}} in {earlier_months} months to March"
                    " 2011",
                    number(*now),
                    number(*then),
                ),
                applies=missing(*then).is_null(),
            )
        )
    return tests


@rule("Q102", WHOLE_RETURN)
def disclosure_is_in_the_usual_range(limits: Limits) -> Test:
    """Very many, or hardly any."""
    low, high = int(limits["lowest"]), int(limits["highest"])
    return Test(
        at=_DISCLOSURE,
        valid=number(*_DISCLOSURE).is_between(low, high),
        message=pl.format(
            f"{{}} investigations into information disclosure, outside {low} to {high}",
            number(*_DISCLOSURE),
        ),
    )


@rule("Q103", PEERS)
def the_return_is_not_far_out_among_its_peers(limits: Limits) -> Test:
    """Null without enough peers: then it cannot be told."""
    spread = pl.col("deviation") * _CONSISTENT
    z = (pl.col("number").cast(pl.Float64).sqrt() - pl.col("centre")).abs() / spread
    enough = pl.col("peers") >= limits["peers"]
    typical = (pl.col("centre") ** 2).round(0).cast(pl.Int64)
    return Test(
        valid=pl.when(enough).then((spread == 0) | (z <= limits["z"])),
        message=pl.format(
            "{} is far from the other forces' (median about {}, robust z-score {})",
            "number",
            typical,
            z.round(1),
        ),
    )


@rule("Q104", WHOLE_RETURN)
def there_are_not_suddenly_none(limits: Limits) -> list[Test]:
    """A zero after many."""
    return [
        Test(
            at=now,
            valid=number(*now) > 0,
            message=pl.format("0, but {} in 2010/11", number(*then)),
            applies=missing(*then).is_null() & (number(*then) >= limits["comparator"]),
        )
        for now, then in _COMPARED.items()
    ]


@rule("Q105", WHOLE_RETURN)
def the_approval_rate_is_usual(limits: Limits) -> Test:
    """Too few approved; or all, of many."""
    whole = number("second_jobs", TOTAL, "count")
    approved = pl.sum_horizontal(
        [number("second_jobs", code, "count") for code in v.APPROVED], ignore_nulls=False
    )
    all_of_many = (approved == whole) & (whole >= limits["applications"])
    return Test(
        at=("second_jobs", TOTAL, "count"),
        valid=(approved >= whole * limits["lowest"]) & ~all_of_many,
        message=pl.format("{} of {} applications approved", approved, whole),
        applies=whole.is_null() | (whole > 0),
    )


@rule("Q106", WHOLE_RETURN)
def the_share_declined_is_usual(limits: Limits) -> Test:
    """Hardly any, or most."""
    at = ("registers", "force.hospitality", "declined")
    whole = number("registers", "force.hospitality", TOTAL)
    low, high = limits["lowest"], limits["highest"]
    return Test(
        at=at,
        valid=number(*at).cast(pl.Float64).is_between(whole * low, whole * high),
        message=pl.format(
            f"{{}} of {{}} offers of hospitality declined, outside {low:.0%} to {high:.0%}",
            number(*at),
            whole,
        ),
        applies=missing(*at).is_null() & (whole.is_null() | (whole >= limits["entries"])),
    )


def _share_of(part: Place, whole: Place, what: str, limits: Limits) -> Test:
    most = limits["highest"]
    return Test(
        at=part,
        valid=number(*part) <= number(*whole) * most,
        message=pl.format(f"{{}} of {{}} {what}, above {most:.0%}", number(*part), number(*whole)),
        applies=number(*whole).is_null() | (number(*whole) >= limits["cases"]),
    )


@rule("Q107", WHOLE_RETURN)
def others_are_not_most_of_disclosure(limits: Limits) -> Test:
    """Where the recipient is known, it should be told."""
    others = ("investigations", "information_disclosure.others", TOTAL)
    return _share_of(others, _DISCLOSURE, "disclosures are to others", limits)


@rule("Q108", WHOLE_RETURN)
def some_cases_continue_and_some_are_closed(limits: Limits) -> list[Test]:
    """Neither all closed nor nearly none."""
    continuing = ("investigations", TOTAL, v.CONTINUING)
    most = _share_of(continuing, _ALL, "investigations continue", limits)
    return [
        most,
        Test(
            at=continuing,
            valid=number(*continuing) > 0,
            message=pl.format("none of {} investigations continues", number(*_ALL)),
            applies=most.applies,
        ),
    ]


@rule("Q109", WHOLE_RETURN)
def few_leave_the_service(limits: Limits) -> Test:
    """Of those investigated."""
    left = ("investigations", TOTAL, "left_service")
    return _share_of(left, _ALL, "investigations ended with people leaving", limits)


def _leaf_counts() -> dict[str, list[Place]]:
    return {
        "investigations": [
            ("investigations", row.code, outcome)
            for row in INVESTIGATION_ROWS
            if row.is_part
            for outcome in v.OUTCOMES
        ],
        "registers": [
            ("registers", row, decision)
            for row in REGISTER_ROWS
            for decision in v.REGISTER_DECISIONS
        ],
        "second_jobs": [
            ("second_jobs", code, "count")
            for code in (
                *v.SECOND_JOB_DECISIONS,
                *(BREACH + occupation for occupation in v.BREACH_OCCUPATIONS),
            )
        ],
    }


@rule("Q110", WHOLE_RETURN)
def the_numbers_look_counted(limits: Limits) -> list[Test]:
    """Rounded or repeated numbers are often estimates; zeros, and ones, repeat by chance."""
    tests = []
    for sheet, places in _leaf_counts().items():
        counts = pl.concat_list([number(*place) for place in places])
        above = counts.list.filter(pl.element() > 0)
        multiple = int(limits["multiple"])
        round_ones = above.list.eval(pl.element() % multiple == 0).list.all()
        same = (above.list.n_unique() == 1) & (above.list.max() > 1)
        known = pl.all_horizontal(
            number(*place).is_not_null() | missing(*place).is_not_null() for place in places
        )
        tests.append(
            Test(
                at=(sheet, None, None),
                valid=pl.when(known).then(~(round_ones | same)),
                message=pl.format(
                    f"all {{}} counts above 0 are multiples of {multiple} or the same",
                    above.list.len(),
                ),
                applies=~known | (above.list.len() >= limits["counts"]),
            )
        )
    return tests


@rule("Q111", EACH_ENTRY)
def a_resubmission_changes_little(limits: Limits) -> Test:
    """More than the share, and by enough to matter."""
    change = (pl.col("number") - pl.col("earlier")).abs()
    small = (change <= pl.col("earlier") * limits["share"]) | (change < limits["difference"])
    return Test(
        valid=small,
        message=pl.format("{}, but {} in the earlier return", "number", "earlier"),
        applies=pl.col("number").is_not_null() & pl.col("earlier").is_not_null(),
    )


@rule("S011", EACH_ENTRY)
def a_resubmission_is_not_older() -> Test:
    """ISO dates compare as text."""
    return Test(
        valid=pl.col("value") >= pl.col("earlier_value"),
        message=pl.format(
            "submitted on {}, before the return it replaces ({})", "value", "earlier_value"
        ),
        applies=(pl.col("row_code") == "submitted_on") & pl.col("earlier_value").is_not_null(),
    )


@rule("Q113", WHOLE_RETURN)
def the_authority_has_no_more_entries_than_the_force() -> Test:
    """Rows are easily swapped."""
    sums = {}
    held = []
    for body in v.BODIES:
        places = [("registers", row, TOTAL) for row, (of, _) in REGISTER_ROWS.items() if of == body]
        sums[body] = pl.sum_horizontal([number(*p) for p in places], ignore_nulls=False)
        held += [missing(*place).is_null() for place in places]
    return Test(
        at=("registers", "authority.gratuity", TOTAL),
        valid=sums["authority"] <= sums["force"],
        message=pl.format(
            "{} entries of the authority, but {} of the force", sums["authority"], sums["force"]
        ),
        applies=pl.all_horizontal(held),
    )
