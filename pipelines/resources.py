"""What the assets are given to work with: the lake, held for one run at a time, and the gate."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import dagster as dg

from assets.gate.process import Gate, gate_process
from assets.lake import held, lake_root, sweep
from pipelines.dead_runs import end_dead_runs
from pipelines.instance import history_at_hand
from pipelines.io import ParquetTables
from pipelines.jobs import QUEUES

_PATIENCE: Final = 1800
"""Seconds that a run waits for its turn; a refresh takes seconds, so a longer wait is a fault."""


@dg.resource(description="The root of the lake; the lake is held while a run has this.")
def lake(context: dg.InitResourceContext) -> Iterator[Path]:
    """Yield the root of the lake.

    The lock is a resource so that every run has it, whoever started it. A run that nobody started
    by hand waits for its turn; a person is told at once.
    """
    root, run = lake_root(), context.run
    queues = run is not None and QUEUES.items() <= run.tags.items()
    with held(root, patience=_PATIENCE if queues else 0.5), ExitStack() as stack:
        if run is not None and context.instance is not None:
            end_dead_runs(context.instance, run)
            stack.enter_context(history_at_hand(context.instance, run.run_id))
        sweep(root)
        yield root


@dg.io_manager(
    required_resource_keys={"lake_root"}, description="Parquet tables in the lake, which is held."
)
def tables(context: dg.InitResourceContext) -> ParquetTables:
    """Return the reader and writer of the tables between assets."""
    return ParquetTables(context.resources.lake_root)


@dg.resource(description="Great Expectations, in a process of its own.")
def gate(_: dg.InitResourceContext) -> Iterator[Gate]:
    """Yield the gate; it loads its library while the run goes on."""
    with gate_process() as process:
        yield process


class Nothing(dg.IOManager):
    """For an asset that has written its own output."""

    def handle_output(self, context: dg.OutputContext, obj: object) -> None:
        """Keep nothing."""

    def load_input(self, context: dg.InputContext) -> None:
        """Give nothing."""


RESOURCES = {"lake_root": lake, "gate": gate, "io_manager": tables, "nothing": Nothing()}
