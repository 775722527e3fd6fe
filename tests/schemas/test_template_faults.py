"""A template that cannot be meant is refused: everything that is wrong, each with its line."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from schemas.errors import SetupError
from schemas.reference import OURS
from schemas.template import load_template

EXAMPLES = Path(__file__).parents[2] / "examples"
SOUND = (EXAMPLES / "templates" / "use-of-force-1.toml").read_text(encoding="utf-8")

RULE = '[[rules]]\nid = "Q107"\nuse = "share"\nat = ["uses/spray/count"]\n'


def _refused(folder: Path, text: str) -> Iterator[tuple[str, str]]:
    """Yield of each fault the text of its line, and what is said."""
    path = folder / "templates" / "use-of-force-1.toml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SetupError) as refused:
        load_template("use-of-force-1", folder)
    for told in str(refused.value).splitlines():
        if told.startswith(f"{path}:"):
            line, _, said = told.removeprefix(f"{path}:").partition(": ")
            yield text.splitlines()[int(line) - 1].strip(), said


@pytest.mark.parametrize("root", [OURS, EXAMPLES])
def test_templates_at_hand_are_sound(root: Path) -> None:
    for path in (root / "templates").glob("*.toml"):
        assert list(load_template(path.stem, root).counted())


@pytest.mark.parametrize(
    ("written", "instead", "at", "said"),
    [
        ('unit = "count"', 'unit = "count', "unit", "this is no TOML"),
        ('unit = "count"', 'unit = 3', "unit", "must be text in quotes"),
        ('unit = "count"', 'unit = "count"\ncolour = "red"', "colour", "no key that is known"),
        ('unit = "count"\n', "", "[measures.uses]", "is missing"),
        ('spray = "Irr', 'Spray! = "Irr', "Spray!", "no TOML"),
        ('spray = "Irr', '"Spray!" = "Irr', "Spray!", "is no code"),
        ('[[], ["tactic"]]', '[[], ["tactics"]]', "levels", "did you mean 'tactic'?"),
        ('per_force = [[]]', 'per_force = [["tactic", "tactic2"]]', "per_force", "add it there"),
        ('{ measure = "people_hurt" }', '{ measure = "hurt" }', "people_hurt", "no measure 'hurt'"),
        ('tactic = "firearm" } }\npeople', 'tactic = "gun" } }\npeople', "firearm", "no code of"),
        ('name = "uses"\ntitle', 'name = "cover"\ntitle', "[[sheet]]", "stands here twice"),
        ('{ code = "firearm", m', '{ code = "spray", m', '{ code = "spray"', "stands here twice"),
        ('dims = { tactic = "spray" }', 'dims = { tactic = "firearm" }', "firearm",
         "counted twice"),
        (', dims = { tactic = "spray" }', ', label = "Any"', '{ code = "spray"',
         "mark it with sum_"),
        ('"spray", "cond', '"sprays", "cond', '{ code = "total"', "did you mean 'spray'?"),
        ('"spray", "cond', '"total", "cond', '{ code = "total"', "a part of itself"),
        ('"spray", "cond', '"firearm", "cond', '{ code = "total"', "would be added twice"),
        ('sum_of = [', 'dims = { tactic = "spray" }, sum_of = [', '{ code = "total"', "is a sum"),
        ('label = "People hurt", m', 'm', '{ code = "people_hurt"', "needs a label"),
        ('missing = ["not_held"] },\n]', 'missing = ["secret"] },\n]', "people_hurt", "no reason"),
        ('measure = "uses", dims = { tactic = "spray" }', 'dims = { tactic = "spray" }', "spray",
         "say what it counts"),
        ('"firearm", measure = "uses"', '"firearm", kind = "text", measure = "uses"', "firearm",
         "no count or answer but text"),
        ('kind = "count"', 'kind = "answer"', '{ code = "restraint"', "give its answers"),
        ('code = "basis"', 'code = "bases"', "rows = [", "needs a row 'basis' of kind answer"),
        ('[[sheet]]\nname = "cover"', '[[sheet]]\nname = "front"', "[[sheet]]", "no sheet 'cover'"),
        ('[profile]', '[measures.shots]\nunit = "count"\n\n[profile]', "[measures.shots]",
         "no cell of the sheets counts"),
        ('[lists.tactic]', '[lists.period]\nnow = "Now"\n\n[lists.tactic]', "[lists.period]",
         "a column of the marts is"),
        ('by = ["tactic"] }]', 'by = [], within = ["tactic"] }]', "shares", "must be in by as"),
        ('[profile]', f"{RULE}\n[profile]", "[[rules]]", "lacks whole"),
        ('[profile]', f'{RULE}whole = ["uses/total/count"]\nfewest = "people"\n\n[profile]',
         "[[rules]]", "is no limit of Q107; its limits: "),
        ('version = 1', 'version = 2', 'name = "use-of-force"', "must be called so"),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_told_at_its_line(
    written: str, instead: str, at: str, said: str, tmp_path: Path
) -> None:
    assert written in SOUND
    faults = list(_refused(tmp_path, SOUND.replace(written, instead, 1)))
    assert any(at in line and said in told for line, told in faults), faults


def test_everything_is_told_at_once(tmp_path: Path) -> None:
    text = SOUND.replace('"spray", "cond', '"sprays", "cond').replace(
        'code = "basis"', 'code = "b"'
    )
    said = [told for _, told in _refused(tmp_path, text)]
    assert len(said) == 2, said
