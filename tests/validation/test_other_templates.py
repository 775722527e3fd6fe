"""What a return is held to follows from its template: another has other cells, sums and rules."""

from datetime import date
from pathlib import Path

import pytest

from assets.intake.reader import declared_force
from assets.returns.validation.check import check_files
from assets.returns.validation.judge import Judged, judge
from assets.returns.validation.repairs import repairs_of
from assets.returns.validation.rules.entries import Received
from schemas.collection import Collection, read_collection
from schemas.errors import SetupError
from schemas.rules.catalogue import rules as catalogue
from tests.returns import SampleReturn, clean_return

EXAMPLES = Path(__file__).parents[2] / "examples" / "collections"

COVER = """
[[sheet]]
name = "cover"
title = "Cover"
instructions = []
columns = [{ code = "value", label = "Your answer" }]
rows = [
    { code = "template", label = "Template", kind = "text", locked = true },
    { code = "template_version", label = "Version", kind = "text", locked = true },
    { code = "collection", label = "Collection", kind = "text", locked = true },
    { code = "force_code", label = "Force code", kind = "text", locked = true },
    { code = "force_name", label = "Force", kind = "text", locked = true },
    { code = "data_as_at", label = "Figures stand at", kind = "date" },
    { code = "submitted_on", label = "Submitted on", kind = "date" },
    { code = "signed_off_by_role", label = "Signed off by (role)", kind = "text" },
    { code = "basis", label = "Basis", kind = "answer", answers = ["submitted"], locked = true },
]
"""

TEMPLATE = (
    """
name = "dogs"
version = 1

[lists.work]
patrol = "on patrol"
search = "in a search"
rescue = "in a rescue"

[measures.hours]
unit = "count"
levels = [[], ["work"]]

[measures.kennels]
unit = "forces"

[[sheet]]
name = "hours"
title = "Hours that dogs worked"
instructions = []
kind = "count"
measure = "hours"
columns = [{ code = "count", label = "Hours" }]
rows = [
    { code = "patrol", dims = { work = "patrol" } },
    { code = "search", dims = { work = "search" }, missing = ["not_held"] },
    { code = "rescue", dims = { work = "rescue" } },
    { code = "total", label = "All hours", sum_of = ["patrol", "search", "rescue"] },
]

[[sheet]]
name = "kennels"
title = "Kennels"
instructions = []
kind = "answer"
measure = "kennels"
columns = [{ code = "answer", label = "Answer" }]
questions = [{ code = "heated", area = "kennels", answers = ["all", "some"], label = "Heated" }]
"""
    + COVER
)

BY_TIME = (
    TEMPLATE.replace(
        'columns = [{ code = "count", label = "Hours" }]',
        """columns = [
    { code = "day", label = "By day", dims = { time = "day" } },
    { code = "night", label = "By night", dims = { time = "night" } },
    { code = "total", label = "Total", sum_of = ["day", "night"] },
]""",
    )
    .replace("[measures.hours]", '[lists.time]\nday = "day"\nnight = "night"\n\n[measures.hours]')
    .replace('["work"]]', '["work"], ["time"]]')
)

RULES = """
[[rules]]
id = "V007"
use = "ceiling"

[[rules]]
id = "Q107"
use = "share"
at = ["hours/rescue/count"]
whole = ["hours/total/count"]
fewest = "cases"
"""

COLLECTION = """
id = "dogs-2014"
title = "Dogs"
census = 2014-12-31
timezone = "Europe/London"
template = "dogs-1"
forces = ["STF", "DER"]

[period]
start = 2014-01-01
end = 2014-12-31

[deadlines]
soft = 2015-01-31
hard = 2015-02-14
"""

LIMITS = """
[thresholds]
V007 = { ceiling = 300 }
Q107 = { highest = 0.5, cases = 10 }
M006 = { share = 0.25, cases = 20 }
"""


def _described(folder: Path, template: str = TEMPLATE, limits: str = "") -> Collection:
    for kind, name, text in (
        ("templates", "dogs-1", template),
        ("collections", "dogs-2014", COLLECTION + limits),
    ):
        path = folder / kind / f"{name}.toml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return read_collection(folder / "collections" / "dogs-2014.toml")


def _judged(sample: SampleReturn) -> Judged:
    received = {"r": Received(date(2020, 1, 1), sample.values["cover", "force_code", "value"])}
    return judge({"r": sample.reading()}, received, sample.collection)


def _found(sample: SampleReturn) -> list[tuple[str, str | None, str | None]]:
    return _judged(sample).findings.select("rule_id", "sheet", "row_code").rows()


@pytest.fixture(scope="module")
def dogs(tmp_path_factory: pytest.TempPathFactory) -> Collection:
    return _described(tmp_path_factory.mktemp("dogs"), TEMPLATE + RULES, LIMITS)


HOURS = {
    ("hours", row, "count"): str(count)
    for row, count in {"patrol": 10, "search": 2, "rescue": 5, "total": 17}.items()
}


def test_a_clean_return_passes_the_rules_of_its_template_and_no_others(dogs: Collection) -> None:
    judged = _judged(clean_return(dogs).with_values(HOURS))
    assert judged.findings.is_empty()
    results = dict(judged.results.select("rule_id", "result").rows())
    assert results["C001"] == results["V007"] == results["Q107"] == "passed"
    assert not {"C101", "C103", "X003", "Q101"} & set(results), "those of another template"
    assert set(results) == dogs.template.rules_in_use


def test_a_sum_that_the_template_describes_is_checked(dogs: Collection) -> None:
    wrong = clean_return(dogs).with_values({**HOURS, ("hours", "total", "count"): "15"})
    (row,) = _judged(wrong).findings.to_dicts()
    assert (row["rule_id"], row["severity"]) == ("C001", "B")
    assert (row["sheet"], row["row_code"], row["column_code"]) == ("hours", "total", "count")
    assert row["message"] == "the parts add up to 17, but the total says 15: 2 too few"


def test_a_total_in_a_corner_is_told_once(tmp_path: Path) -> None:
    """It is a sum along its row and down its column."""
    dogs = _described(tmp_path, BY_TIME)
    wrong = clean_return(dogs).with_values({("hours", "total", "total"): "3"})
    (row,) = _judged(wrong).findings.to_dicts()
    assert (row["rule_id"], row["row_code"], row["column_code"]) == ("C001", "total", "total")
    assert row["message"] == "the parts add up to 0, but the total says 3: 3 too many"


def test_what_is_not_held_counts_as_nothing_in_a_sum_where_the_template_allows_it(
    dogs: Collection,
) -> None:
    unheld = {**HOURS, ("hours", "search", "count"): "not_held"}
    assert _found(clean_return(dogs).with_values(unheld)) == [("C001", "hours", "total")]
    right = {**unheld, ("hours", "total", "count"): "15"}
    assert _found(clean_return(dogs).with_values(right)) == []
    refused = clean_return(dogs).with_values({**HOURS, ("hours", "patrol", "count"): "not_held"})
    assert _found(refused) == [("V004", "hours", "patrol")]
    results = dict(_judged(refused).results.select("rule_id", "result").rows())
    assert results["C001"] == "not_evaluable"


def test_a_total_beside_parts_that_are_not_held_is_told_as_far_as_they_are(
    tmp_path: Path,
) -> None:
    """They are not 0, so that nobody is told to make the total 0."""
    missing = '}, missing = ["not_held"] }'
    sheet = TEMPLATE.replace('"patrol" } }', '"patrol" ' + missing)
    sheet = sheet.replace('"rescue" } }', '"rescue" ' + missing)
    parts = [("hours", work, "count") for work in ("patrol", "search", "rescue")]
    for total, or_not in (("", ""), (', missing = ["not_held"]', ", or not_held as the total")):
        described = sheet.replace('"rescue"] }', f'"rescue"]{total} }}')
        dogs = _described(tmp_path / str(len(total)), described)
        for unheld, said, repairs in (
            (parts[1:], "add up to 0, but the total says 40: 40 too many", 2),
            (parts, f"add up to nothing, but the total says 40: give the parts{or_not}", 0),
        ):
            told = {("hours", "total", "count"): "40", **dict.fromkeys(unheld, "not_held")}
            judged = _judged(clean_return(dogs).with_values(told))
            (message,) = judged.findings["message"]
            assert message == f"the parts, as far as held, {said}"
            found = repairs_of(judged.findings, judged.entries, dogs.template)
            assert found.height == repairs


@pytest.mark.parametrize("total", ["0", "5", None])
def test_a_total_of_what_nobody_holds_is_no_number_and_no_other_is_proposed(
    total: str | None, tmp_path: Path
) -> None:
    """The row of the totals would hold with a 0 there: that is guessed."""
    sheet = BY_TIME
    for line in ('"patrol" }', '"rescue" }', '"rescue"]'):
        sheet = sheet.replace(line, f'{line}, missing = {{ night = ["not_held"] }}')
    dogs = _described(tmp_path, sheet)
    works = ("patrol", "search", "rescue")
    told = {("hours", work, "night"): "not_held" for work in works}
    told |= {("hours", "total", "night"): total, ("hours", "total", "total"): "7"}
    told |= {("hours", "patrol", at): "7" for at in ("day", "total")}
    told |= {("hours", "total", "day"): "7"}
    judged = _judged(clean_return(dogs).with_values(told))
    said = f"add up to nothing, but the total says {total}: give the parts, or not_held as"
    messages = judged.findings.filter(column_code="night", rule_id="C001")["message"].to_list()
    assert messages == [f"the parts, as far as held, {said} the total"] * (total is not None)
    assert repairs_of(judged.findings, judged.entries, dogs.template).is_empty()


def test_no_rule_waits_for_extracts_of_a_template_that_has_none(tmp_path: Path) -> None:
    held_to = '\n[[rules]]\nid = "X007"\nuse = "cases"\n'
    assert _described(tmp_path, TEMPLATE + held_to).template.cases_rule is None


def test_required_cells_and_answers_are_those_of_the_template(dogs: Collection) -> None:
    changed = {
        **HOURS,
        ("hours", "rescue", "count"): None,
        ("kennels", "heated", "answer"): "yes",
    }
    found = _judged(clean_return(dogs).with_values(changed)).findings
    assert found.select("rule_id", "row_code").rows() == [("S010", "rescue"), ("V002", "heated")]
    assert "(all, some)" in found["message"][1]


def test_a_force_has_the_name_that_its_collection_gives_it(tmp_path: Path) -> None:
    """Ours for the same code, or a name of ours for another force, must not reject its return."""
    file = tmp_path / "reference" / "forces.csv"
    file.parent.mkdir()
    file.write_text(
        "force_code,ons_code,short_name,full_name,region,country,kind,full_name_confirmed_for_2012,"
        "valid_from,valid_to,successor\n"
        "STF,,Dogs of the North,Derbyshire Constabulary,North,England,territorial,false,,,\n",
        encoding="utf-8",
    )
    dogs = _described(tmp_path)
    for name, found in (
        ("Dogs of the North", []),
        ("Derbyshire Constabulary", []),
        ("Kennels of the South", [("S007", "cover", "force_name")]),
    ):
        cover = {("cover", "force_code", "value"): "STF", ("cover", "force_name", "value"): name}
        named = clean_return(dogs).with_values({**HOURS, **cover})
        assert declared_force(named.reading(), dogs) == "STF", name
        assert _found(named) == found, name


def test_limits_are_the_collections(dogs: Collection) -> None:
    many = {**HOURS, ("hours", "rescue", "count"): "301", ("hours", "total", "count"): "313"}
    found = _judged(clean_return(dogs).with_values(many)).findings
    at = [("Q107", "rescue"), ("V007", "rescue"), ("V007", "total")]
    assert found.select("rule_id", "row_code").rows() == at
    assert found["message"][1] == "301 is above the ceiling of 300"


def test_a_rule_speaks_in_general_unless_the_template_says_what_it_is_about(
    dogs: Collection, tmp_path: Path
) -> None:
    many = {**HOURS, ("hours", "rescue", "count"): "20", ("hours", "total", "count"): "32"}
    (plain,) = _judged(clean_return(dogs).with_values(many)).findings.to_dicts()
    assert plain["message"] == "20 of 32 counted here, above 50%"
    assert plain["how_to_fix"].startswith("Move what is known to where it belongs")
    own = 'fewest = "cases"\nfix = "Ask the kennel."\nwords = { named = "hours are of rescue" }'
    rules = RULES.replace('fewest = "cases"', own)
    worded = _described(tmp_path, TEMPLATE + rules, LIMITS)
    (found,) = _judged(clean_return(worded).with_values(many)).findings.to_dicts()
    assert found["message"] == "20 of 32 hours are of rescue, above 50%"
    assert found["how_to_fix"] == f"Ask the kennel. See {catalogue()['Q107'].page}."


def test_limits_are_asked_for_the_rules_of_the_template_alone(tmp_path: Path) -> None:
    assert _described(tmp_path).thresholds == {}
    with pytest.raises(SetupError, match=r"V007.*must give ceiling"):
        _described(_new(tmp_path, "a"), TEMPLATE + RULES)
    with pytest.raises(SetupError, match="its template does not use the rule"):
        _described(_new(tmp_path, "b"), TEMPLATE, LIMITS)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('at = ["hours/rescue/count"]', 'at = ["hours/rest/count"]', "no cell of the template"),
        ('id = "V007"', 'id = "V907"', "no rule 'V907'"),
        ('"cases"', '"cases"\nwords = { dogs = "x" }', "'dogs' is no word .* its words: named"),
        ('use = "ceiling"', 'use = "floor"', "no use of rule V007 'floor'; there are ceiling"),
    ],
)
def test_a_rule_that_cannot_be_meant_is_refused(
    old: str, new: str, said: str, tmp_path: Path
) -> None:
    with pytest.raises(SetupError, match=said):
        _described(tmp_path, TEMPLATE + RULES.replace(old, new), LIMITS)


def _new(folder: Path, name: str) -> Path:
    (folder / name).mkdir()
    return folder / name


def test_a_changed_template_has_its_own_sums_and_rules(collection: Collection) -> None:
    """One category more, an outcome renamed, a question more, a row less."""
    changed = read_collection(EXAMPLES / "2013-revisit.toml")
    clean = clean_return(changed)
    one = {("investigations", "abuse_of_authority", "left_police"): "1"}
    found = [f for f in _found(clean.with_values(one)) if f[0].startswith("C")]
    assert found == [
        ("C101", "investigations", "abuse_of_authority"),
        ("C103", "investigations", "total"),
    ]
    asked = clean.with_values({("capability", "register_published", "answer"): None})
    assert ("S010", "capability", "register_published") in _found(asked)
    assert ("second_jobs", "breach.driving_instructor", "count") not in changed.template.entry_at
    old = SampleReturn.of("STF", collection)
    found = _judged(SampleReturn(changed, old.values)).findings
    assert found["rule_id"].to_list() == ["S003"], "a return on version 1 is refused, and says so"


def test_a_return_of_another_collection_is_told_in_one_finding(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, collection: Collection
) -> None:
    """Each of its sheets and cells would be another finding that says nothing more."""
    monkeypatch.setenv("MUSTER_COLLECTIONS", str(EXAMPLES.parent))
    uses = read_collection(EXAMPLES / "use-of-force-2013.toml")
    path = clean_return(uses).write(tmp_path / "uses.xlsx")
    (checked,) = check_files([path], collection)
    (told,) = checked.findings
    assert (told.rule_id, told.severity, told.sheet, told.cell) == ("S003", "B", "cover", "C7")
    for part in (
        "template 'use-of-force', where this collection has 'returns'",
        "collection 'use-of-force-2013', where this collection has '2012-revisit'",
        "findings that may follow from it are left out",
    ):
        assert part in told.message, told.message
    assert "muster check FILE --collection use-of-force-2013" in told.how_to_fix
    assert {"S004", "S010", "C101", "V001"} <= set(checked.not_evaluable)
    (own,) = check_files([path], uses)
    assert own.findings == ()


def test_quite_another_return_is_judged_by_what_it_describes() -> None:
    uses = read_collection(EXAMPLES / "use-of-force-2013.toml")
    assert _found(clean_return(uses)) == []
    wrong = clean_return(uses).with_values({("uses", "firearm", "count"): "1"})
    assert _found(wrong) == [("C001", "uses", "total")]


def test_the_rule_that_the_page_on_kinds_shows_works(tmp_path: Path) -> None:
    page = (EXAMPLES.parents[1] / "docs" / "rules" / "kinds.md").read_text(encoding="utf-8")
    rule = "\n".join(line.strip() for line in page.splitlines() if line.startswith("    "))
    limits = next(part for part in page.split("`") if part.startswith("Q106 ="))
    others = "M006 = { share = 0.25, cases = 20 }\nM007 = { change = 0.1, cases = 20 }"
    for kind, name, more in (
        ("templates", "use-of-force-1", f"\n{rule}\n"),
        ("collections", "use-of-force-2013", f"\n[thresholds]\n{limits}\n{others}\n"),
    ):
        text = (EXAMPLES.parent / kind / f"{name}.toml").read_text(encoding="utf-8")
        (tmp_path / kind).mkdir()
        (tmp_path / kind / f"{name}.toml").write_text(text + more, encoding="utf-8")
    uses = read_collection(tmp_path / "collections" / "use-of-force-2013.toml")
    counts = {("uses", "firearm", "count"): "3", ("uses", "total", "count"): "3"}
    few = _judged(clean_return(uses).with_values(counts))
    assert few.findings.is_empty(), "too few to judge by"
    counts = {("uses", "firearm", "count"): "30", ("uses", "total", "count"): "30"}
    (row,) = _judged(clean_return(uses).with_values(counts)).findings.to_dicts()
    assert (row["rule_id"], row["row_code"]) == ("Q106", "firearm")
    assert row["message"] == "30 of 30 uses are of firearms, outside 0% to 5%"
