"""What rules tell where a return lacks one of their cells, or where they compare two sheets."""

import tomllib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from assets.disclosure.edition import PublicEdition, public_edition
from schemas.collection import load_collection
from schemas.contract import empty
from schemas.tables import LiveEntries
from tests.any_template import EXAMPLES, to_toml
from tests.disclosure.marts import marts_of

FORCES = ("AVS", "BED", "CAM", "CHS", "CLE", "CMB", "DER", "DOR", "DUR", "ESX")

COLLECTION = """
id = "told"
title = "Told"
census = 2014-12-31
timezone = "Europe/London"
template = "told-1"
forces = ["AVS", "BED", "CAM", "CHS", "CLE", "CMB", "DER", "DOR", "DUR", "ESX"]
[period]
start = 2014-01-01
end = 2014-12-31
[deadlines]
soft = 2015-01-31
hard = 2015-02-14
[thresholds]
M006 = { share = 0.25, cases = 20 }
{limits}
[disclosure]
fewest_forces = 3
least_changed = 3
[disclosure.counts]
cases = { small = "1..4", width = 5 }
"""

LIMITS = "Q106 = { lowest = 0.04, highest = 0.05, entries = 10 }"
SHARE = {"id": "Q106", "use": "share", "fewest": "entries"}

Made = Callable[..., PublicEdition]


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Made:
    """Return a function that makes an edition: the parts in a share, its whole, and the counts.

    The sheet `kinds` counts kinds and their total; the sheet `all` has one count of its own. Every
    return is accepted.
    """

    def make(
        parts: Sequence[str],
        whole: str,
        counts: Mapping[str, Mapping[str, int | str]],
        rule: Mapping[str, Any] = SHARE,
    ) -> PublicEdition:
        share = {**rule, "title": "t", "whole": [whole]}
        words = {"words": {"named": "are of the kind"}}
        kinds = ["a", "b", "d", "g"]
        rows: list[dict[str, Any]] = [{"code": kind, "dims": {"kind": kind}} for kind in kinds]
        rows[1]["missing"] = ["not_held"]
        total = {"code": "total", "label": "Total", "sum_of": kinds, "rule": "C401"}
        rows.append({**total, "named": "the kinds", "unheld": ["b"]})
        sheet = {"instructions": [], "kind": "count", "columns": [{"code": "n", "label": "N"}]}
        other = (EXAMPLES / "templates/use-of-force-1.toml").read_text(encoding="utf-8")
        template = {
            "name": "told",
            "version": 1,
            "lists": {"kind": {kind: kind for kind in kinds}},
            "measures": {
                "of_kind": {"unit": "count", "levels": [[], ["kind"]]},
                "all": {"unit": "count", "levels": [[]]},
            },
            "profile": {
                "of_kind": {"measure": "of_kind"},
                "all": {"measure": "all"},
                **{kind: {"measure": "of_kind", "dims": {"kind": kind}} for kind in kinds},
            },
            "disclosure": {
                "measures": {"of_kind": {"subject": "cases"}, "all": {"subject": "cases"}}
            },
            "rules": [{**share, "at": [part], **words, **_read(rule, part)} for part in parts],
            "sheet": [
                tomllib.loads(other)["sheet"][0],
                {**sheet, "name": "kinds", "title": "Kinds", "measure": "of_kind", "rows": rows},
                {
                    **sheet,
                    "name": "all",
                    "title": "All",
                    "measure": "all",
                    "rows": [{"code": "all", "label": "All"}],
                },
            ],
        }
        for name, text in (
            ("templates/told-1", to_toml(template)),
            (
                "collections/told",
                COLLECTION.replace("{limits}", LIMITS if rule["id"] in LIMITS else ""),
            ),
        ):
            path = tmp_path / f"{name}.toml"
            path.parent.mkdir()
            path.write_text(text, encoding="utf-8")
        monkeypatch.setenv("MUSTER_COLLECTIONS", str(tmp_path))
        collection = load_collection("told")
        entries = [
            (force, *entry.place, f"r{force}", "0" * 64, "A1", said, None, "submitted", False)
            for force, of in counts.items()
            for entry in collection.template.entries()
            if entry.kind == "count"
            for said in [_said(entry.row_code, of)]
        ]
        cover = [
            (force, "cover", "basis", "value", f"r{force}", "0" * 64, "A1", "submitted", None,
             "submitted", False)
            for force in counts
        ]  # fmt: skip
        live = pl.DataFrame([*entries, *cover], schema=empty(LiveEntries).schema, orient="row")
        numbers = pl.col("value").cast(pl.Int64, strict=False).alias("number")
        return public_edition(marts_of(live.with_columns(numbers), collection), collection)

    return make


def _read(rule: Mapping[str, Any], part: str) -> dict[str, Any]:
    return {"parts": [part]} if rule["use"] == "at_most" else {}


def _said(row: str, of: Mapping[str, int | str]) -> str:
    if row == "total":
        return str(sum(n for kind, n in of.items() if kind != "all" and isinstance(n, int)))
    return str(of[row])


def test_what_is_told_of_one_part_holds_where_another_is_not_held(made: Made) -> None:
    """Four forces do not hold b; of 50, a is 2 all the same, as far as the total is shown."""
    counts: dict[str, dict[str, int | str]] = {}
    for number, force in enumerate(FORCES[:-1]):
        of_b: int | str = "not_held" if number in {3, 4, 5, 6} else 2
        d = 11 + 7 * number % 19
        rest = 48 - d - (of_b if isinstance(of_b, int) else 0)
        counts[force] = {"a": 2, "b": of_b, "d": d, "g": rest, "all": 90 + number}
    edition = made(["kinds/a/n", "kinds/b/n"], "kinds/total/n", counts)
    _tells_what_follows(edition, "of_kind")


def test_a_share_of_a_whole_on_another_sheet_is_told(made: Made) -> None:
    """Neither sheet has a mart, and of 50 it is 2."""
    counts: dict[str, dict[str, int | str]] = {
        force: {"a": 2, "b": 3, "d": 3 + number, "g": 2, "all": 50}
        for number, force in enumerate(FORCES[:-1])
    }
    _tells_what_follows(made(["kinds/a/n"], "all/all/n", counts), "all")


def _tells_what_follows(edition: PublicEdition, whole: str) -> None:
    """Where the whole is shown, the part follows from it, and the audit says so."""
    follows = pl.col("a_symbol") == "c", pl.col(whole).is_not_null()
    forces = edition.marts["force_profiles"].filter(*follows)["force_code"]
    said = {f"force_profiles.a force_code={force} can be worked out" for force in forces}
    assert said <= set(edition.problems)


def test_where_a_rule_and_totals_tell_a_count_the_totals_are_hidden(made: Made) -> None:
    """Three forces have none of all, so none of a: of the totals, the fourth has 1, and breaks it.

    The whole edition was withheld, as of other small collections.
    """
    counts: dict[str, dict[str, int | str]] = {
        force: {"a": int(not number), "b": 40 + number, "d": 30, "g": 20 + number, "all": 0}
        for number, force in enumerate(FORCES[:4])
    }
    edition = made(["kinds/a/n"], "all/all/n", counts, {"id": "Q113", "use": "at_most"})
    assert edition.problems == ()
    national = edition.marts["national_totals"].filter(measure="of_kind")
    assert dict(national.select("breakdown", "symbol").rows()) == {
        "": "c", "kind=a": "c", "kind=b": None, "kind=d": None, "kind=g": None,
    }  # fmt: skip
