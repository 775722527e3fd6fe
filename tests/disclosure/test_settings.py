"""What a collection may say about its public edition."""

from pathlib import Path

import pytest

from schemas.collection import COLLECTIONS, load_collection
from schemas.errors import SetupError

TEXT = (COLLECTIONS / "2012-revisit.toml").read_text(encoding="utf-8")
REASON = 'reason = "Printed in the inspectorate\'s report on the force of December 2012."'


@pytest.mark.parametrize(
    ("old", "new", "match"),
    [
        (REASON, "", "reason"),
        (REASON, 'reason = "because"', "reason"),
        ('column = "media_disclosure"', 'column = "name"', "none of"),
        ('mart = "force_profiles"', 'mart = "cells"', "none of"),
        ('forces = ["DER", "STF", "WMC"]', 'forces = ["XYZ"]', "XYZ"),
        ('small = "1..2"', 'small = "3.."', "upper end"),
        ('small = "1..2"', 'small = "few"', "few"),
        ("width = 3", "width = 0", "width"),
        ("social_media = { small", "second_jobs_too = { small", "must give"),
        ("fewest_forces = 10", "fewest_forces = 1", "fewest_forces"),
    ],
)
def test_settings_that_protect_nothing_or_explain_nothing_are_refused(
    old: str, new: str, match: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert old in TEXT
    (tmp_path / "2012-revisit.toml").write_text(TEXT.replace(old, new, 1), encoding="utf-8")
    monkeypatch.setenv("MUSTER_COLLECTIONS", str(tmp_path))
    with pytest.raises(SetupError, match=match):
        load_collection("2012-revisit")
