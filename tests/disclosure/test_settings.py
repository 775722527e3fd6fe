"""What a collection may say about its public edition."""

from pathlib import Path

import pytest

from schemas.collection import load_collection
from schemas.errors import SetupError
from schemas.reference import COLLECTIONS

TEXT = (COLLECTIONS / "2012-revisit.toml").read_text(encoding="utf-8")
REASON = 'reason = "Printed in the inspectorate\'s report on the force of December 2012."'


@pytest.mark.parametrize(
    ("old", "new", "match"),
    [
        (REASON, "", "reason"),
        (REASON, 'reason = "because"', "reason"),
        ('column = "media_disclosure"', 'column = "name"', "no count that reports"),
        ('mart = "force_profiles"', 'mart = "cells"', "no count that reports on a force print"),
        ('figures = ["DER-01", "STF-01", "WMC-01"]\n', "", "figures"),
        ('figures = ["DER-01", "STF-01", "WMC-01"]', "figures = []", "figures"),
        (
            '"DER-01", "STF-01"',
            '"DER-99", "STF-01"',
            "DER-99, which published_figures",
        ),
        ('"DER-01", "STF-01"', '"DER-02", "STF-01"', "DER-02.*another count"),
        ('"DER-01", "STF-01"', '"STF-01", "STF-01"', "its figures are about STF, STF, WMC"),
        ('"DER-01", "STF-01", ', '"STF-01", ', "its figures are about STF, WMC"),
        ('figures = "published_figures.csv"', 'figures = "source_issues.csv"', "source_issues.csv"),
        ("start = 2011-09-01", "start = 2012-01-01", "not about this collection"),
        ("least_changed = 10", "least_changed = 1", "least_changed"),
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


def test_a_copied_collection_file_does_not_carry_exemptions_along(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next collection has another period; what was printed in 2012 is not about it."""
    copied = TEXT.replace('id = "2012-revisit"', 'id = "2014-revisit"').replace("2012-", "2014-")
    copied = copied.replace("2011-09-01", "2013-09-01").replace('id = "2014', 'id = "2014')
    (tmp_path / "2014-revisit.toml").write_text(copied, encoding="utf-8")
    monkeypatch.setenv("MUSTER_COLLECTIONS", str(tmp_path))
    with pytest.raises(SetupError, match="not about this collection") as refused:
        load_collection("2014-revisit")
    assert "pydantic" not in str(refused.value)
