"""`muster doctor` as people and watchers meet it."""

import json

import pytest
from click.testing import CliRunner, Result

from assets.lake import Lake
from pipelines.cli.main import muster
from tests.survival.harness import content_of


def _doctor(lake: Lake, *arguments: str) -> Result:
    return CliRunner(env={"MUSTER_LAKE": str(lake.root)}).invoke(muster, ["doctor", *arguments])


def test_it_ends_with_0_where_nothing_is_broken(lake: Lake) -> None:
    result = _doctor(lake)
    assert result.exit_code == 0, result.output
    assert "0 broken" in result.output


def test_it_ends_with_1_where_something_is_broken_and_says_what_to_do(lake: Lake) -> None:
    (lake.marts / "findings.parquet").write_text("changed")
    result = _doctor(lake)
    assert result.exit_code == 1
    assert "Move that folder away and: muster run." in result.output
    rows = json.loads(_doctor(lake, "--json").stdout)
    broken = [row for row in rows if row["level"] == "bad"]
    assert {row["what"] for row in broken} == {"releases", "marts"}
    assert set(broken[0]) == {"what", "level", "where", "observed", "do"}


@pytest.mark.slow
def test_it_changes_nothing(lake: Lake) -> None:
    """Not even the times in Dagster's database, which it opens."""
    ran = CliRunner(env={"MUSTER_LAKE": str(lake.root)}).invoke(muster, ["run"])
    assert ran.exit_code == 0, ran.output
    before = content_of(lake.root)
    assert _doctor(lake).exit_code == 0
    assert content_of(lake.root) == before
