"""Whatever is handed on from an earlier refresh, the release is that of an empty lake."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest
from click.testing import CliRunner, Result

from assets.lake import Lake, hashes
from pipelines.cli.main import muster
from schemas.collection import read_collection
from schemas.reference import COLLECTIONS
from tests.returns import SampleReturn

Sample = Callable[[str], SampleReturn]

_FORCES = ("KEN", "STF", "DER", "WYK", "MPS")
_GIFTS = ("registers", "force.gratuity", "accepted")
_GIVEN = ("landing", "raw", "desk", "quarantine", "collections")
"""What a lake is given, from which all else is made."""


def _muster(lake: Lake, *arguments: str) -> Result:
    """Run a command in a lake, with the collections that lie beside it."""
    none = dict.fromkeys(("DAGSTER_HOME", "MUSTER_COLLECTION", "MUSTER_ALERT_URLS"))
    named = {"MUSTER_LAKE": str(lake.root), "MUSTER_COLLECTIONS": str(lake.root / "collections")}
    return CliRunner(env={**none, **named}).invoke(muster, arguments)


class _Life:
    """What happens to a lake, at random; each of its doings is one that people do."""

    def __init__(self, lake: Lake, chance: Random, sample: Sample) -> None:
        self.lake, self.chance, self.sample = lake, chance, sample
        self.doings = (self.drops, self.corrects, self.answers, self.goes_back, self.touches,
                       self.switches, self.loses, self.damages, self.nothing)  # fmt: skip

    def drops(self) -> None:
        force = self.chance.choice(_FORCES)
        self.sample(force).write(self.lake.landing / f"{force}.xlsx")

    def corrects(self) -> None:
        force, count = self.chance.choice(_FORCES), self.chance.randrange(9)
        changed = self.sample(force).with_values({_GIFTS: str(count)})
        changed.write(self.lake.landing / f"{force} {count}.xlsx")

    def answers(self) -> None:
        listed = json.loads(_muster(self.lake, "queries", "--all", "--json").stdout)
        if listed:
            query = self.chance.choice(listed)["query_id"]
            _muster(self.lake, "answer", query, "--reason", "counted twice", "--by", "Ann")

    def goes_back(self) -> None:
        releases = sorted(path.name for path in self.lake.releases.glob("2012-*"))
        _muster(self.lake, "releases", "go-back", self.chance.choice(releases))

    def touches(self) -> None:
        os.utime(self.chance.choice(sorted(self.lake.landing.glob("*.xlsx"))))

    def switches(self) -> None:
        """Change the collection itself: how many days it stays open, as any of its settings."""
        path = self.lake.root / "collections" / f"{self.lake.collection}.toml"
        text = (COLLECTIONS / path.name).read_text(encoding="utf-8")
        soft = "soft = 2012-06-15"
        assert soft in text
        path.write_text(text.replace(soft, f"soft = 2012-06-{self.chance.randrange(10, 29)}"))
        read_collection.cache_clear()

    def loses(self) -> None:
        """Lose tables that are made anew, or what is kept to save time."""
        shutil.rmtree(self.chance.choice([self.lake.work / "totals", self.lake.kept]))

    def damages(self) -> None:
        tables = [*self.lake.work.rglob("*.parquet"), *self.lake.kept.rglob("[0-9a-f]*")]
        path = self.chance.choice(sorted(path for path in tables if path.is_file()))
        path.write_bytes(path.read_bytes()[:-1])

    def nothing(self) -> None:
        """Do nothing."""


def _published(lake: Lake) -> tuple[str, dict[str, str]]:
    done = _muster(lake, "run")
    assert done.exit_code == 0, done.output
    return lake.marts.resolve().name, hashes(lake.marts.resolve())


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_a_release_does_not_tell_what_was_handed_on(
    seed: int, tmp_path: Path, sample: Sample
) -> None:
    lake, chance = Lake(tmp_path / "lake", "2012-revisit"), Random(seed)
    (lake.root / "collections").mkdir(parents=True)
    life = _Life(lake, chance, sample)
    lake.landing.mkdir(parents=True)
    life.switches()
    life.drops()
    _published(lake)
    for number in range(4):
        doing = chance.choice(life.doings)
        doing()
        new = Lake(tmp_path / f"empty-{number}", lake.collection)
        before = _published(lake)
        for name in _GIVEN:
            if (lake.root / name).exists():
                shutil.copytree(lake.root / name, new.root / name)
        assert _published(new) == before, doing.__name__
