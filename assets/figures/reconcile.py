"""Published against computed, figure by figure.

Nothing is ever taken from the published side to fill the computed one. Shares are compared
unrounded.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Final, NamedTuple

import polars as pl

from assets.figures.totals.leaves import PLACE, counted_in, held_in, sum_of
from assets.inputs.research.tables import no_research, social_media_cases
from schemas.collection import Collection
from schemas.conform import conform
from schemas.contract import empty
from schemas.figures import made_of
from schemas.marts import Reconciliation
from schemas.template import Template
from schemas.wording import Number, plural, together

Row = dict[str, Any]

TOLERANCE: Final = 0.15
"""The gap, as a share of the published figure, beyond which `about` and `almost` are flagged."""


class Pair(NamedTuple):
    """A published and a computed figure, and how many forces the collection expects."""

    published: float
    computed: float
    forces_expected: int

    @property
    def gap(self) -> float:
        """The difference as a share of the published figure."""
        if self.published == 0:
            return 0.0 if self.computed == 0 else math.inf
        return abs(self.computed - self.published) / abs(self.published)


def _equal(pair: Pair) -> bool:
    return pair.computed == pair.published


def _rounded(pair: Pair) -> bool:
    published = Decimal(repr(pair.published)).normalize()
    printed = Decimal(1).scaleb(min(int(published.as_tuple().exponent), 0))
    return Decimal(repr(pair.computed)).quantize(printed, ROUND_HALF_UP) == published


def _close(pair: Pair) -> bool:
    return pair.gap <= TOLERANCE


def _almost(pair: Pair) -> bool:
    """Return whether what was printed is not reached, or as printed."""
    return _close(pair) and (abs(pair.computed) <= abs(pair.published) or _rounded(pair))


QUALIFIERS: Final[dict[str, tuple[str, Callable[[Pair], bool]]]] = {
    "exact": ("match", _equal),
    "counted": ("match", _equal),
    "derived": ("match", _equal),
    "all": ("match", lambda pair: pair.computed == pair.published == pair.forces_expected),
    "all_but_one": (
        "match",
        lambda pair: pair.computed == pair.published == pair.forces_expected - 1,
    ),
    "no_change": ("match", lambda pair: pair.computed == 0),
    "rounded": ("within_qualifier", _rounded),
    "average": ("within_qualifier", _rounded),
    "at_least": ("within_qualifier", lambda pair: pair.computed >= pair.published),
    "more_than": ("within_qualifier", lambda pair: pair.computed > pair.published),
    "about": ("within_qualifier", _close),
    "almost": ("within_qualifier", _almost),
}
"""Each wording of a published figure: the status of one that satisfies it, and when it does."""


def compare(qualifier: str, pair: Pair, unit: str = "count") -> str:
    """Return `match`, `within_qualifier` or `differs`.

    A percent is printed rounded even where the publication does not say so: 81 per cent of 853
    respondents is nobody's number. `exact` leaves it that room.

    Raises:
        KeyError: the qualifier is none of those above.
    """
    status, satisfied = QUALIFIERS[qualifier]
    if satisfied(pair):
        return status
    printed_rounded = qualifier == "exact" and unit.startswith("percent")
    return "within_qualifier" if printed_rounded and _rounded(pair) else "differs"


_COLLECTED: Final = {
    "returns": "no live return gives it",
    "registry": "the list of forces does not give it",
    "research": "no research file in use gives it",
    "survey": "no survey file in use gives it",
}
"""The bases of figures that a collection's data can give, and what to say where it does not."""

_NAMED: Final = 5
_KEY: Final = ("measure", "breakdown", "period")


class _Computed(NamedTuple):
    """What the data give for a figure: how many forces are in it, and how many should be."""

    value: float | None = None
    included: int = 0
    expected: int = 0


def reconcile(
    national: pl.DataFrame,
    live: pl.DataFrame,
    printed: pl.DataFrame,
    collection: Collection,
    instances: pl.DataFrame | None = None,
) -> pl.DataFrame:
    """Return the mart Reconciliation from the mart NationalTotals.

    The figures of a single force are added up from the table LiveEntries, and its cases from
    InstancesInUse. Each figure of the table ReportFigures becomes a row too.
    """
    found = no_research().instances if instances is None else instances
    cases = dict(social_media_cases(found, collection).select("force_code", "cases").iter_rows())
    named = national.select(*_KEY, "value", "forces_included", "forces_expected")
    totals = {row[:3]: _Computed(*row[3:]) for row in named.iter_rows()}
    by_force = live.partition_by("force_code", as_dict=True)

    def given(figure: Row) -> _Computed:
        force, key = figure["scope"], tuple(figure[name] for name in _KEY)
        if force not in collection.forces:
            return totals.get(key, _Computed(expected=len(collection.forces)))
        if figure["measure"] == "social_media_cases":
            return _Computed(cases.get(force), int(force in cases), 1)
        if (force,) not in by_force:
            return _Computed(expected=1)
        found = counted_in(collection.template, *key)
        if found is None or found.measure != figure["measure"]:
            return _Computed(None, 1, 1)
        held = held_in(by_force[force,], found.cells, found.given)
        # Who sent case rows alone gives nothing of what these do not count.
        sent = int(not found.cells or held.height > 0)
        return _Computed(sum_of(held), sent, 1)

    figures = [*collection.published_figures.iter_rows(named=True), *_report_rows(printed)]
    silent = _silent(live, collection.template)
    rows = []
    for figure in figures:
        computed = given(figure) if figure["basis"] in _COLLECTED else None
        of = made_of(collection.template, figure["measure"])[1], figure["period"]
        rows.append(_compared(figure, computed, collection, silent.get(of, [])))
    _blame_the_source(rows, collection)
    return conform(Reconciliation, pl.DataFrame(rows, schema=empty(Reconciliation).schema))


def _silent(live: pl.DataFrame, template: Template) -> dict[tuple[str, str], list[str]]:
    """Return by measure and period which live forces sent nothing of it, as case rows do not."""
    forces = {*live["force_code"]}
    cells = [(*cell.place, cell.measure, cell.period) for cell in template.counted()]
    asked = pl.DataFrame(cells, [*PLACE, "measure", "period"], orient="row")
    sent = asked.join(live.select(*PLACE, "force_code"), on=PLACE, how="left")
    by = sent.group_by("measure", "period").agg("force_code")
    return {(m, period): sorted(forces - {*those}) for m, period, those in by.iter_rows()}


def _report_rows(printed: pl.DataFrame) -> Iterator[Row]:
    """Write the figures of force reports as published figures of that force."""
    for (sha256,), figures in printed.partition_by(
        "sha256", as_dict=True, maintain_order=True
    ).items():
        for number, figure in enumerate(figures.iter_rows(named=True), 1):
            social = figure["measure"] == "social_media_cases"
            yield {
                **figure,
                "figure_id": f"{figure['force_code']}-REPORT-{str(sha256)[:8]}-{number:02d}",
                "document": figure["file_name"],
                "scope": figure["force_code"],
                "period": "" if social else "collection",
                "qualifier": "exact",
                "basis": "research" if social else "returns",
                "source_issue": None,
                "note": f"line {figure['line']} of the report",
            }


_KEPT: Final = (
    "figure_id", "document", "scope", *_KEY, "unit", "qualifier", "source_issue",
)  # fmt: skip


def _compared(
    figure: Row, given: _Computed | None, collection: Collection, silent: Sequence[str]
) -> Row:
    """Return the figure's row of the mart, as if the source never contradicted itself.

    What no data of the collection give is None; live forces that are `silent` sent nothing of it.
    """
    value, included, expected = given or _Computed()
    if given is None:
        of_no_data = "no data of the collection gives it"
        status: str = "not_computable"
        why: str | None = collection.uncollected.get(figure["measure"], of_no_data)
    else:
        status, why = _status(figure, given, len(collection.forces))
    give = f"{Number(included):!gives|give}"
    short = f"{included} of {expected} forces {give} a number" if 0 < included < expected else None
    if short and silent:
        named = together(silent) if len(silent) <= _NAMED else plural(len(silent), "force")
        short += f", not included {Number(len(silent)):!is|are} {named} with case rows alone"
    return {
        **{name: figure[name] for name in _KEPT},
        "published": figure["value"],
        "computed": value,
        "difference": None if value is None else value - figure["value"],
        "status": status,
        "note": "; ".join(filter(None, [why, short, figure["note"]])) or None,
    }


def _status(figure: Row, given: _Computed, forces: int) -> tuple[str, str | None]:
    """Return the status and the reason, where there is more to say than the numbers do."""
    if given.value is None and given.included == 0:
        return "not_included", _COLLECTED[figure["basis"]]
    if given.value is None:
        return "not_computable", "the live return does not hold it"
    pair = Pair(figure["value"], given.value, forces)
    status, why = compare(figure["qualifier"], pair, figure["unit"]), None
    if figure["qualifier"] in {"about", "almost"}:
        over = "" if status == "within_qualifier" else ", which it is more than"
        limit = over if _close(pair) else f", beyond {TOLERANCE:.0%}"
        why = f"gap {pair.gap:.1%} of the published figure{limit}"
    elif figure["qualifier"] == "exact" and status == "within_qualifier":
        why = "a percent is printed rounded"
    return status, why


def _blame_the_source(rows: list[Row], collection: Collection) -> None:
    """Mark the figures that nothing could satisfy, as the source itself says otherwise.

    That is so where a figure differs while another of the same contradiction and scope holds, and
    where the contradiction is about nothing that was collected.
    """
    texts = dict(collection.source_issues.select("issue_id", "text").iter_rows())
    holding = {
        (row["source_issue"], row["scope"])
        for row in rows
        if row["status"] in {"match", "within_qualifier"}
    }
    for row in rows:
        issue = row["source_issue"]
        contradicted = row["status"] == "differs" and (issue, row["scope"]) in holding
        if issue and (contradicted or row["status"] == "not_computable"):
            row["status"] = "source_issue"
            said = f"the source contradicts itself ({texts[issue]})"
            row["note"] = "; ".join(note for note in (said, row["note"]) if note)
