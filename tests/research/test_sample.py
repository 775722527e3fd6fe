"""The sample research follows from its program, is the same each time, and is plausible."""

import polars as pl
import pytest

from assets.inputs.research.tables import ResearchTables
from assets.sample.research import sample_research, sample_survey
from assets.sample.write import write_research
from schemas.collection import Collection, load_collection
from schemas.research import BASIS_FILE, FILES, QUESTIONS
from tests.research.files import Folder
from tools.make_sample.solve import COLLECTION, solve_research


def test_solving_again_gives_the_stored_tables() -> None:
    """A table edited by hand, or solved differently each time, could not be explained."""
    for path, text in solve_research(load_collection(COLLECTION)).items():
        assert path.read_bytes() == text.encode(), path.name


def test_the_files_are_the_same_each_time(folder: Folder, collection: Collection) -> None:
    paths = write_research(folder.lake.research, collection)
    assert {path.name for path in paths} == {*FILES, BASIS_FILE}
    first = {path.name: path.read_bytes() for path in paths}
    write_research(folder.lake.research, collection)
    assert {path.name: path.read_bytes() for path in paths} == first
    assert first[BASIS_FILE] == b"reconstructed\n"


def test_the_sample_has_no_problem(folder: Folder, collection: Collection) -> None:
    write_research(folder.lake.research, collection)
    read = folder.read()
    assert read.problems.is_empty()
    assert read.files.height == 3
    assert set(read.files["basis"]) == {"reconstructed"}


def test_three_waves_a_year_and_everybody_is_asked_what_was_put(research: ResearchTables) -> None:
    people = research.responses.group_by("year", "wave").agg(pl.col("respondent_id").n_unique())
    sizes = sorted(people["respondent_id"].to_list())
    assert sizes == [1189, 1189, 1189, 1190, 1190, 1191]
    by_question = research.responses.group_by("year", "question").agg(
        pl.col("respondent_id").n_unique()
    )
    asked = {row[:2]: row[2] for row in by_question.iter_rows()}
    for (year, code), number in asked.items():
        if QUESTIONS[code].asked_of is None:
            assert number == {2011: 3571, 2012: 3567}[year], code


def test_people_who_trust_the_police_see_less_corruption(research: ResearchTables) -> None:
    """Answers drawn one by one would make respondents that contradict themselves."""
    wide = research.responses.filter(~pl.col("question").is_in(
        [code for code, question in QUESTIONS.items() if question.several]
    )).pivot(on="question", index=["year", "respondent_id"], values="answer")  # fmt: skip
    trusting = wide.group_by("trust_to_tell_truth").agg(
        (pl.col("corruption_common") == "yes").mean().alias("share")
    )
    share = dict(trusting.iter_rows())
    assert share["yes"] + 0.2 < share["no"]


def test_everybody_who_was_asked_several_gives_one_at_least() -> None:
    counts = pl.DataFrame(
        [
            ("corruption_common", "yes", 5), ("corruption_common", "no", 1),
            ("corruption_common", "dont_know", 0),
            ("reason_corruption_common", "human_nature", 4),
            ("reason_corruption_common", "local_media", 3),
            ("reason_corruption_common", "dont_know", 1),
        ],
        schema=["question", "answer", "respondents"],
        orient="row",
    ).with_columns(year=pl.lit(2012), wave=pl.lit(2))  # fmt: skip
    made = sample_survey(counts)
    reasons = made.filter(pl.col("question") == "reason_corruption_common")
    assert reasons["respondent_id"].n_unique() == 5
    assert dict(reasons["answer"].value_counts().iter_rows()) == {
        "human_nature": 4, "local_media": 3, "dont_know": 1,
    }  # fmt: skip
    alone = reasons.filter(pl.col("answer") == "dont_know")["respondent_id"]
    assert reasons.filter(pl.col("respondent_id").is_in(alone.implode())).height == 1


def test_a_later_collection_gets_research_of_its_own_years(
    collection: Collection, folder: Folder
) -> None:
    later = collection.model_copy(update={"census": collection.census.replace(year=2014)})
    texts = sample_research(later)
    for name in FILES:
        folder.write(name, texts[name])
    read = Folder(folder.lake, later).read()
    assert read.problems.is_empty()
    assert set(read.tables.profiles["year"]) == {2013, 2014}


@pytest.mark.parametrize("year", [2011, 2012])
def test_findings_fit_each_other(year: int, research: ResearchTables) -> None:
    shown = "profiles_inappropriate" if year == 2012 else "accounts_inappropriate"
    found = research.instances.group_by("force_code", "year").agg(pl.col("instances").sum())
    both = research.profiles.join(found, on=["force_code", "year"]).filter(pl.col("year") == year)
    assert both.height == {2011: 8, 2012: 44}[year]
    assert both.filter(pl.col(shown) > pl.col("instances")).is_empty()
    assert both.filter((pl.col(shown) == 0) & (pl.col("instances") > 0)).is_empty()
    assert both.filter(pl.col(shown) * 2 > pl.col("profiles")).is_empty()
