"""The pass for volume and plain Python find the same in anything that may be sent."""

from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from shutil import rmtree
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assets.cases.reading import LIMITS, Limits
from schemas.cases import UNREADABLE
from schemas.collection import load_collection
from tests.cases.extracts import Row, run, write_csv, write_parquet
from tests.cases.reference import counted, judged, seen

COLLECTION = load_collection("2012-revisit")
LISTS = COLLECTION.template.lists
WITH_MORE = ("information_disclosure", "media_relationship")
Sent = Sequence[tuple[str | None, Row]]
Files = list[tuple[str | None, list[Row]]]

FORCES = st.sampled_from(["STF", "DER", "XXX", "stf", "ST", None])
DAYS = st.one_of(
    st.none(),
    st.sampled_from([date(2011, 8, 31), date(2012, 6, 1), date(1, 1, 1), UNREADABLE]),
    st.integers(0, 273).map(lambda days: date(2011, 9, 1) + timedelta(days)),
)
NASTY = st.sampled_from(
    [
        "",
        " ",
        " other",
        "other\u2003",
        "=1+1",
        "\u00e9",
        "a\x00b",
        'quo"te',
        "co,mma",
        "li\nne",
        "x" * 99,
    ]
)


def _one_of(codes: Sequence[str]) -> st.SearchStrategy[str | None]:
    return st.one_of(st.none(), st.sampled_from(list(codes)), NASTY)


def _rows(days: st.SearchStrategy[Any], said: st.SearchStrategy[Any]) -> st.SearchStrategy[Row]:
    """Rows of which many are valid, and many have the reference of another."""
    refs = st.one_of(
        st.none(),
        NASTY,
        st.builds(
            "{}-{}-{}".format,
            st.sampled_from(["STF", "DER", "XXX"]),
            st.sampled_from(["2011", "0000", "201", "20111"]),
            st.sampled_from(["1", "01", "2", "999999999", "1234567890", "", "\u0661"]),
        ),
    )
    return st.fixed_dictionaries(
        {
            "force_code": FORCES,
            "case_ref": refs,
            "category": _one_of(
                [*LISTS["category"], "information_disclosure", "media_relationship"]
            ),
            "recipient": _one_of([*LISTS["recipient"], "media"]),
            "media": _one_of(list(LISTS["media"])),
            "opened_on": days,
            "status_at_census": _one_of([*LISTS["outcome"], "continuing"]),
            "closed_on": days,
            "suspended": said,
            "workforce": _one_of(["officer", "staff"]),
        }
    )


def _valid(number: int, force: str, *, continuing: bool) -> Row:
    return {
        "force_code": force,
        "case_ref": f"{force}-2011-{number}",
        "category": "other",
        "recipient": None,
        "media": None,
        "opened_on": date(2011, 12, 24),
        "status_at_census": "continuing" if continuing else "left_service",
        "closed_on": None if continuing else date(2012, 1, 24),
        "suspended": False,
        "workforce": "staff",
    }


VALID = st.builds(
    _valid, st.integers(1, 9), st.sampled_from(["STF", "DER"]), continuing=st.booleans()
)
TYPED = st.one_of(VALID, _rows(DAYS, st.sampled_from([True, False, None])))
TEXT_DAYS = st.one_of(
    DAYS.map(lambda day: day and str(day)),
    st.sampled_from(["2011-9-1", "2011-02-30", "01/10/2011", "2011-10-01 ", "20111001", "never"]),
)
SAID = st.sampled_from(["true", "False", "TRUE", "0", "yes", "", " true", None])
TEXT = st.one_of(VALID, _rows(TEXT_DAYS, SAID))
FOLDERS = st.sampled_from(["STF", "DER", "ZZZ", None])
LIMITS_OF_ALL_KINDS = st.sampled_from([LIMITS, Limits(4, 3), Limits(1, 1), Limits(3, 10**6)])


FILES = st.lists(st.tuples(FOLDERS, st.lists(TYPED, max_size=8)), min_size=1, max_size=4)
TEXT_FILES = st.lists(st.tuples(FOLDERS, st.lists(TEXT, max_size=8)), min_size=1, max_size=4)


def _agree(files: Files, limits: Limits, suffix: str) -> None:
    """Hold the engine to the reference: findings at their rows, and counts."""
    with TemporaryDirectory() as name:
        root, places, sent = Path(name), [], []
        for number, (folder, rows) in enumerate(files):
            path = root / f"force_code={folder}" / f"{number}{suffix}"
            path = path if folder else root / f"{number}{suffix}"
            WRITERS[suffix](path, rows)
            seen = list(rows) if suffix == ".parquet" else _seen_in_csv(rows)
            places += [(path.name, row) for row in range(1, len(seen) + 1)]
            sent += [(folder, row) for row in seen]
        results = run(root, root.with_suffix(".out"), COLLECTION, limits)
        rmtree(root.with_suffix(".out"))
    expected = [";".join(broken) for broken in judged(sent, COLLECTION)]
    assert results.reasons == {p: r for p, r in zip(places, expected, strict=True) if r}
    assert results.cells == counted(sent, COLLECTION)
    assert results.summary["rows"] == len(sent)


def _seen_in_csv(rows: Sequence[Row]) -> list[Row]:
    """Return the rows that have a value."""
    return [row for row in map(seen, rows) if any(value is not None for value in row.values())]


WRITERS = {".parquet": write_parquet, ".csv": write_csv}


def _in_parquet(files: Files, limits: Limits) -> None:
    _agree(files, limits, ".parquet")


def _in_csv(files: Files, limits: Limits) -> None:
    _agree(files, limits, ".csv")


WAYS = {"parquet": (FILES, _in_parquet), "csv": (TEXT_FILES, _in_csv)}


@pytest.mark.slow
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("examples", [10, pytest.param(100, marks=pytest.mark.slow)])
def test_anything_that_may_be_sent(way: str, examples: int) -> None:
    files, agree = WAYS[way]
    settings(max_examples=examples, deadline=None)(given(files, LIMITS_OF_ALL_KINDS)(agree))()
