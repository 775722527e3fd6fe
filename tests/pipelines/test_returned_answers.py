"""Answers that a force types into its marked copy: sent back as any return, they are recorded."""

import json
from pathlib import Path
from typing import Any

import pytest

from assets.lake import Lake
from tests.feedback.conftest import answered
from tests.pipelines.conftest import Muster

REASON = "All zbigniewska approvals were renewed at once, as in each year."
ROLE = "Head of professional standards"


def _asked(run: Muster, force: str) -> dict[str, dict[str, Any]]:
    rows = json.loads(run("queries", "--all", "--json").output)
    return {row["rule_id"]: row for row in rows if row["force_code"] == force}


def _status(run: Muster, force: str) -> dict[str, Any]:
    rows = json.loads(run("status", "--json").output)
    return next(row for row in rows if row["force_code"] == force)


@pytest.mark.slow
def test_an_answer_comes_back_in_the_copy_and_waits_for_a_second_person(
    lake: Lake, run: Muster, tmp_path: Path
) -> None:
    assert run("feedback", "--out", tmp_path / "out").exit_code == 0
    copy = tmp_path / "out" / "CHS" / "CHS-marked.xlsx"
    answered(copy, lake.landing / "CHS back.xlsx", {"Q105": (REASON, ROLE)})
    done = run("run")
    assert done.exit_code == 0, done.output
    query = _asked(run, "CHS")["Q105"]
    status = _status(run, "CHS")
    assert (status["state"], status["version"], status["queries_open"]) == ("queried", 2, 1)
    assert (query["state"], query["reason"]) == ("answered", REASON)
    assert query["answered_by"] == f"{ROLE} of CHS, receipt {status['receipt_id']}"
    assert run("answer", query["query_id"], "--accepted-by", "Ann").exit_code == 0
    assert _status(run, "CHS")["state"] == "accepted"
    assert len([*(lake.desk / "ledger").iterdir()]) == 2, "one answer, one acceptance"
    for path in lake.root.rglob("*"):
        if path.is_file() and ("dagster" in str(path) or path.suffix in {".log", ".db"}):
            assert b"zbigniewska" not in path.read_bytes(), path
