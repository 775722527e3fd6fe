"""A folder with a mistake of every kind: each is told once, at its line, and nothing besides."""

import re
import shutil
from pathlib import Path

import pytest

from assets.figures import reconcile
from schemas.drafts import Drafts
from schemas.reference import OURS
from schemas.vocabulary import QUALIFIERS

EXAMPLES = Path(__file__).parents[2] / "examples"
ROOT = Path(__file__).parents[2]
SOUND = EXAMPLES / "templates" / "use-of-force-1.toml"

RULES = """
[[rules]]
id = "Q999"
use = "share"

[[rules]]
id = "Q107"
use = "share"
at = ["uses/spray/count"]

[[rules]]
id = "V006"
use = "between"
at = ["uses/gas/count"]
fewest = "people"
words = { name = "months" }

[[rules]]
id = "Q110"
use = "counted"
sheet = "used"
measures = ["smoke"]
"""

NAMES = (
    ('unit = "people"', "unit = 3", "measures.people_hurt.unit: must be text in quotes"),
    ("per_force = ", "per_forse = ", "is no key that is known here; did you mean 'per_force'?"),
    ('title = "Cover"\n', "", "sheet.1.title: is missing"),
    ('spray = "Irritant spray"', 'spray = " "', "lists.tactic.spray: has an empty label"),
    ("[measures.uses]", '[lists.period]\nnow = "Now"\n[measures.uses]', "the marts is"),
    ("[profile]", '[groups.tactic]\nnone = []\n"A !" = ["firearm"]\n[profile]', "for no code"),
    ("[profile]", '[since.tactic]\nspray = "gas"\n[profile]', "there is no names-0.toml"),
    ('{ measure = "people_hurt" }', '{ measure = "people_hurts" }', "mean 'people_hurt'?"),
    ('"spray", "cond', '"sprays", "cond', "no row or column 'sprays'; did you mean 'spray'?"),
    ('missing = ["not_held"] },\n]', 'missing = ["secret"] },\n]', "there is no reason 'secret'"),
    ('"submitted", "reconstructed"', '"submitted", "made up"', "'made up' is no code"),
    ('tactic = "firearm" } },\n', 'tactic = "gun" } },\n', "no code of tactic 'gun'"),
    ('by = ["tactic"] }]', 'by = [], within = ["tactic"] }]', "must be in by as well"),
    ("[profile]", f"{RULES}\n[profile]", "no rule 'Q999' for the use 'share'"),
    ("", "", "rule Q107 lacks whole"),
    ("", "", "reads uses/gas/count, which is no cell of the template"),
    ("", "", "fewest = 'people' is no limit of V006"),
    ("", "", "'name' is no word in the message of V006"),
    ("", "", "rule Q110 names 'used', which the template has not"),
    ("", "", "no measure 'smoke'"),
    ("", "", "groups.tactic.A !: 'A !' is no code"),
)
"""What is changed in a template, how, and what is said of it; more than one may be of a change."""

CELLS = (
    ("levels = [[]]", 'levels = [[]]\nchange = "question"', "no change along 'question'"),
    ("per_force = [[]]", 'per_force = [["tactic", "tactic2"]]', "none of the measure's levels"),
    ("[profile]", '[measures.shots]\nunit = "count"\n[profile]', "no cell of the sheets counts 's"),
    ("[profile]", "[disclosure]\nopen = [\"uses\", \"shots\"]\n[disclosure.measures]\n[profile]",
     "'people_hurt' must be named once, open or protected, not 0 times"),
    ('firearm = { measure = "uses", dims = { tactic = "firearm" } }',
     'firearm = { measure = "uses", period = "before" }', "counts this; take it out"),
    ('{ code = "spray", measure', '{ code = "spray", kind = "text", measure', "but text"),
    ('"restraint", "spray", "cond', '"restraint", "total", "cond', "'total' is a part of itself"),
    ('kind = "date" },', 'kind = "date", locked = true },', "for the sender: it is not locked"),
)  # fmt: skip

COLLECTION = (
    ("hard = 2013-05-14", "hard = 2013-04-14", "before the soft one"),
    ("census = 2013-03-31", "census = 2013-03-30", "census 2013-03-30 is before the period ends"),
    ('timezone = "Europe/London"', 'timezone = "Europe/Lundon"', "no time zone 'Europe/Lundon'"),
    ("title =", "titel =", "titel: is no key that is known here; did you mean 'title'?"),
    ('"AVS", "BED"', '"AVS", "BED", "BED"', "BED is listed twice"),
    ('"KEN"', '"KAN"', "force code not in reference/forces.csv: KAN"),
    ("[period]", "[comparators.next]\nstart = 2014-01-01\nend = 2014-12-31\n[period]",
     "this is no earlier period"),
    ("[period]", "[comparators.other]\ncollection = \"2001\"\n[period]", "no collection '2001'"),
    ("[period]", "[running]\nstuck_minutes = 0\n[period]", "stuck_minutes: must be 1 or more"),
    ("[period]", "[[rule_changes]]\nrule = \"S001\"\nseverity = \"off\"\nsince = 2013-01-01\n"
     "reason = \"Because it is so.\"\n[period]", "rule S001 cannot be changed"),
    ("[period]", "[thresholds]\nQ101 = { lowest = 1 }\nV06 = { lowest = 1 }\n[period]",
     "thresholds.Q101: its template does not use the rule"),
    ("", "", "thresholds.M006: must give cases, share, not none"),
    ("", "", "thresholds.M007: must give cases, change, not none"),
    ("", "", "thresholds.V06: there is no rule with limits 'V06'; did you mean 'V006'?"),
    ("[period]", "[published]\nfigures = \"published_figures.csv\"\n"
     "source_issues = \"source_issues.csv\"\nuncollected = \"uncollected.csv\"\n"
     "source = \"A report.\"\ncollection = \"2012-revisit\"\n[period]", ""),
    ("[period]", "[workforce]\nfigures = \"sizes.csv\"\nas_at = 2013-03-31\n[period]",
     "workforce.as_at: sizes.csv has no number of 2013-03-31; it has those of 2012-03-31"),
)  # fmt: skip

FORCES = (
    (",full_name,", ",full_nam,", "1: the head: there is no column 'full_nam'; did you mean"),
    ("2013-03-31,BEH\nHRT", "2013-03-32,BEH\nHRT", "2: valid_to: '2013-03-32' must be a date"),
    ("2013-03-31,BEH\nBEH", "2013-03-31,BEX\nBEH", "3: successor: there is no force 'BEX'"),
    ("2013-04-01,,\n", "2013-04-01,2012-01-01,BED\n", "4: valid_to: 2012-01-01 is before valid_"),
    ("", "", "goes round in a ring: BED to BEH to BED"),
)
FIGURES = (
    ("scope,measure", "scope,mesure", "1: the head: there is no column 'mesure'"),
    (",44,forces,exact,", ",44.4.4,forces,exact,", "2: value: '44.4.4' must be a number"),
    (",43,forces,exact,", ",43,forces,exactly,", "3: qualifier: 'exactly' must be one of exact"),
    ("SCOPE-03,", "SCOPE-02,", "figure_id: 'SCOPE-02' stands on line 3 already"),
    (",SRC-03,", ",SRC-33,", "there is no source issue 'SRC-33'; did you mean"),
)
SIZES = """\
force_code,as_at,workforce,source,source_line
AVS,2012-03-31,4100,A count,line 1
BED,2012-03-32,,A count,line 2
CAM,2012-03-31,4.1.1,A count,line 3
CHS,2012-03-31,0,A count,line 4
DER,2012-03-31,5,A count,line 5
DOR,2012-03-31,5,A count,
DUR,2012-03-31,5,A count
"""
WORKFORCE = (
    ("AVS,2012-03-31,", "AVX,2012-03-31,", "2: force_code: there is no force 'AVX'"),
    ("2012-03-32", "2012-03-32", "3: as_at: '2012-03-32' must be a date such as"),
    ("", "", "4: workforce: '4.1.1' must be a number above 0"),
    (",0,", ",0,", "5: workforce: '0' must be a number above 0"),
    ("DER,2012", "CHS,2012", "6: force_code: 'CHS' stands on line 5 already, as at 2012-03-31"),
    ("A count,\n", "A count,\n", "7: source_line: is empty"),
    ("", "", "8: the row: has 4 cells, and the head has 5"),
)
ISSUES = (("SUR-05B;SUR-08", "SUR-05B;SUR-88", "2: figures: there is no figure 'SUR-88'"),)
UNCOLLECTED = ((",briefing_attendance,", ",briefing_attendences,", "no measure among the figures"),)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("templates", "collections", "reference"):
        (tmp_path / name).mkdir()
    for name in ("published_figures", "source_issues", "uncollected"):
        shutil.copy(OURS / "reference" / f"{name}.csv", tmp_path / "reference")
    # Of another template: nothing that this one's returns give, so its form alone is examined.
    figures = tmp_path / "reference" / "published_figures.csv"
    of_data = re.sub(",(returns|research|survey),", ",document,", figures.read_text("utf-8"))
    figures.write_text(of_data, encoding="utf-8")
    shutil.copy(EXAMPLES / "reference" / "forces.csv", tmp_path / "reference")
    text = SOUND.read_text(encoding="utf-8")
    for name in ("names", "cells"):
        of = text.replace('"use-of-force"', f'"{name}"')
        (tmp_path / "templates" / f"{name}-1.toml").write_text(of, encoding="utf-8")
    other = (EXAMPLES / "collections" / "use-of-force-2013.toml").read_text(encoding="utf-8")
    other = other.replace("use-of-force-1", "cells-1")
    (tmp_path / "collections" / "use-of-force-2013.toml").write_text(other, encoding="utf-8")
    (tmp_path / "reference" / "sizes.csv").write_text(SIZES, encoding="utf-8")
    return tmp_path


def test_a_mistake_of_every_kind_is_told_once(folder: Path) -> None:
    expected = []
    for name, changes in (
        ("templates/names-1.toml", NAMES),
        ("templates/cells-1.toml", CELLS),
        ("collections/use-of-force-2013.toml", COLLECTION),
        ("reference/forces.csv", FORCES),
        ("reference/published_figures.csv", FIGURES),
        ("reference/sizes.csv", WORKFORCE),
        ("reference/source_issues.csv", ISSUES),
        ("reference/uncollected.csv", UNCOLLECTED),
    ):
        path = folder / name
        text = path.read_text(encoding="utf-8")
        for old, new, said in changes:
            assert old in text, old
            text = text.replace(old, new, 1)
            expected += [(str(path), said)] if said else []
        path.write_text(text, encoding="utf-8")
    wrong = Drafts(folder).wrong
    times = {
        (path, said): sum(line.startswith(f"{path}:") and said in line for line in wrong)
        for path, said in expected
    }
    assert {each: n for each, n in times.items() if n != 1} == {}, "\n".join(wrong)
    besides = [line for line in wrong if not any(said in line for _, said in expected)]
    assert besides == []


def test_every_wording_of_a_figure_is_known_to_the_reconciliation() -> None:
    assert list(QUALIFIERS) == list(reconcile.QUALIFIERS)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("[lists.outcome]", "[lists.outcomes]", "no list 'outcome'; did you mean 'outcomes'? (9 "),
        ("[measures.investigations]", "[measures.investigation]", "did you mean 'investigation'?"),
        ('name = "investigations"', 'name = "inquiries"', "places name investigations)"),
        ('media = "to the media"', 'press = "to the media"', "no code of recipient 'media'; there"),
        (
            '{ code = "second_jobs", label',
            '{ code = "second_job", label',
            "or column 'second_jobs'",
        ),
        ('measure = "people_suspended" },', 'measure = "suspended" },', "no measure 'suspended'"),
        ('"left_service"], rule = "C101"', '], rule = "C101"', "'total' leaves out 'left_service'"),
        ('= ["continuing", "ref', '= ["ref', "'total' leaves out 'continuing'"),
        ('{ code = "answer", label', '{ code = "anser", label', "8 places name capability/*/ans"),
        (
            'columns = [\n    { code = "answer", label = "Answer" },\n]',
            "columns = []",
            "'capability' has no cell",
        ),
    ],
)
def test_what_only_follows_from_a_mistake_is_not_told(
    old: str, new: str, said: str, tmp_path: Path
) -> None:
    for name in ("templates/returns-1.toml", "collections/2012-revisit.toml"):
        (tmp_path / name).parent.mkdir()
        shutil.copy(OURS / name, tmp_path / name)
    path = tmp_path / "templates" / "returns-1.toml"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    wrong = Drafts(tmp_path).wrong
    assert len(wrong) == 1, wrong
    assert said in wrong[0]
