"""The public edition of real marts: what is in it, what is not, and that an attack fails."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow.parquet
import pytest

from assets.disclosure import edition as edition_of
from assets.disclosure.audit import audit, problems
from assets.disclosure.choose import Choice, choose
from assets.disclosure.counts import Block
from assets.disclosure.described import description
from assets.disclosure.edition import PublicEdition, carry_forward, public_edition, write_public
from assets.disclosure.forms import public_forms
from assets.disclosure.published import Edition, behind, sources
from assets.disclosure.readings import facts
from assets.disclosure.solver import Condition
from assets.lake import hashes
from assets.release.pack import SDMX, Pack
from schemas.collection import Collection, load_collection
from schemas.contract import keys
from schemas.disclosure import FOLLOWS, Protection, force_counts
from schemas.errors import ContractError
from schemas.marts import contracts_of, force_profiles_contract
from schemas.public import PUBLIC, symbol_of, with_symbols
from schemas.template_file import read_template
from tests.disclosure.attacker import DIMS, Seen, attack
from tests.disclosure.conftest import SOME, Change
from tests.disclosure.marts import Marts, hidden, marts_of
from tests.test_structure import ROOT

ENTRY = ["force_code", *DIMS]
ABOUT = {"release": "r1", "basis": "reconstructed: made by Muster", "sources": "returns"}


@pytest.fixture(scope="module")
def attacked(edition: PublicEdition) -> pl.DataFrame:
    """The bounds that our own attacker finds."""
    return attack([Seen(edition.marts)])


@pytest.fixture(scope="module")
def bare(some: Marts, collection: Collection) -> PublicEdition:
    """The edition without secondary suppression."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(edition_of, "choose", _small_alone)
        patch.setattr(edition_of, "_ROUNDS", 1)
        return public_edition(some, collection)


def _small_alone(*args: Any) -> Choice:
    small = choose(*args).small
    return Choice(small, small, [])


def _with_truth(found: pl.DataFrame, full: Marts) -> pl.DataFrame:
    truth = full["investigations"].select(*ENTRY, "cases")
    return found.join(truth, on=ENTRY, how="left", nulls_equal=True)


def test_nobody_can_tell_a_hidden_count(attacked: pl.DataFrame, some: Marts) -> None:
    """The attack with other code: no bound is tight, and none is wrong."""
    found = _with_truth(attacked, some)
    assert found.height > 100
    assert found.filter(pl.col("high") - pl.col("low") < 1).is_empty()
    outside = ~pl.col("cases").is_between(pl.col("low"), pl.col("high"))
    assert found.filter(outside).is_empty()


def test_the_audit_never_takes_for_possible_what_the_attacker_rules_out(
    edition: PublicEdition, attacked: pl.DataFrame
) -> None:
    """Its tables lie between the bounds that other code finds."""
    audited = edition.audit.filter(pl.col("mart") == "investigations")
    parts = [pl.format(f"{name}={{}}", name) for name in ENTRY]
    cell = pl.concat_str(parts, separator=";", ignore_nulls=True).alias("cell")
    both = audited.join(attacked.with_columns(cell), on="cell", suffix="_attacked")
    assert both.height == audited.height == attacked.height
    beyond = (pl.col("table_low") < pl.col("low_attacked") - 1e-6) | (
        pl.col("table_high") > pl.col("high_attacked") + 1e-6
    )
    assert both.filter(beyond).is_empty()
    narrower = (pl.col("high_attacked") - pl.col("low_attacked")) < pl.col("required")
    assert both.filter(narrower).is_empty()


@pytest.mark.slow
def test_of_a_force_whose_counts_could_be_told_everything_is_hidden(
    edition: PublicEdition,
    some: Marts,
    collection: Collection,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A choice that failed cost the whole edition: how few counts it hides hangs on a hair."""

    def careless(block: Block, protection: Protection, wholly: frozenset[str]) -> Choice:
        return (choose if wholly else _small_alone)(block, protection, wholly)

    monkeypatch.setattr("assets.disclosure.edition.choose", careless)
    found = public_edition(some, collection)
    assert found.problems == ()
    assert found.audit["protected"].all()
    more = found.marts["investigations"].filter(pl.col("cases") > 0)
    usual = edition.marts["investigations"].filter(pl.col("cases") > 0)
    assert more.height < usual.height, "more is hidden, never less"
    monkeypatch.setattr("assets.disclosure.edition._ROUNDS", 1)
    assert public_edition(some, collection).problems


def test_counts_are_protected_where_marts_show_them_whatever_a_template_says(
    collection: Collection, tmp_path: Path
) -> None:
    """Of one that said nothing of marts every count of every force was public."""
    said = collection.template
    text, marts = re.subn(r', mart = "\w+", value = "\w+"', "", said.path.read_text())
    (tmp_path / said.path.name).write_text(text)
    silent = read_template(tmp_path / said.path.name)
    assert marts == 4
    assert force_counts(silent) == force_counts(said)
    both = (collection.model_copy(update={"template": each}) for each in (silent, said))
    ours, theirs = ([replace(of, sums={}) for of in sources(each)] for each in both)
    assert ours == theirs
    assert description(silent.path).measures == description(said.path).measures
    by_force = [mart for mart in PUBLIC if "force_code" in keys(contracts_of(said)[mart])]
    counted = {m for m in by_force if with_symbols(m, contracts_of(said)[m])}
    assert counted == {*force_counts(said)}, "a mart that counts what forces have"


def test_the_edition_has_no_problem(edition: PublicEdition) -> None:
    assert edition.problems == ()
    assert edition.withheld is None
    assert edition.audit["protected"].all()


def test_without_secondary_suppression_the_audit_and_the_attacker_find_hidden_counts(
    bare: PublicEdition, some: Marts
) -> None:
    """A proof that never fails proves nothing."""
    assert any("can be worked out" in problem for problem in bare.problems)
    found = _with_truth(attack([Seen(bare.marts)], ["gratuities_hospitality", "procurement"]), some)
    assert found.filter(pl.col("low") == pl.col("high"), pl.col("cases") > 0).height > 0


def test_one_hidden_count_told_gives_others_away(
    edition: PublicEdition, some: Marts, collection: Collection
) -> None:
    """The audit reads the marts it is given, not what was decided."""
    told = some["investigations"].select(*ENTRY, pl.col("cases").alias("true"))
    public = edition.marts["investigations"].join(told, on=ENTRY, nulls_equal=True)
    here = pl.col("category") == "gratuities_hospitality"
    leaked = public.with_columns(
        pl.when(here).then("true").otherwise("cases").alias("cases"),
        pl.when(~here).then("symbol").alias("symbol"),
    ).drop("true")
    found = list(
        problems(
            audit(
                [
                    Edition(
                        "r1", {**edition.marts, "investigations": leaked}, behind(some), collection
                    )
                ],
                collection,
            )
        )
    )
    assert any("force_profiles.gratuities_hospitality" in problem for problem in found)


def test_a_statistic_that_editions_show_beside_hidden_counts_is_one_case(
    edition: PublicEdition, some: Marts, collection: Collection
) -> None:
    """Told once for each edition and measure, it was a row twice, and the audit ended with that."""
    key = ["measure", "breakdown", "period"]
    told = some["national_totals"].select(*key, pl.col("value").alias("true"))
    public = edition.marts["national_totals"].join(told, on=key)
    here = pl.col("breakdown").str.contains("statistic=median")
    shown = pl.when(here).then("true").otherwise("value").alias("value")
    leaked = {**edition.marts, "national_totals": public.with_columns(shown).drop("true")}
    editions = [Edition(name, leaked, behind(some), collection) for name in ("r1", "r2")]
    cases = [case for case in problems(audit(editions, collection)) if "median of" in case]
    assert "national_totals.value median of statistic=median can be worked out" in cases
    assert len(set(cases)) == len(cases)


def test_what_is_hidden_in_one_mart_follows_from_no_other(edition: PublicEdition) -> None:
    """A monthly rate is the count once more; a sum with one hidden entry is that entry."""
    profiles = edition.marts["force_profiles"]
    for column, source in FOLLOWS.items():
        assert profiles[f"{column}_symbol"].eq_missing(profiles[f"{source}_symbol"]).all()
    entries = (
        edition.marts["investigations"]
        .group_by("force_code", "category")
        .agg((pl.col("symbol") == "c").sum().alias("gaps"))
    )
    for category in entries["category"].unique():
        shown = profiles.filter(pl.col(f"{category}_symbol").is_null())["force_code"].to_list()
        mine = entries.filter(pl.col("category") == category)
        assert 1 not in mine.filter(pl.col("force_code").is_in(shown))["gaps"]


def test_a_value_is_null_if_and_only_if_a_symbol_says_why(edition: PublicEdition) -> None:
    for mart in edition.marts:
        for column in with_symbols(mart, edition.contracts[mart]):
            frame = edition.marts[mart]
            symbols = frame[symbol_of(mart, column)]
            assert (frame[column].is_null() == symbols.is_not_null()).all(), (mart, column)


def test_what_is_shown_is_what_the_full_edition_says(edition: PublicEdition, some: Marts) -> None:
    """Nothing is rounded, moved or made up."""
    for mart in edition.marts:
        for column in with_symbols(mart, edition.contracts[mart]):
            public, full = edition.marts[mart], some[mart]
            shown = public[column].is_not_null()
            assert public.filter(shown)[column].to_list() == full.filter(shown)[column].to_list()


def test_a_missing_force_is_unavailable_and_neither_hidden_nor_zero(
    edition: PublicEdition,
) -> None:
    profiles = edition.marts["force_profiles"].filter(~pl.col("force_code").is_in(SOME))
    assert profiles.height == 44 - len(SOME)
    for column in with_symbols("force_profiles", edition.contracts["force_profiles"]):
        assert profiles[column].is_null().all()
        assert set(profiles[f"{column}_symbol"]) == {"x"}
    assert set(edition.marts["investigations"]["force_code"]) == set(SOME)


def test_what_a_force_does_not_record_is_unavailable(edition: PublicEdition, some: Marts) -> None:
    """Symbol c would say that there is a small number."""
    unknown = some["register_entries"]["entries"].is_null()
    assert unknown.any()
    assert set(edition.marts["register_entries"].filter(unknown)["symbol"]) == {"x"}


def test_small_counts_are_hidden_and_exempt_ones_shown(edition: PublicEdition, some: Marts) -> None:
    cases = some["investigations"]["cases"]
    symbols = edition.marts["investigations"]["symbol"]
    assert set(symbols.filter(cases.is_between(1, 4))) == {"c"}
    exempt = pl.col("force_code").is_in(["DER", "STF", "WMC"])
    small = some["force_profiles"]["media_disclosure"].is_between(1, 4)
    for named in (exempt, ~exempt):
        profiles = edition.marts["force_profiles"].with_columns(small.alias("small"))
        mine = profiles.filter(named & pl.col("small"))
        assert not mine.is_empty()
        hidden = mine["media_disclosure_symbol"].eq_missing("c")
        assert hidden.any() is (named is not exempt)
        assert hidden.all() is (named is not exempt)


def test_most_is_not_lost(edition: PublicEdition) -> None:
    """Hiding everything would pass every other test."""
    report = edition.report
    assert report["secondary"].sum() < report["small"].sum() / 2
    assert report.filter(pl.col("column_name") == "investigations")["hidden_share"].item() < 20
    for row in report.iter_rows(named=True):
        symbols = edition.marts[row["mart"]][symbol_of(row["mart"], row["column_name"])]
        assert row["small"] + row["secondary"] == (symbols == "c").sum()


def test_marts_that_nobody_named_are_not_public(edition: PublicEdition, some: Marts) -> None:
    """Cells and findings hold what the edition hides."""
    assert {"cells"} == set(some) - set(edition.marts)
    assert edition.marts["returns_status"].columns == ["force_code", "state"]
    assert not {"cells", "findings", "corrections", "national_checks"} & set(PUBLIC)


def test_statistics_over_forces_are_told_only_where_they_tell_nothing_new(
    edition: PublicEdition,
) -> None:
    """The largest of seven gratuities is a small count of some force."""
    spread = edition.marts["distribution"]
    means = spread.filter(pl.col("statistic") == "mean")
    assert means["symbol"].is_null().all()
    small = pl.col("breakdown") == "category=gratuities_hospitality"
    assert spread.filter(small, pl.col("statistic") == "maximum")["symbol"].item() == "c"
    totals = edition.marts["national_totals"].filter(
        pl.col("breakdown") == "category=gratuities_hospitality;statistic=maximum"
    )
    assert totals["symbol"].item() == "c"


def test_the_reconciliation_tells_no_count_of_a_force_that_is_not_in_print(
    some: Marts, collection: Collection
) -> None:
    """Published 48, computed 51: the second number is the return's."""
    row = (pl.col("scope") == "STF") & (pl.col("measure") == "second_job_applications")
    changed = some["reconciliation"].with_columns(
        pl.when(row).then(pl.col("published") + 3).otherwise("published").alias("published")
    )
    public = public_edition({**some, "reconciliation": changed}, collection)
    rows = public.marts["reconciliation"].filter(row)
    assert set(rows["symbol"]) == {"c"}
    assert rows["computed"].is_null().all()
    assert rows["difference"].is_null().all()
    assert rows["status"].is_null().all(), "it says on which side of the printed one it lies"


def test_no_status_tells_whether_a_hidden_count_holds_that_another_figure_contradicts(
    some: Marts, collection: Collection
) -> None:
    """About 50 printed and 51 returned: that the other one is blamed says it is about 50."""
    frame, of_force = some["reconciliation"], pl.col("scope") == "STF"
    count = of_force & (pl.col("measure") == "second_job_applications")
    asked = frame.filter(of_force, measure="capability")["figure_id"]
    other, elsewhere = (pl.col("figure_id") == asked[at] for at in (0, 1))
    changed = frame.with_columns(
        source_issue=pl.when(count | other).then(pl.lit("SRC-01")),
        published=pl.when(count | other | elsewhere).then(pl.col("published") + 3)
        .otherwise("published"),
        status=pl.when(other).then(pl.lit("source_issue"))
        .when(elsewhere).then(pl.lit("differs")).otherwise("status"),
    )  # fmt: skip
    public = public_edition({**some, "reconciliation": changed}, collection)
    rows = public.marts["reconciliation"]
    assert set(rows.filter(count)["symbol"]) == {"c"}
    assert rows.filter(other).select("status", "note").row(0) == (None, None)
    assert rows.filter(other)["computed"].item() is not None
    assert rows.filter(elsewhere)["status"].item() == "differs"


def test_a_figure_that_nobody_decided_upon_is_shown_only_where_it_is_in_print(
    marts: Marts, collection: Collection
) -> None:
    """A share over the forces that know both ends tells, beside the totals, of the one that does
    not; so does a change, and a largest count of another measure."""
    row = marts["national_totals"].filter(measure="cards_held_change")
    added = [
        row.with_columns(pl.lit(measure).alias("measure"), pl.lit(breakdown).alias("breakdown"))
        for measure, breakdown in [
            ("investigations_change", ""),
            ("second_job_applications", "decision=refused;statistic=maximum"),
            ("register_entries_per_force", "statistic=maximum"),
            ("forces_with_register_entries", "count=1..2"),
            ("register_entries_per_force", "statistic=mean"),
        ]
    ]
    national = pl.concat([marts["national_totals"], *added])
    shown = public_forms({**marts, "national_totals": national}, [], collection)["national_totals"]
    hidden = shown.filter(pl.col("symbol") == "c")
    assert set(hidden.select("measure", "breakdown").iter_rows()) >= {
        ("investigations_change", ""),
        ("second_job_applications", "decision=refused;statistic=maximum"),
        ("register_entries_per_force", "statistic=maximum"),
        ("forces_with_register_entries", "count=1..2"),
        ("social_media_profiles_inappropriate_share", "year=2012"),
    }
    assert hidden["value"].is_null().all()
    for measure in ("social_media_profiles", "cards_held_change", "capability"):
        assert shown.filter(measure=measure)["symbol"].is_null().all(), measure
    assert not (hidden["breakdown"].str.contains("mean")).any()


def test_a_statistic_in_print_stays_shown_where_a_total_of_its_measure_is_hidden(
    marts: Marts, collection: Collection
) -> None:
    """Hidden, it would be read as another number than what is printed."""
    total = ("investigations", "category=procurement", "collection")
    public = public_forms(marts, [], collection, [total])
    for mart in ("national_totals", "reconciliation"):
        figures = public[mart].filter(measure="investigations_per_force")
        least = figures.filter(pl.col("breakdown").str.contains("statistic=minimum"))
        assert least["symbol"].null_count() > 0, mart
    national = public["national_totals"].filter(measure="investigations_per_force")
    means = national.filter(pl.col("breakdown").str.contains("statistic=mean"))
    assert set(means["symbol"]) == {"c"}


def test_a_total_of_one_force_tells_its_count_though_it_stands_in_no_mart(
    some: Marts, edition: PublicEdition, collection: Collection
) -> None:
    """One force holds its disclosures of the year before, so the national total is its own."""
    cells = some["cells"]
    of = pl.col("row_code") == "information_disclosure_2010_11"
    one = of & (pl.col("force_code") == "AVS")
    number = pl.when(one).then(pl.lit("2")).when(of).then(pl.lit(None)).otherwise("value")
    total = (pl.col("period") == "2010-11") & (
        pl.col("breakdown") == "category=information_disclosure"
    )
    value = pl.when(total & (pl.col("measure") == "investigations")).then(2).otherwise("value")
    public = {
        **edition.marts,
        "national_totals": edition.marts["national_totals"].with_columns(value.alias("value")),
    }
    full = {**some, "cells": cells.with_columns(number.alias("value"))}
    told = Edition("r1", public, behind(full), collection)
    known = facts([told], collection)["2010-11"].known()
    (item,) = [h for h in known.hidden.values() if "information_disclosure" in h.cell]
    assert item.cell == "force_code=AVS;period=2010-11;category=information_disclosure"
    assert Condition.of([(1, item.total)], 2, 2) in known.rows


def test_the_same_marts_give_the_same_edition(
    edition: PublicEdition, some: Marts, collection: Collection
) -> None:
    again = public_edition(some, collection)
    assert again.audit.equals(edition.audit)
    assert all(frame.equals(edition.marts[name]) for name, frame in again.marts.items())


@pytest.mark.slow
def test_limits_are_the_collections(
    some: Marts, edition: PublicEdition, with_settings: Change, collection: Collection
) -> None:
    assert collection.disclosure is not None
    low = {
        **dict.fromkeys(collection.disclosure.counts, Protection(small="1..1", width=1)),
        # Who is suspended over what follows from the cases that are shown: then there is none.
        "people_suspended": Protection(small="99..99", width=1),
    }
    fewer = public_edition(some, with_settings(counts=low))
    assert fewer.problems == ()
    assert hidden(fewer)["investigations"] < hidden(edition)["investigations"]
    zeros = dict.fromkeys(collection.disclosure.counts, Protection(small="0..4", width=2))
    more = public_edition(some, with_settings(counts=zeros))
    assert more.problems == ()
    left = more.marts["investigations"].filter(pl.col("cases") == 0)
    assert left.height < some["investigations"].filter(pl.col("cases") == 0).height * 0.6


def test_few_returns_have_no_public_edition(
    some: Marts, with_settings: Change, tmp_path: Path
) -> None:
    """The national total of one force is that force."""
    none = public_edition(some, with_settings(fewest_forces=9))
    assert none.marts == {}
    assert none.problems == ()
    carry_forward(tmp_path / "public", None, none.told or "", ABOUT)
    (page,) = (tmp_path / "public").iterdir()
    assert page.name == "README.txt"
    assert "8 returns are in" in page.read_text()


def test_more_counts_than_can_be_proved_have_no_public_edition(
    some: Marts, collection: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What would take for ever says so at once, and the full edition does not wait."""
    monkeypatch.setattr(edition_of, "_MOST_PROVED", 100)
    none = public_edition(some, collection)
    assert none.marts == {}
    assert none.withheld == none.told
    assert "counts would have to be proved together" in str(none.told)
    assert "up to 100" in str(none.told)


def test_a_count_that_is_not_what_was_printed_is_not_exempt(
    some: Marts, collection: Collection
) -> None:
    """Printed 79, returned 2: the second number is news, and small."""
    assert collection.is_exempt("force_profiles", "second_job_approved", "STF", 79)
    assert not collection.is_exempt("force_profiles", "second_job_approved", "STF", 2)
    assert not collection.is_exempt("force_profiles", "second_job_approved", "STF", None)
    assert not collection.is_exempt("force_profiles", "second_job_approved", "AVS", 79)
    assert some["force_profiles"].filter(force_code="STF")["second_job_approved"].item() == 79


def test_a_collection_without_settings_has_no_public_edition(
    some: Marts, collection: Collection
) -> None:
    """Nothing becomes public because nobody thought of it."""
    none = public_edition(some, collection.model_copy(update={"disclosure": None}))
    assert none.marts == {}
    assert none.withheld is not None


def test_marts_that_contradict_each_other_are_an_error(some: Marts, collection: Collection) -> None:
    wrong = some["force_profiles"].with_columns(pl.col("other") + 1)
    with pytest.raises(ContractError, match="other of AVS is"):
        public_edition({**some, "force_profiles": wrong}, collection)


def test_every_whole_number_of_the_profiles_is_decided_upon(collection: Collection) -> None:
    """A new count that nobody decided upon would be public."""
    template = collection.template
    assert template.disclosure is not None
    open_ones = {
        name
        for name, column in template.profile.items()
        if column.measure in template.disclosure.open
    }
    decided = {*force_counts(template)["force_profiles"], *FOLLOWS, *open_ones}
    profile = force_profiles_contract(template)
    assert set(with_symbols("force_profiles", profile)) <= decided


@pytest.mark.slow
def test_the_columns_of_another_template_are_protected_as_ours_are(
    live: pl.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next template counts an earlier period otherwise, and a category more."""
    monkeypatch.setenv("MUSTER_COLLECTIONS", str(ROOT / "examples"))
    whole = load_collection("2013-revisit")
    assert whole.disclosure is not None
    few = whole.disclosure.model_copy(update={"fewest_forces": 6})
    following = whole.model_copy(update={"disclosure": few})
    renamed = {"left_service": "left_police"} | {
        f"{name}_2010_11": f"{name}_previous"
        for name in ("investigations", "information_disclosure", "second_jobs")
    }
    sent = live.filter(pl.col("force_code").is_in(SOME)).with_columns(
        pl.col("row_code", "column_code").replace(renamed)
    )
    assert {"investigations_previous", "left_police"} <= {*sent["row_code"], *sent["column_code"]}
    made = public_edition(marts_of(sent, following), following)
    assert made.withheld is None
    assert made.problems == ()
    profiles = made.marts["force_profiles"]
    for column in ("investigations_previous", "abuse_of_authority", "investigations_per_month"):
        assert (profiles[column].is_null() == profiles[f"{column}_symbol"].is_not_null()).all()
    assert hidden(made)["investigations"] > 0


def test_files_explain_themselves(edition: PublicEdition, tmp_path: Path) -> None:
    write_public(tmp_path / "public", edition, ABOUT)
    written = hashes(tmp_path / "public")
    assert written.keys() == {f"{mart}.parquet" for mart in edition.marts} | {"README.txt"}
    path = tmp_path / "public" / "investigations.parquet"
    facts = pyarrow.parquet.read_schema(path).metadata
    assert facts[b"basis"].startswith(b"reconstructed")
    assert facts[b"edition"] == b"public"
    assert pl.read_parquet(path).equals(edition.marts["investigations"])
    page = (tmp_path / "public" / "README.txt").read_text()
    assert "reconstructed" in page
    assert "confidential" in page
    write_public(tmp_path / "again", edition, ABOUT)
    assert hashes(tmp_path / "again") == written


def test_an_edition_with_problems_is_not_written(bare: PublicEdition, tmp_path: Path) -> None:
    with pytest.raises(ContractError, match="must not be shown"):
        write_public(tmp_path / "public", bare, ABOUT)
    assert not (tmp_path / "public").exists()


@pytest.mark.slow
def test_all_forty_four(marts: Marts, collection: Collection) -> None:
    """With printed statistics over forces: one force has 2, nine have 60 or more."""
    everything = public_edition(marts, collection)
    assert everything.problems == ()
    few = ["gratuities_hospitality", "procurement", "media_relationship"]
    found = _with_truth(attack([Seen(everything.marts)], few, forces=SOME[:3]), marts)
    assert found.filter(pl.col("high") - pl.col("low") < 1).is_empty()
    printed = everything.marts["national_totals"].filter(
        pl.col("breakdown") == "category=information_disclosure;count=2"
    )
    assert printed["value"].item() == 1
    told = everything.audit.filter(
        pl.col("column_name") == "information_disclosure", pl.col("table_low") < 5
    )
    assert told.height > 1


def test_a_total_that_nobody_knows_is_not_said_to_be_confidential(
    edition: PublicEdition, collection: Collection, tmp_path: Path
) -> None:
    unknown = pl.col("measure") == "reporting_bodies"
    cube = edition.marts["cube"].with_columns(
        value=pl.when(~unknown).then("value"),
        symbol=pl.when(unknown).then(pl.lit("x")).otherwise("symbol"),
    )
    about = dict.fromkeys(("release", "collection", "sources", "basis"), "said")
    Pack({"cube": cube}, edition.contracts, collection, about).write(tmp_path)
    said = pl.read_csv(tmp_path / SDMX, infer_schema_length=None)["CONF_STATUS"]
    assert set(zip(cube["symbol"], said, strict=True)) == {(None, "F"), ("x", "F"), ("c", "C")}
