"""A public edition of a template that nobody has thought of passes its audit."""

import shutil
import tomllib
from pathlib import Path

import pytest

from assets.disclosure.edition import public_edition
from schemas.collection import load_collection
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


@pytest.mark.parametrize("seed", range(6))
def test_a_template_drawn_at_random_has_an_edition_that_holds(
    seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn_collection(tmp_path / "plain", seed)
    folder = shutil.copytree(tmp_path / "plain", tmp_path / "protected")
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
    said += to_toml({"profile": columns})
    template.write_text(text + said, encoding="utf-8")
    collection = folder / "collections" / "drawn.toml"
    collection.write_text(collection.read_text(encoding="utf-8") + SETTINGS, encoding="utf-8")
    monkeypatch.setenv("MUSTER_COLLECTIONS", str(folder))
    drawn = load_collection("drawn")
    # A total that one force alone gives a number for is that force's count: then there is none.
    made = public_edition(marts_of(any_live(drawn, seed, every_force=True), drawn), drawn)
    assert made.withheld is None
    assert made.problems == ()
    assert made.audit.height > 0
    audited = made.audit.filter(mart="force_profiles").select("column_name", "cell").rows()
    rows = made.marts["force_profiles"].iter_rows(named=True)
    hidden = [(c, row["force_code"]) for row in rows for c in columns if row[f"{c}_symbol"] == "c"]
    assert sorted(audited) == sorted((c, f"force_code={force}") for c, force in hidden)
