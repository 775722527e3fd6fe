"""What drives the service: a run, the demonstration, the examination, a test of the alerts."""

from __future__ import annotations

import gc
import platform
import shutil
import sys
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from assets.history import chosen
from assets.lake import Lake, lake_root
from pipelines.cli.output import (
    console,
    emit,
    lake_of,
    meant,
    print_rows,
    print_table,
    sample_option,
    shown,
    shown_path,
    subcommand,
)
from pipelines.cli.releases import instead
from pipelines.standing import Standing, standing
from schemas.errors import UnavailableError
from schemas.wording import first_of, plural

if TYPE_CHECKING:
    from assets.figures.explain.released import Released
    from pipelines.refresh import Refreshed
    from schemas.collection import Collection

_PLACES: Final = {
    "marts": "",
    "report": "report/index.html",
    "summary": "summary.xlsx",
    "public": "public",
}
"""What a release has for whom, by its path in the release."""

_SHOWN: Final = 20
"""Rows of a list that are printed; the rest are counted."""


@subcommand()
@click.pass_context
def run(context: click.Context, collection_id: str | None) -> None:
    """Take in what is new, rebuild, reconcile and publish a release.

    Where nothing has changed since the last run, it says so and is done at once.

    Exit code 0: published. 1: not published; what analysts see has not changed.
    """
    if found := standing(lake_root(), collection_id):
        _say(found)
        sys.exit(0)
    _begin()
    sys.exit(0 if refreshed(meant(context, collection_id)) else 1)


def _begin() -> None:
    """Begin the gate first: it takes as long as all that is loaded next, on another processor."""
    from assets.release.gate.process import begin

    begin(lake_root())


def _say(found: Standing) -> None:
    """Say which release stands; tell people what they were not told of it yet."""
    since = found.shown.at.replace("T", " ").replace("+00:00", " UTC")
    back = instead(found.shown, found.collection)
    click.echo(f"Nothing has changed: {found.shown.release} stands, shown since {since}{back}")
    if not found.told:
        from pipelines.alerts.messages import tell_at_end

        tell_at_end(found.collection, None)


@subcommand()
@sample_option
def demo(collection: Collection) -> None:
    """Make the sample returns, run everything, and say where to look.

    The returns and the research are reconstructed: nobody sent them.
    """
    from assets.sample.write import write_research, write_sample
    from schemas.collection import command

    lake = Lake(lake_root(), collection.id)
    paths = write_sample(lake.landing, collection)
    write_research(lake.research, collection)
    click.echo(
        f"Wrote {plural(len(paths), 'reconstructed sample return')} and research/ to"
        f" {shown_path(lake.landing)}"
    )
    published = refreshed(collection)
    if published:
        check = f"check {shown_path(lake.landing / 'STF.xlsx')}"
        aside = "" if shutil.which("muster") else f", in {shown_path(Path(sys.executable).parent)}"
        click.echo(f"\nWhere to look next{aside}")
        for words, what in (
            ("status", "where each force stands"),
            ("reconcile", "published against computed"),
            ("explain INV-02", "one figure, down to the cells"),
            (check, ""),
        ):
            click.echo(f"  {command(words, collection.id):<36}{what}".rstrip())
        click.echo("  make dev                            the Dagster UI, with this run in it")
    sys.exit(0 if published else 1)


def refreshed(collection: Collection) -> bool:
    """Refresh, print what happened, tell people what is news, and return whether it published."""
    _begin()
    gc.disable()  # nothing of what is loaded goes, and a look for it takes time, now and later
    # Dagster asks it for the bits of a number, and it would start the system's `file` to be told.
    asked = platform.architecture
    platform.architecture = lambda *_: (f"{sys.maxsize.bit_length() + 1}bit", "")
    from pipelines.alerts.look import RunOutcome
    from pipelines.alerts.messages import tell_at_end
    from pipelines.refresh import refresh

    platform.architecture = asked
    gc.freeze()
    gc.enable()

    try:
        with console(stderr=True).status("Taking in, checking and adding up"):
            done = refresh(collection.id)
    except UnavailableError as error:
        tell_at_end(collection.id, RunOutcome(None, str(error)))
        raise
    finally:
        gc.unfreeze()  # duckdb complains at the end unless it is given back
    try:
        _report(done, collection)
    finally:  # whatever cannot be shown here, people are told how it ended
        tell_at_end(collection.id, done.outcome)
    return done.outcome.error is None


def _report(done: Refreshed, collection: Collection) -> None:
    from assets.marts import read_manifest
    from pipelines.cli.desk import (
        absent_forces,
        print_unattributed,
        refused_besides,
        set_aside,
        states_in_words,
    )
    from pipelines.cli.figures import counted, read_release
    from schemas.collection import addressed, command

    lake = lake_of(collection)
    for note in done.lost:
        click.echo(f"Warning: {note}", err=True)
    if error := done.outcome.error:
        at = f" ({done.outcome.place})" if done.outcome.place else ""
        click.echo(f"Not published. {addressed(error, collection.id)}{at}", err=True)
        still = f" {shown_path(lake.marts)} still shows the last release."
        click.echo(f"Run {done.outcome.run_id}.{still if lake.marts.exists() else ''}", err=True)
        print_unattributed(lake)
        return
    _print_taken_in(done, lake)
    print_unattributed(lake)
    release = read_release(collection)
    if back := instead(chosen(lake), collection.id):
        # What the run made is not what is shown: its numbers are not those of the release below.
        click.echo(f"\nNothing has changed in what counts: {release.folder.name} stays shown{back}")
        return
    status, reconciliation = release.mart("returns_status"), release.mart("reconciliation")
    click.echo(f"\n{states_in_words(status)}")
    for what, of in (
        ("missing: {}", absent_forces),
        ("case rows set aside, so that cases may be missing: {}", set_aside),
        ("refused besides, what {}", refused_besides),
    ):
        if forces := of(status):
            click.echo(f"  {what.format(forces)}")
    # Those of files that are nobody's are told above, by file, while they lie in landing.
    blocking = release.mart("findings").filter(severity="B").drop_nulls("force_code")
    if blocking.height:
        click.echo(f"\n{plural(blocking.height, 'blocking finding')}:")
        columns = (
            "force: force_code, rule: rule_id, sheet, cell, what is wrong: message,"
            " what to do: how_to_fix"
        )
        print_rows(blocking, columns, most=_SHOWN, where=" in findings.parquet")
    _print_totals(release)
    click.echo(f"\n{counted(reconciliation)}")
    differing = reconciliation.filter(status="differs")["figure_id"]
    if differing.len():
        listed = ", ".join(differing.head(_SHOWN)) + (" ..." if differing.len() > _SHOWN else "")
        click.echo(f"  differing: {listed}\n  see: {command('reconcile', collection.id)}")
    click.echo(f"\nPublished {done.release}")
    _print_places(lake, read_manifest(release.folder)["found"]["public"]["withheld"])


def _print_places(lake: Lake, withheld: str | None) -> None:
    """Print where what is shown lies; `withheld` is why no public edition is."""
    from assets.figures.comparable import SERIES, outdated_series

    for what, name in _PLACES.items():
        click.echo(f"  {what:<8}{shown_path(lake.marts / name)}")
    if withheld:
        click.echo(f"  {'':<8}no public edition of this release: {withheld}")
    if (folder := lake.root / "marts" / SERIES).exists():
        older = outdated_series(lake.root)
        told = f" {older}. Make it again: muster series" if older else ""
        click.echo(f"  {SERIES:<8}{shown_path(folder)}{told}")


def _print_taken_in(done: Refreshed, lake: Lake) -> None:
    from assets.tables import read_table

    click.echo(f"Took in {plural(done.new, 'new file')} from {shown_path(lake.landing)}")
    for files, what in (
        (done.duplicates, "the same bytes were received before (S002): {}"),
        (done.left, "left in landing; it {}"),
        (done.refused, "refused (S001), kept in quarantine: {}"),
        (dict.fromkeys(done.ignored), "a folder, not looked into; put the files beside it"),
    ):
        for name, why in files.items():
            click.echo(f"  {shown(name)}: {what.format(why)}")
    if done.litter:
        litter = first_of([*map(shown, done.litter)], _SHOWN)
        click.echo(f"  passed over as litter of other programs: {litter}")
    if done.extracts:
        click.echo(f"Took in {plural(done.extracts, 'new case-level extract')}")
    if done.research:
        click.echo(f"Took in research: {', '.join(done.research)}")
    if done.reports:
        click.echo(f"{plural(len(done.reports), 'force report')} not read whole:")
        for name, why in [*done.reports.items()][:_SHOWN]:
            click.echo(f"  {shown(name)}: {why}")
        if len(done.reports) > _SHOWN:
            click.echo(f"  and {len(done.reports) - _SHOWN:,} more: muster read-report says why")
    problems = read_table(lake.table("research/research_problems"))
    if problems.height:
        count = plural(problems.height, "problem")
        click.echo(f"\n{count} in research; of each file the last acceptable one counts:")
        columns = "file: file_name, row, column: column_name, rule: rule_id, message"
        print_rows(problems, f"{columns}, what to do: how_to_fix", most=_SHOWN)


def _print_totals(release: Released) -> None:
    """Print the main measure of the template, by its first dimension and what crosses it."""
    import polars as pl

    from assets.figures.totals.national import in_the_totals
    from schemas import vocabulary as v
    from schemas.breakdown import write_breakdown
    from schemas.measures import NOW

    template, totals = release.collection.template, release.mart("national_totals")
    main, (included, expected) = template.main, in_the_totals(totals, release.collection)
    profiles = release.mart("force_profiles")
    name = (main or "totals").replace("_", " ").capitalize()
    click.echo(f"\n{name}, from {included} of {expected} forces")
    if profiles.filter(pl.col("state").is_in(v.LIVE_STATES), basis="reconstructed").height:
        click.echo(f"  RECONSTRUCTED: {v.BASES['reconstructed']}")
    if main is None:
        return
    values = dict(totals.filter(measure=main, period=NOW).select("breakdown", "value").iter_rows())
    measure = template.measures[main]
    crossed = measure.crossed_by or ""
    columns = [{crossed: code} for code in template.codes_of(main, crossed)] + [{}]
    side = next((level.by[0] for level in measure.levels if len(level.by) == 1), "")
    rows: list[tuple[str, dict[str, str]]] = [("All", {})]
    for code in template.codes_of(main, side):
        rows.append((template.lists[side][code], {side: code}))

    def at(codes: dict[str, str]) -> float | None:
        in_order = {name: codes[name] for name in template.ordered([codes])}
        return values.get(write_breakdown(in_order))

    heads = [" ".join(column.values()).replace("_", " ") or "total" for column in columns]
    print_table(
        ("", *heads),
        ((label, *(at({**parts, **column}) for column in columns)) for label, parts in rows),
        right=heads,
    )


@subcommand()
def doctor(as_json: bool) -> None:
    """Examine the lake, its hashes, releases, Dagster, schedules and alert channels.

    Nothing is changed. Exit code 0: all is well or wants a look only. 1: something is broken.
    """
    from pipelines.doctor import examine

    found = list(examine())
    broken = [each for each in found if each.level == "bad"]
    emit([asdict(each) for each in found], ": level, what, where, observed", as_json=as_json)
    if not as_json:
        for each in found:
            if each.do:
                click.echo(f"\n{each.level}: {each.where} {each.observed}\n  {each.do}")
        looks = sum(each.level == "warn" for each in found)
        click.echo(f"\n{len(found)} examined, {looks} to look at, {len(broken)} broken")
    sys.exit(1 if broken else 0)


@subcommand("alert-test")
def alert_test() -> None:
    """Send a test message through each channel that MUSTER_ALERT_URLS names.

    Exit code 0: every channel took it, or none is set. 1: a channel did not.
    """
    from pipelines.alerts.send import SETTING, channels

    there = channels()
    if not there:
        outbox = shown_path(Lake(lake_root(), "").outbox)
        click.echo(
            f"No channel is set, so alerts go to the log and to {outbox}; nothing leaves this"
            f" machine. To send them, set {SETTING} to one or more apprise addresses."
        )
        return
    at = datetime.now(UTC).isoformat(timespec="seconds")
    text = (
        f"This is a test of Muster's alerts, sent {at}. Nothing is broken; there is nothing to do."
    )
    failed = 0
    for channel in there:
        why = channel.send("Muster: TEST, nothing is broken", text, "info")
        failed += why is not None
        click.echo(f"{channel.name}: {'ok' if why is None else f'failed: {why}'}")
    if failed:
        click.echo(
            f"{plural(failed, 'channel')} of {len(there)} failed. Mend the address in {SETTING} or"
            " the service behind it, then try again.",
            err=True,
        )
    sys.exit(1 if failed else 0)
