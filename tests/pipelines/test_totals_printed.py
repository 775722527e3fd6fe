"""The table of totals that a run prints, whatever order the template's lists stand in."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import polars as pl
import pytest

from pipelines.cli.service import _print_totals
from schemas.collection import load_collection


def test_what_crosses_a_measure_may_be_the_first_list(capsys: pytest.CaptureFixture[str]) -> None:
    """A breakdown is written in the order of the lists, whichever the table goes along."""
    collection = load_collection("2012-revisit")
    lists = collection.template.lists
    template = replace(collection.template, lists={"outcome": lists["outcome"], **lists})
    totals = pl.DataFrame(
        {
            "measure": ["investigations"] * 2,
            "breakdown": ["", "outcome=continuing;category=procurement"],
            "period": ["collection"] * 2,
            "value": [9.0, 7.0],
            "forces_included": [44] * 2,
            "forces_expected": [44] * 2,
        }
    )
    marts = {
        "national_totals": totals,
        "force_profiles": pl.DataFrame({"state": [""], "basis": [""]}),
    }
    of = collection.model_copy(update={"template": template})
    _print_totals(cast(Any, SimpleNamespace(collection=of, mart=marts.__getitem__)))
    (line,) = [each for each in capsys.readouterr().out.splitlines() if "Procurement" in each]
    assert line.split()[-6:] == ["7", "-", "-", "-", "-", "-"]
