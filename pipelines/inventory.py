"""The morning inventory as a job: it logs what is broken or missing, where anything is.

Belongs here: reading the lake for it. Does not: what the lines say (assets/desk/inventory.py).
"""

from datetime import date

import dagster as dg

from assets.cases.refused import refused_extracts
from assets.desk.inventory import inventory
from assets.desk.ledger import Ledger, utc_now
from assets.desk.queries import queries, read_answers
from assets.intake.landing import waiting_anywhere
from assets.lake import Lake, lake_root
from assets.validation.standing import standing
from schemas.collection import Collection, load_collection
from schemas.wording import plural


class Which(dg.Config):
    """`collection`: the id of the collection to look at."""

    collection: str


def inventory_now(collection: Collection, today: date) -> list[str]:
    """Return what is broken or missing in a collection now; an empty list where nothing is.

    Raises:
        LakeError: the lake cannot be read.
    """
    lake = Lake(lake_root(), collection.id)
    lines = []
    if not lake.table("validation", "all_findings").exists():
        return [f"nothing has been run yet; {len(collection.forces)} forces are expected"]
    if not lake.marts.exists():
        lines.append("no release is shown to analysts; run: muster run")
    unfinished = waiting_anywhere(lake.landing).unfinished
    if unfinished:
        lines.append(f"{plural(len(unfinished), 'file')} in landing still open for writing")
    now = standing(lake)
    asked = queries(now.current_findings(), read_answers(Ledger(lake)))
    refused = refused_extracts(now.extracts)
    if refused.height:
        listed = ", ".join(refused["force_code"])
        lines.append(f"{plural(refused.height, 'case extract')} refused whole: {listed}")
    return lines + inventory(now.status(collection), asked, collection, today)


@dg.op(description="Log what is broken or missing in a collection.")
def list_what_is_broken(context: dg.OpExecutionContext, config: Which) -> None:
    """Log each line as a warning, so that the run's log has them at the top."""
    collection = load_collection(config.collection)
    lines = inventory_now(collection, collection.day_of(utc_now()))
    for line in lines:
        context.log.warning(line)
    if not lines:
        context.log.info("nothing is broken or missing")


@dg.job(
    name="inventory",
    executor_def=dg.in_process_executor,
    description="What is broken or missing: late forces, rejected returns, open queries.",
)
def inventory_job() -> None:
    """List what is broken or missing."""
    list_what_is_broken()
