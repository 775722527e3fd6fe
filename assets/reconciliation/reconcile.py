"""Published against computed, figure by figure.

Belongs here: which computed figure meets a published one, and the status of the pair. Nothing is
ever taken from the published side to fill the computed one.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

import polars as pl

from assets.reconciliation.qualifiers import TOLERANCE, Pair, compare
from assets.totals.leaves import leaf_cells, sum_of
from schemas.collection import Collection
from schemas.contract import conform, empty
from schemas.marts.returns import Reconciliation
from schemas.reference import published_figures

Row = dict[str, Any]

_NOT_COMPUTABLE: Final = {
    "document": "stated in the publication itself; no return asks for it",
    "external": "taken by the publication from another source",
    "research": "comes from the inspectorate's research, not from the returns",
    "survey": "comes from the inspectorate's survey, not from the returns",
}


def reconcile(
    national: pl.DataFrame, live: pl.DataFrame, printed: pl.DataFrame, collection: Collection
) -> pl.DataFrame:
    """Return the mart Reconciliation.

    Args:
        national: mart NationalTotals.
        live: table LiveEntries, from which the figures of a single force are added up.
        printed: table ReportFigures; each of its figures becomes a row too.
        collection: the collection, which names the published figures.
    """
    figures = [
        *published_figures(collection.published.figures_path).iter_rows(named=True),
        *_report_rows(printed),
    ]
    totals = {row[:3]: row[3:] for row in national.select(_TOTAL).iter_rows()}
    live_forces = set(live["force_code"])
    rows = [_compared(figure, totals, live, live_forces, collection) for figure in figures]
    return conform(Reconciliation, pl.DataFrame(rows, schema=empty(Reconciliation).schema))


_TOTAL: Final = ["measure", "breakdown", "period", "value", "forces_included"]


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


def _compared(
    figure: Row,
    totals: Mapping[tuple[str, ...], tuple[Any, ...]],
    live: pl.DataFrame,
    live_forces: set[str],
    collection: Collection,
) -> Row:
    computed, included = None, 0
    if figure["basis"] in {"returns", "registry"}:
        if figure["scope"] in collection.forces:
            included = int(figure["scope"] in live_forces)
            computed = _of_force(figure, live) if included else None
        else:
            computed, included = totals.get(_key(figure), (None, 0))
    expected = 1 if figure["scope"] in collection.forces else len(collection.forces)
    status, why = _status(figure, computed, included, collection)
    short = f"{included} of {expected} forces give a number" if 0 < included < expected else None
    notes = [note for note in (why, short, figure["note"]) if note]
    return {
        **{name: figure[name] for name in _KEPT},
        "published": figure["value"],
        "computed": computed,
        "difference": None if computed is None else computed - figure["value"],
        "status": status,
        "note": "; ".join(notes) or None,
    }


_KEPT: Final = [
    "figure_id", "document", "scope", "measure", "breakdown", "period", "unit", "qualifier",
    "source_issue",
]  # fmt: skip


def _key(figure: Row) -> tuple[str, str, str]:
    return figure["measure"], figure["breakdown"], figure["period"]


def _of_force(figure: Row, live: pl.DataFrame) -> float | None:
    mine = live.filter(pl.col("force_code") == figure["scope"])
    cells = leaf_cells(mine, *_key(figure))
    total = None if cells is None else sum_of(cells)
    return None if total is None else float(total)


def _status(
    figure: Row, computed: float | None, included: int, collection: Collection
) -> tuple[str, str | None]:
    """Return the status and the reason, where there is more to say than the numbers do."""
    basis = figure["basis"]
    if basis in _NOT_COMPUTABLE:
        if figure["source_issue"]:
            return "source_issue", "the source contradicts itself"
        return "not_computable", _NOT_COMPUTABLE[basis]
    if computed is None:
        if included == 0:
            return "not_included", "no live return gives it"
        return "not_computable", "the live return does not hold it"
    pair = Pair(figure["value"], computed, len(collection.forces))
    status = compare(figure["qualifier"], pair)
    if figure["qualifier"] in {"about", "almost"}:
        limit = "" if pair.gap <= TOLERANCE else f", beyond {TOLERANCE:.0%}"
        return status, f"gap {pair.gap:.1%} of the published figure{limit}"
    return status, None
