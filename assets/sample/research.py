"""The sample's research: what the stored tables hold, as files of the research folder.

Belongs here: from the stored tables to the text of each file. Does not: how the tables were found
(tools/make_sample), nor writing files (write.py).
"""

from pathlib import Path
from typing import Final

import polars as pl

from assets.sample.survey import sample_survey
from schemas.collection import Collection
from schemas.contract import columns
from schemas.research import (
    BASIS_FILE,
    FILES,
    SocialMediaInstances,
    SocialMediaProfiles,
    SurveyResponses,
)

PROFILES_PATH: Final = Path(__file__).with_name("social_media_profiles.csv")
INSTANCES_PATH: Final = Path(__file__).with_name("social_media_instances.csv")
SURVEY_PATH: Final = Path(__file__).with_name("survey_counts.csv")
"""How many respondents gave each answer in each wave."""

_BASIS: Final = "reconstructed"


def sample_research(collection: Collection) -> dict[str, str]:
    """Return the text of each file of the research folder, by name.

    The years are the collection's own and the one before it. None of it was found by anybody; the
    file of the basis says so.
    """
    tables = {
        SocialMediaProfiles: pl.read_csv(PROFILES_PATH),
        SocialMediaInstances: pl.read_csv(INSTANCES_PATH),
        SurveyResponses: sample_survey(pl.read_csv(SURVEY_PATH)),
    }
    later = collection.census.year - pl.col("year").max()
    texts = {}
    for name, contract in FILES.items():
        table = tables[contract].with_columns(pl.col("year") + later)
        if "force_code" in table.columns:
            table = table.filter(pl.col("force_code").is_in(collection.forces))
        texts[name] = table.select(c.name for c in columns(contract)).write_csv()
    return {**texts, BASIS_FILE: f"{_BASIS}\n"}
