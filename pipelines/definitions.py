"""What Dagster loads: every stage's assets and checks, the job, the schedule, the resources."""

import dagster as dg

from assets.cases import assets as cases
from assets.desk import assets as desk
from assets.desk.ledger import utc_now
from assets.intake import assets as intake
from assets.reconciliation import assets as reconciliation
from assets.recount import assets as recount
from assets.release import assets as release
from assets.reports import assets as reports
from assets.research import assets as research
from assets.totals import assets as totals
from assets.validation import assets as validation
from pipelines.alerts.runs import tell_of_finished_runs
from pipelines.freshness import freshness, with_freshness
from pipelines.inventory import inventory_job
from pipelines.jobs import refresh
from pipelines.resources import RESOURCES
from pipelines.schedules import SCHEDULES
from pipelines.sensors import LANDING_SENSORS
from schemas.collection import collection_files, load_collection

STAGES = (
    intake,
    cases,
    desk,
    reports,
    research,
    validation,
    totals,
    recount,
    reconciliation,
    release,
)

EXPECTED = freshness([load_collection(name) for name in collection_files()], utc_now())

defs = dg.Definitions(
    assets=[
        *with_freshness(dg.load_assets_from_modules(STAGES), EXPECTED),
        *validation.FORCE_RETURNS.values(),
    ],
    asset_checks=dg.load_asset_checks_from_modules(STAGES),
    jobs=[refresh, inventory_job],
    schedules=SCHEDULES,
    sensors=[*LANDING_SENSORS, tell_of_finished_runs],
    resources=RESOURCES,
    # For assets chosen in the UI too: of several processes, each would wait for the lake.
    executor=dg.in_process_executor,
)
