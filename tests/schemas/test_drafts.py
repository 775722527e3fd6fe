"""Drafts are examined whole: whoever wrote one hears everything, each with file and line."""

import shutil
from pathlib import Path

import pytest

from schemas.collection import load_collection, read_collection
from schemas.drafts import Drafts
from schemas.errors import SetupError
from schemas.reference import collection_files

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copytree(EXAMPLES, tmp_path / "drafts")
    return tmp_path / "drafts"


def _change(path: Path, old: str, new: str) -> int:
    """Change a file; return the line on which it is changed."""
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return text[: text.index(old)].count("\n") + 1


def test_the_examples_are_sound() -> None:
    drafts = Drafts(EXAMPLES)
    assert {path.name for path in drafts.files} >= {"2013-revisit.toml", "use-of-force-1.toml"}
    assert drafts.wrong == []


def test_everything_is_told_at_once(folder: Path) -> None:
    template = folder / "templates" / "use-of-force-1.toml"
    collection = folder / "collections" / "2013-revisit.toml"
    changes = (
        (template, "spray = ", '"Spray!" = ', "lists.tactic.Spray!: "),
        (collection, "hard = 2013-06-28", "hard = 2013-06-01", "deadlines.hard: "),
        (collection, "census = 2013-05-31", "census = 2013-05-30", "census: the census"),
        (collection, "V006 = { lowest = 1,", "V006 = { lowest = 99,", "thresholds.V006: lowest 99"),
        (collection, '"BTP"', '"BED"', "forces."),
        (collection, '"KEN"', '"XYZ"', "forces."),
        (collection, "[comparators.prev", "[comparators.y", "comparators: "),
    )
    told = [f"{path}:{_change(path, old, new)}: {key}" for path, old, new, key in changes]
    wrong = Drafts(folder).wrong
    for expected in told:
        assert any(line.startswith(expected) for line in wrong), (expected, wrong)
    said = "\n".join(wrong)
    assert "BED ended on 2013-03-31, before the census; expect BEH" in said
    assert "force code not in reference/forces.csv: XYZ" in said
    assert "the template asks about 'previous'" in said


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("collections/2014.toml", b"id = \n", "2014.toml:1: this is no TOML"),
        ("collections/2014.toml", b"\xff\xfe", "it is no text in UTF-8"),
        ("collections/2014.toml", b'id = "2014"\n', "2014.toml:1: census: is missing"),
        ("reference/forces.csv", b"a,b\n1,2\n", "forces.csv"),
        ("reference/forces.csv", b"force_code;name\nAVS;A\n", "separate columns by commas"),
        ("reference/forces.csv", b'force_code\n"AVS\n', "forces.csv:2: the row: is no CSV"),
        ("reference/forces.csv", b"force_code\nA\0VS\n", "forces.csv:2: the row: holds a NUL byte"),
        ("reference/forces.csv", b"force_code\n\nA\xc9\n", "forces.csv:3: it is no text in UTF-8"),
        (
            "reference/forces.csv",
            b"\xef\xbb\xbf" * 2 + b"force_code\nAVS\n",
            "forces.csv:1: the head",
        ),
        (
            "reference/forces.csv",
            "force_code\n\ufeffAVS\n".encode(),
            "forces.csv:2: force_code: holds a character that no page can show: '\\ufeff'",
        ),
        ("collections/2014.toml", b"a = " + b"[" * 5000, "2014.toml: this is no TOML: brackets"),
        ("collections/2014.toml", b"\xef\xbb\xbfid = 1\n", ":1: this is no TOML: it begins with a"),
        ("templates/uses-2.toml", b'name = "uses"\nversion = 2\n', "uses-2.toml:1: sheet: is miss"),
    ],
)
def test_a_draft_that_is_no_draft(name: str, content: bytes, said: str, folder: Path) -> None:
    (folder / name).write_bytes(content)
    assert any(said in line for line in Drafts(folder).wrong), Drafts(folder).wrong


_C, _T, _R = (
    "collections/use-of-force-2013.toml",
    "templates/use-of-force-1.toml",
    "collections/2013-revisit.toml",
)

CHANGED = """
[[rule_changes]]
rule = "V007"
severity = "N"
reason = "Because it is so."
since = 2013-01-01
"""

_RULE = (
    '[[rules]]\nid = "Q106"\nuse = "share"\nat = ["uses/spray/count"]\n'
    'whole = ["uses/total/count"]\n[profile]'
)


@pytest.mark.parametrize(
    ("name", "written", "instead", "at", "said"),
    [
        (_C, '"AVS", "BED"', '"AVS", "BEH"', "BEH", "forces.2: BEH began on 2013-04-01, after the"),
        (_C, '"AVS"', '"avs "', "avs", "forces.1: force code not in reference/forces.csv: avs ; d"),
        (_C, "end = 2013-03-31", "end = 2013-03-31T12:00:00", "end =", "period.end: must be a dat"),
        (_C, "\nid = ", "\nID = ", "ID =", "ID: is no key that is known here; did you mean 'id'?"),
        (_C, 'template = "use-of-force-1"\n', "", "# An example", "template: is missing"),
        (_T, '{ measure = "uses" }', '"uses"', "uses =", "profile.uses: must be a table of keys"),
        (_T, '[[sheet]]\nname = "uses"', '[[sheets]]\nname = "uses"', "[[sheets]]",
         "sheets: is no key that is known here; did you mean 'sheet'?"),
        (_T, '[[sheet]]\nname = "uses"', '[sheets]\nname = "uses"', "[sheets]",
         "sheets: is no key that is known here; did you mean 'sheet'?"),
        (_T, '"cover"', '"front"', "[[sheet]]", "sheet: there is no sheet 'cover'"),
        (_T, 'kind = "count"\n', "", "[[sheet]]", "sheet.2.kind: 'restraint' counts uses, and"),
        (_T, "levels = [[], ", "levelss = [[], ", "levelss",
         "measures.uses.levelss: is no key that is known here; did you mean 'levels'?"),
        (_T, "[{ by =", "[{ By =", "By =", "measures.uses.shares.1.By: is no key that is known"),
        (_T, 'kind = "date"', 'kind = "text"', "data_as_at", "sheet.1.rows.6: the cover needs a"),
        ("reference/forces.csv", "\nBEH,", "\nBEH,,", "BEH,,", "the row: has 12 cells, and the he"),
        (_R, "Q105 = { lowest = 0.85", "Q105 = { lowest = 85", "85", "thresholds.Q105.lowest: 85"),
        (_R, "{ change = 0.1", "{ change = 5", "= 5", "thresholds.M007.change: 5 is no share of a"),
        (_C, '-2013"\n', "-2013\n", "id", "this is no TOML: a quote is not closed"),
        (_C, "[period]", 'title = "A"\n[period]', 'title = "A"', "this is no TOML: title stan"),
        (_C, "[deadlines]", "[period]\n[deadlines]", "[period]", "this is no TOML: [period] stan"),
        (_C, '"AVS"', "AVS", "AVS", "this is no TOML: the value is none: text stands in quotes"),
        (_C, "hard =", "soft", "soft", "this is no TOML: Expected '=' after a key"),
        (_T, "[profile]", _RULE.replace("Q106", "Q196"), "Q196",
         "rules.1.id: there is no rule 'Q196' for the use 'share'; there are Q105, Q106, Q107"),
        (_T, "[profile]", _RULE.replace("Q106", "C502").replace("share", "atmost"), "atmost",
         "rules.1.use: there is no use of rule C502 'atmost'; did you mean 'at_most'?"),
        (_T, "[profile]", _RULE.replace("Q106", "C502"), '"share"',
         "rules.1.use: there is no use of rule C502 'share'; there are at_most"),
        (_T, "version = 1", 'version = "1"', "version", "version: must be a whole number"),
        (_T, "version = 1", "version = 1.0", "version", "version: must be a whole number"),
        (_T, "locked = true", 'locked = "yes"', "locked =", "sheet.1.rows.1.locked: must be true"),
        (_R, "multiple = 5", "multiple = 1", "multiple", "thresholds.Q110.multiple: must be 2 or"),
        (_R, "0.75, cases = 20", "0.75, cases = -20", "-20", "thresholds.Q108.cases: must be 0 or"),
        (_C, "# An", 'colour = "red"\n# An', "colour", "colour: is no key that is known here"),
        (_C, "census = 2013-03-31", "census = 2013-13-31 # day", "census",
         "this is no TOML: 2013-13-31 is no date; write one that there is as 2013-05-31"),
        (_C, "end = 2013-03-31", "end = 31.03.2013", "end =", "this is no TOML: 31.03.2013 is no"),
        (_C, "end = 2013-03-31", "end = 2013-02-29", "end =", "this is no TOML: 2013-02-29 is no"),
        (_R, "{ share = 0.5", "{ share = 50", "50", "thresholds.X005.share: 50 times the earlier"),
        (_R, 'second_jobs = { small = "1..4"', 'second_jobs = { small = "5..9"', "5..9",
         "disclosure.counts.second_jobs.small: 5..9 would show a count of 1"),
        (_R, 'second_jobs = { small = "1..4"', 'second_jobs = { small = "0..0"', "0..0",
         "disclosure.counts.second_jobs.small: 0..0 would show a count of 1"),
        (_R, 'second_jobs = { small = "1..4", width = 5',
         'second_jobs = { small = "1..4", width = 1', "second_jobs",
         "disclosure.counts.second_jobs.width: 1 is too narrow, of 1..4 one could tell more"),
        (_T, '"Firearm discharged"', '"Irritant spray"', "firearm",
         "lists.tactic.firearm: 'Irritant spray' stands here twice"),
        (_T, 'label = "People hurt"', 'label = "Irritant spray"', "people_hurt",
         "sheet.2.rows.6.label: 'people_hurt' is called 'Irritant spray', as 'spray' is"),
        (_T, "per_force = [[]]", 'within = { measure = "uses" }', "within",
         "measures.uses.within: no measure is within itself"),
        (_C, "[period]", CHANGED.replace("V007", "Q109") + "[period]", "Q109",
         "rule_changes.1.rule: its template does not use the rule"),
        (_R, 'second_jobs = { small = "1..4"', 'second_jobs = { small = "1-4"', "1-4",
         "disclosure.counts.second_jobs.small: band '1-4' is not of the form"),
    ],
)  # fmt: skip
def test_a_slip_is_told_once_where_it_is(
    name: str, written: str, instead: str, at: str, said: str, folder: Path
) -> None:
    _change(folder / name, written, instead)
    (told,) = Drafts(folder).wrong
    line, _, what = told.removeprefix(f"{folder / name}:").partition(": ")
    assert what.startswith(said)
    assert at in (folder / name).read_text(encoding="utf-8").splitlines()[int(line) - 1]


@pytest.mark.parametrize(
    ("written", "instead", "said"),
    [
        ('id = "use-of-force-2013"\n', "", "id: is missing"),
        ('"use-of-force-2013"', '"Use"', "id: must be small letters, digits and - only"),
        ('template = "use-of-force-1"', "template = 1", "template: must be the name of a template"),
        ("[period]", 'count_bands = ["some"]\n[period]', "count_bands: band 'some' is not of the"),
        ("[period]", 'count_bands = ["1", "1"]\n[period]', "count_bands: a band stands here twice"),
        ("[period]", 'count_bands = ["1", "1..1"]\n[period]', "count_bands: a band stands here"),
        ("[period]", 'count_bands = ["-1"]\n[period]', "count_bands: band '-1' is not of the form"),
        ("hard = 2013-05-14", "hard = 9999-12-31", "deadlines.hard: must be before 3000-01-01"),
        ("[period]", "[comparators.next]\nstart = 2014-01-01\nend = 2014-12-31\n[period]",
         "comparators.next: this is no earlier period: it starts 2014-01-01"),
        ("[period]", "[comparators.collection]\nstart = 2011-01-01\nend = 2011-12-31\n[period]",
         "comparators.collection: 'collection' is no name"),
        ("[period]", "[comparators.a]\ncollection = '2012-revisit'\nstart = 2011-01-01\n[period]",
         "comparators.a: gives a collection, whose period is known"),
        ("[period]", "[comparators.a]\ncollection = '../collections/2012-revisit'\n[period]",
         "comparators.a: there is no collection '../collections/2012-revisit'"),
        ('"use-of-force-1"', '"../templates/use-of-force-1"',
         "template: there is no template '../"),
        ("[period]", "[thresholds]\nV006 = { lowest = nan }\n[period]",
         "thresholds.V006.lowest: must be a number"),
        ("[period]", "[published]\nfigures = '../printed.csv'\nsource = 'A book'\n[period]",
         "published.figures: '../printed.csv' must be the name of a file in reference/"),
        ("[period]", "[published]\nfigures = 'printed.csv'\nsource = 'A book'\n[period]",
         "published.figures: there is no file 'printed.csv' in "),
        ("[period]", "[workforce]\nfigures = 'sizes.csv'\nas_at = 2013-03-31\n[period]",
         "workforce.figures: there is no file 'sizes.csv' in "),
        ("[period]", "[running]\ndays_after_hard = 99999999999\n[period]",
         "running.days_after_hard: must be 3660 or less"),
        ("[period]", "[cases]\nmax_bad_share = 0.1\n[period]",
         "cases: its template has no [cases]"),
        ("[period]", "[comparators.before]\nstart = 2010-01-01\nend = 2010-12-31\n[period]",
         "comparators.before: there is no period that cells of the template ask about 'before'"),
        ("[period]", "[disclosure]\nfewest_forces = 3\ncounts = {}\n[period]",
         "disclosure: its template has no [disclosure]"),
        ("hard = 2013-05-14", "hard = 2013-05-14\nqueries = 2013-03-01",
         "deadlines.queries: queries are to be answered on 2013-03-01, before the census"),
        ("soft = 2013-04-30", "soft = 2013-03-30", "deadlines.soft: the soft deadline 2013-03-30"),
        ("[period]", CHANGED * 2 + "[period]", "rule_changes.2.rule: 'V007' stands here twice"),
        ("[period]", 'licence = "All mine"\n[period]', "licence: 'All mine' is no id of a licence"),
        ("(an example)", "\\u0000", "title: holds a character that no page can show: '\\x00'"),
    ],
)  # fmt: skip
def test_what_no_collection_can_say_is_told_in_words(
    written: str, instead: str, said: str, folder: Path
) -> None:
    path = folder / "collections" / "use-of-force-2013.toml"
    _change(path, written, instead)
    wrong = Drafts(path).wrong
    assert any(f": {said}" in line and line.startswith(f"{path}:") for line in wrong), wrong


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("../AVS,,A,A force,North,England,territorial,false,,,", "force_code: '../AVS' is no code"),
        ("Bed,,A,A force,North,England,territorial,false,,,", "force_code: 'Bed' is 'BED' in"),
        ("AVS,,A,A force,,England,territorial,false,,,", "region: is empty"),
        ("avs,,A,A force,North,England,territorial,false,,,", "force_code: 'avs' is 'AVS' in"),
        (
            "BEE,,A,Bedfordshire Police,North,England,territorial,false,,,",
            "full_name: 'Bedfordshire Police' stands on line 2 already",
        ),
        ("AVS,,A,A force,North,England,territorial,false,,,BED", "valid_to: is empty, though a"),
    ],
)
def test_a_force_that_no_page_or_region_could_be_of_is_told(
    row: str, said: str, folder: Path
) -> None:
    path = folder / "reference" / "forces.csv"
    text = path.read_text(encoding="utf-8")
    path.write_text(f"{text}{row}\n", encoding="utf-8")
    line = text.count("\n") + 1
    assert any(each.startswith(f"{path}:{line}: {said}") for each in Drafts(folder).wrong)


@pytest.mark.parametrize(
    ("written", "instead", "said"),
    [
        ('"firearm"] },\n', '"firearm"] },\n    { code = "all", label = "All", '
         'sum_of = ["total", "spray"] },\n',
         "sheet.2.rows.6.sum_of: 'all' adds up 'spray' more than once"),
        ('levels = [[], ["tactic"]]\nshares = [{ by = ["tactic"] }]\nper_force = [[]]\n', "",
         "measures.uses: no total of 'uses' is given: give it levels, or statistics"),
        ('"Irritant spray"', '"Irritant\\u0000spray"',
         "lists.tactic.spray: holds a character that"),
        ('[profile]', '[[rules]]\nid = "X002"\nuse = "none_where"\nat = ["uses/total/count"]\n'
         'where = { "cover/basis/value" = "sumbitted" }\n\n[profile]',
         "rules.1.where.cover/basis/value: there is no answer to cover/basis/value 'sumbitted'"),
    ],
)  # fmt: skip
def test_what_no_template_can_mean_is_told_in_words(
    written: str, instead: str, said: str, folder: Path
) -> None:
    """A sum that no right return keeps, a count that is never totalled, a rule that never fires."""
    path = folder / "templates" / "use-of-force-1.toml"
    line = _change(path, written, instead)
    wrong = Drafts(path).wrong
    assert [each.split(": ", 1)[1][: len(said)] for each in wrong] == [said], (line, wrong)


def test_a_version_before_that_cannot_be_read_is_told_once(folder: Path) -> None:
    text = (folder / "templates" / "use-of-force-1.toml").read_text(encoding="utf-8")
    since = '[since.tactic]\nspray = "gas"\n\n[measures.uses]'
    later = text.replace("version = 1", "version = 2").replace("[measures.uses]", since)
    (folder / "templates" / "use-of-force-2.toml").write_text(later, encoding="utf-8")
    before = folder / "templates" / "use-of-force-1.toml"
    before.write_text("name = \n", encoding="utf-8")
    assert [line.partition(": this is no")[0] for line in Drafts(folder).wrong] == [f"{before}:1"]


def test_what_follows_from_a_fault_is_not_told_beside_it(folder: Path) -> None:
    """Of an empty template; of two sheets, rows or columns of one name, which a rule reads."""
    template, collection = folder / _T, folder / _C
    _change(collection, "[period]", "[thresholds]\nV007 = { ceiling = 9 }\n[period]")
    sound = template.read_text(encoding="utf-8")
    template.write_text("", encoding="utf-8")
    assert {line.partition(":")[0] for line in Drafts(collection).wrong} == {str(template)}
    _change(collection, "[thresholds]\nV007 = { ceiling = 9 }\n", "")
    template.write_text(sound.partition("[[sheet]]")[0], encoding="utf-8")
    assert Drafts(collection).wrong == [f"{template}:1: sheet: is missing"]
    for written, instead in (
        ('name = "uses"', 'name = "cover"'),
        ('code = "spray"', 'code = "restraint"'),
    ):
        template.write_text(sound, encoding="utf-8")
        _change(template, "[profile]", _RULE.replace("Q106", "C502").replace("share", "at_most"))
        line = _change(template, written, instead)
        wrong = Drafts(collection).wrong
        assert any(f"{template}:{line}: sheet.2." in each for each in wrong), wrong
        assert not [each for each in wrong if "which is no cell" in each]


def test_a_body_is_not_expected_whose_code_is_none(folder: Path) -> None:
    path = folder / "reference" / "forces.csv"
    row = "AVS,,A,A force,North,England,territorial,false,,2012-12-31,XXX\n"
    path.write_text(path.read_text(encoding="utf-8") + row, encoding="utf-8")
    unknown, *ended = Drafts(folder / _C).wrong
    assert "successor: there is no force 'XXX'; there are AVS, BED, BEH," in unknown
    assert [line.partition("AVS ")[2] for line in ended] == [
        "ended on 2012-12-31, before the census"
    ]


@pytest.mark.parametrize(
    ("name", "there", "what"),
    [
        (_C, "templates/use-of-force-2013.toml", "collection"),
        (_T, "collections/u.toml", "template"),
    ],
)
def test_a_file_in_the_other_folder_is_told_in_one_line(
    name: str, there: str, what: str, folder: Path
) -> None:
    shutil.copy(folder / name, folder / there)
    said = (
        f"{folder / there}:1: the file: this is a {what}, which belongs in {what}s/: move it there"
    )
    assert Drafts(folder).wrong == [said]


def test_a_file_that_no_collection_is_called_by_is_to_be_renamed(folder: Path) -> None:
    (folder / _C).rename(folder / "collections" / "Use of force.toml")
    (told,) = Drafts(folder / "collections" / "Use of force.toml").wrong
    assert told.endswith("says 'use-of-force-2013'; call the file use-of-force-2013.toml")


def test_what_research_counts_is_protected_where_research_is_taken(folder: Path) -> None:
    _change(folder / "templates/returns-2.toml", 'research = ["social_media"]\n', "")
    _change(folder / _R, 'social_media = { small = "1..4", width = 5 }\n', "")
    assert not Drafts(folder).wrong
    line = _change(folder / _R, "\ntemplate =", "\nresearch = true\ntemplate =") + 1
    (told,) = Drafts(folder).wrong
    assert told.startswith(f"{folder / _R}:{line}: research: its template protects nothing of res")


def test_what_a_release_keeps_is_held_to_no_rule_of_today(folder: Path) -> None:
    _change(folder / _R, "0.75, cases = 20", "0.75, cases = -20")
    assert read_collection(folder / _R, sound=True).thresholds["Q108"]["cases"] == -20


def test_a_single_file_and_an_empty_folder(folder: Path, tmp_path: Path) -> None:
    assert Drafts(folder / "collections" / "use-of-force-2013.toml").wrong == []
    assert Drafts(folder / "templates" / "returns-2.toml").wrong == []
    (tmp_path / "none").mkdir()
    assert "there is no file collections/<id>.toml" in Drafts(tmp_path / "none").wrong[0]


def test_a_broken_draft_harms_no_other_collection(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MUSTER_COLLECTIONS", str(folder))
    (folder / "collections" / "2013-revisit.toml").write_text("id = ")
    with pytest.raises(SetupError, match="no TOML"):
        load_collection("2013-revisit")
    for name in set(collection_files()) - {"2013-revisit"}:
        assert load_collection(name).id == name


def test_a_fault_of_a_template_is_told_once_and_there(folder: Path) -> None:
    """However many collections use it, and though only one of them is examined."""
    template = folder / "templates" / "use-of-force-1.toml"
    line = _change(template, '"spray", "cond', '"sprays", "cond')
    used = folder / "collections" / "use-of-force-2013.toml"
    text = used.read_text(encoding="utf-8")
    used.with_name("use-of-force-2014.toml").write_text(text.replace("force-2013", "force-2014"))
    for path in (folder, used):
        wrong = Drafts(path).wrong
        assert len(wrong) == 1, wrong
        assert wrong[0].startswith(
            f"{template}:{line}: sheet.2.rows.5.sum_of.2: there is no row or"
        )
    template.write_text("name = \n")
    assert [line.startswith(f"{template}:1: this is no") for line in Drafts(folder).wrong] == [True]


THRESHOLDS = (
    "[thresholds]\nM006 = { share = 0.25, cases = 20 }\nM007 = { change = 0.1, cases = 20 }\n"
)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, []),
        ({"share = 0.25, ": ""}, ["thresholds.M006: must give cases, share, not cases"]),
        ({"M007 = { change = 0.1, cases = 20 }\n": ""},
         ["thresholds.M007: must give cases, change, not none"]),
        ({"[thresholds]": "[thresholds]\nQ107 = { highest = 1, cases = 1 }"},
         ["thresholds.Q107: its template does not use the rule"]),
    ],
)  # fmt: skip
def test_limits_are_told_in_words(changes: dict[str, str], said: list[str], folder: Path) -> None:
    path, text = folder / "collections" / "use-of-force-2013.toml", THRESHOLDS
    for old, new in changes.items():
        text = text.replace(old, new)
    path.write_text(f"{path.read_text(encoding='utf-8')}\n{text}", encoding="utf-8")
    wrong = Drafts(path).wrong
    assert [line.partition("toml:")[2].partition(": ")[2][: len(s)] for line, s in
            zip(wrong, said, strict=True)] == said  # fmt: skip


def test_no_limits_are_asked_for_of_rules_that_have_nothing_to_judge(folder: Path) -> None:
    template = folder / "templates" / "use-of-force-1.toml"
    _change(template, '[[], ["tactic"]]', "[[]]")
    _change(template, 'shares = [{ by = ["tactic"] }]\n', "")
    path = folder / "collections" / "use-of-force-2013.toml"
    rule = '[[rules]]\nid = "Q107"\nuse = "share"\nat = ["uses/spray/count"]\n'
    _change(template, "[profile]", f'{rule}whole = ["uses/total/count"]\n\n[profile]')
    limits = "\n[thresholds]\nQ107 = { highest = 0.5, cases = 10 }\n"
    path.write_text(path.read_text(encoding="utf-8") + limits, encoding="utf-8")
    assert Drafts(folder).wrong == []


def test_faults_within_tables_are_told_at_the_line_of_their_key(folder: Path) -> None:
    path = folder / "collections" / "2013-revisit.toml"
    text = path.read_text(encoding="utf-8") + (
        '[[disclosure.exempt]]\nmart = "force_profiles"\ncolumn = "colour"\nforces = ["DER"]\n'
        'figures = ["X"]\nreason = "Printed in a report."\n'
        '[[rule_changes]]\nseverity = "off"\nrule = "S001"\nreason = "Because it is so."\n'
        "since = 2013-01-01\n"
    )
    path.write_text(text, encoding="utf-8")
    at = {line: number for number, line in enumerate(text.splitlines(), 1)}
    wrong = Drafts(path).wrong
    assert [line.split(": ")[0] for line in wrong] == [
        f"{path}:{at[key]}" for key in ('column = "colour"', 'rule = "S001"')
    ]


PUBLISHED = "\n[published]\nfigures = 'printed.csv'\nsource = 'A yearbook'\n"
HEAD = (
    "collection,figure_id,document,scope,measure,breakdown,period,value,unit,qualifier,"
    "period_start,period_end,basis,source_issue,note\n"
)


@pytest.mark.parametrize(
    ("figure", "said"),
    [
        ("national,uses,,collection,7,count", None),
        ("AVS,uses,tactic=spray,collection,7,count", None),
        ("national,uses_share,tactic=spray,collection,7,percent", None),
        ("national,uses_per_force,statistic=median,collection,7,count", None),
        ("national,forces_with_uses,count=60..,collection,7,forces", None),
        ("national,usses,,collection,7,count", "measure: there is no measure 'usses'; did you"),
        ("nation,uses,,collection,7,count", "scope: there is no force that is expected 'nation'"),
        ("BEH,uses,,collection,7,count", "scope: there is no force that is expected 'BEH'"),
        ("national,uses,tactic=spry,collection,7,count", "breakdown: there is no code of tactic"),
        ("national,uses,tactics=spray,collection,7,count", "breakdown: there is no list 'tactics'"),
        ("national,uses,tactic=spray|firearm,collection,7,count", "breakdown: there is no code of"),
        ("national,uses,,before,7,count", "period: there is no period of uses 'before'"),
        ("national,uses,,collection,7,people", "unit: must be 'count', the unit of uses"),
        ("national,uses,,collection,-7,count", "value: must be 0 or more"),
        ("national,uses_share,,collection,7,percent", "breakdown: no total of uses_share is by"),
        ("national,people_hurt,tactic=spray,collection,7,people", "breakdown: no total of people"),
        ("national,uses_per_force,statistic=most,collection,7,count", "breakdown: there is no"),
        ("national,uses,statistic=median,collection,7,count", "breakdown: there is no code of st"),
        ("national,uses,count=1..4,collection,7,count", "breakdown: counts of forces are called"),
        ("national,forces_with_uses,count=9..1,collection,7,forces", "breakdown: band '9..1'"),
        ("national,uses,tactic=armed,collection,7,count", "breakdown: 'armed' is a group"),
        (
            "avs,uses,,collection,7,count",
            "scope: there is no force that is expected 'avs'; did you",
        ),
        ("BTP,uses,,collection,7,count", "scope: there is no force that is expected 'BTP'; "),
    ],
)
def test_a_figure_that_no_return_could_give_is_told_at_its_line(
    figure: str, said: str | None, folder: Path
) -> None:
    """A misspelt scope would be compared with the nation, a misspelt measure with nothing."""
    template = folder / "templates" / "use-of-force-1.toml"
    _change(template, "[measures.uses]", '[groups.tactic]\narmed = ["firearm"]\n\n[measures.uses]')
    path, printed = (
        folder / "collections" / "use-of-force-2013.toml",
        folder / "reference" / "printed.csv",
    )
    path.write_text(path.read_text(encoding="utf-8") + PUBLISHED, encoding="utf-8")
    row = f"use-of-force-2013,UF-1,yearbook,{figure},exact,2012-04-01,2013-03-31,returns,,\n"
    printed.write_text(HEAD + row, encoding="utf-8")
    wrong = Drafts(path).wrong
    assert [line.startswith(f"{printed}:2: {said}") for line in wrong] == [True] * (
        said is not None
    )


def test_forces_that_were_mended_since_are_read_anew(folder: Path) -> None:
    path = folder / "reference" / "forces.csv"
    sound = path.read_text(encoding="utf-8")
    path.write_text(sound.replace("2013-04-01", "2014-04-01"), encoding="utf-8")
    assert any("BEH began on 2014-04-01" in line for line in Drafts(folder).wrong)
    path.write_text(sound, encoding="utf-8")
    assert Drafts(folder).wrong == []
