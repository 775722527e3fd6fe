"""How fresh the marts must be, which Dagster shows on the asset.

Belongs here: from the window and the hour in a collection's file to a policy on release/marts.
"""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Final

import dagster as dg

from schemas.collection import Collection

_MARTS: Final = dg.AssetKey(["release", "marts"])
_A_DAY: Final = timedelta(days=1)
_GRACE: Final = 2
"""Hours after the daily refresh by which there must be a release."""


def freshness(collections: Iterable[Collection], now: datetime) -> dg.FreshnessPolicy | None:
    """Return what is expected of the marts, None outside every window.

    Each day of the window there must be a release of the last day. Dagster knows one policy for
    an asset, whatever its partitions: the collection whose window closes last decides. Definitions
    are loaded anew with each restart, so a window that has closed is forgotten then.
    """
    open_now = [known for known in collections if known.is_open(known.day_of(now))]
    if not open_now:
        return None
    decisive = max(open_now, key=lambda known: (known.window[1], known.id))
    at = decisive.running.refresh
    months = sorted({_month(*decisive.window, number) for number in range(12)} - {0})
    return dg.FreshnessPolicy.cron(
        deadline_cron=f"{at.minute} {min(at.hour + _GRACE, 23)} * {','.join(map(str, months))} *",
        lower_bound_delta=_A_DAY,
        timezone=decisive.timezone,
    )


def _month(opens: date, closes: date, number: int) -> int:
    """Return the month so many after the opening, 0 where the window has closed by then."""
    years, month = divmod(opens.month - 1 + number, 12)
    return month + 1 if date(opens.year + years, month + 1, 1) <= closes else 0


def with_freshness(
    assets: Iterable[object], expected: dg.FreshnessPolicy | None
) -> list[dg.AssetsDefinition]:
    """Return the assets with what is expected on the marts; None is for nothing."""
    ours = [asset for asset in assets if isinstance(asset, dg.AssetsDefinition)]
    if expected is None:
        return ours
    return [
        *dg.map_asset_specs(
            lambda spec: dg.apply_freshness_policy(spec, expected) if spec.key == _MARTS else spec,
            ours,
        )
    ]
