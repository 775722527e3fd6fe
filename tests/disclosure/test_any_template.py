"""A public edition of a template that nobody has thought of passes its audit."""

import shutil
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from assets.disclosure.audit import audit, problems
from assets.disclosure.edition import public_edition
from assets.disclosure.published import Edition, behind, places_of, rules_told
from schemas.collection import Collection, load_collection
from tests.any_template import drawn_collection, to_toml
from tests.disclosure.marts import marts_of
from tests.live import any_live

SETTINGS = """
[disclosure]
fewest_forces = 3
least_changed = 3
[disclosure.counts]
cases = { small = "1..4", width = 5 }
"""


def drawn_and_protected(
    folder: Path, seed: int, monkeypatch: pytest.MonkeyPatch, *, is_open: bool = False
) -> Collection:
    """Return a collection of a template drawn at random, whose counts are protected, or none is."""
    drawn_collection(folder / "plain", seed)
    folder = shutil.copytree(folder / "plain", folder / "protected")
    template = folder / "templates" / "drawn-1.toml"
    text = template.read_text(encoding="utf-8")
    file = tomllib.loads(text)
    counted = [name for name in file["measures"] if name != "answered"]
    measures = ", ".join(f'{name} = {{ subject = "cases" }}' for name in counted)
    columns = {name: {"measure": name} for name in counted}
    before = [row for sheet in file["sheet"] for row in sheet.get("rows", []) if "period" in row]
    for number, row in enumerate(before):
        figure = {key: row[key] for key in ("measure", "period", "dims") if key in row}
        columns[f"before_{number}"] = figure
    said = f'disclosure = {{ open = ["answered"], measures = {{ {measures} }} }}\n'
    settings = SETTINGS
    if is_open:
        said = f"disclosure = {{ open = {list(file['measures'])!r}, measures = {{}} }}\n"
        settings = SETTINGS.replace("cases =", "#")
    said += to_toml({"profile": columns})
    template.write_text(text + said, encoding="utf-8")
    collection = folder / "collections" / "drawn.toml"
    collection.write_text(collection.read_text(encoding="utf-8") + settings, encoding="utf-8")
    monkeypatch.setenv("MUSTER_COLLECTIONS", str(folder))
    return load_collection("drawn")


@pytest.mark.parametrize(
    ("seed", "every_force"), [(0, True), (1, True), (9, False), (31, False), (33, False)]
)
def test_a_template_drawn_at_random_has_an_edition_that_holds(
    seed: int, every_force: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn = drawn_and_protected(tmp_path, seed, monkeypatch)
    full = marts_of(any_live(drawn, seed, every_force=every_force), drawn)
    made = public_edition(full, drawn)
    assert made.withheld is None
    assert made.problems == ()
    assert made.audit.height > 0
    audited = made.audit.filter(mart="force_profiles").select("column_name", "cell").rows()
    rows = made.marts["force_profiles"].iter_rows(named=True)
    columns = [name.removesuffix("_symbol") for name in made.marts["force_profiles"].columns]
    hidden = [
        (c, row["force_code"]) for row in rows for c in columns if row.get(f"{c}_symbol") == "c"
    ]
    assert sorted(audited) == sorted((c, f"force_code={force}") for c, force in set(hidden))


NOW: dict[str, Any] = {"code": "now", "dims": {"outcome": "o"}}
THEN: dict[str, Any] = {"code": "then", "period": "before"}


@pytest.mark.parametrize(
    ("columns", "measure", "profile"),
    [
        ([NOW, THEN], "investigations", {}),
        ([NOW, THEN], "investigations", {"was": "investigations"}),
        ([NOW, THEN], "investigations", {"investigations": "investigations"}),
        ([NOW, {**THEN, "dims": {"outcome": "o"}}], "investigations", {}),
        ([NOW], "asked_before", {}),
        ([NOW], "asked_before", {"was": "asked_before"}),
    ],
    ids=["by a column", "in a profile", "called as now", "nested", "alone", "alone in a profile"],
)
def test_wherever_an_earlier_period_is_asked_of_an_edition_holds(
    columns: list[dict[str, Any]],
    measure: str,
    profile: dict[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    drawn_collection(tmp_path / "plain", 0)
    folder = shutil.copytree(tmp_path / "plain", tmp_path / "asked")
    path = folder / "templates" / "drawn-1.toml"
    cover = tomllib.loads(path.read_text(encoding="utf-8"))["sheet"][0]
    rows = [{"code": code, "dims": {"category": code}, "missing": ["not_held"]} for code in "xyz"]
    asked = {"name": "asked", "title": "Asked", "instructions": [], "kind": "count"}
    earlier = [{**THEN, "measure": measure, "label": "then"}]
    if columns[-1].keys() > THEN.keys():
        earlier += [{**earlier[0], "code": "x", "label": "x", "dims": {"category": "x"}}]
    file = {
        "name": "drawn",
        "version": 1,
        "lists": {"category": {code: code for code in "xyz"}, "outcome": {"o": "o"}},
        "measures": {"investigations": {"unit": "count", "levels": [[], ["category"]]}}
        | {measure: {"unit": "count"} for measure in [measure] if measure != "investigations"},
        "sheet": [
            cover,
            {**asked, "measure": "investigations", "rows": rows}
            | {"columns": [{**column, "label": column["code"]} for column in columns]},
            {**asked, "name": "then", "rows": earlier, "columns": [{"code": "v", "label": "v"}]},
        ],
        "profile": {"of_now": {"measure": "investigations"}}
        | {name: {"measure": of, "period": "before"} for name, of in profile.items()},
    }
    file["disclosure"] = {"measures": {name: {"subject": "cases"} for name in file["measures"]}}
    path.write_text(to_toml(file), encoding="utf-8")
    collection = folder / "collections" / "drawn.toml"
    collection.write_text(collection.read_text(encoding="utf-8") + SETTINGS, encoding="utf-8")
    monkeypatch.setenv("MUSTER_COLLECTIONS", str(folder))
    drawn = load_collection("drawn")
    full = marts_of(any_live(drawn, 3), drawn)
    made = public_edition(full, drawn)
    assert (made.withheld, made.problems) == (None, ())
    cases, public = full["investigations"], made.marts["investigations"]
    assert cases["cases"].null_count() > 0
    assert public.filter(symbol="x").height == cases["cases"].null_count()
    assert public["symbol"].is_null().equals(public["cases"].is_not_null())


def test_where_no_count_is_protected_every_count_is_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn = drawn_and_protected(tmp_path, 0, monkeypatch, is_open=True)
    full = marts_of(any_live(drawn, 0), drawn)
    made = public_edition(full, drawn)
    assert made.withheld is None
    assert made.audit.is_empty()
    totals = made.marts["national_totals"].filter(pl.col("measure").is_in(drawn.template.measures))
    assert "c" not in totals.filter(~pl.col("breakdown").str.contains("="))["symbol"]


@pytest.mark.parametrize(("seed", "of_one"), [(33, 1), (34, 4)])
def test_a_large_total_of_one_force_is_no_difference_of_those_shown(
    seed: int, of_one: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By linear algebra: the audit passed over one that stands in no mart and is not small."""
    drawn = drawn_and_protected(tmp_path, seed, monkeypatch)
    number = pl.col("value").cast(pl.Int64, strict=False) * 20
    value = pl.coalesce(number.cast(pl.String), "value").alias("value")
    full = marts_of(any_live(drawn, seed).with_columns(value, pl.col("number") * 20), drawn)
    national = public_edition(full, drawn).marts["national_totals"].filter(period="collection")
    places = [entry.place for entry in drawn.template.counted()]

    def cells(total: dict[str, Any]) -> list[bool]:
        of = places_of(drawn.template, total["measure"], total["breakdown"], "collection")
        return [place in of for place in places]

    shown = [cells(row) for row in national.drop_nulls("value").iter_rows(named=True)]
    gone = national.filter(symbol="c", forces_included=1).iter_rows(named=True)
    alone = [row for row in map(cells, gone) if any(row)]
    assert len(alone) == of_one
    for row in alone:
        assert np.linalg.matrix_rank([*shown, row]) > np.linalg.matrix_rank(shown)


def test_a_total_that_one_force_alone_gives_is_hidden_and_what_tells_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Put back, each total tells a count; and so may what is computed of it, which is a case."""
    drawn = drawn_and_protected(tmp_path, 20, monkeypatch)
    full = marts_of(any_live(drawn, 20), drawn)
    made = public_edition(full, drawn)
    assert made.problems == ()
    national, key = made.marts["national_totals"], ["measure", "breakdown", "period"]
    gone = national.filter(pl.col("symbol") == "c")
    true = full["national_totals"].select(*key, pl.col("value").alias("true"))
    alone = gone.filter(forces_included=1).join(true, on=key).filter(pl.col("true") > 0)
    totals = alone.filter(~pl.col("measure").str.contains("_"))
    assert 0 < totals.height < national.filter(measure=totals["measure"][0]).height

    def told(rows: pl.DataFrame) -> list[str]:
        shown = national.join(true, on=key).join(
            rows.select(*key, pl.lit(value=True).alias("back")), on=key, how="left"
        )
        back = pl.when(pl.col("back")).then("true").otherwise("value").alias("value")
        symbol = pl.when(pl.col("value").is_null()).then("symbol").alias("symbol")
        tampered = shown.with_columns(back).with_columns(symbol).select(national.columns)
        public = {**made.marts, "national_totals": tampered}
        edition = Edition("", public, behind(full), drawn, rules_told(drawn))
        return list(problems(audit([edition], drawn)))

    assert told(gone.clear()) == []
    for row in range(totals.height):
        assert told(totals[row])
    computed = gone.filter(pl.col("measure").str.contains(f"{totals['measure'][0]}_"))
    assert computed.height > 0
    for row in range(computed.height):
        assert told(computed[row])
