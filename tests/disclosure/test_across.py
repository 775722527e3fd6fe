"""Two public editions and more: what one tells of the other, and when there is no other."""

from dataclasses import replace
from random import Random

import polars as pl
import pytest

from assets.disclosure.audit import audit, problems
from assets.disclosure.edition import PublicEdition, public_edition
from assets.disclosure.forms import public_forms
from assets.disclosure.published import Edition
from assets.inputs.research.tables import ResearchTables
from schemas.collection import Collection
from tests.disclosure.attacker import DIMS, Seen, attack
from tests.disclosure.conftest import SOME, Change
from tests.disclosure.marts import Marts, as_published, marts_of, returns_of

OTHERS = ["ESX", "KEN", "MPS", "SUS", "TVP"]
"""Five more forces: enough for another edition."""

FEW = ["gratuities_hospitality", "procurement", "media_relationship"]
ENTRY = ["force_code", *DIMS]
OWN = {force: force for force in SOME}
REPEATED = ["investigations", "information_disclosure", "second_jobs"]
"""What a return says once more of the period before."""


@pytest.fixture(scope="session")
def first(edition: PublicEdition, some: Marts, collection: Collection) -> Edition:
    """The edition of eight forces, published."""
    return as_published(edition, some, collection)


@pytest.fixture
def at_once(with_settings: Change) -> Collection:
    """The collection, where a single force that changed is enough for another edition."""
    return with_settings(least_changed=1)


def _pinned(*seen: Seen) -> set[str]:
    """Return the cells that the attacker knows exactly, as the audit names them."""
    found = attack(seen, FEW).filter(pl.col("high") - pl.col("low") < 1)
    parts = [pl.format(f"{name}={{}}", name) for name in ENTRY]
    return set(found.select(pl.concat_str(parts, separator=";", ignore_nulls=True)).to_series())


@pytest.mark.parametrize(
    "whose",
    [
        pytest.param(OWN | {"WYK": "WYK"}, marks=pytest.mark.slow),
        pytest.param({force: force for force in SOME if force != "GMP"}, marks=pytest.mark.slow),
        pytest.param(OWN | {"AVS": "LEI", "GMP": "WYK", "LAN": "KEN"}, marks=pytest.mark.slow),
    ],
    ids=["one more", "one less", "three others"],
)
def test_few_forces_are_no_reason_for_another_edition(
    whose: dict[str, str],
    first: Edition,
    live: pl.DataFrame,
    collection: Collection,
    at_once: Collection,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """M011; and without it M010, since what changed is the difference of national totals.

    Of totals that are shown, that is: no more of them are hidden here.
    """
    monkeypatch.setattr("assets.disclosure.edition.that_tell", lambda *_: frozenset())
    marts = marts_of(returns_of(live, whose), collection)
    none = public_edition(marts, collection, [first])
    assert none.rule == "M011"
    assert "changed since the public edition of r1" in (none.withheld or "")
    assert none.marts == {}
    made = public_edition(marts, at_once, [first])
    assert made.problems
    known = _pinned(
        Seen(first.public, OWN), Seen(made.marts, {force: whose[force] for force in whose})
    )
    assert known or set(whose) == set(SOME)
    assert all(any(cell in problem for problem in made.problems) for cell in known)


def test_before_the_hard_deadline_there_is_no_edition(some: Marts, collection: Collection) -> None:
    none = public_edition(some, collection, due=False)
    assert none.rule == "M011"
    assert "returns may come in until 2012-06-29" in (none.withheld or "")
    assert "2012" not in (none.told or "")


@pytest.mark.slow
def test_the_same_figures_once_more_are_the_same_edition(
    first: Edition, some: Marts, collection: Collection
) -> None:
    """Whatever was received anew: other receipts of the same figures carry nothing new."""
    again = public_edition(some, collection, [first])
    assert again.withheld is None
    assert again.problems == ()
    assert all(frame.equals(first.public[name]) for name, frame in again.marts.items())


def test_a_corrected_cell_is_another_count_though_the_receipt_is_the_same(
    first: Edition, live: pl.DataFrame, collection: Collection
) -> None:
    """A correction takes one case from one outcome and gives it to another."""
    row = (pl.col("sheet") == "investigations") & (pl.col("force_code") == "GMP")
    rows = ["information_disclosure.criminals", "information_disclosure", "total"]
    step = {"no_further_action": -1, "management_action": 1}
    changed = live.filter(pl.col("force_code").is_in(SOME))
    for column, by in step.items():
        here = row & pl.col("row_code").is_in(rows) & (pl.col("column_code") == column)
        number = pl.when(here).then(pl.col("number") + by).otherwise("number")
        changed = changed.with_columns(number.alias("number"))
    none = public_edition(marts_of(changed, collection), collection, [first])
    assert "1 force changed" in (none.withheld or "")


def test_a_count_that_stands_in_no_mart_is_another_count_too(
    first: Edition, live: pl.DataFrame, collection: Collection
) -> None:
    """The national total of the year before, twice: the difference is one force's correction."""
    row = pl.col("row_code") == "information_disclosure_2010_11"
    here = row & (pl.col("force_code") == "GMP")
    changed = live.filter(pl.col("force_code").is_in(SOME)).with_columns(
        pl.when(here).then(pl.col("number") + 3).otherwise("number").alias("number"),
        pl.when(here)
        .then((pl.col("number") + 3).cast(pl.String))
        .otherwise("value")
        .alias("value"),
    )
    none = public_edition(marts_of(changed, collection), collection, [first])
    assert "1 force changed" in (none.withheld or "")


@pytest.fixture(scope="module")
def more(live: pl.DataFrame, collection: Collection) -> Marts:
    """The marts once five more forces have sent theirs."""
    return marts_of(live.filter(pl.col("force_code").is_in(SOME + OTHERS)), collection)


@pytest.fixture(scope="module")
def second(first: Edition, more: Marts, collection: Collection) -> PublicEdition:
    """The edition that follows the first."""
    return public_edition(more, collection, [first])


@pytest.mark.slow
def test_many_more_forces_have_another_edition(
    first: Edition, second: PublicEdition, more: Marts
) -> None:
    """It keeps what was shown and what was hidden, and nobody can subtract one from the other."""
    assert second.withheld is None
    assert second.problems == ()
    both = first.public["investigations"].join(
        second.marts["investigations"], on=ENTRY, nulls_equal=True, suffix="_then"
    )
    assert both.height == first.public["investigations"].height
    assert both["symbol"].equals(both["symbol_then"].alias("symbol"), null_equal=True)
    editions = [Seen(first.public, {}), Seen(second.marts, {})]
    found = attack(editions, FEW)
    truth = more["investigations"].select(*ENTRY, "cases")
    told = found.join(truth, on=ENTRY, nulls_equal=True)
    assert told.height == found.height > 30
    assert told.filter(~pl.col("cases").is_between(pl.col("low"), pl.col("high"))).is_empty()
    assert told.filter(pl.col("high") - pl.col("low") < 1).is_empty()


@pytest.mark.slow
def test_an_edition_that_shows_what_was_hidden_is_a_case(
    first: Edition, second: PublicEdition, more: Marts, collection: Collection
) -> None:
    """M010 fires where an edition is tampered with, for the count and for others by it."""
    published = as_published(second, more, collection, "r2")
    shown = published.public["investigations"].join(
        more["investigations"].select(*ENTRY, pl.col("cases").alias("true")),
        on=ENTRY,
        nulls_equal=True,
    )
    here = (pl.col("force_code") == "GMP") & (pl.col("symbol") == "c")
    leaked = shown.with_columns(
        pl.when(here).then("true").otherwise("cases").alias("cases"),
        pl.when(~here).then("symbol").alias("symbol"),
    ).drop("true")
    public = {**published.public, "investigations": leaked}
    tampered = replace(published, public=public)
    found = list(problems(audit([first, tampered], collection)))
    gone = shown.filter(here).height
    told = [problem for problem in found if "force_code=GMP" in problem and "r1" in problem]
    assert gone > 0
    assert len(told) >= gone


@pytest.mark.slow
def test_going_back_to_an_earlier_state_tells_nothing_new(
    first: Edition,
    second: PublicEdition,
    more: Marts,
    some: Marts,
    collection: Collection,
) -> None:
    """The figures of the first edition again, after the second."""
    published = as_published(second, more, collection, "r2")
    third = public_edition(some, collection, [first, published])
    assert third.withheld is None
    assert third.problems == ()
    assert third.marts["investigations"].equals(first.public["investigations"])


def test_other_settings_do_not_show_what_was_hidden(
    first: Edition, some: Marts, with_settings: Change, collection: Collection
) -> None:
    """Where the limit is lowered, what is out is out and what is hidden stays hidden."""
    assert collection.disclosure is not None
    narrow = {
        name: item.model_copy(update={"small": "1..1", "width": 1})
        for name, item in collection.disclosure.counts.items()
    }
    after = public_edition(some, with_settings(counts=narrow), [first])
    assert after.marts["investigations"].equals(first.public["investigations"])


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2))
def test_a_sequence_of_editions_keeps_every_promise(
    seed: int, live: pl.DataFrame, collection: Collection
) -> None:
    """Forces come in late and send other returns; nothing that was published makes a count narrow.

    What each edition promised of its counts holds against all of them together.
    """
    chance = Random(seed)
    forces = [*SOME, *OTHERS, "NMB", "SYK", "WMC"]
    chance.shuffle(forces)
    whose = {force: force for force in forces[: chance.randrange(7, 10)]}
    published: list[tuple[Edition, dict[str, str], pl.DataFrame]] = []
    for step in range(chance.randrange(3, 5)):
        marts = marts_of(returns_of(live, whose), collection)
        made = public_edition(marts, collection, [edition for edition, *_ in published])
        if made.withheld is None and not made.problems:
            edition = as_published(made, marts, collection, f"r{step}")
            published.append((edition, dict(whose), made.audit))
        late = [force for force in forces if force not in whose]
        whose |= {force: force for force in late[: chance.choice([0, 1, 5])]}
        again = chance.sample(sorted(whose), chance.choice([0, 1, 5]))
        whose |= dict(zip(again, [whose[force] for force in again[1:] + again[:1]], strict=True))
    assert published
    found = attack([Seen(edition.public, sent) for edition, sent, _ in published], FEW)
    parts = [pl.format(f"{name}={{}}", name) for name in ENTRY]
    found = found.with_columns(pl.concat_str(parts, separator=";", ignore_nulls=True).alias("cell"))
    for number, (_, _, audited) in enumerate(published):
        promised = audited.filter(pl.col("edition").is_null()).select("cell", "required")
        kept = found.filter(edition=number).join(promised, on="cell")
        assert kept.filter(pl.col("high") - pl.col("low") < pl.col("required")).is_empty()


def _a_year_later(live: pl.DataFrame) -> pl.DataFrame:
    """Return entries on the next template: the same counts, and each of them as the one before."""
    new = {"left_service": "left_police", "cards_2011": "cards_previous", "cards_2012": "cards_now"}
    new |= {f"{of}_2010_11": f"{of}_previous" for of in REPEATED}
    renamed = live.filter(pl.col("force_code").is_in(SOME)).with_columns(
        pl.col("row_code", "column_code").replace(new)
    )
    whole = pl.col("column_code") == "total", pl.col("sheet") == "investigations"
    total = renamed.filter(*whole).select(
        "force_code",
        pl.format("{}_previous", pl.col("row_code").replace("total", "investigations")).alias(
            "row_code"
        ),
        before="number",
    )
    return renamed.join(total, on=["force_code", "row_code"], how="left").with_columns(
        pl.coalesce("before", "number").alias("number"),
        pl.coalesce(pl.col("before").cast(pl.String), "value").alias("value"),
    ).drop("before")  # fmt: skip


def test_what_another_collection_hides_is_not_shown_as_the_count_before(
    edition: PublicEdition, some: Marts, live: pl.DataFrame, following: Collection
) -> None:
    """Returns repeat what they counted a year before; the edition of that year hides some of it."""
    before = edition.marts["force_profiles"].filter(investigations_symbol="c")["force_code"]
    assert before.len() > 0
    full = marts_of(_a_year_later(live), following)
    made = public_edition(full, following)
    assert made.problems == ()
    said = full["force_profiles"].drop_nulls("investigations_previous")
    then = dict(some["force_profiles"].select("force_code", "investigations").rows())
    assert dict(said.select("force_code", "investigations_previous").rows()) == {
        force: count for force, count in then.items() if force in SOME
    }
    public = made.marts["force_profiles"].select("^investigations_previous.*$", "force_code")
    assert public["investigations_previous"].null_count() == public.height
    assert set(public.filter(investigations_previous_symbol="c")["force_code"]) == set(SOME)
    for mart in ("national_totals", "cube"):
        assert "previous" in full[mart]["period"]
        assert "previous" not in made.marts[mart]["period"]


def test_research_of_the_year_of_another_collection_is_not_shown_again(
    live: pl.DataFrame, research: ResearchTables, following: Collection
) -> None:
    tables = (research.profiles, research.instances)
    later = [table.with_columns(pl.col("year") + 1) for table in tables]
    again = replace(research, profiles=later[0], instances=later[1])
    full = marts_of(_a_year_later(live), following, again)
    assert set(full["social_media"]["year"]) == {2012, 2013}
    public = public_forms(full, [], following)
    assert set(public["social_media"]["year"]) == {2013}
    for mart in ("national_totals", "cube"):
        ours = [
            frame.filter(pl.col("measure").str.starts_with("social_media_"))
            for frame in (full[mart], public[mart])
        ]
        year = "year" if mart == "cube" else pl.col("breakdown").str.extract("year=([0-9]+)")
        assert [set(frame.select(year).to_series().drop_nulls()) for frame in ours] == [
            {"2012", "2013"},
            {"2013"},
        ]
        rest = [
            frame.filter(~pl.col("measure").str.starts_with("social_media_"), period="collection")
            for frame in (full[mart], public[mart])
        ]
        assert rest[0].height == rest[1].height > 0
