"""What Dagster loads: every stage's assets and checks, the job, the schedule, the resources."""

import dagster as dg

from assets.desk import assets as desk
from assets.intake import assets as intake
from assets.reconciliation import assets as reconciliation
from assets.recount import assets as recount
from assets.release import assets as release
from assets.reports import assets as reports
from assets.totals import assets as totals
from assets.validation import assets as validation
from pipelines.jobs import refresh
from pipelines.resources import RESOURCES
from pipelines.schedules import daily_refresh

STAGES = (intake, desk, reports, validation, totals, recount, reconciliation, release)

defs = dg.Definitions(
    assets=[
        *dg.load_assets_from_modules(STAGES),
        *validation.FORCE_RETURNS.values(),
    ],
    asset_checks=dg.load_asset_checks_from_modules(STAGES),
    jobs=[refresh],
    schedules=[daily_refresh],
    resources=RESOURCES,
)
