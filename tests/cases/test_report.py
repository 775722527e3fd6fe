"""What was measured is laid out as tables, bars and a chart, whatever of it there is."""

from xml.etree import ElementTree

from benchmarks.bodies import Refresh
from benchmarks.measure import Run
from benchmarks.report import Results, bodies_chart, page

BODIES: dict[int, Refresh | str] = {
    44: Refresh(Run(10.0, 12.0, 500e6), {"intake": 1.0, "release": 8.9, "around": 0.1}),
    440: Refresh(Run(90.0, 95.0, 900e6), {"intake": 10.0, "release": 79.9, "around": 0.1}),
    4400: "Muster: there is no space left.",
}


def test_a_refresh_by_bodies_has_a_row_for_each_number() -> None:
    text = page(Results(bodies=BODIES))
    assert "| A body of 440 beside one of 44 | 1 x | 0.90 x | met |" in text
    assert "| A body of 4,400 beside one of 44 | 1 x | | not measured in this run |" in text
    assert "| 440 | 90.0 | 95.0 | 900 | 205 | 10.0 | 79.9 | 0.1 |" in text
    assert "| 4,400 | did not end well: Muster: there is no space left. |" in text


def test_the_chart_has_a_line_for_all_and_for_each_stage_that_takes_long() -> None:
    drawn = ElementTree.fromstring(bodies_chart(BODIES))
    said = [element.text for element in drawn.iter() if element.text and element.text.strip()]
    assert {"Seconds by stage", "all", "intake", "release", "peak", "44", "440"} <= {*said}
    assert "around" not in said
    assert "4,400" not in said, "what did not end well has no point"
