"""A report's figures go to the force it is about, or to nobody."""

import textwrap

import pytest

from assets.inputs.reports.report import read_report
from schemas import reference
from tests.reports.reading import TIMES

FORCES = reference.forces().select("force_code", "short_name", "full_name").rows()
TITLED = """\
Inspecting policing
in the **public interest**

**Revisiting police
relationships:
progress report**

**{full}
December 2012**

About this review

The force works with Essex Police and with
Kent Police
on vetting.

# Findings for {short}

Essex Police is its neighbour.
"""


def variants(name: str) -> set[str]:
    return {
        name,
        name.upper(),
        name.replace(" and ", " & "),
        name.replace("&", "and"),
        name.replace("-", " "),
        name.replace("-", "\u2013"),
    }


@pytest.mark.parametrize(("code", "short", "full"), FORCES, ids=[code for code, _, _ in FORCES])
def test_every_force_is_known_by_title_and_heading(code: str, short: str, full: str) -> None:
    for title in variants(full):
        for heading in variants(short) | variants(f"the {full}"):
            text = TITLED.format(full=title, short=heading)
            assert read_report(text, TIMES).force_code == code
            assert read_report(text.replace("Findings", "Notes"), TIMES).force_code == code
            assert read_report(f"Findings for {heading}\n\nText.", TIMES).force_code == code
    for width in (12, 25, 60):
        wrapped = "\n\n".join(
            textwrap.fill(part, width, break_long_words=False)
            for part in TITLED.format(full=full, short=short).split("\n\n")
        )
        assert read_report(wrapped, TIMES).force_code == code, wrapped


@pytest.mark.parametrize(
    ("heading", "code"),
    [
        ("Findings for the Met", "MPS"),
        ("Findings for the MPS", "MPS"),
        ("Findings for BTP", "BTP"),
        ("Findings for British Transport Police (BTP)", "BTP"),
        ("Findings for Greater Manchester Police (GMP)", "GMP"),
        ("Our findings for Devon & Cornwall Constabulary", "DVC"),
        ("1. Findings for Dyfed Powys Police", "DYP"),
        ("Findings for West Yorkshire", "WYK"),
        ("Findings for North Yorkshire", "NYK"),
    ],
)
def test_a_force_is_known_by_its_other_names(heading: str, code: str) -> None:
    assert read_report(f"{heading}\n\nText.", TIMES).force_code == code


PROSE = "In 2011 we looked at how every force in England and Wales deals with the press."


@pytest.mark.parametrize(
    "text",
    [
        f"HMIC\nKent Police\nDecember 2012\n{PROSE}",
        f"Kent Police\n1. Introduction\n{PROSE}",
        f"Kent Police\n\nFindings for Kent Police\nSocial Media\n\n{PROSE}",
    ],
)
def test_what_follows_a_title_or_heading_without_a_blank_line_is_none_of_it(text: str) -> None:
    """As in the text of a PDF."""
    assert read_report(text, TIMES).force_code == "KEN"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("Kent Police\nDecember 2012\n\nFindings for Essex\n\nText.", "title: KEN; heading: ESX"),
        ("Kent Police and Essex Police\n\nFindings for Kent\n\nText.", "title: ESX, KEN"),
        (f"Kent Police\n\nEssex Police\n{PROSE}", "title: ESX, KEN"),
        ("Kent Police\n\nFindings for Kent and Essex\n\nText.", "heading: ESX, KEN"),
        ("Kent Police\n\nFindings for Strathclyde\n\nText.", "do not name one and the same"),
        ("Strathclyde Police\nDecember 2012\n\nText.", "not one of the 44 forces"),
        ("The force works with Essex Police.", "No force is named"),
        ("Essex Police works with\nKent Police\non vetting.", "No force is named"),
        ("", "No force is named"),
    ],
)
def test_a_report_of_no_force_or_of_two_has_none_and_says_so(text: str, problem: str) -> None:
    report = read_report(text, TIMES)
    assert report.force_code is None
    assert problem in report.problems[0]
    assert "state the force yourself" in report.problems[0]
