"""The tables that research files become between the stages.

Belongs here: their contracts. Does not: what a file must look like (research.py).
"""

from typing import Final

from schemas import columns as shared
from schemas.contract import Contract, Table, column
from schemas.research import (
    FILES,
    SocialMediaInstances,
    SocialMediaProfiles,
    SurveyResponses,
)


class ProfilesInUse(SocialMediaProfiles):
    """The newest acceptable file of profiles and accounts, with its basis."""

    basis: str = shared.basis()


class InstancesInUse(SocialMediaInstances):
    """The newest acceptable file of instances on social media, with its basis."""

    basis: str = shared.basis()


class ResponsesInUse(SurveyResponses):
    """The newest acceptable file of survey responses, with its basis."""

    basis: str = shared.basis()


IN_USE: Final[dict[str, Contract]] = {
    "social_media_profiles.csv": ProfilesInUse,
    "social_media_instances.csv": InstancesInUse,
    "survey_responses.csv": ResponsesInUse,
}
"""What each file becomes between the stages."""


class ResearchFiles(Table):
    """The research files in use: of each name the newest acceptable one."""

    file_name: str = column("Name of the file", "text", key=True, isin=FILES)
    sha256: str = shared.sha256()
    basis: str = shared.basis()


class ResearchProblems(Table):
    """What is wrong with research files: where, by which rule, and what to do."""

    file_name: str = column("Name of the file", "text", key=True)
    row: int = column(
        "Row as a spreadsheet numbers it, headings being row 1; null for the whole file",
        "number",
        key=True,
        nullable=True,
    )
    column_name: str = column("The column; null for the whole row", "code", key=True, nullable=True)
    rule_id: str = column("Rule of docs/rules/research.md", "code", key=True)
    message: str = column("What stands there, and what was expected", "text", key=True)
    how_to_fix: str = column("What to do", "text")
