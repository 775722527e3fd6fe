"""A template that cannot be meant is refused: everything that is wrong, each with its line."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from schemas.edit_faults import examined
from schemas.errors import SetupError
from schemas.reference import OURS
from schemas.template_file import load_template, read_template

EXAMPLES = Path(__file__).parents[2] / "examples"
SOUND = (EXAMPLES / "templates" / "use-of-force-1.toml").read_text(encoding="utf-8")

RULE = '[[rules]]\nid = "Q107"\nuse = "share"\nat = ["uses/spray/count"]\n'


def _refused(folder: Path, text: str) -> Iterator[tuple[str, str]]:
    """Yield of each fault the text of its line, and what is said."""
    path = folder / "templates" / "use-of-force-1.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SetupError) as refused:
        load_template("use-of-force-1", folder)
    for told in str(refused.value).splitlines():
        if told.startswith(f"{path}:"):
            line, _, said = told.removeprefix(f"{path}:").partition(": ")
            yield text.splitlines()[int(line) - 1].strip(), said


def test_a_mart_with_one_count_of_each_row_shows_no_other(tmp_path: Path) -> None:
    """Otherwise it would break its contract, and no return could be published."""
    more = '{ code = "late", label = "Late", dims = { lateness = "late" } },'
    by_date = '[lists.lateness]\nlate = "Late"\nearly = "Early"\n'
    text = (
        SOUND.replace('"uses"', '"second_job_applications"')
        .replace("[measures.uses]", f"{by_date}[measures.second_job_applications]")
        .replace(
            'label = "Count" },', f'label = "Count", dims = {{ lateness = "early" }} }}, {more}'
        )
        .replace('    { code = "people_hurt", label', "#")
    )
    told = dict(_refused(tmp_path, text))
    (line,) = (line for line, said in told.items() if "one count of a row" in said)
    assert line.startswith('{ code = "restraint"')


def test_a_whole_of_an_earlier_period_that_only_a_sum_holds_fills_no_column(tmp_path: Path) -> None:
    """Each cell there stands for itself: the column was empty for every force, without a word."""
    was = '{ code = "was", measure = "uses", dims = { tactic = "spray" }, label = "Was", '
    text = SOUND.replace("[profile]", '[profile]\nwas = { measure = "uses", period = "before" }')
    text = text.replace(
        '    { code = "total"', f'    {was}period = "before" }},\n    {{ code = "total"'
    )
    (told,) = _refused(tmp_path, text)
    assert told[0].startswith("was =")
    assert "no part of a sum" in told[1]


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
        ('firearm = { measure', 'region = { measure', "region", "call it otherwise"),
        ('name = "uses"\ntitle', 'name = "cover"\ntitle', 'name = "cover"', "stands here twice"),
        ('{ code = "firearm", m', '{ code = "spray", m', '{ code = "spray"', "stands here twice"),
        ('dims = { tactic = "spray" }', 'dims = { tactic = "firearm" }', "firearm",
         "counted twice"),
        (', dims = { tactic = "spray" }', ', label = "Any"', '{ code = "spray"',
         "mark it with sum_"),
        ('"spray", measure = "uses", dims = { tactic = "spray" }', '"any one", label = "Any",'
         ' measure = "uses"', '"any one"', "what 'any one' counts in 'count' holds what uses"),
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
        ('kind = "count"', 'kind = "answer"', 'kind = "answer"', "give its answers"),
        ('"submitted", "reconstructed"', '"sent", "made"', 'code = "basis"',
         "'basis' has no answers but"),
        ('kind = "date" },', 'kind = "date", locked = true },', "data_as_at", "for the sender"),
        ('code = "basis"', 'code = "bases"', "rows = [", "needs a row 'basis' of kind answer"),
        ('[[sheet]]\nname = "cover"', '[[sheet]]\nname = "front"', "[[sheet]]", "no sheet 'cover'"),
        ('[profile]', '[measures.shots]\nunit = "count"\n\n[profile]', "[measures.shots]",
         "no cell of the sheets counts"),
        ('[lists.tactic]', '[lists.period]\nnow = "Now"\n\n[lists.tactic]', "[lists.period]",
         "a column of the marts is"),
        ('by = ["tactic"] }]', 'by = [], within = ["tactic"] }]', "shares", "must be in by as"),
        ('[profile]', f"{RULE}\n[profile]", "[[rules]]", "lacks whole"),
        ('[profile]', f'{RULE}whole = ["uses/total/count"]\nfewest = "people"\n\n[profile]',
         "fewest", "is no limit of Q107; its limits: "),
        ('[profile]', f'{RULE}whole = ["uses/all/count"]\n\n[profile]', "whole", "is no cell of"),
        ('[profile]', f'{RULE}whole = ["uses/total/count"]\n\n[profile]'.replace("share", "shares"),
         'use = "shares"', "no use of rule Q107 'shares'; did you mean 'share'?"),
        ('[profile]', '[[rules]]\nid = "Q110"\nuse = "counted"\nsheet = "use"\n'
         'measures = ["uses"]\n\n[profile]', 'sheet = "use"', "Q110 names 'use', which"),
        ('[profile]', '[[rules]]\nid = "Q110"\nuse = "counted"\nsheet = "uses"\n'
         'measures = ["gas"]\n\n[profile]', "measures", "no measure 'gas'"),
        ('[profile]', '[[rules]]\nid = "Q110"\nuse = "counted"\nsheet = "cover"\n'
         'measures = ["uses"]\n\n[profile]', "measures = ", "cover counts none of these"),
        ('[profile]', f'{RULE}whole = ["uses/total/count"]\nsheet = "uses"\n\n[profile]',
         'sheet = "uses"', "reads cells, not a sheet"),
        # A sum stands in its line: as a rule nothing would ask it.
        ('[profile]', '[[rules]]\nid = "C001"\nuse = "sum"\n\n[profile]', 'id = "C001"',
         "no rule 'C001' for the use 'sum'"),
        # Of two questions the rule would ask one alone.
        ('[profile]', '[[rules]]\nid = "X002"\nuse = "none_where"\nat = ["uses/spray/count"]\n'
         'where = { "cover/basis/value" = "submitted", "cover/assurance/value" = "none" }\n\n'
         '[profile]', "where = ", "X002 asks one question, not 2"),
        ('sum_of = [', 'rule = "Q107", sum_of = [', '{ code = "total"', "no rule 'Q107' of sums"),
        ('"spray", "cond', '"cond', '{ code = "total"', "leaves out 'spray'"),
        ('per_force = [[]]', 'per_force = [[]]\ncrossed_by = "tactic"', "levels", "crosses every"),
        ('[profile]', '[since.tactic]\nspray = "gas"\n\n[profile]', "[since.tactic]",
         "there is no use-of-force-0.toml"),
        ('per_force = [[]]', 'per_force = [["tactic", "tactic2"]]', "per_force",
         '["tactic", "tactic2"] is none'),
        ('version = 1', 'version = "one"', "version", "must be a whole number"),
        ('by = ["tactic"] }]', 'by = ["tactic", "tactic"] }]', "shares", "stands here twice"),
        ('[[], ["tactic"]]', '[[], ["tactic"], []]', "levels", "'[]' stands here twice"),
        ('per_force = [[]]', 'per_force = [[], []]', "per_force", "stands here twice"),
        ('by = ["tactic"] }]', 'by = ["tactic"], name = "people_hurt" }]', "shares",
         "figures called 'people_hurt' already"),
        ('by = ["tactic"] }]', 'by = ["tactic"] }, { by = ["tactic"] }]', "shares",
         "figures called 'uses_share' already"),
        ('per_force = [[]]', 'per_force = [[]]\nchange = "question"', "change", "name a list"),
        ('levels = [[]]\n', 'levels = [[]]\nchange = "tactic"\n', "change",
         "counted at no two codes of 'tactic'"),
        (', dims = { tactic = "firearm" } }\np', ' }\np', "firearm", "says the same as 'uses'"),
        ('"submitted", "reconstructed"]', '"submitted", "submitted"]', "basis",
         "'submitted' stands here twice"),
        ('[lists.tactic]', '[lists.total]\nnow = "Now"\n\n[lists.tactic]', "[lists.total]",
         "a column of the marts is"),
        ('[lists.tactic]', '[lists.question]\nwhy = "Why"\n\n[profile.asked]\nmeasure = "uses"\n'
         'dims = { question = "why" }\n\n[lists.tactic]', "[lists.question]", "the marts is"),
        ('[lists.tactic]', '[lists.2]\nnow = "Now"\n\n[lists.tactic]', "[lists.2]", "is no name"),
        ('[measures.uses]', '[measures.reporting_bodies]', "[measures.reporting_bodies]",
         "figures of other sources"),
        ('per_force = [[]]', 'statistics = ["median"]', "statistics", "is counted in 4 cells"),
        ('per_force = [[]]', 'within = { measure = "use" }', "within", "did you mean 'uses'"),
        ('per_force = [[]]', 'within = { measure = "uses", period = "before" }', "within",
         "no cell of the sheets counts this"),
        ('tactic = "firearm" } }\np', 'question = "why" } }\np', "firearm", "no cell of"),
        ('[profile]', '[groups.tactic]\nnone = []\n[profile]', "none =", "stands for no code"),
        ('[profile]', '[groups.tactic]\n"A !" = ["spray"]\n[profile]', "A !", "is no code"),
        ('[profile]', '[groups.tactic]\na = ["spray", "spray"]\n[profile]', "a =", "here twice"),
        ('"submitted", "reconstructed"]', '"submitted", "a b"]', "basis", "'a b' is no code"),
        ('name = "uses"\ntitle', 'name = "history"\ntitle', 'name = "history"', "Excel keeps"),
        ('{ code = "count"', '{ code = "label"', 'code = "label"', "the first two are"),
        ('code = "count", label = "Count" },\n]\nrows = [',
         'code = "count", label = "Count" },\n]\nquestions = [{ code = "why", label = "Why",'
         ' measure = "uses", answers = ["a"] }]\nrows = [', "questions", "must be of kind answer"),
        ('code = "count", label = "Count" },\n]\nrows = [',
         'code = "count", label = "Count" },\n]\nquestions = [{ code = "why", label = "Why",'
         ' measure = "uses", kind = "answer", answers = ["a"] }]\nrows = [', "[measures.uses]",
         "asked by questions and counted by rows"),
        ('[profile]', '[disclosure]\nopen = ["people_hurt"]\nresearch = ["letters"]\n'
         '[disclosure.measures]\nuses = { subject = "uses" }\n[profile]', "research",
         "no research 'letters'"),
        ('[profile]', '[disclosure]\nopen = ["people_hurt"]\n[disclosure.measures]\n'
         'uses = { subject = "uses", mart = "used" }\n[profile]', "mart =", "no mart shows 'uses'"),
        ('spray = "Irritant spray"', 'spray = " "', "spray", "has an empty label"),
        ('"People hurt"', '""', "people_hurt", "has an empty label"),
        ('unit = "people"', 'unit = "people"\nkind = "level"', "kind", "flow"),
        ('[[], ["tactic"]]', '[{ by = [], without = "tactic" }, ["tactic"]]', "per_force",
         "leaves out what has 'tactic'; take one out"),
        ('unit = "people"', 'unit = "people"\nkind = "stock"\nper_month = [[]]',
         "per_month", "a number at a date"),
        ('locked = true', 'locked = "perhaps"', "template", "must be true or false"),
        ('version = 1', 'version = 2', 'name = "use-of-force"', "must be called so"),
        # What nothing in the sheets could ever give.
        ('[[], ["tactic"]]', '[[], ["question"]]', "levels", "no cell of"),
        ('per_force = [[]]', 'per_force = [[]]\ncrossed_by = "question"', "crossed_by",
         "no cell of"),
        ('by = ["tactic"] }]', 'by = ["question"] }]', "shares", "no cell of"),
        ('[[], ["tactic"]]', '[[], { by = ["tactic"], without = "question" }]', "levels",
         "leaves nothing out"),
        ('[[], ["tactic"]]', '[[], { by = ["tactic"], without = "tactic" }]', "levels",
         "no cell of"),
        ('by = ["tactic"] }]', 'by = ["tactic"], within = ["tactic"] }]', "shares", "always 100"),
        ('unit = "people"', 'unit = "people"\nstatistics = ["median"]\nper_force = [[]]',
         "per_force", "beside statistics"),
        ('unit = "people"', 'unit = "percent"', "unit", "cannot be added up"),
        ('unit = "people"', 'unit = " "', "unit", "is empty"),
        ('measure = "people_hurt", missing', 'measure = "people_hurt", period = "before", missing',
         "levels", "asked of earlier periods alone"),
        # What is not read where it stands.
        ('{ code = "count"', '{ code = "count", answers = ["a"]', 'code = "count"',
         "which only rows, questions have"),
        ('{ code = "count"', '{ code = "count", check = "Add"', 'code = "count"',
         "which only rows have"),
        ('{ code = "count"', '{ code = "count", locked = true', 'code = "count"', "the sender"),
        ('tactic = "spray" }', 'tactic = "spray" }, locked = true', 'code = "spray"', "the sender"),
        ('tactic = "spray" }', 'tactic = "spray" }, answers = ["a"]', 'code = "spray"',
         "not answered by a code"),
        ('tactic = "spray" }', 'tactic = "spray" }, named = "these"', 'code = "spray"', "no sum"),
        ('tactic = "spray" }', 'tactic = "spray" }, area = "arms"', 'code = "spray"',
         "which only questions have"),
        ('"firearm"] },', '"firearm"], unheld = ["firearms"] },', "total", "mean 'firearm'"),
        ('"firearm"] },', '"firearm"], unheld = ["people_hurt"] },', "total", "no part of"),
        ('kind = "date" },', 'kind = "date", missing = ["not_held"] },', "data_as_at",
         "only in place of a count"),
        ('unit = "people"', 'unit = "peo\\u0000ple"', "unit", "no page can show"),
        ('"People hurt"', '"People\\ufeff hurt"', "people_hurt", "no page can show"),
        # Case rows of what is counted otherwise than they are.
        ('[profile]', '[cases]\nmeasure = "uses"\nopen = "spray"\n[profile]', 'measure = "uses"',
         "a row of an extract is counted by category and outcome"),
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


def _next_version(folder: Path, since: str) -> list[tuple[str, str]]:
    """Return the faults of a version 2 beside a sound version 1."""
    (folder / "templates").mkdir()
    (folder / "templates" / "use-of-force-1.toml").write_text(SOUND, encoding="utf-8")
    path = folder / "templates" / "use-of-force-2.toml"
    text = SOUND.replace("version = 1", "version = 2").replace("[profile]", f"{since}\n[profile]")
    path.write_text(text, encoding="utf-8")
    try:
        load_template("use-of-force-2", folder)
    except SetupError as error:
        lines = [line.removeprefix(f"{path}:") for line in str(error).splitlines()[1:-1]]
        told = [line.partition(": ") for line in lines]
        return [(text.splitlines()[int(at) - 1], said) for at, _, said in told]
    return []


@pytest.mark.parametrize(
    ("since", "said"),
    [
        ('[since.tactic]\nspray = "restraint"\n', None),
        ('[since.tactic]\nspray = "sprays"\n', "no code of tactic in use-of-force-1 'sprays'; did"),
        ('[lists.gas]\na = "A"\n[since.gas]\na = "b"\n', "no list 'gas' in use-of-force-1"),
        ('[since.tactic]\nspray = "restraint"\nfirearm = "restraint"\n', "'restraint' stands here"),
    ],
)
def test_a_code_is_renamed_only_from_one_that_was(
    since: str, said: str | None, tmp_path: Path
) -> None:
    faults = _next_version(tmp_path, since)
    if said is None:
        assert faults == []
    else:
        [(line, told)] = faults
        assert line == since.splitlines()[-1]
        assert said in told


def test_a_sum_of_some_codes_alone_is_meant_where_there_is_a_group_of_them(tmp_path: Path) -> None:
    text = SOUND.replace('sum_of = ["restraint", "spray", ', 'sum_of = ["restraint", ')
    assert any("leaves out 'spray'" in said for _, said in _refused(tmp_path, text))
    text = text.replace('code = "total", label = "All', 'code = "harder", label = "All')
    group = '[groups.tactic]\nharder = ["restraint", "conducted_energy_device", "firearm"]\n\n[prof'
    path = tmp_path / "templates" / "use-of-force-1.toml"
    path.write_text(text.replace("[prof", group, 1), encoding="utf-8")
    read_template.cache_clear()
    assert load_template("use-of-force-1", tmp_path).sums()


@pytest.mark.parametrize("use", ["rate", "ratios"])
def test_no_rule_asks_for_the_monthly_rate_of_a_number_at_a_date(tmp_path: Path, use: str) -> None:
    rule = f'[[rules]]\nid = "Q101"\nuse = "{use}"\nat = ["uses/people_hurt/count"]\n'
    text = SOUND + rule + 'other = ["uses/spray/count"]\n'
    ((line, said),) = _refused(tmp_path, text)
    assert "uses/spray/count" in line
    assert "asks about no earlier period" in said
    stock = text.replace('unit = "people"', 'unit = "people"\nkind = "stock"')
    (line, said), _ = _refused(tmp_path / "other", stock)
    assert "people_hurt/count" in line
    assert "has no monthly rate" in said


@pytest.mark.parametrize("measure", ["investigations", "register_entries"])
def test_a_measure_that_a_mart_is_called_after_is_counted_by_what_the_mart_is(
    measure: str, tmp_path: Path
) -> None:
    faults = list(_refused(tmp_path, SOUND.replace("people_hurt", measure)))
    assert any(f"the mart {measure!r} counts by" in told for _, told in faults), faults


def test_questions_give_their_figures_and_codes_to_no_other(tmp_path: Path) -> None:
    sheet = """
[[sheet]]
name = "{0}"
title = "Asked"
instructions = []
kind = "answer"
measure = "asked"
columns = [{{ code = "answer", label = "Answer" }}]
questions = [{{ code = "why", label = "Why", answers = ["a", "b"] }}]
"""
    text = SOUND.replace("[profile]", '[measures.asked]\nunit = "forces"\n\n[profile]')
    text = text.replace('by = ["tactic"] }]', 'by = ["tactic"], name = "asked_share" }]')
    faults = list(_refused(tmp_path, text + sheet.format("one") + sheet.format("two")))
    assert any("figures called 'asked_share' already" in told for _, told in faults), faults
    assert any("'why' stands here twice" in told for _, told in faults), faults


ASKED = """
[[sheet]]
name = "asked"
title = "Asked"
instructions = []
kind = "answer"
measure = "asked"
columns = [{ code = "answer", label = "Answer" }]
questions = [{ code = "why", label = "Why", answers = ["a", "b"] }]
"""


@pytest.mark.parametrize(
    ("levels", "column", "changed", "said"),
    [
        ("", "{}", "", "names no question"),
        ('levels = [["question"]]\n', '{ question = "why" }', "", "levels: 'asked' is asked by"),
        ('crossed_by = "question"\n', '{ question = "why" }', "", "crossed_by: 'asked' is"),
        ("", '{ question = "why" }', ', missing = ["not_held"] }]', "only in place of a count"),
    ],
)
def test_answers_are_counted_by_answer_and_never_missing(
    levels: str, column: str, changed: str, said: str, tmp_path: Path
) -> None:
    """A sum over answers, and a profile of no question, would be unknown in every release."""
    measure = f'[measures.asked]\nunit = "forces"\n{levels}\n[profile]\n'
    measure += f'asked = {{ measure = "asked", dims = {column} }}\n'
    sheet = ASKED.replace('"Answer" }]', f'"Answer"{changed}') if changed else ASKED
    ((_, told),) = _refused(tmp_path, SOUND.replace("[profile]\n", measure) + sheet)
    assert said in told


def test_a_column_asks_about_an_earlier_period_as_a_row_does(tmp_path: Path) -> None:
    """Its counts went into the totals of the collection's own period."""
    now = '{ code = "count", label = "Count" },'
    text = SOUND.replace(now, f'{now}\n    {{ code = "then", label = "Then", period = "before" }},')
    path = tmp_path / "templates" / "use-of-force-1.toml"
    path.parent.mkdir()
    path.write_text(text, encoding="utf-8")
    template = load_template("use-of-force-1", tmp_path)
    asked = {entry.place: entry.period for entry in template.counted()}
    assert asked["uses", "spray", "count"] == "collection"
    assert asked["uses", "spray", "then"] == "before"
    row = '"spray", measure = "uses", '
    both = text.replace(row, f'{row}period = "long_before", ')
    assert any("have another period" in said for _, said in _refused(tmp_path / "both", both))


def test_what_no_cell_or_total_is_of_is_noted(tmp_path: Path) -> None:
    lists = (
        '[lists.place]\nhere = "Here"\n\n[groups.tactic]\narmed = ["firearm"]\n\n[lists.tactic]\n'
    )
    text = SOUND.replace("[lists.tactic]\n", f'{lists}gas = "Gas"\n')
    path = tmp_path / "templates" / "use-of-force-1.toml"
    path.parent.mkdir()
    path.write_text(text, encoding="utf-8")
    wrong, notes = examined(path, load_template("use-of-force-1", tmp_path))
    at = {line: number for number, line in enumerate(text.splitlines(), 1)}
    assert wrong == []
    assert [note.split(": ")[:2] for note in notes] == [
        [f"{path}:{at[line]}", key]
        for line, key in (
            ("[lists.place]", "lists.place"),
            ('armed = ["firearm"]', "groups.tactic.armed"),
            ('gas = "Gas"', "lists.tactic.gas"),
        )
    ]


def test_case_rows_are_open_at_an_outcome_that_is_counted(tmp_path: Path) -> None:
    path = tmp_path / "templates" / "returns-1.toml"
    path.parent.mkdir()
    text = (OURS / "templates" / "returns-1.toml").read_text(encoding="utf-8")
    path.write_text(text.replace('open = "continuing"', 'open = "continued"'), encoding="utf-8")
    with pytest.raises(SetupError, match=r"cases\.open: there is no outcome that .* 'continued'"):
        load_template("returns-1", tmp_path)


def test_a_change_is_along_the_codes_that_are_counted_now(tmp_path: Path) -> None:
    """A code that is asked of an earlier period alone was its last, and nothing was known there."""
    before = '{ code = "gas", label = "Gas", measure = "uses", period = "before", dims = '
    text = SOUND.replace("per_force = [[]]", 'per_force = [[]]\nchange = "tactic"')
    text = text.replace('firearm = "Firearm', 'gas = "Gas"\nfirearm = "Firearm')
    text = text.replace('gas = "Gas"\nfirearm = "Firearm discharged"', 'firearm = "A"\ngas = "Gas"')
    text = text.replace(
        'rows = [\n    { code = "restraint"',
        f'rows = [\n    {before}{{ tactic = "gas" }} }},\n    {{ code = "restraint"',
    )
    path = tmp_path / "templates" / "use-of-force-1.toml"
    path.parent.mkdir()
    path.write_text(text, encoding="utf-8")
    assert load_template("use-of-force-1", tmp_path).codes_of("uses", "tactic")[-1] == "firearm"
