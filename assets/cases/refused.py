"""Which received extracts somebody must be told of: refused whole, and not sent anew since.

Belongs here: picking them. Does not: judging them (received.py), nor the words of a message.
"""

from collections.abc import Iterator

import polars as pl

from assets.cases.store import CaseStore
from assets.intake.landing import CASES, waiting_below
from assets.intake.store import Version
from assets.lake import Lake
from schemas.cases.columns import REJECTED
from schemas.cases.tables import DAMAGED_STATE, UNREADABLE_STATE


def refused_extracts(extracts: pl.DataFrame) -> pl.DataFrame:
    """Return the extracts that do not count: of each force its newest, and what is damaged."""
    newest = pl.col("version") == pl.col("version").max().over("force_code")
    refused = newest & pl.col("state").is_in([REJECTED, UNREADABLE_STATE])
    damaged = pl.col("state") == DAMAGED_STATE
    return extracts.drop_nulls("force_code").filter(refused | damaged).sort("force_code")


def unattributed_versions(lake: Lake) -> Iterator[tuple[str, str, Version]]:
    """Yield each file of no force that still lies in landing: its name, where it is kept, version.

    Replacing the file or taking it away is how somebody deals with it.

    Raises:
        LakeError: a kept file is gone.
    """
    store, folder = CaseStore(lake), lake.landing / CASES
    present = {str(path.relative_to(folder)) for path in waiting_below(folder).files}
    newest = {store.kept(kept).name: (kept, v) for v in store.versions() for kept in v.files}
    for name, (kept, version) in sorted(newest.items()):
        if version.force_code is None and name in present:
            yield name, kept, version


def unattributed_extracts(lake: Lake) -> Iterator[str]:
    """Yield the receipt of each of `unattributed_versions`."""
    yield from (version.receipt_id for _, _, version in unattributed_versions(lake))
