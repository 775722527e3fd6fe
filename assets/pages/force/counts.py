"""The investigations of one force beside all forces: by category, outcome and recipient."""

from typing import Any, Final

from assets.pages.content import PERCENT, RATE, Cell, Figure, Table, heads, row
from assets.pages.figures import Edition, share
from assets.pages.wording import sentence
from schemas import vocabulary as v
from schemas.breakdown import write_breakdown

_DISCLOSURE: Final = "information_disclosure"


def investigations(edition: Edition, force: str) -> tuple[Table, Table]:
    """Return a force's investigations by category beside all forces, and by outcome."""
    whole, everywhere = _cases(edition, force), edition.total("investigations")
    whole_row = (whole, share(whole, whole), share(everywhere, everywhere))
    beside = []
    for code, label in v.CATEGORIES.items():
        cases = _cases(edition, force, category=code)
        of_all = edition.total("investigations_share", f"category={code}", PERCENT)
        beside.append(
            row(
                label,
                cases,
                compared(share(cases, whole), of_all),
                of_all,
                _median(edition, f"category={code}"),
            )
        )
    outcomes = [
        row(
            label,
            *(_cases(edition, force, category=code, outcome=outcome) for outcome in v.OUTCOMES),
            _cases(edition, force, category=code),
        )
        for code, label in v.CATEGORIES.items()
    ]
    by_outcome = [_cases(edition, force, outcome=outcome) for outcome in v.OUTCOMES]
    totals = [
        edition.total("investigations_share", f"outcome={outcome}", PERCENT)
        for outcome in v.OUTCOMES
    ]
    return (
        Table(
            "categories",
            "Investigations by category, beside all forces",
            heads(
                "Category", "Investigations", "Share here", "Share, all forces",
                "Median force",
            ),
            (*beside, row("All", *whole_row, _median(edition, ""))),
        ),
        Table(
            "outcomes",
            "Investigations by category and outcome",
            heads("Category", *v.OUTCOMES.values(), "All"),
            (
                *outcomes,
                row("All", *by_outcome, whole),
                row("Share here", *(share(part, whole) for part in (*by_outcome, whole))),
                row("Share, all forces", *totals, share(everywhere, everywhere)),
            ),
        ),
    )  # fmt: skip


def compared(here: Figure, of_all: Figure) -> Cell:
    """Return a percent with its bar, and a line where all forces stand."""
    mark = None if of_all.number is None else of_all.number / 100
    return Cell(here, bar=(here.number or 0) / 100, mark=mark)


def _cases(edition: Edition, force: str, **where: Any) -> Figure:
    return edition.figure("investigations", "cases", force_code=force, **where)


def _median(edition: Edition, breakdown: str) -> Figure:
    return edition.figure(
        "distribution",
        "value",
        RATE,
        measure="investigations_per_force",
        breakdown=breakdown,
        statistic="median",
    )


def disclosure(edition: Edition, force: str) -> Table:
    """Return a force's investigations into disclosure by recipient, beside all forces."""
    here = _cases(edition, force, category=_DISCLOSURE)
    everywhere = edition.total("investigations", f"category={_DISCLOSURE}")
    parts: list[dict[str, str]] = [
        {"recipient": code} for code in v.RECIPIENTS if code != "media"
    ] + [{"recipient": "media", "media": media} for media in v.MEDIA]
    rows = []
    for part in parts:
        cases = _cases(edition, force, category=_DISCLOSURE, **part)
        of_all = edition.total("investigations", write_breakdown({"category": _DISCLOSURE, **part}))
        media = part.get("media")
        label = f"to {v.MEDIA[media]}" if media else v.RECIPIENTS[part["recipient"]]
        rows.append(
            row(
                sentence(label),
                cases,
                compared(share(cases, here), share(of_all, everywhere)),
                share(of_all, everywhere),
            )
        )
    columns = ("Investigations", "Share here", "Share, all forces")
    return Table(
        "disclosure", "Information disclosure by recipient", heads("Recipient", *columns),
        (*rows, row("All", here, share(here, here), share(everywhere, everywhere))),
    )  # fmt: skip
