"""Investigations on the national page: by category, by outcome, disclosure by recipient, rates."""

from assets.pages.charts import bars, pairs, stacks
from assets.pages.content import (
    COUNT,
    PERCENT,
    RATE,
    Cell,
    Figure,
    Section,
    Style,
    Table,
    heads,
    row,
    text,
)
from assets.pages.figures import Edition, share
from assets.pages.wording import period, sentence
from schemas import vocabulary as v
from schemas.breakdown import write_breakdown

_TIMES = Style(decimals=1, suffix=" times")
_DISCLOSURE = "information_disclosure"


def sections(edition: Edition) -> list[Section]:
    """Return the sections about investigations."""
    return [_by_category(edition), _by_outcome(edition), _disclosure(edition), _rates(edition)]


def by_size(edition: Edition) -> list[str]:
    """Return the categories, the one with most cases first, unknown ones last."""
    sizes = {code: _cases(edition, category=code).number for code in v.CATEGORIES}
    return sorted(sizes, key=lambda code: (sizes[code] is None, -(sizes[code] or 0)))


def _cases(edition: Edition, **parts: str) -> Figure:
    return edition.total("investigations", write_breakdown(parts))


def _suspended(edition: Edition, **parts: str) -> Figure:
    return edition.total("people_suspended", write_breakdown(parts))


def _by_category(edition: Edition) -> Section:
    whole = _cases(edition)
    rows = [
        row(
            v.CATEGORIES[code],
            _cases(edition, category=code),
            edition.total("investigations_share", f"category={code}", PERCENT),
            _suspended(edition, category=code),
        )
        for code in by_size(edition)
    ]
    most = by_size(edition)[0]
    return Section(
        "categories",
        "What was investigated",
        (
            text(
                whole, " investigations were opened in the period. ",
                edition.total("investigations_share", f"category={most}", PERCENT),
                f" of them concern {v.CATEGORIES[most].lower()}. Each case is counted once, under"
                " its main subject; people suspended are people, not cases.",
            ),
            bars(
                "chart-categories", "Investigations by category",
                [(v.CATEGORIES[c], _cases(edition, category=c)) for c in by_size(edition)],
            ),
            Table(
                "investigations",
                "Investigations and people suspended, by category",
                heads("Category", "Investigations", "Share of all", "People suspended"),
                (*rows, row("All", whole, share(whole, whole), _suspended(edition))),
            ),
        ),
    )  # fmt: skip


def _by_outcome(edition: Edition) -> Section:
    def of(**parts: str) -> list[Figure]:
        return [_cases(edition, **parts, outcome=outcome) for outcome in v.OUTCOMES]

    categories = by_size(edition)
    shares = {code: _shares(edition, code) for code in categories}
    rows = [
        row(v.CATEGORIES[code], *of(category=code), _cases(edition, category=code))
        for code in categories
    ]
    of_all = [
        edition.total("investigations_share", f"outcome={outcome}", PERCENT)
        for outcome in v.OUTCOMES
    ]
    return Section(
        "outcomes",
        "How they ended",
        (
            text(
                of_all[0], " of the investigations were continuing at the census date. ",
                "The bars show the shares of each category; mind the small numbers behind some.",
            ),
            stacks(
                "chart-outcomes", "Outcomes of each category, percent", tuple(v.OUTCOMES.values()),
                [
                    (f"{v.CATEGORIES[c]}: {_cases(edition, category=c).text}", shares[c])
                    for c in categories
                ],
            ),
            Table(
                "outcomes",
                "Investigations by category and outcome",
                heads("Category", *v.OUTCOMES.values(), "All"),
                (*rows, row("All", *of(), _cases(edition))),
            ),
            Table(
                "outcome_shares",
                "Outcomes as a share of each category",
                heads("Category", *v.OUTCOMES.values()),
                (
                    *(row(v.CATEGORIES[c], *shares[c]) for c in categories),
                    row("All", *of_all),
                ),
            ),
        ),
    )  # fmt: skip


def _shares(edition: Edition, category: str) -> list[Figure]:
    return [
        edition.figure("outcome_breakdown", "share", PERCENT, category=category, outcome=outcome)
        for outcome in v.OUTCOMES
    ]


def _disclosure(edition: Edition) -> Section:
    whole = _cases(edition, category=_DISCLOSURE)
    parts: list[dict[str, str]] = []
    for recipient in v.RECIPIENTS:
        parts.append({"recipient": recipient})
        if recipient == "media":
            parts += [{"recipient": recipient, "media": media} for media in v.MEDIA]
    rows = [
        row(
            f"of these to {v.MEDIA[part['media']]}"
            if "media" in part
            else sentence(v.RECIPIENTS[part["recipient"]]),
            _cases(edition, category=_DISCLOSURE, **part),
            share(_cases(edition, category=_DISCLOSURE, **part), whole),
            *_of_outcomes(edition, part),
            _suspended(edition, category=_DISCLOSURE, **part),
        )
        for part in parts
    ]
    total = row(
        "All", whole, share(whole, whole), *_of_outcomes(edition, {}),
        _suspended(edition, category=_DISCLOSURE),
    )  # fmt: skip
    sizes = [
        (sentence(label), _cases(edition, category=_DISCLOSURE, recipient=code))
        for code, label in v.RECIPIENTS.items()
    ]
    return Section(
        "disclosure",
        "To whom information was disclosed",
        (
            bars(
                "chart-recipients", "Investigations into information disclosure by recipient",
                sorted(sizes, key=lambda item: -(item[1].number or 0)),
            ),
            Table(
                "disclosure",
                "Information disclosure by recipient, with completed and continuing cases",
                heads(
                    "Recipient", "Investigations", "Share", "Completed", "Continuing",
                    "People suspended",
                ),
                (*rows, total),
            ),
        ),
    )  # fmt: skip


def _of_outcomes(edition: Edition, part: dict[str, str]) -> list[Figure]:
    return [
        _cases(edition, category=_DISCLOSURE, **part, outcome=outcome)
        for outcome in (v.COMPLETED, v.CONTINUING)
    ]


def _rates(edition: Edition) -> Section:
    drawn, rows = [], []
    for found in edition.rows("comparisons"):
        key = {name: found[name] for name in ("measure", "breakdown", "period")}
        label = v.CATEGORIES.get(found["breakdown"].removeprefix("category="), "All")
        before = period(edition.collection, found["previous_period"])
        now, then = (
            edition.figure("comparisons", name, RATE, **key)
            for name in ("per_month", "previous_per_month")
        )
        drawn.append((f"{label}, against {before}", now, then))
        rows.append(
            row(
                label,
                edition.figure("comparisons", "value", COUNT, **key),
                now,
                edition.figure("comparisons", "previous_value", COUNT, **key),
                then,
                edition.figure("comparisons", "ratio", _TIMES, **key),
                Cell(before),
            )
        )
    columns = ("Investigations", "A month", "Then", "A month then", "Now against then")
    this = period(edition.collection, "collection")
    return Section(
        "rates",
        "How often, against earlier years",
        (
            text(
                "The periods differ in length, so that only the rates a month can be compared. A"
                " higher rate may also mean that more is found or written down."
            ),
            pairs("chart-rates", "Investigations a month", (this, "the earlier period"), drawn),
            Table(
                "rates",
                f"Investigations a month, {this}, beside earlier periods",
                heads("Category", *columns, words=("Earlier period",)),
                tuple(rows),
            ),
        ),
    )
