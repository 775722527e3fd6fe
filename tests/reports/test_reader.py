"""A whole report: the right line for each figure, what is missing stays missing, and why."""

import textwrap
import time
from pathlib import Path

import pytest

from assets.inputs.reports.report import read_report
from assets.inputs.reports.signs import Times
from schemas.collection import Collection
from tests.reports.reading import KENT, SHORT, TIMES, kent, line_of, said

SOURCES = Path(__file__).parents[3] / "shared" / "sources"
REAL = ("staffordshire", "derbyshire", "west_mercia")

SENTENCES = {
    "inv": "From September 2011 to May 2012 the force opened 37 investigations into staff conduct.",
    "med": "Since September 2011 it has investigated two leaks to the press.",
    "soc": "Research for HMIC found five cases of improper behaviour on Facebook or Twitter.",
    "app ok": "The force received 91 applications for second jobs; 88 of them were approved.",
    "acu": "The number of people in the anti-corruption unit has risen since 2011.",
}
WHOLE = {"inv=37", "med=2", "soc=5", "app=91", "ok=88", "acu=increased"}


def test_a_whole_report_is_read() -> None:
    report = kent(*SENTENCES.values())
    assert report.force_code == "KEN"
    assert said(report) == WHOLE
    assert {figure.unit for figure in report.figures} == {"count", "cases", "boolean"}


@pytest.mark.parametrize("left_out", SENTENCES)
def test_a_figure_that_is_not_printed_is_absent_and_never_zero(left_out: str) -> None:
    report = kent(*(text for names, text in SENTENCES.items() if names != left_out))
    gone = {part for part in WHOLE if part.partition("=")[0] in left_out.split()}
    assert said(report) == WHOLE - gone


@pytest.mark.parametrize("blank", ["\n\n", "\n"], ids=["paragraphs", "no blank lines"])
def test_a_report_wrapped_at_any_width_says_the_same(blank: str) -> None:
    paragraphs = KENT.format("\n\n".join(SENTENCES.values())).split("\n\n")
    for width in range(14, 120, 3):
        wrapped = blank.join(
            textwrap.fill(paragraph, width, break_long_words=False) for paragraph in paragraphs
        )
        report = read_report(wrapped, TIMES)
        assert report.force_code == "KEN"
        assert said(report) == WHOLE, wrapped


@pytest.mark.parametrize("width", [72, 96, 108])
def test_text_of_a_pdf_has_paragraphs_without_blank_lines(width: int) -> None:
    """What follows a figure is then another matter, unless it stands in the same paragraph."""
    prose = "A course for this has been set up since then and supervisors say that it helps them."
    more = "Nobody has looked at how many of them had been counted in more than one of the places."
    paragraphs = [part for text in SENTENCES.values() for part in (text, f"{prose} {prose}")]

    def read(*told: str) -> frozenset[str]:
        parts = KENT.format("\n\n".join(told)).split("\n\n")
        return said(read_report("\n".join(textwrap.fill(part, width) for part in parts), TIMES))

    assert read(*paragraphs) == WHOLE
    assert read(f"{SENTENCES['inv']} {more}", prose) == {"!"}


def test_a_line_for_each_sentence_makes_no_paragraphs() -> None:
    """What the next line says was taken for ours, though the one before speaks of another force."""
    theirs = "Essex Police received 40 applications for second jobs, all of which were approved."
    opened = "The force opened 75 investigations into integrity matters, of which 60 related to"
    ours = f"{opened} information disclosure, from September 2011 to May 2012."
    assert said(kent(f"{theirs}\n{ours}")) == said(kent(f"{theirs} {ours}")) == {"!"}


def test_each_figure_has_the_line_its_value_stands_on() -> None:
    report = kent(
        "From September 2011 to May 2012\nthe force opened thirty-\nseven investigations.",
        "The force received 91\r\napplications for second jobs, all\nof which were approved.",
        "The size of the anti-corruption unit\nremains unchanged.",
        "The force did\nnot investigate any leaks to the media.",
    )
    first = KENT.split("{}", maxsplit=1)[0].count("\n") + 1
    lines = {name: line_of(report, name) - first for name in ("inv", "app", "ok", "acu", "med")}
    assert lines == {"inv": 1, "app": 4, "ok": 5, "acu": 9, "med": 11}


def test_two_values_are_none_and_the_problem_names_both_lines() -> None:
    report = kent("There were 37 investigations into staff conduct.",
                  "There were 38 investigations into staff conduct.")  # fmt: skip
    assert report.figures == ()
    (problem,) = report.problems
    assert "37 investigations into staff conduct.' on line 12 and 'There were 38" in problem
    assert "on line 14; neither is taken" in problem


def test_a_sentence_in_doubt_is_quoted_in_the_problem() -> None:
    (problem,) = kent("The force received around 50 applications for second jobs.").problems
    assert "'The force received around 50 applications for second jobs.' on line 12" in problem
    assert problem.endswith("Look it up in the report.")


@pytest.mark.parametrize(
    ("told", "why"),
    [
        ("The force received around 50 applications for second jobs.",
         "holds words that may change what it counts: 'around'; not taken"),
        ("In fact the force received 40-50 new applications for second jobs, mostly by letter.",
         ": 'fact', '40-50', 'mostly', 'letter'; not taken"),
        ("At first it had been told of some 50 requests for jobs, or so they said to us in May.",
         ": 'first', 'some', 'jobs', 'so they said' and 1 more; not taken"),
        ("Since September 2011 the force opened 30 investigations into information disclosure.",
         ": 'into information disclosure'; not taken"),
        ("HMIC's research did not identify further cases of inappropriate behaviour on Twitter.",
         "is put in a way that is not known, though each of its words is; not taken"),
        ("Did the force receive 50 applications for second jobs?", "is a question; not taken"),
        ("There were 48 investigations into staff conduct, of which 60 were continuing.",
         "holds numbers that do not go together; not taken"),
        ("The force opened 48 investigations into staff conduct. HR has other numbers.",
         "is followed by 'HR has other numbers.' on line 12, which may change what it counts"),
        ("# Draft\n\nThe force received 84 applications for second jobs.",
         "stands under the heading 'Draft', which may be of another force, time or subject; not"),
        ("In the past Essex did well. There were 84 applications for second jobs.",
         "goes on after 'In the past Essex did well.' on line 12, which may be of another force"),
        ("The force opened 48 investigations.",
         "does not say that it counts all integrity matters, or the whole period; not taken"),
        ("HMIC's research found 5 cases of misuse on Twitter. Facebook is popular.",
         "'misuse'; not taken"),
        ("Facebook is used.\n\nHMIC's research found 5 cases of improper behaviour on Twitter.",
         "names only twitter, and the report tells of facebook too; not taken"),
    ],
)  # fmt: skip
def test_what_stopped_a_sentence_is_named(told: str, why: str) -> None:
    report = kent(told)
    assert any(why in problem for problem in report.problems), report.problems


def test_a_total_is_not_taken_beside_parts_below_it_that_cannot_be_of_it() -> None:
    """Sixty of 48 in the next paragraph were read over: 48 were taken without a word."""
    total = "There were 48 investigations into staff conduct."
    assert said(kent(total, "Of these, 12 related to procurement.")) == {"inv=48"}
    for parts in (
        ["Of these, 60 related to procurement."],
        ["The policy is new.", "Of these, 60 related to procurement."],
        ["Of these, 30 related to procurement.", "Of these, 30 related to second jobs."],
        ["- 30 related to procurement", "- 30 related to second jobs"],
        ["Both investigations were continuing."],
    ):
        report = kent(total, *parts)
        assert said(report) == {"!"}, parts
        assert (
            "'There were 48 investigations into staff conduct.' on line 12 is followed by"
            in (report.problems[0])
        )
    jobs = "The force received 84 applications for second jobs."
    assert said(kent(total, f"{jobs} Of these, 90 were refused.")) == {"inv=48", "!"}
    assert said(kent(jobs, "The force refused 90.")) == {"!"}


@pytest.mark.parametrize(
    "below",
    [
        "Of the total, 60 concerned procurement and a great many were about gifts and hospitality.",
        "A further 12 were opened by the unit in that time with the help of others in the region.",
        "Procurement accounted for 60 and gifts for another 12, as the records of the force say.",
        "More than 50 were about procurement, and the rest were about hospitality in the force.",
        "The number leaves out those that were begun by line managers in the districts of Kent.",
        "Joint work with Essex is not in it, since that is counted by the other force alone.",
    ],
)
def test_a_total_is_not_taken_above_a_long_sentence_that_says_more_of_it(below: str) -> None:
    total = "There were 48 investigations into staff conduct."
    assert said(kent(total, below)) == {"!"}
    between = "The policy of the force is enforced."
    assert said(kent(total, between, "A register is kept.")) == {"inv=48"}


def test_leaks_are_not_more_than_the_investigations_of_which_they_are_part() -> None:
    total = "There were 48 investigations into staff conduct."
    leaks = "Since September 2011 the force investigated {} leaks to the press."
    assert said(kent(total, leaks.format(48))) == {"inv=48", "med=48"}
    assert said(kent(total, leaks.format(49))) == {"!"}


def test_a_long_sentence_is_quoted_in_part() -> None:
    text = "The force received 50 applications for second jobs " + "as we were told " * 9 + "here."
    (problem,) = kent(text).problems
    assert "... on line 12" in problem.replace("...'", "...")
    assert len(problem) < 260


def test_a_number_in_doubt_spoils_what_its_paragraph_says_and_no_more() -> None:
    clear = "There were 37 investigations into staff conduct."
    doubtful = "There were 12 covert investigations into staff conduct."
    assert said(kent(f"{clear} {doubtful}")) == {"!"}
    assert said(kent(clear, doubtful)) == {"inv=37", "!"}
    assert said(kent(clear, f"Correction: {doubtful}")) == {"!"}


def test_a_doubtful_paragraph_still_disputes_another_number() -> None:
    report = kent(
        "There were 37 investigations into staff conduct.",
        "There were 38 investigations into staff conduct. There were 12 covert investigations.",
    )
    assert said(report) == {"!"}


def test_one_site_stands_for_all_only_where_the_report_names_no_other() -> None:
    found = "HMIC's research identified one case of inappropriate behaviour on Twitter."
    assert said(kent(found)) == {"soc=1"}
    for other in ("Staff may use Facebook.", "Videos are put on YouTube (and Twitter)."):
        assert said(kent(found, other)) == {"!"}
        assert said(kent(other, found)) == {"!"}


def test_more_approvals_than_applications_are_not_taken() -> None:
    report = kent("The force received 40 applications for second jobs and approved 41.")
    assert said(report) == {"app=40", "!"}
    assert "41 approvals on line 12 are more than the 40 applications" in report.problems[0]


def test_figures_before_the_findings_are_not_the_forces() -> None:
    text = KENT.format("The force is well run.")
    text = text.replace("We came back", "There were 70 investigations into staff conduct. We came")
    assert read_report(text, TIMES).figures == ()


def test_without_title_and_heading_figures_are_read_for_no_force() -> None:
    report = read_report("\n\n".join(SENTENCES.values()), TIMES)
    assert report.force_code is None
    assert said(report) == WHOLE | {"!"}


@pytest.mark.parametrize(
    "part", ["# Zebra {}\n\n", "The zebra ran away {} times. ", "- a zebra {};\n"]
)
def test_a_report_takes_no_longer_for_each_line_the_more_it_has(part: str) -> None:
    """One of 600 headings in a row took most of a minute; a report can be a hundred times that."""
    begun = time.process_time()
    kent("".join(map(part.format, range(600))), "There were 37 investigations into staff conduct.")
    assert time.process_time() - begun < 3


@pytest.mark.parametrize("text", ["", "\n\n", "?", "-", "\u00ad\n\u00ad", "(((((", "- \n- \n- "])
def test_a_text_of_nothing_is_read_as_nothing(text: str) -> None:
    assert read_report(text, TIMES).figures == ()


def test_a_report_is_about_the_period_of_its_collection() -> None:
    """What is said of another collection's months is of another time, and no figure."""
    year = Times((2012, 6), (2013, 5), 2012)
    told = "{} the force opened 37 investigations into staff conduct."
    own = ["From June 2012 to May 2013", "In the twelve months to May 2013", "Since June 2012"]
    others = ["From September 2011 to May 2012", "In the nine months to May 2012", "Since 2011"]
    for when, times in (*((when, year) for when in own), *((when, TIMES) for when in others[:2])):
        assert said(read_report(KENT.format(told.format(when)), times)) == {"inv=37"}, when
    for when, times in (*((when, TIMES) for when in own), *((when, year) for when in others)):
        assert not read_report(KENT.format(told.format(when)), times).figures, when
    assert said(read_report(KENT.format(SENTENCES["acu"]), TIMES)) == {"acu=increased"}
    assert not read_report(KENT.format(SENTENCES["acu"]), year).figures
    later = SENTENCES["acu"].replace("2011", "2012")
    assert said(read_report(KENT.format(later), year)) == {"acu=increased"}


@pytest.mark.skipif(not SOURCES.is_dir(), reason="the published reports are not part of the code")
@pytest.mark.parametrize("name", REAL)
def test_the_published_reports_read_as_published(name: str, collection: Collection) -> None:
    text = (SOURCES / f"{name}.txt").read_text(encoding="utf-8")
    report = read_report(text, TIMES)
    rows = collection.published_figures
    expected = {
        (row["measure"], row["breakdown"]): row
        for row in rows.filter(rows["document"] == name).iter_rows(named=True)
        if (row["measure"], row["breakdown"]) in SHORT or "acu_staffing" in row["breakdown"]
    }
    read = {(figure.measure, figure.breakdown): figure for figure in report.figures}
    assert report.problems == ()
    assert report.force_code == next(iter(expected.values()))["scope"]
    assert {key: (figure.value, figure.unit) for key, figure in read.items()} == {
        key: (row["value"], row["unit"]) for key, row in expected.items()
    }
    lines = text.split("\n")
    topics = ("investigat", "identif", "applications", "anti-corruption")
    for figure in report.figures:
        assert any(topic in lines[figure.line - 1] for topic in topics)
