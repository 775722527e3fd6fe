"""A number is read as it is written, or not at all."""

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.reports.reading import kent, said

# fmt: off
UNITS = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
    "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen",
    "nineteen",
)
TENS = ("", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
# fmt: on

FRAMES = (
    ("inv", "From September 2011 to May 2012 the force opened {n} investigations."),
    ("inv", "{n} investigations were begun between September 2011 and May 2012."),
    ("inv", "There were {n} investigations into integrity issues."),
    ("inv", "The number of investigations started since September 2011 was {n}."),
    ("med", "The force has investigated {n} instances of leaks to the press."),
    ("med", "The force opened {n} investigations into disclosure to the media."),
    ("med", "{n} cases of information leaked to a journalist were investigated by the force."),
    ("soc", "Our research found {n} cases of improper behaviour on Twitter or Facebook."),
    ("soc", "{n} instances of improper use of social media were found by HMIC's research."),
    ("app", "Since September 2011 the force has received {n} applications for second jobs."),
    ("app", "{n} requests for secondary employment were made by officers and staff."),
    ("app ok", "The force received {n} applications for second jobs, all of which were approved."),
    ("app ok", "All {n} applications for second jobs have been approved."),
    ("ok", "The force approved {n} applications for second jobs."),
)


def in_words(number: int) -> str:
    """Return a number below 100,000 in words: `one hundred and twenty`."""
    if number >= 1000:
        rest = number % 1000
        link = " and " if 0 < rest < 100 else " "
        tail = link + in_words(rest) if rest else ""
        return f"{in_words(number // 1000)} thousand{tail}"
    if number >= 100:
        tail = f" and {in_words(number % 100)}" if number % 100 else ""
        return f"{UNITS[number // 100]} hundred{tail}"
    if number >= 20:
        return TENS[number // 10] + (f"-{UNITS[number % 10]}" if number % 10 else "")
    return UNITS[number]


numbers = st.integers(0, 99_999) | st.integers(0, 130) | st.integers(1900, 2100)
SPELLINGS: list[Callable[[int], str]] = [
    str,
    "{:,}".format,
    in_words,
    lambda number: in_words(number).capitalize(),
]
spellings = st.sampled_from(SPELLINGS)


@pytest.mark.parametrize(("names", "frame"), FRAMES, ids=[frame for _, frame in FRAMES])
def test_any_number_is_read_in_any_spelling(names: str, frame: str) -> None:
    @settings(max_examples=40, deadline=None)
    @given(numbers, spellings)
    def holds(number: int, spell: Callable[[int], str]) -> None:
        report = kent(frame.format(n=spell(number)))
        assert said(report) == {f"{name}={number}" for name in names.split()}, report.problems

    holds()


@settings(deadline=None)
@given(numbers, st.data())
def test_approvals_are_read_beside_their_applications(number: int, data: st.DataObject) -> None:
    approved = data.draw(st.integers(0, number))
    spell = data.draw(spellings)
    text = "The force received {} applications for second jobs, {} of which were approved."
    report = kent(text.format(spell(number), spell(approved)))
    assert said(report) == {f"app={number}", f"ok={approved}"}, report.problems


@pytest.mark.parametrize(
    "text",
    [
        "about 50", "c. 50", "50 or so", "some 50", "over fifty", "no fewer than 50", "40-50",
        "between 40 and 50", "forty to fifty", "two or three", "nearly a hundred", "several",
        "a handful of", "an estimated 50", "fifty (51)", "4 8", "twenty-odd", "050", "a hundred",
        "50%", "50 per cent of", "\u00a350", "5.5", "50th", "24/7", "50-strong", "v50",
    ],
)  # fmt: skip
def test_what_is_no_exact_count_is_a_problem(text: str) -> None:
    for frame in ("The force received {} applications for second jobs.",
                  "There were {} investigations into staff conduct."):  # fmt: skip
        assert said(kent(frame.format(text))) == {"!"}
