"""Why a file in landing is of no force that is expected, in the words of its findings."""

from pathlib import Path

import pytest

from assets.lake import Lake
from assets.unattributed import unattributed_files
from schemas.collection import load_collection
from tests.any_template import EXAMPLES
from tests.returns import Place, clean_return, take_in


def test_a_return_of_a_force_that_is_no_more_is_told_of_as_its_check_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MUSTER_COLLECTIONS", str(EXAMPLES))
    later = load_collection("2013-revisit")
    lake = Lake(tmp_path, later.id)
    lake.landing.mkdir(parents=True)
    code, name = (("cover", f"force_{what}", "value") for what in ("code", "name"))
    said: dict[str, dict[Place, str | None]] = {
        "BED": {code: "BED"},
        "ZZZ": {code: "ZZZ"},
        "two": {name: "Kent Police"},
    }
    paths = [
        clean_return(later, "ESX").with_values(values).write(lake.landing / f"{of}.xlsx")
        for of, values in said.items()
    ]
    take_in(lake, paths, later)
    assert {file.file_name: file.why for file in unattributed_files(lake)} == {
        "BED.xlsx": "the force 'BED' ended on 2013-03-31, before the census; BEH sends its return",
        "ZZZ.xlsx": "its cover names no force that this collection expects",
        "two.xlsx": "its cover has the code of one force and the name of another",
    }
