"""What Dagster loads: every stage's assets and checks, the job, the schedule, the resources."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import partial
from typing import Final

import dagster as dg

from assets.declare import Check, Made, step
from assets.figures import assets as figures
from assets.inputs import assets as inputs
from assets.intake.store import utc_now
from assets.release import assets as release
from assets.returns.validation import assets as validation
from pipelines.alerts.runs import tell_of_finished_runs
from pipelines.jobs import LANDING_SENSORS, SCHEDULES, inventory_job, refresh
from pipelines.resources import RESOURCES
from schemas.collection import Collection, sound_collections

STEPS: Final[dict[str, tuple[Made | Check, ...]]] = {
    "intake": inputs.PARTS,
    "validation": validation.PARTS,
    "figures": (*figures.PARTS, *validation.FOR_READERS, *inputs.FOR_READERS),
}
"""What is made in one step of Dagster, in order; the release is the last.

What only readers wait for is made when the gate has something to do: see AHEAD.
"""

AHEAD: Final = {"figures": {"totals/cube": release.choose_ahead}}
"""What of the release is begun in a step before, once the tables before one of it are made."""

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
    at, (opens, closes) = decisive.running.refresh, decisive.window
    ordinals = range(opens.year * 12 + opens.month, closes.year * 12 + closes.month + 1)
    months = sorted({(ordinal - 1) % 12 + 1 for ordinal in ordinals[:12]})
    return dg.FreshnessPolicy.cron(
        deadline_cron=f"{at.minute} {min(at.hour + _GRACE, 23)} * {','.join(map(str, months))} *",
        lower_bound_delta=_A_DAY,
        timezone=decisive.timezone,
    )


def with_freshness(
    assets: Iterable[object], expected: dg.FreshnessPolicy | None
) -> list[dg.AssetsDefinition]:
    """Return the assets with what is expected on the marts; None is for nothing."""
    ours = [asset for asset in assets if isinstance(asset, dg.AssetsDefinition)]
    if expected is None:
        return ours
    marts = partial(dg.apply_freshness_policy, policy=expected)
    return [*dg.map_asset_specs(lambda spec: marts(spec) if spec.key == _MARTS else spec, ours)]


EXPECTED = freshness(sound_collections(), utc_now())

defs = dg.Definitions(
    assets=[
        *(step(name, parts, AHEAD.get(name)) for name, parts in STEPS.items()),
        *with_freshness([release.marts], EXPECTED),
        *validation.FORCE_RETURNS.values(),
    ],
    jobs=[refresh, inventory_job],
    schedules=SCHEDULES,
    sensors=[*LANDING_SENSORS, tell_of_finished_runs],
    resources=RESOURCES,
    # For assets chosen in the UI too: of several processes, each would wait for the lake.
    executor=dg.in_process_executor,
)
