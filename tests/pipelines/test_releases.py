"""Releases listed, verified, compared and gone back to, through the command."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from assets.lake import Lake
from tests.pipelines.conftest import Muster
from tests.returns import SampleReturn

CELL = ("investigations", "other", "management_action")


@pytest.fixture
def two(lake: Lake, run: Muster, sample: Callable[[str], SampleReturn]) -> tuple[Path, Path]:
    """Two releases: the demo's, and one in which Staffordshire has one more case."""
    first = lake.marts.resolve()
    cells = (CELL, ("investigations", "other", "total"))
    cells += (
        ("investigations", "total", "management_action"),
        ("investigations", "total", "total"),
    )
    values = sample("STF").values
    more = {place: str(int(values[place]) + 1) for place in cells}
    sample("STF").with_values(more).write(lake.landing / "STF second.xlsx")
    assert run("run").exit_code == 0
    return first, lake.marts.resolve()


@pytest.mark.slow
def test_a_revision_says_old_new_and_whose_return_caused_it(
    two: tuple[Path, Path], run: Muster
) -> None:
    old, new = two
    assert old != new
    found = json.loads(run("releases", "compare", old.name, new.name, "--json").stdout)
    assert [row["force_code"] for row in found["returns"]] == ["STF"]
    assert found["otherwise"] == []
    totals = {(row["measure"], row["breakdown"]): row for row in found["totals"]}
    whole = totals["investigations", ""]
    assert (whole["old"], whole["new"], whole["change"]) == (2207, 2208, 1)
    assert {row["because"] for row in found["totals"]} == {"STF"}
    assert ("investigations", "category=second_jobs") not in totals
    assert "INV-01" in {row["figure_id"] for row in found["figures"]}
    both = run("releases", "compare", "2012-revisit")
    assert str(both.exception).startswith("2 releases have 2012-revisit in their names, so give")
    printed = run("releases", "compare", old.name[-6:])
    assert "STF: live return" in printed.output
    assert (
        json.loads(run("releases", "compare", new.name, new.name, "--json").stdout)["totals"] == []
    )


@pytest.mark.slow
def test_going_back_stands_until_a_run_makes_another_or_somebody_undoes_it(
    two: tuple[Path, Path], lake: Lake, run: Muster, sample: Callable[[str], SampleReturn]
) -> None:
    old, new = two
    assert run("series").exit_code == 0
    assert _in_the_series(lake) == 2208
    back = run("releases", "go-back", old.name)
    assert back.exit_code == 0
    assert _in_the_series(lake) == 2207, "the series is of what is shown"
    assert f"shows {old.name} instead of {new.name}, until" in back.output
    assert lake.marts.resolve() == old
    listed = json.loads(run("releases", "--json").stdout)
    assert [(row["release"], row["shown"]) for row in listed] == [
        (new.name, False), (old.name, True),
    ]  # fmt: skip
    for said in ("stays shown", "Nothing has changed: "):
        made = run("run")
        assert (made.exit_code, said in made.output) == (0, True), (made.output, made.exception)
        assert f"{old.name} sta" in made.output
        assert f"To show that again: muster releases go-back {new.name}" in made.output
        assert "Published" not in made.output
        assert lake.marts.resolve() == old, "what somebody chose is not undone by a schedule"
    assert "instead" not in run("releases", "go-back", new.name).output
    made = run("run")
    assert (made.exit_code, _in_the_series(lake)) == (0, 2208)
    assert "Make it again" not in made.output
    assert f"  series  {lake.root / 'marts' / 'series'}\n" in made.output
    assert lake.marts.resolve() == new
    run("releases", "go-back", old.name)
    shutil.rmtree(new)
    assert run("run").exit_code == 0
    assert lake.marts.resolve() == new, "made anew, as one that is damaged is"
    run("releases", "go-back", old.name)
    sample("KEN").with_values({CELL: "c. 3"}).write(lake.landing / "KEN second.xlsx")
    assert run("run").exit_code == 0
    assert lake.marts.resolve() not in {old, new}, "a run shows what the returns make"


def _in_the_series(lake: Lake) -> int:
    rows = pl.read_parquet(lake.root / "marts" / "series" / "series.parquet")
    return int(rows.filter(measure="investigations", breakdown="")["value"].item())


@pytest.mark.slow
def test_a_damaged_release_is_named_and_not_gone_back_to(
    two: tuple[Path, Path], lake: Lake, run: Muster
) -> None:
    old, new = two
    assert run("releases", "verify").exit_code == 0
    (old / "cells.parquet").unlink()
    verified = run("releases", "verify")
    assert verified.exit_code == 1
    assert f"{old.name}: cells.parquet is missing" in verified.output
    assert f"{new.name}: whole" in verified.output
    refused = run("releases", "go-back", old.name)
    assert refused.exit_code == 1
    assert "is damaged" in str(refused.exception)
    assert lake.marts.resolve() == new


def test_a_name_of_no_release_is_answered_with_those_there_are(lake: Lake, run: Muster) -> None:
    found = run("releases", "compare", "2011-revisit-x")
    assert found.exit_code == 1
    assert f"no release 2011-revisit-x. There are: {lake.marts.resolve().name}" in str(
        found.exception
    )


@pytest.mark.slow
def test_what_does_not_count_holds_no_release_up(lake: Lake, run: Muster) -> None:
    """It shows in the marts that an extract was refused, so that the release is another one."""
    cases, releases = lake.landing / "cases", [lake.marts.resolve().name]

    def refused() -> list[str | None]:
        done = run("run")
        assert done.exit_code == 0, done.output
        releases.append(lake.marts.resolve().name)
        found = pl.read_parquet(lake.marts / "findings.parquet").filter(rule_id="CASE13")
        return found["force_code"].to_list()

    for folder, of in ((".", [None]), ("force_code=STF", [None, "STF"])):
        (cases / folder).mkdir(parents=True, exist_ok=True)
        (cases / folder / "rows.csv").write_text("no,extract\n1,2\n")
        assert refused() == of
    assert len({*releases}) == len(releases)
    compared = json.loads(run("releases", "compare", releases[0], "--json").stdout)
    assert compared["otherwise"] == ["the case-level extracts"]
