"""Everything that is in a release, and whether it is fit to be shown.

Belongs here: the order in which the parts are made, and what blocks. Does not: the parts
themselves, which have packages of their own, nor the folder and the swap (publish.py).
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import polars as pl

from assets.lake import Lake, atomic_file
from assets.release.datapackage import write_datapackage
from assets.release.identity import Ingredients
from assets.release.parquet import write_mart
from schemas.errors import ReleaseBlockedError
from schemas.marts.catalogue import MARTS

_SOURCES: Final = (
    "returns of the forces in this collection; the inspectorate's own research; published figures:"
    " HMIC, Revisiting police relationships, December 2012"
)
_RECONSTRUCTED: Final = (
    "reconstructed: returns or research were made by Muster so that the published totals hold;"
    " nobody sent them"
)


@dataclass(frozen=True)
class Contents:
    """What the making of a release found: plain data that its manifest keeps."""

    def for_manifest(self, made_from: Ingredients) -> dict[str, Any]:
        """Return what the manifest says beside the facts about the release."""
        return {"made_from": asdict(made_from), "found": asdict(self)}

    @classmethod
    def of_manifest(cls, manifest: Mapping[str, Any]) -> "Contents":
        """Read back what the making found."""
        return cls(**manifest["found"])


def about_release(marts: Mapping[str, pl.DataFrame], made_from: Ingredients) -> dict[str, str]:
    """Return the facts that every file of a release states of itself."""
    bases = {*marts["investigations"]["basis"], *(basis for *_, basis in made_from.research)}
    basis = _RECONSTRUCTED if "reconstructed" in bases else ", ".join(sorted(bases)) or "none"
    return {
        "release": made_from.release_id,
        "collection": made_from.collection,
        "sources": _SOURCES,
        "basis": basis,
    }


def write_marts(folder: Path, marts: Mapping[str, pl.DataFrame], about: Mapping[str, str]) -> None:
    """Write every mart as a Parquet file.

    Raises:
        ContractError: a mart is not what its contract says.
        LakeError: the lake cannot be written.
    """
    for name, contract in MARTS.items():
        with atomic_file(folder / f"{name}.parquet") as file:
            write_mart(file, name, contract, marts[name], about)


def write_contents(
    folder: Path, lake: Lake, marts: Mapping[str, pl.DataFrame], about: Mapping[str, str]
) -> Contents:
    """Write beside the marts what follows from them.

    Raises:
        ReleaseBlockedError: the marts are not fit to be shown.
        LakeError: the lake cannot be written.
    """
    del lake
    _require_totals_hold(marts["national_checks"])
    write_datapackage(folder, about)
    return Contents()


def _require_totals_hold(checks: pl.DataFrame) -> None:
    """Block where a rule on the totals fails that guards the release."""
    failed = checks.filter(~pl.col("passed") & (pl.col("severity") == "B"))
    if not failed.is_empty():
        found = "; ".join(
            f"{rule}: {text}" for rule, text in failed.select("rule_id", "message").iter_rows()
        )
        raise ReleaseBlockedError(
            f"the release is blocked, the last one stays in place. {found}. Look each up in"
            " docs/rules/, then run again."
        )
