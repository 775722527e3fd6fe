"""What the public edition costs: how much is hidden, by mart and column.

It tells small counts from the others that are hidden, so it belongs in the full edition alone.
"""

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import polars as pl

from assets.disclosure.choose import Choice
from assets.disclosure.counts import Block
from schemas.contract import conform, empty
from schemas.disclosure import Disclosure
from schemas.marts.public import DisclosureReport


def report(chosen: Iterable[tuple[Block, Choice]], settings: Disclosure) -> pl.DataFrame:
    """Return the mart DisclosureReport of what was chosen."""
    rows = [row for block, choice in chosen for row in _rows(block, choice, settings)]
    return conform(DisclosureReport, pl.DataFrame(rows, schema=empty(DisclosureReport).schema))


def _rows(block: Block, choice: Choice, settings: Disclosure) -> Iterator[dict[str, Any]]:
    columns = np.array([f"{count.mart}.{count.column}" for count in block.counts])
    values = np.array([count.value for count in block.counts])
    protection = settings.counts[block.subject]
    exempt = np.array([count.known and protection.is_small(count.value) for count in block.counts])
    shown = np.array([count.is_shown for count in block.counts])
    for name in dict.fromkeys(columns[shown].tolist()):
        here = shown & (columns == name)
        total, hidden = int(values[here].sum()), int(values[here & choice.hidden].sum())
        mart, column = name.split(".")
        yield {
            "mart": mart,
            "column_name": column,
            "counts": int(here.sum()),
            "small": int((here & choice.small).sum()),
            "secondary": int((here & choice.hidden & ~choice.small).sum()),
            "exempt": int((here & exempt).sum()),
            "total": total,
            "hidden": hidden,
            "hidden_share": hidden * 100 / total if total else None,
        }
