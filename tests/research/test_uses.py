"""What is made of research elsewhere: the recount, the profiles, the name of a release."""

from random import Random

import polars as pl
import pytest

from assets.figures.recount.checks import Totals, national_checks
from assets.figures.recount.recount import differences, recounted, research_recounted
from assets.figures.totals import marts
from assets.figures.totals.marts import force_profiles
from assets.figures.totals.national import national_totals
from assets.inputs.research.tables import ResearchTables, no_research
from assets.release.contents import about_release
from assets.release.identity import MadeFrom, ingredients, release_id
from schemas.collection import Collection
from schemas.contract import empty
from schemas.marts import ForceProfiles, Investigations, ReturnsStatus
from schemas.tables import LiveEntries

NOTHING = empty(LiveEntries)
KEY = ["measure", "breakdown", "period"]
PRINTED = pl.DataFrame(
    [("STF", "social_media_cases", "", 3.0)],
    schema=["force_code", "measure", "breakdown", "value"],
    orient="row",
)


def _some(research: ResearchTables, seed: int) -> ResearchTables:
    """Some of the research, with counts changed at random and some no longer known."""
    chance = Random(seed)
    forces = chance.sample(sorted(set(research.profiles["force_code"])), chance.choice([1, 9, 44]))
    mine = pl.col("force_code").is_in(forces)
    profiles = research.profiles.filter(mine)
    unknown = [None if chance.random() < 0.2 else n for n in profiles["profiles_inappropriate"]]
    instances = research.instances.filter(mine)
    counts = [chance.choice([n, 0, chance.randrange(9)]) for n in instances["instances"]]
    people = research.responses["respondent_id"].unique().sort().sample(fraction=0.1, seed=seed)
    return ResearchTables(
        profiles.with_columns(pl.Series("profiles_inappropriate", unknown, pl.Int64)),
        instances.with_columns(pl.Series("instances", counts, pl.Int64)),
        research.responses.filter(pl.col("respondent_id").is_in(people.implode())),
    )


@pytest.mark.parametrize("seed", range(5))
def test_two_engines_agree_on_whatever_the_research_says(
    seed: int, research: ResearchTables, collection: Collection
) -> None:
    some = _some(research, seed) if seed else research
    fewer = collection.model_copy(update={"forces": collection.forces[seed:]})
    found = differences(
        national_totals(NOTHING, fewer, some),
        pl.concat([
            recounted(marts.cells(NOTHING, collection), fewer), research_recounted(some, fewer),
        ]),
    )  # fmt: skip
    assert found.is_empty(), found


@pytest.mark.parametrize(
    ("measure", "breakdown"),
    [
        ("social_media_instances", "year=2012;site=twitter"),
        ("social_media_instances_share", "year=2012;site=twitter"),
        ("social_media_profiles_inappropriate_share", "year=2012"),
        ("social_media_accounts_still_visible", "year=2011"),
        ("social_media_forces_researched", "year=2011"),
        ("social_media_cases", ""),
        ("survey_waves", "year=2012"),
        ("survey_respondents", "year=2011"),
        ("survey_respondents", "question=reason_corruption_common;year=2012"),
        ("survey_percent", "question=trust_to_tell_truth;year=2012"),
        ("survey_percent", "question=reason_corruption_common;answer=human_nature;year=2012"),
    ],
)
def test_a_wrong_total_of_research_is_found(
    measure: str, breakdown: str, two_engines: tuple[pl.DataFrame, pl.DataFrame]
) -> None:
    ours, theirs = two_engines
    here = (pl.col("measure") == measure) & (pl.col("breakdown") == breakdown)
    assert ours.filter(here).height == 1
    value = pl.when(here).then(pl.col("value") + 0.01).otherwise("value")
    found = differences(ours.with_columns(value=value), theirs)
    assert found.select("measure", "breakdown").rows() == [(measure, breakdown)]


@pytest.fixture(scope="module")
def two_engines(
    research: ResearchTables, collection: Collection
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The totals of the sample research as each engine finds them."""
    return (
        national_totals(NOTHING, collection, research),
        research_recounted(research, collection),
    )


def test_a_wrong_total_of_research_blocks_the_release(
    live: pl.DataFrame, collection: Collection, research: ResearchTables
) -> None:
    """The recount must be given the research, and be asked."""
    national = national_totals(live, collection, research)
    wrong = pl.when(measure="survey_waves").then(pl.col("value") + 1).otherwise("value")
    checks = national_checks(
        Totals(
            national.with_columns(value=wrong),
            marts.cells(live, collection),
            collection,
            research,
        )
    )
    failed = checks.filter(~pl.col("passed"), severity="B")
    assert failed.select("rule_id", "cases").rows() == [("M004", 2)]
    assert "survey_waves" in failed["message"].item()


def _profile(
    collection: Collection, instances: pl.DataFrame | None, printed: pl.DataFrame = PRINTED
) -> dict[str, object]:
    names = empty(ReturnsStatus).columns
    status = pl.DataFrame(
        {**dict.fromkeys(names), "force_code": collection.forces, "state": "missing"}
    )
    rows = force_profiles(NOTHING, status, printed, collection, instances)
    return rows.row(by_predicate=pl.col("force_code") == "STF", named=True)


def test_a_force_s_cases_are_its_instances_and_say_where_they_come_from(
    research: ResearchTables, collection: Collection
) -> None:
    """The basis of the row is the return's; reconstructed research must not hide behind it."""
    row = _profile(collection, research.instances)
    assert (row["social_media_cases"], row["social_media_basis"]) == (0, "reconstructed")
    assert row["basis"] == "published"


def test_without_research_the_report_s_cases_stand(collection: Collection) -> None:
    row = _profile(collection, None)
    assert (row["social_media_cases"], row["social_media_basis"]) == (3, "published")


def test_without_either_the_cases_are_unknown(
    research: ResearchTables, collection: Collection
) -> None:
    others = research.instances.filter(pl.col("force_code") != "STF")
    row = _profile(collection, others, PRINTED.clear())
    assert (row["social_media_cases"], row["social_media_basis"]) == (None, None)


def _made_from(*research: tuple[str, str, str]) -> MadeFrom:
    return ingredients("2012-revisit", [], [], [], [], research)


def test_other_research_is_another_release() -> None:
    plain = ("survey_responses.csv", "a" * 64, "submitted")
    names = {
        release_id(_made_from(*research))
        for research in (
            (),
            (plain,),
            (("survey_responses.csv", "b" * 64, "submitted"),),
            (("survey_responses.csv", "a" * 64, "reconstructed"),),
        )
    }
    assert len(names) == 4
    other = ("social_media_instances.csv", "c" * 64, "submitted")
    assert release_id(_made_from(plain, other)) == release_id(_made_from(other, plain))


def test_reconstructed_research_is_never_shown_without_that_word() -> None:
    """Even where every return was sent by its force."""
    marts = {"investigations": empty(Investigations), "force_profiles": empty(ForceProfiles)}
    made = _made_from(("survey_responses.csv", "a" * 64, "reconstructed"))
    assert about_release(marts, made)["basis"].startswith("reconstructed")
    assert about_release(marts, _made_from())["basis"] == "none"


def test_returns_that_count_no_investigation_say_whether_they_were_sent() -> None:
    for basis, said in (("submitted", "submitted"), ("published", "none"), (None, "none")):
        profiles = pl.DataFrame({"basis": [basis]}, schema={"basis": pl.String})
        marts = {"investigations": empty(Investigations), "force_profiles": profiles}
        assert about_release(marts, _made_from())["basis"] == said


def test_no_research_is_no_total(live: pl.DataFrame, collection: Collection) -> None:
    own = national_totals(live, collection, no_research())
    measures = set(own["measure"])
    assert not {m for m in measures if m.startswith(("social_media", "survey"))}
    assert own.equals(national_totals(live, collection))
