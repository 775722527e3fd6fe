"""The desk for commands: queries, answers and versions as they stand at this moment."""

from typing import Any

import click
import polars as pl

from assets.desk import queries as desk_queries
from assets.desk.ledger import DeskError, Ledger
from assets.desk.versions import choose
from assets.intake.nobodys import nobodys_files
from assets.intake.tables import damaged_now
from assets.lake import Lake, lake_root
from assets.validation.standing import standing
from pipelines.cli.output import print_table
from schemas.collection import load_collection
from schemas.wording import plural


class Desk:
    """What people decide about the returns of one collection."""

    def __init__(self, collection_id: str) -> None:
        self.collection = load_collection(collection_id)
        self.lake = Lake(lake_root(), collection_id)
        self.ledger = Ledger(self.lake)

    def queries(self) -> pl.DataFrame:
        """Return every current query, as assets.desk.queries.queries does."""
        findings = standing(self.lake).current_findings()
        asked = desk_queries.queries(findings, desk_queries.read_answers(self.ledger))
        return asked.sort("force_code", "rule_id", "sheet", "cell")

    def query(self, query_id: str) -> dict[str, Any]:
        """Return one current query.

        Raises:
            DeskError: there is none with that id.
        """
        rows = self.queries().filter(pl.col("query_id") == query_id)
        if rows.is_empty():
            raise DeskError(f"there is no query {query_id} now. List them: muster queries --all")
        return rows.row(0, named=True)

    def answer(self, query_id: str, reason: str, by: str, accepted_by: str | None) -> None:
        """Record a reason, and its acceptance where a second person is named.

        Raises:
            DeskError: the reason says nothing, or the same person answers and accepts.
        """
        if accepted_by:
            desk_queries.require_second_person(query_id, by, accepted_by)
        desk_queries.answer(self.ledger, self.query(query_id), reason, by)
        if accepted_by:
            self.accept(query_id, accepted_by)

    def accept(self, query_id: str, by: str) -> None:
        """Record that a second person accepts a reason.

        Raises:
            DeskError: there is no reason yet, or it was recorded by the same person.
        """
        desk_queries.accept(self.ledger, self.query(query_id), by)

    def go_back(self, force_code: str, version: int, reason: str, by: str) -> None:
        """Record that a force's return goes back to an earlier version.

        Raises:
            DeskError: there is no such version, or it was rejected.
        """
        now = standing(self.lake)
        damaged = now.damaged.filter(pl.col("force_code") == force_code)["version"].drop_nulls()
        choose(self.ledger, now.judged, force_code, version, reason, by, damaged)


def open_desk(collection_id: str) -> Desk:
    """Return the desk of a collection."""
    return Desk(collection_id)


def print_unattributed(lake: Lake) -> None:
    """Print which files are of no known force, and what of the raw store is damaged."""
    files = nobodys_files(lake)
    if files:
        click.echo(f"\nOf no known force: {plural(len(files), 'file')} in landing")
        print_table(
            ("file", "came", "lies at", "what is wrong"),
            ((file.file_name, file.received_at, file.lies_at, file.why) for file in files),
        )
    damaged = damaged_now(lake)
    if damaged.height:
        click.echo(f"\nDamaged or gone: {plural(damaged.height, 'receipt')}; see muster doctor")
        print_table(
            ("file", "force", "version", "what is wrong"),
            damaged.select("file", "force_code", "version", "problem").iter_rows(),
            right=("version",),
        )
