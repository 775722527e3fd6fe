"""Each check of each research file fires at its row, and says what to do."""

from collections.abc import Callable

import polars as pl
import pytest

from schemas.research import QUESTIONS, ROW_CHECKS
from schemas.rules.catalogue import rules_of
from tests.research.files import INSTANCES, PROFILES, SHORT, SURVEY, Folder

Change = Callable[[pl.DataFrame], pl.DataFrame]


def _cell(row: int, column: str, text: str) -> Change:
    """Return a change of one cell; `row` as a spreadsheet numbers it."""
    here = pl.int_range(2, pl.len() + 2) == row
    return lambda t: t.with_columns(
        pl.when(here).then(pl.lit(text)).otherwise(column).alias(column)
    )


def _without(row: int) -> Change:
    return lambda t: t.filter(pl.int_range(2, pl.len() + 2) != row)


def _again(row: int) -> Change:
    return lambda t: pl.concat([t, t[row - 2]])


def _with(*rows: tuple[str, ...]) -> Change:
    return lambda t: pl.concat([t, pl.DataFrame(list(rows), schema=t.schema, orient="row")])


SURVEY_END = SHORT + 2
"""The first row after the short survey."""

STANDS_AT = {"one_key": None} | {
    check: column for checks in ROW_CHECKS.values() for check, (column, _) in checks.items()
}
BROKEN: dict[str, tuple[str, Change, list[int], str]] = {
    "one_key": (PROFILES, _again(2), [2, 54], "one row for each key"),
    "profiles_within": (
        PROFILES,
        _cell(2, "profiles_inappropriate", "999"),
        [2],
        "at most profiles, ",
    ),
    "accounts_within": (
        PROFILES,
        _cell(2, "accounts_still_visible", "1"),
        [2],
        "at most accounts_inappropriate, not_held",
    ),
    "every_kind": (INSTANCES, _without(2), list(range(2, 9)), "8 rows for AVS in 2012"),
    "answer_of_question": (SURVEY, _cell(2, "answer", "refused"), [2], "one of yes, no, dont_know"),
    "one_wave": (SURVEY, _cell(2, "wave", "3"), list(range(2, 9)), "one wave for 2011-1-0001"),
    "one_answer": (
        SURVEY,
        _with(("2011-1-0001", "2011", "1", "police_good_or_excellent", "no")),
        [2, SURVEY_END],
        "one answer of 2011-1-0001 to police_good_or_excellent",
    ),
    "led_to": (
        SURVEY,
        _with(("2012-9", "2012", "2", "reason_corruption_common", "human_nature")),
        [SURVEY_END],
        "a respondent who answered yes to corruption_common",
    ),
    "no_contradiction": (
        SURVEY,
        _with(
            ("2012-9", "2012", "2", "corruption_common", "yes"),
            ("2012-9", "2012", "2", "corruption_not_common", "yes"),
        ),
        [SURVEY_END + 1],
        "no respondent who says yes to the reverse too",
    ),
}


def test_every_check_of_a_contract_has_its_rule_and_its_test() -> None:
    """A check without a rule crashes on bad data; one without a test may be dead."""
    assert set(STANDS_AT) == set(BROKEN)
    said = [what for rule in rules_of("research").values() for what in rule.says]
    assert set(STANDS_AT) <= set(said)
    assert len(said) == len(set(said))


@pytest.mark.parametrize("check", BROKEN)
def test_each_check_of_whole_rows_fires_at_its_rows(check: str, folder: Folder) -> None:
    name, change, rows, expected = BROKEN[check]
    folder.change(name, change)
    found = folder.problems()
    assert [row for _, row, _, _ in found] == rows
    assert {(file, column) for file, _, column, _ in found} == {(name, STANDS_AT[check])}
    assert all(text.startswith(expected) for *_, text in found), found[0]


@pytest.mark.parametrize(
    ("name", "column", "text", "expected"),
    [
        (PROFILES, "profiles", "", "a whole number"),
        (PROFILES, "profiles", "not_held", "a whole number"),
        (PROFILES, "profiles", "-1", "a whole number"),
        (PROFILES, "profiles", "about 40", "a whole number"),
        (PROFILES, "profiles_inappropriate", "", "a whole number or not_held"),
        (PROFILES, "accounts_inappropriate", "not held", "a whole number or not_held"),
        (PROFILES, "accounts_still_visible", "1.5", "a whole number or not_held"),
        (PROFILES, "force_code", "XXX", "one of AVS, BED"),
        (PROFILES, "year", "2010", "one of 2011, 2012"),
        (INSTANCES, "site", "myspace", "one of facebook, twitter"),
        (INSTANCES, "category", "rudeness", "one of extreme_opinions_on_government"),
        (INSTANCES, "instances", "none", "a whole number"),
        (INSTANCES, "force_code", "", "one of AVS"),
        (INSTANCES, "year", "twelve", "one of 2011, 2012"),
        (SURVEY, "respondent_id", "", "a text"),
        (SURVEY, "year", "", "one of 2011, 2012"),
        (SURVEY, "wave", "4", "one of 1, 2, 3"),
        (SURVEY, "question", "are_you_happy", "one of police_good_or_excellent"),
        (SURVEY, "answer", "", "a text"),
    ],
)
def test_a_wrong_cell_is_found_where_it_stands_and_nothing_else_is_told(
    name: str, column: str, text: str, expected: str, folder: Folder
) -> None:
    """What naturally follows from one wrong cell must not bury it."""
    folder.change(name, _cell(3, column, text))
    [found] = folder.read().problems.rows(named=True)
    assert (found["file_name"], found["row"], found["column_name"]) == (name, 3, column)
    observed = repr(text) if text else "a blank cell"
    assert found["message"].startswith(f"{observed}; expected {expected}")
    assert found["rule_id"] == "R003"
    assert found["how_to_fix"].endswith(". See docs/rules/research.md#r003.")


def test_everything_that_is_wrong_is_told_at_once(folder: Folder) -> None:
    change = _cell(3, "profiles", "many")
    folder.change(PROFILES, lambda t: _again(4)(_cell(5, "year", "1999")(change(t))))
    assert [(row, column) for _, row, column, _ in folder.problems()] == [
        (3, "profiles"), (4, None), (5, "year"), (54, None),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "row", "column", "observed"),
    [
        ("", 1, "force_code", "the column is missing"),
        ("force_code,year\n", 1, "profiles", "the column is missing"),
        (b"\xff\xfe\x00", None, None, "not readable"),
        ('"force_code', None, None, "not readable"),
        ("force_code;year\nSTF;2012\n", None, None, "not separated by commas"),
        ("PK\x03\x04\x00", None, None, ""),
    ],
)
def test_a_file_of_another_kind_is_no_research(
    text: str | bytes, row: int | None, column: str | None, observed: str, folder: Folder
) -> None:
    folder.write(PROFILES, text)
    found = folder.read().problems
    assert folder.read().tables.profiles.is_empty()
    if row:
        mine = found.filter(pl.col("column_name") == column)
        assert mine["row"].to_list() == [row]
        assert mine["message"].str.starts_with(f"{observed}; expected the columns ").to_list() == [
            True
        ]
    else:
        assert found["message"][0].startswith(observed)


def test_headings_without_rows_are_no_research(folder: Folder) -> None:
    """An empty table would otherwise pass for a research that found nothing."""
    folder.write(INSTANCES, folder.text(INSTANCES).splitlines()[0])
    [(_, row, _, expected)] = folder.problems()
    assert (row, expected) == (None, "at least one row")


def test_a_row_of_another_length_is_told(folder: Folder) -> None:
    folder.write(INSTANCES, folder.text(INSTANCES).replace("\nBED,", "\nBED,x,", 1))
    [(_, row, column, expected)] = folder.problems()
    assert (row, column, expected) == (10, None, "5")


def test_the_order_of_rows_and_columns_blanks_and_spaces_do_not_matter(folder: Folder) -> None:
    plain = folder.drop(INSTANCES).read().tables.instances
    folder.change(
        INSTANCES,
        lambda t: t.reverse().select(reversed(t.columns)).with_columns(pl.all() + " "),
    )
    text = (folder.lake.research / INSTANCES).read_text().replace("\n", "\r\n\r\n")
    folder.write(INSTANCES, b"\xef\xbb\xbf" + text.encode())
    read = folder.read()
    assert read.problems.is_empty()
    assert read.tables.instances.equals(plain)


def test_thousands_may_be_written_with_a_comma(folder: Folder) -> None:
    folder.change(PROFILES, _cell(2, "profiles", "1,234"))
    assert folder.read().tables.profiles["profiles"][0] == 1234


def test_a_comma_may_not_be_that_of_a_fraction(folder: Folder) -> None:
    folder.change(PROFILES, _cell(2, "profiles", "0,234"))
    assert folder.read().problems.height == 1


def test_a_survey_of_the_wrong_year_is_wrong_in_every_row(folder: Folder) -> None:
    folder.change(SURVEY, lambda t: t.with_columns(year=pl.lit("1999")))
    read = folder.read()
    assert read.problems.height == SHORT
    assert read.tables.responses.is_empty()


def test_a_file_of_which_nothing_fits_is_told_in_few_of_its_problems(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """50 MB that are wrong in every cell would be millions of problems, and gigabytes of them."""
    monkeypatch.setattr("assets.inputs.research.store._MOST", 3)
    folder.change(SURVEY, lambda t: t.with_columns(year=pl.lit("1999"), wave=pl.lit("x")))
    first, *others = folder.problems()
    assert first == (SURVEY, None, None, "a table of its kind")
    assert [(row, column) for _, row, column, _ in others] == [(n, "year") for n in (2, 3, 4)]
    folder.write(SURVEY, folder.short_text(SURVEY).replace("\n", ",x\n").replace(",x\n", "\n", 1))
    assert len(folder.problems()) == 4
    assert folder.read().tables.responses.is_empty()


def test_every_question_can_be_reached() -> None:
    for question in QUESTIONS.values():
        if question.asked_of:
            code, answer = question.asked_of
            assert answer in QUESTIONS[code].answers
        if question.reverse_of:
            assert not QUESTIONS[question.reverse_of].several
