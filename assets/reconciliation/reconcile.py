"""Published against computed, figure by figure.

Belongs here: which computed figure meets a published one, and the status of the pair. Nothing is
ever taken from the published side to fill the computed one.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import polars as pl

from assets.reconciliation.qualifiers import TOLERANCE, Pair, compare
from assets.research.social_media import social_media_cases
from assets.research.tables import no_research
from assets.totals.leaves import leaf_cells, sum_of
from schemas.collection import Collection
from schemas.contract import conform, empty
from schemas.marts.returns import Reconciliation

Row = dict[str, Any]

_COLLECTED: Final = {
    "returns": "no live return gives it",
    "registry": "the list of forces does not give it",
    "research": "no research file in use gives it",
    "survey": "no survey file in use gives it",
}
"""The bases of figures that a collection's data can give, and what to say where it does not."""


@dataclass(frozen=True)
class _Computed:
    """What the data give for a figure: how many forces are in it, and how many should be."""

    value: float | None
    included: int
    expected: int


@dataclass(frozen=True)
class _Data:
    """The computed side: national totals, live returns, and each force's social media cases."""

    totals: Mapping[tuple[str, ...], _Computed]
    live: pl.DataFrame
    live_forces: frozenset[str]
    cases: Mapping[str, int]
    collection: Collection

    def gives(self, figure: Row) -> _Computed:
        """Return what the data give for a published figure."""
        force, key = figure["scope"], (figure["measure"], figure["breakdown"], figure["period"])
        if force not in self.collection.forces:
            return self.totals.get(key, _Computed(None, 0, len(self.collection.forces)))
        if figure["measure"] == "social_media_cases":
            return _Computed(self.cases.get(force), int(force in self.cases), 1)
        if force not in self.live_forces:
            return _Computed(None, 0, 1)
        cells = leaf_cells(
            self.live.filter(pl.col("force_code") == force), self.collection.template, *key
        )
        return _Computed(None if cells is None else sum_of(cells), 1, 1)


def reconcile(
    national: pl.DataFrame,
    live: pl.DataFrame,
    printed: pl.DataFrame,
    collection: Collection,
    instances: pl.DataFrame | None = None,
) -> pl.DataFrame:
    """Return the mart Reconciliation.

    Args:
        national: mart NationalTotals.
        live: table LiveEntries, from which the figures of a single force are added up.
        printed: table ReportFigures; each of its figures becomes a row too.
        collection: the collection, which names the published figures.
        instances: table InstancesInUse, for the social media cases of a force; None for none.
    """
    figures = [
        *collection.published_figures.iter_rows(named=True),
        *_report_rows(printed),
    ]
    found = no_research().instances if instances is None else instances
    data = _Data(
        {row[:3]: _Computed(*row[3:]) for row in national.select(_TOTAL).iter_rows()},
        live,
        frozenset(live["force_code"]),
        dict(social_media_cases(found, collection).select("force_code", "cases").iter_rows()),
        collection,
    )
    rows = [_compared(figure, data) for figure in figures]
    _blame_the_source(rows, collection)
    return conform(Reconciliation, pl.DataFrame(rows, schema=empty(Reconciliation).schema))


_TOTAL: Final = [
    "measure", "breakdown", "period", "value", "forces_included", "forces_expected",
]  # fmt: skip


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


def _compared(figure: Row, data: _Data) -> Row:
    """Return the figure's row of the mart, as if the source never contradicted itself."""
    if figure["basis"] in _COLLECTED:
        computed = data.gives(figure)
        status, why = _status(figure, computed, len(data.collection.forces))
    else:
        computed = _Computed(None, 0, 0)
        status, why = (
            "not_computable",
            data.collection.uncollected.get(figure["measure"], _UNCOLLECTED),
        )
    included, expected = computed.included, computed.expected
    short = f"{included} of {expected} forces give a number" if 0 < included < expected else None
    notes = [note for note in (why, short, figure["note"]) if note]
    return {
        **{name: figure[name] for name in _KEPT},
        "published": figure["value"],
        "computed": computed.value,
        "difference": None if computed.value is None else computed.value - figure["value"],
        "status": status,
        "note": "; ".join(notes) or None,
    }


_UNCOLLECTED: Final = "no data of the collection gives it"

_KEPT: Final = [
    "figure_id", "document", "scope", "measure", "breakdown", "period", "unit", "qualifier",
    "source_issue",
]  # fmt: skip


def _status(figure: Row, computed: _Computed, forces: int) -> tuple[str, str | None]:
    """Return the status and the reason, where there is more to say than the numbers do."""
    if computed.value is None:
        if computed.included == 0:
            return "not_included", _COLLECTED[figure["basis"]]
        return "not_computable", "the live return does not hold it"
    pair = Pair(figure["value"], computed.value, forces)
    status = compare(figure["qualifier"], pair, figure["unit"])
    if figure["qualifier"] in {"about", "almost"}:
        limit = "" if pair.gap <= TOLERANCE else f", beyond {TOLERANCE:.0%}"
        return status, f"gap {pair.gap:.1%} of the published figure{limit}"
    if figure["qualifier"] == "exact" and status == "within_qualifier":
        return status, "a percent is printed rounded"
    return status, None


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
