"""Conditions of a template that no return can meet, or that none can break, are named."""

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from pipelines.cli.releases import collections
from schemas.collection import Collection
from schemas.edit_faults import contradictions, never_failing
from schemas.faults import DescriptionError
from schemas.reference import OURS
from schemas.template import Template
from schemas.template_file import load_template

EXAMPLES = Path(__file__).parents[2] / "examples"
SOUND = (EXAMPLES / "templates" / "use-of-force-1.toml").read_text(encoding="utf-8")


def _bound(parts: str, whole: str, rule: str = "C502") -> str:
    at = f'at = ["uses/{whole}/count"]'
    named = ", ".join(f'"uses/{part}/count"' for part in parts.split())
    return (
        f'\n[[rules]]\nid = "{rule}"\nuse = "at_most"\n{at}\nparts = [{named}]\n'
        f'whole = ["uses/{whole}/count"]\n'
    )


TWICE = (
    '{ code = "all", label = "All, counted anew", sum_of = ["total", "firearm"] },\n'
    '    { code = "people_hurt"'
)

CASES = [
    # A whole below its total: what else is added up can only be 0.
    (_bound("total", "firearm"), 1, "rule C502 beside the sum 'total' in uses leaves no number but"
     " 0 for uses/restraint/count, uses/spray/count, uses/conducted_energy_device/count"),
    # Every row is meant to be in the total, and the total with them: no return counts any.
    (_bound("*", "total"), 1, "rule C502 leaves no number but 0 for uses/restraint/count,"
     " uses/spray/count, uses/conducted_energy_device/count, uses/firearm/count,"
     " uses/people_hurt/count"),
    # Two bounds that clash.
    (_bound("spray firearm", "people_hurt") + _bound("people_hurt", "firearm"), 1,
     "rule C502 beside rule C502 leaves no number but 0 for uses/spray/count"),
    # A bound that holds in every return, one that stands there twice, and both.
    (_bound("firearm spray", "total"), 0, "rule C502 can never be broken"),
    (_bound("people_hurt", "total") + _bound("people_hurt", "total", "Q113"), 0,
     "rule Q113 asks the same as rule C502: one of them is enough"),
    (_bound("people_hurt", "total") + _bound("people_hurt firearm", "spray"), 0,
     "rule C502 can never be broken"),
]  # fmt: skip


@pytest.mark.parametrize(("added", "exit_code", "said"), CASES)
def test_each_mistake_is_named_where_it_stands(
    tmp_path: Path, added: str, exit_code: int, said: str
) -> None:
    path = tmp_path / "templates" / "use-of-force-1.toml"
    path.parent.mkdir()
    path.write_text(SOUND + added, encoding="utf-8")
    done = CliRunner().invoke(collections, ["check", str(path), "--json"])
    assert done.output, done.exception
    told = json.loads(done.output)
    assert done.exit_code == exit_code, told
    (line,) = told["wrong"] if exit_code else told["notes"]
    assert [*told] == ["files", "wrong", "notes"]
    assert said in line
    at = path.read_text().splitlines()[int(line.split(":")[1]) - 1]
    assert at == "[[rules]]"
    shown = CliRunner().invoke(collections, ["check", str(path)]).output
    assert (line if exit_code else f"Note: {line}") in shown


def test_a_total_that_is_bound_by_less_than_it_adds_up_is_found_over_two_sums(
    tmp_path: Path,
) -> None:
    path = tmp_path / "templates" / "use-of-force-1.toml"
    path.parent.mkdir()
    path.write_text(SOUND.replace('{ code = "people_hurt"', TWICE, 1) + _bound("all", "total"))
    with pytest.raises(DescriptionError, match="'all' adds up 'firearm' more than once") as refused:
        load_template("use-of-force-1", tmp_path)
    mended = refused.value.mended
    assert isinstance(mended, Template)
    (fault,) = contradictions(mended)
    assert fault[0] == ("rules", 0)
    assert fault[1].startswith("rule C502 beside the sum 'all' in uses leaves no number but 0 for")
    assert "uses/firearm/count; mend" in fault[1]


def test_limits_that_no_return_can_keep_together_are_named_in_the_collection(
    tmp_path: Path, collection: Collection
) -> None:
    """At least three cases, and no count above two."""
    path = tmp_path / "collections" / f"{collection.id}.toml"
    path.parent.mkdir()
    text = (OURS / "collections" / path.name).read_text(encoding="utf-8")
    path.write_text(re.sub(r"^(V007 = \{ ceiling = )\S+", r"\g<1>2", text, flags=re.M))
    done = CliRunner().invoke(collections, ["check", str(path)])
    assert done.exit_code == 1, done.output
    assert "no return can keep the limits of V007, Q102 where its sums hold" in done.output


def test_limits_that_leave_nothing_are_told_each_at_its_line(
    tmp_path: Path, collection: Collection
) -> None:
    """Counts and parts that could only be 0, and a public edition that could never come."""
    path = tmp_path / "collections" / f"{collection.id}.toml"
    path.parent.mkdir()
    text = (OURS / "collections" / path.name).read_text(encoding="utf-8")
    for written, instead in (
        ("ceiling = 5000", "ceiling = 0"),
        ("{ lowest = 3, highest = 90", "{ lowest = 0, highest = 0.5"),
        ("Q107 = { highest = 0.5", "Q107 = { highest = 0"),
        ("fewest_forces = 10", "fewest_forces = 45"),
    ):
        assert written in text
        text = text.replace(written, instead)
    path.write_text(text, encoding="utf-8")
    done = CliRunner().invoke(collections, ["check", str(path), "--json"])
    at = {line.split(" = ")[0]: number for number, line in enumerate(text.split("\n"), 1)}
    assert json.loads(done.output)["wrong"] == [
        f"{path}:{at['V007']}: thresholds.V007.ceiling: 0 leaves no number but 0; raise it",
        f"{path}:{at['Q102']}: thresholds.Q102.highest: 0.5 leaves no number but 0; raise it",
        f"{path}:{at['Q107']}: thresholds.Q107.highest: 0 leaves no number but 0; raise it",
        f"{path}:{at['fewest_forces']}: disclosure.fewest_forces: 44 forces are expected, so that"
        " no public edition could ever be made",
    ]


@pytest.mark.parametrize("root", [OURS, EXAMPLES])
def test_templates_at_hand_contradict_nothing_and_ask_nothing_in_vain(root: Path) -> None:
    """A table that is added up both ways is no mistake, though its last total is said twice."""
    for path in (root / "templates").glob("*.toml"):
        template = load_template(path.stem, root)
        assert contradictions(template) == []
        assert never_failing(template) == []
