"""Tables of records that national and force pages share: findings, corrections, reconciliation."""

from typing import Any

from assets.pages.content import (
    CHANGE,
    EXACT,
    NOT_KNOWN,
    Cell,
    Head,
    Table,
    heads,
    row,
)
from assets.pages.figures import Edition
from assets.pages.wording import STATUSES, sentence
from schemas import vocabulary as v
from schemas.collection import addressed
from schemas.wording import long_date, visible


def reconciled(
    edition: Edition, name: str, caption: str, figures: list[dict[str, Any]], *, status: bool
) -> Table:
    """Return published figures beside the computed ones; with a column of their status, or not."""
    words_ = [Head(label, numeric=False) for label in ("Unit and wording", "Printed in", "Remark")]
    return Table(
        name,
        caption,
        (
            Head("Figure", numeric=False),
            Head("What it measures", numeric=False),
            *([Head("Status", numeric=False)] if status else []),
            *(Head(label) for label in ("Published", "Computed", "Difference")),
            *words_,
        ),
        tuple(_reconciled(edition, figure, status=status) for figure in figures),
    )


def _reconciled(edition: Edition, figure: dict[str, Any], *, status: bool) -> tuple[Cell, ...]:
    figure_id, words = figure["figure_id"], edition.wording.words
    published, computed, difference = (
        edition.figure("reconciliation", name, style, figure_id=figure_id)
        for name, style in (("published", EXACT), ("computed", EXACT), ("difference", CHANGE))
    )
    code = " ".join(part for part in (figure["measure"], figure["breakdown"]) if part)
    if figure["period"] not in {"", "collection"}:
        code += f", {figure['period']}"
    scope = edition.names.get(figure["scope"], words(figure["scope"]))
    of = f" ({scope})" if figure["scope"] not in {"national", *edition.names} else ""
    place = sentence(words(figure["document"])) + of
    issue = figure["source_issue"]
    remark = "; ".join(part for part in (issue, figure["note"]) if part)
    return row(
        figure_id,
        Cell(edition.wording.measured(figure["measure"], figure["breakdown"]), code=code),
        *((STATUSES[figure["status"]],) if status else ()),
        published,
        computed,
        difference,
        f"{words(figure['unit'])}, {words(figure['qualifier'])}",
        place,
        visible(remark, None) or "none",
    )


def findings(edition: Edition, name: str, caption: str, found_in: list[dict[str, Any]]) -> Table:
    """Return findings, rows of their mart, as a table: all of one version of a return."""
    rows = []
    for found in found_in:
        place = ", ".join(part for part in (found["sheet"], found["cell"]) if part)
        reason = found["reason"]
        if reason and found["accepted_by"]:
            reason += f" (accepted by {found['accepted_by']})"
        rows.append(
            row(
                found["rule_id"],
                sentence(v.SEVERITIES[found["severity"]]),
                place or "the whole return",
                visible(found["message"]),
                visible(addressed(found["how_to_fix"], edition.collection.id, kept=True)),
                visible(reason) if reason else "no answer yet",
            )
        )
    return Table(
        name,
        caption,
        heads("Rule", words=("Weight", "Where", "What", "What to do", "Answer of the force")),
        tuple(rows),
    )


def corrections(edition: Edition, **where: str) -> tuple[Table, ...]:
    """Return the corrections that apply, as a table; nothing where there are none."""
    rows = [
        row(
            edition.names.get(found["force_code"], found["force_code"]),
            f"{found['sheet']}, {found['cell']}",
            Cell(visible(found["from_value"]), code=f"{found['row_code']} {found['column_code']}"),
            visible(found["to_value"]),
            visible(found["reason"]),
            visible(found["owner"]),
            long_date(found["agreed_on"]) if found["agreed_on"] else NOT_KNOWN,
        )
        for found in edition.rows("corrections", **where)
    ]
    if not rows:
        return ()
    columns = ("Where", "Sent", "Read instead", "Why", "Who answers for it", "Agreed on")
    table = Table(
        "corrections", "Corrections agreed with forces", heads("Force", words=columns), tuple(rows)
    )
    return (table,)
