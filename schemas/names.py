"""What in a free text looks like a person or a case, which no answer and no cover may name."""

import re
import unicodedata
from collections.abc import Collection
from typing import Final

_RANK: Final = re.compile(
    r"\b(?:Mr|MR|Mrs|MRS|Ms|Miss|Mx|Dr|Sir|Dame|PC|WPC|DC|PS|DS|Sgt|DI|DCI|Insp|Ch Insp|Det|Supt"
    r"|CC|DCC|ACC|[Cc]onstable|[Ss]ergeant|[Ii]nspector|[Ss]uperintendent)\.?"
    r" ([A-Z][\w'\u2019-]*|[0-9]+)"
)
_OF_OFFICES: Final = re.compile(
    r"Administration|Anti|Audit|Business|Central|Command|Communications|Complaints"
    r"|Corporate|Corruption|Counter|Crime|Criminal|Custody|Department|Finance|Force"
    r"|Governance|Head|Human|Information|Inspectorate|Integrity|Intelligence"
    r"|Investigations|Investigation|Legal|Local|Neighbourhood|Office|Officer|Operations"
    r"|Performance|Personnel|Policing|Professional|Protective|Resources|Secretariat"
    r"|Secretary|Services|Specialist|Staff|Standards|Support|Team|Territorial|Training"
    r"|Unit"
)
"""What follows a rank in the name of an office, never the name of its holder."""

_YEAR: Final = re.compile(r"(?<![0-9])(?:19|20)[0-9]{2}(?:[-/][0-9]{2})?(?![0-9])")
_NUMBER_OF_SOMEBODY: Final = "a number of three or more digits"
_NAMES_SOMEBODY: Final = {
    "an e-mail address": re.compile(r"[^\s@]@[^\s@]"),
    "a case reference": re.compile(r"\b[A-Z]{1,4}[/-][0-9]"),
    _NUMBER_OF_SOMEBODY: re.compile(r"(?!100 ?%)[0-9]{3,}|[0-9](?:[ -]?[0-9]){4,}"),
}

_COUNT: Final = re.compile(r"(?<![0-9,])[0-9]+(?:,[0-9]{3})*(?![0-9])")


def names_somebody(text: str, numbers: Collection[str] | None = ()) -> str | None:
    """Return what in a free text looks like a person or a case, None where nothing does.

    A year is no collar number, and the name of an office after a rank no person. `numbers` are
    known to be counts, with None any number is.
    """
    plain = unicodedata.normalize("NFKC", text)
    for rank in _RANK.finditer(plain):
        if not _OF_OFFICES.fullmatch(rank[1]):
            return "a rank or title with a name"
    without_years = _YEAR.sub("", plain)
    # Of a case reference a count is a part; a collar number it may only look like.
    rest = _COUNT.sub(
        lambda n: "" if numbers is None or n[0].replace(",", "") in numbers else n[0],
        without_years,
    )
    looks_like = (
        what
        for what, found in _NAMES_SOMEBODY.items()
        if found.search(rest if what == _NUMBER_OF_SOMEBODY else without_years)
    )
    return next(looks_like, None)
