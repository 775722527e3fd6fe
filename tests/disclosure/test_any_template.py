"""A public edition of a template that nobody has thought of passes its audit."""

import shutil
import tomllib
from pathlib import Path

import pytest

from assets.disclosure.edition import public_edition
from schemas.collection import load_collection
from tests.any_template import drawn_collection
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
    counted = [name for name in tomllib.loads(text)["measures"] if name != "answered"]
    measures = ", ".join(f'{name} = {{ subject = "cases" }}' for name in counted)
    profile = ", ".join(f'{name} = {{ measure = "{name}" }}' for name in counted)
    said = f'disclosure = {{ open = ["answered"], measures = {{ {measures} }} }}\n'
    said += f"profile = {{ {profile} }}\n"
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
