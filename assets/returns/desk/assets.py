"""The desk: what people decided, as tables that validation reads; answers, it makes itself."""

import polars as pl

from assets.declare import made
from assets.lake import Lake
from assets.returns.desk.corrections import read_corrections
from assets.returns.desk.decisions import Ledger
from assets.returns.desk.versions import read_choices


def choices(lake: Lake) -> pl.DataFrame:
    return read_choices(Ledger(lake))


PARTS = (
    made("desk/choices", by=choices),
    made("desk/corrections", by=read_corrections),
)
