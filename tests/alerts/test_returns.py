"""Each condition of the data: there when something is wrong, and only then."""

from datetime import date, timedelta

import polars as pl
import pytest

from pipelines.alerts.look import differing, late, overdue, rejected, research
from schemas.collection import Collection
from schemas.contract import empty
from schemas.tables import Extracts, ResearchProblems

JUDGED = {"force_code": pl.String, "version": pl.Int64, "receipt_id": pl.String}
JUDGED |= {"blocking": pl.Int64, "newest": pl.Boolean}
NONE = empty(Extracts)


def _judged(*rows: tuple[str | None, int | None, str, int, bool]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=JUDGED, orient="row")


def _findings(*rows: tuple[str, str, str, str]) -> pl.DataFrame:
    names = ["receipt_id", "rule_id", "severity", "value"]
    return pl.DataFrame(rows, schema=dict.fromkeys(names, pl.String), orient="row")


def _status(collection: Collection, **states: str) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "force_code": collection.forces,
            "state": [states.get(force, "accepted") for force in collection.forces],
        }
    )


def _queries(*rows: tuple[str, str, str, str]) -> pl.DataFrame:
    return pl.DataFrame(
        rows,
        schema=dict.fromkeys(["query_id", "force_code", "rule_id", "state"], pl.String),
        orient="row",
    )


def test_refused_research_says_which_files_and_quotes_nothing(collection: Collection) -> None:
    assert research(empty(ResearchProblems), collection) is None
    rows = [
        ("survey_responses.csv", 7, "answer", "R003", "Sergeant Smith", "Type one."),
        ("survey_responses.csv", 9, "answer", "R003", "maybe", "Type one."),
        ("social_media_profiles.csv", None, None, "R002", "not readable", "Save it so."),
    ]
    problems = pl.DataFrame(rows, schema=empty(ResearchProblems).schema, orient="row")
    found = research(problems, collection)
    assert found is not None
    assert found.title == "2 research files are refused"
    assert list(found.cases) == [
        "social_media_profiles.csv: 1 problem",
        "survey_responses.csv: 2 problems",
    ]
    assert "3 problems in 2 research files" in found.now
    assert "Smith" not in str(found)


def test_a_rejected_return_says_which_force_and_which_rules(collection: Collection) -> None:
    judged = _judged(("STF", 1, "a", 0, False), ("STF", 2, "b", 3, True), ("AVS", 1, "c", 0, True))
    findings = _findings(
        ("b", "S010", "B", "Sergeant Smith"),
        ("b", "S010", "B", "7"),
        ("b", "C101", "B", "7"),
        ("b", "Q101", "Q", "7"),
        ("c", "Q102", "Q", "7"),
    )
    found = rejected(judged, findings, NONE, [], collection)
    assert found is not None
    assert found.title == "1 return is rejected"
    assert list(found.cases) == ["STF version 2: 3 blocking findings (C101 1, S010 2)"]
    assert "1 force of 44" in found.now
    assert "Smith" not in str(found), "what a cell holds is nobody's business"


def test_a_file_of_nobody_is_told_of(collection: Collection) -> None:
    found = rejected(
        _judged(), _findings(), NONE, ["receipt ab, force unknown (S001 1)"], collection
    )
    assert found is not None
    assert found.title == "1 file is of no force that can be told"
    assert "receipt ab" in next(iter(found.cases))


def test_returns_extracts_and_files_of_nobody_are_not_added_up(collection: Collection) -> None:
    judged = _judged(("STF", 1, "a", 1, True))
    extracts = pl.DataFrame(
        {"force_code": ["AVS", "BED"], "version": [1, 1], "state": ["rejected", "unreadable"]}
    )
    findings = _findings(("a", "S010", "B", "")).with_columns(force_code=pl.lit("STF"))
    found = rejected(judged, findings, extracts, ["receipt ab", "receipt cd"], collection)
    assert found is not None
    assert found.title == (
        "1 return is rejected, 2 case extracts are refused and 2 files are of no force that can be"
        " told"
    )


def test_no_rejected_return_no_alert(collection: Collection) -> None:
    """An earlier version that was rejected has been mended; an unexpected force is not chased."""
    judged = _judged(("STF", 1, "a", 3, False), ("STF", 2, "b", 0, True), ("ZZZ", 1, "z", 1, True))
    assert rejected(judged, _findings(("a", "S010", "B", "x")), NONE, [], collection) is None


@pytest.mark.parametrize(("days", "told"), [(-1, False), (0, False), (1, True)])
def test_queries_are_overdue_the_day_after_their_deadline(
    collection: Collection, days: int, told: bool
) -> None:
    asked = _queries(
        ("Q-1", "STF", "Q101", "open"),
        ("Q-2", "STF", "Q102", "answered"),
        ("Q-3", "AVS", "Q101", "accepted"),
    )
    found = overdue(asked, collection, collection.deadlines.hard + timedelta(days=days))
    assert found is not None
    assert (found.severity == "warning") == told
    assert found.title == f"2 queries are open {'past' if told else 'until'} 29 June 2012"
    assert list(found.cases.values()) == ["Q-1 STF Q101: open", "Q-2 STF Q102: answered"]


def test_queries_can_have_a_deadline_of_their_own(collection: Collection) -> None:
    deadlines = collection.deadlines.model_copy(update={"queries": date(2012, 7, 31)})
    later = collection.model_copy(update={"deadlines": deadlines})
    asked = _queries(("Q-1", "STF", "Q101", "open"))
    for day, severity in ((date(2012, 7, 31), "info"), (date(2012, 8, 1), "warning")):
        assert getattr(overdue(asked, later, day), "severity", None) == severity


def test_no_open_query_no_alert(collection: Collection) -> None:
    asked = _queries(("Q-3", "AVS", "Q101", "accepted"))
    assert overdue(asked, collection, date(2026, 1, 1)) is None


def test_forces_are_late_at_the_soft_and_at_the_hard_deadline(collection: Collection) -> None:
    status = _status(collection, STF="missing", AVS="rejected", BED="queried")
    soft, hard = collection.deadlines.soft, collection.deadlines.hard
    day = timedelta(days=1)
    in_time = late(status, collection, soft)
    assert in_time is not None
    assert in_time.severity == "info", "listed in the morning, and nobody is told"
    assert in_time.title == "2 forces are awaited: soft deadline 15 June 2012"
    at_soft, at_hard = late(status, collection, soft + day), late(status, collection, hard + day)
    assert at_soft is not None
    assert at_hard is not None
    assert (at_soft.severity, at_hard.severity) == ("warning", "error")
    assert list(at_soft.cases.values()) == ["AVS: rejected", "STF: missing"]
    assert at_hard.title == "2 forces are late: hard deadline 29 June 2012"
    assert not at_hard.same_as(at_soft), "people are told again at the hard deadline"
    came = late(_status(collection, STF="rejected", AVS="rejected"), collection, hard + day)
    assert came is not None
    assert came.same_as(at_hard), "that what came is rejected is told of by itself"
    assert late(_status(collection), collection, hard + day) is None


def test_a_figure_that_differs(collection: Collection) -> None:
    rows = pl.DataFrame(
        {
            "figure_id": ["INV-01", "INV-02", "INV-03"],
            "measure": ["investigations"] * 3,
            "breakdown": [""] * 3,
            "published": [2207.0, 5.0, 7.0],
            "computed": [2208.0, 5.0, None],
            "status": ["differs", "match", "not_included"],
        }
    )
    found = differing(rows, collection)
    assert found is not None
    assert list(found.cases) == ["INV-01"]
    assert "published 2207, computed 2208" in found.cases["INV-01"]
    same = differing(rows.with_columns(pl.col("computed") + 1), collection)
    assert same is not None
    assert same.same_as(found), "the same figure is told of once, whatever it comes to"
    assert differing(rows.filter(pl.col("status") != "differs"), collection) is None
