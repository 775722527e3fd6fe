"""Whatever is handed on from an earlier refresh, the release is that of an empty lake.

A lake is led through a random life. After each thing that happens to it a refresh hands on what it
can, and another in a lake that was given the same and has made nothing yet must come to the same:
the release with its pages and its public edition, the letters, and what the desk is told.
"""

import csv
import json
import os
import shutil
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Any

import pytest
from click.testing import CliRunner, Result

from assets.lake import Lake, hashes
from assets.returns.desk.corrections import FILE
from assets.sample.write import write_research
from assets.tables import write_made
from pipelines.cli.main import muster
from schemas.collection import load_collection
from schemas.reference import OURS
from tests.cases.extracts import good, write_csv
from tests.feedback.conftest import answered
from tests.reports.test_store import COUNTED, REPORT
from tests.returns import Place, SampleReturn

Sample = Callable[[str], SampleReturn]

FORCES = ("AVS", "CHS", "DER", "DVC", "ESX", "GMP", "KEN", "MPS", "STF", "SUR", "WMC", "WYK")
_GIVEN = ("landing", "raw", "desk", "quarantine", "collections")
"""What a lake is given, from which all else is made."""
_SHOWN = ("releases", "public_editions", "marts")
"""What it has shown: a release tells what is different from the one before it."""
_EARLY = 1_338_800_000
_REASON = ("It was counted anew by hand.", "Head of unit")
_DAY = ("cover", "submitted_on", "value")


class _Killed(BaseException):
    """What ends a run that is killed."""


def _muster(lake: Lake, *arguments: object) -> Result:
    """Run a command in a lake, with the collections that lie beside it."""
    none = dict.fromkeys(("DAGSTER_HOME", "MUSTER_COLLECTION", "MUSTER_ALERT_URLS"))
    named = {"MUSTER_LAKE": str(lake.root), "MUSTER_COLLECTIONS": str(lake.root / "collections")}
    return CliRunner(env={**none, **named}).invoke(muster, [str(each) for each in arguments])


def _forget() -> None:
    """Forget what a process has read: the next command is another's."""
    for name, module in [*sys.modules.items()]:
        if name.partition(".")[0] in {"assets", "schemas"}:
            for each in [*vars(module).values()]:
                getattr(each, "cache_clear", lambda: None)()


class _Life:
    """What happens to a lake, at random; each of its doings is one that people, or disks, do."""

    def __init__(self, lake: Lake, chance: Random) -> None:
        self.lake, self.chance, self.now = lake, chance, _EARLY
        self.done: list[str] = []
        self.undo: list[Callable[[], object]] = []
        (lake.root / "collections").mkdir(parents=True)
        for folder in ("templates", "reference"):
            shutil.copytree(OURS / folder, lake.root / "collections" / folder)
        self.describes()
        for force in FORCES:
            self._drop(self._sample(force), f"{force}.xlsx")
        write_research(lake.research, load_collection(lake.collection))

    def _sample(self, force: str | None = None) -> SampleReturn:
        return SampleReturn.of(force or self.chance.choice(FORCES), load_collection("2012-revisit"))

    def _drop(self, sample: SampleReturn, name: str, at: int = 0) -> Path:
        self.lake.landing.mkdir(parents=True, exist_ok=True)
        path = sample.write(self.lake.landing / name)
        self.now += 10
        os.utime(path, (at or self.now, at or self.now))
        return path

    def _counted(self, sample: SampleReturn) -> dict[Place, str | None]:
        """Return values in which one count is another, and the sums that it is part of."""
        template = sample.collection.template
        numbers = {at: int(v) for at, v in sample.values.items() if v.isdigit()}
        leaves = [e.place for e in template.counted() if e.place in numbers]
        leaf, more = self.chance.choice(leaves), self.chance.choice([1, 2, 11, 40])
        sums = [at for at, parts in template.leaves.items() if leaf in parts and at in numbers]
        return {at: str(numbers[at] + more) for at in (leaf, *sums)}

    def act(self) -> str:
        """Do one thing, and return what."""
        while self.undo:
            self.undo.pop()()
        doings = [
            getattr(self, name)
            for name, of in vars(type(self)).items()
            if callable(of) and not name.startswith("_") and name != "act"
        ]
        doing = self.chance.choice(doings)
        doing()
        self.done.append(doing.__name__)
        return str(doing.__name__)

    # Returns.

    def drops(self) -> None:
        sample = self._sample()
        self._drop(sample, f"{sample.values['cover', 'force_code', 'value']}.xlsx")

    def corrects(self) -> None:
        sample = self._sample()
        self._drop(sample.with_values(self._counted(sample)), f"{self.now}.xlsx")

    def corrects_again(self) -> None:
        self.corrects()

    def breaks(self) -> None:
        sample = self._sample()
        place = self.chance.choice(sorted(sample.values))
        said = self.chance.choice([None, "c. 10", "999999", "not_held", "=1+"])
        self._drop(sample.with_values({place: said}), f"{self.now}.xlsx")

    def sends_nonsense(self) -> None:
        content = self.chance.choice([b"", b"PK\x03\x04 nothing", b"%PDF-1.4", b"\0" * 999, b"a,b"])
        name = self.chance.choice(["letter.pdf", "KEN.xlsx", "x.zip", "x.xlsm", "x.ods"])
        (self.lake.landing / name).write_bytes(content)

    def sends_two_at_once(self) -> None:
        sample = self._sample()
        for name in "ab":
            changed = sample.with_values(self._counted(sample))
            self._drop(changed, f"{self.now} {name}.xlsx", self.now)

    def sends_an_older_one(self) -> None:
        sample = self._sample()
        changes = {**self._counted(sample), _DAY: "2012-06-01"}
        self._drop(sample.with_values(changes), f"{self.now}.xlsx", _EARLY - self.now % 99)

    def copies(self) -> None:
        path = self.chance.choice(sorted(self.lake.landing.glob("*.xlsx")))
        shutil.copy(path, path.with_name(f"copy {self.now}.xlsx"))

    def withdraws(self) -> None:
        self.chance.choice(sorted(self.lake.landing.glob("*.xlsx"))).unlink()

    def touches(self) -> None:
        os.utime(self.chance.choice(sorted(self.lake.landing.glob("*.xlsx"))))

    # The desk.

    def _queries(self) -> list[dict[str, Any]]:
        listed: list[dict[str, Any]] = json.loads(
            _muster(self.lake, "queries", "--all", "--json").stdout or "[]"
        )
        return listed

    def answers(self) -> None:
        for query in self.chance.sample(listed := self._queries(), min(2, len(listed))):
            accepted = self.chance.choice([(), ("--accepted-by", "Bob")])
            said = ("--reason", _REASON[0], "--by", "Ann", *accepted)
            _muster(self.lake, "answer", query[self.chance.choice(["query_id", "question"])], *said)

    def asks_again(self) -> None:
        for query in self._queries():
            if query["state"] in {"answered", "accepted"}:
                again = ("--ask-again", "Say of which day it is.", "--by", "Cat")
                _muster(self.lake, "answer", query["query_id"], *again)

    def sends_answers_back(self) -> None:
        out = self.lake.root / "letters"
        _muster(self.lake, "feedback", "--out", out)
        asked = {each["rule_id"]: _REASON for each in self._queries()}
        if copies := sorted(out.glob("*/*-marked.xlsx")):
            answered(self.chance.choice(copies), self.lake.landing / f"{self.now}.xlsx", asked)
        shutil.rmtree(out, ignore_errors=True)

    def goes_back(self) -> None:
        force = self.chance.choice(FORCES)
        said = _muster(self.lake, "versions", force, "--json").stdout
        versions = [each["version"] for each in json.loads(said or '{"versions": []}')["versions"]]
        for version in self.chance.sample(versions, min(1, len(versions))):
            why = ("--reason", "sent by mistake", "--by", "Ann")
            _muster(self.lake, "versions", force, "--go-back", version, *why)

    def signs(self) -> None:
        signed = ("--sign", "accepted", "--by", "data team")
        _muster(self.lake, "versions", self.chance.choice(FORCES), *signed)

    def declares(self) -> None:
        """Correct a cell, which stops each run once the return says something else."""
        sample, path = self._sample(), self.lake.desk / FILE
        force, at = sample.values["cover", "force_code", "value"], ("comparators", "cards_2012")
        path.parent.mkdir(parents=True, exist_ok=True)
        heads = "force_code,sheet,row_code,column_code,from_value,to_value,reason,owner,agreed_on"
        old = sample.values[*at, "value"]
        row = [force, *at, "value", old, str(int(old) + 1), "typed", "Ann", "2012-06-20"]
        with path.open("w", newline="") as file:
            csv.writer(file).writerows([heads.split(","), row])
        if self.chance.random() < 0.5:
            self.undo.append(lambda: path.unlink(missing_ok=True))

    # Extracts, research and reports.

    def sends_rows(self) -> None:
        force, many = self.chance.choice((*FORCES, "BED", "XXX")), self.chance.randrange(40)
        rows = [good(number, force) for number in range(many)]
        bad = self.chance.choice([0, 0, 1, 9])
        rows += [good(900 + number, force, category="none") for number in range(bad)]
        rows += [good(990, "BTP")] if self.chance.random() < 0.1 else []
        folder = self.chance.choice(["", f"force_code={force}/"])
        write_csv(self.lake.cases / f"{folder}{self.chance.choice('ab')}.csv", rows)

    def withdraws_rows(self) -> None:
        if files := sorted(path for path in self.lake.cases.rglob("*") if path.is_file()):
            path = self.chance.choice(files)
            path.unlink() if self.chance.random() < 0.5 else path.write_bytes(b"case_ref\n\xff")

    def researches(self) -> None:
        path = self.chance.choice(sorted(self.lake.research.glob("*.csv")))
        lines = path.read_text().splitlines(keepends=True)
        said = self.chance.choice([lines[:-1], [*lines, lines[-1]], lines[:1], [*lines, "x,y\n"]])
        path.write_text("".join(said))

    def researches_anew(self) -> None:
        write_research(self.lake.research, load_collection("2012-revisit"))
        if self.chance.random() < 0.3:
            said = self.chance.choice(["published", "submitted", "guessed"])
            (self.lake.research / "basis.txt").write_text(said)

    def reports(self) -> None:
        name = self.chance.choice(["Kent", "Staffordshire", "Derbyshire"])
        text = self.chance.choice([COUNTED.format(n=self.chance.randrange(40)), "Nothing.", ""])
        self.lake.reports.mkdir(parents=True, exist_ok=True)
        said = REPORT.format(name=f"{name} Police", short=name, text=text)
        (self.lake.reports / f"{self.chance.choice('ab')}.txt").write_text(said)

    # What a collection is.

    def describes(self) -> None:
        """Change a collection: its days, limits, rules or forces."""
        text = (OURS / "collections" / f"{self.lake.collection}.toml").read_text(encoding="utf-8")
        before, _, after = text.partition("forces = [")
        few = ", ".join(f'"{force}"' for force in FORCES)
        text = f"{before}forces = [{few}]{after.partition(']')[2]}"
        changes = {
            "soft = 2012-06-15": f"soft = 2012-06-{self.chance.randrange(10, 29)}",
            "Q111 = { share = 0.2": f"Q111 = {{ share = {self.chance.choice([0.0, 0.5])}",
            "V007 = { ceiling = 5000": f"V007 = {{ ceiling = {self.chance.choice([90, 9000])}",
            "peers = 10 }": f"peers = {self.chance.choice([4, 40])} }}",
            "max_bad_share = 0.05": f"max_bad_share = {self.chance.choice([0.0, 0.5])}",
            '"KEN", ': self.chance.choice(["", '"KEN", ']),
            'without_police_authority = ["MPS"]': 'without_police_authority = ["MPS", "KEN"]',
            "research = true": "research = true\nstop_line = 2.0",
        }
        for old in self.chance.sample([*changes], self.chance.randrange(3)):
            assert old in text
            text = text.replace(old, changes[old], 1)
        if self.chance.random() < 0.3:
            rule, severity = self.chance.choice(["Q102", "Q111", "C401"]), "Q"
            text += f'\n[[rule_changes]]\nrule = "{rule}"\nseverity = "'
            text += self.chance.choice(["off", severity]) + '"\nreason = "it is not clear"\n'
            text += "since = 2012-06-01\n"
        (self.lake.root / "collections" / f"{self.lake.collection}.toml").write_text(text)

    def words(self) -> None:
        """Change a label of the template, or a name of a force."""
        folder = self.lake.root / "collections"
        worded = (("templates/returns-1.toml", '"Approved'), ("reference/forces.csv", "Kent"))
        for name, old in worded:
            text = (OURS / name).read_text(encoding="utf-8")
            assert old in text, name
            if self.chance.random() < 0.5:
                text = text.replace(old, f"{old} {self.chance.randrange(9)}", 1)
            (folder / name).write_text(text, encoding="utf-8")

    # What is shown, kept and lost.

    def shows_an_earlier_one(self) -> None:
        if releases := sorted(path.name for path in self.lake.releases.glob("2012-*")):
            _muster(self.lake, "releases", "go-back", self.chance.choice(releases))

    def prunes(self) -> None:
        _muster(self.lake, "releases", "prune", "--last", 1, "--yes")

    def loses(self) -> None:
        """Lose tables that are made anew, or what is kept to save time."""
        folders = [*self.lake.work.glob("*/"), *self.lake.kept.glob("*/")]
        shutil.rmtree(self.chance.choice(sorted(folders)))

    def damages(self) -> None:
        for _ in range(3):
            tables = [*self.lake.work.rglob("*.parquet"), *self.lake.kept.rglob("[0-9a-f]*")]
            path = self.chance.choice(sorted(path for path in tables if path.is_file()))
            content = path.read_bytes()
            cut = self.chance.choice([content[:-1], b"", content[:-9] + b"x" * 9])
            path.write_bytes(cut) if self.chance.random() < 0.8 else path.unlink()

    def mislays(self) -> None:
        """Lose a receipt or bytes, until they are restored."""
        kept = sorted(path for path in self.lake.raw.rglob("*") if path.is_file())
        path = self.chance.choice(kept)
        away = path.rename(self.lake.root / "away")
        self.undo.append(lambda: away.rename(path))

    def is_killed(self) -> None:
        """Be killed between two tables."""
        left, write = self.chance.randrange(60), write_made

        def or_die(*given: Any) -> str:
            nonlocal left
            left -= 1
            if left < 0:
                raise _Killed
            return write(*given)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("assets.declare.write_made", or_die)
            with suppress(_Killed):
                _muster(self.lake, "run")

    def nothing(self) -> None:
        """Do nothing."""


def _made(lake: Lake, *, told: bool) -> dict[str, Any]:
    """Run in a lake, and return how that ended and what is shown, and what people are told."""
    _forget()
    done = _muster(lake, "run")
    lines = str(done.exception or done.output).replace(str(lake.root), "").splitlines()
    if done.exit_code or not isinstance(done.exception, (SystemExit, type(None))):
        said = [line for line in lines if not line.startswith("Took in")]
        return {"code": done.exit_code, "said": said}
    release = {"release": lake.marts.resolve().name, **hashes(lake.marts.resolve())}
    if not told:
        return release
    out = lake.root / "letters"
    commands = [("status",), ("queries", "--all"), ("versions", "STF")]
    done_by = {" ".join(each): _muster(lake, *each, "--json") for each in commands}
    done_by["feedback"] = _muster(lake, "feedback", "--out", out)
    texts = {name: f"{each.stdout} {each.exception}" for name, each in done_by.items()}
    said_by = {name: text.replace(str(lake.root), "") for name, text in texts.items()}
    letters = hashes(out) if out.exists() else {}
    shutil.rmtree(out, ignore_errors=True)
    return {**release, **said_by, **letters}


def live(root: Path, seed: int, steps: int) -> None:
    """Lead a lake through so many steps, and hold each refresh to one in an empty lake."""
    lake = Lake(root / "lake", "2012-revisit")
    life = _Life(lake, Random(seed))
    for number in range(steps + 1):
        if number:
            life.act()
        new, told = Lake(root / f"empty-{number}", lake.collection), number in {steps, steps // 2}
        _copied(lake, new, _SHOWN)
        made = _made(lake, told=told)
        _copied(lake, new, _GIVEN)
        anew = _made(new, told=told)
        other = {key for key in {*made, *anew} if made.get(key) != anew.get(key)}
        assert not other, (life.done, {key: (made.get(key), anew.get(key)) for key in other})
        shutil.rmtree(new.root)


def _copied(lake: Lake, new: Lake, names: tuple[str, ...]) -> None:
    for name in names:
        if (lake.root / name).exists():
            shutil.copytree(lake.root / name, new.root / name, symlinks=True)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_a_release_does_not_tell_what_was_handed_on(seed: int, tmp_path: Path) -> None:
    live(tmp_path, seed, 4)


@pytest.mark.slow
@pytest.mark.usefixtures("every_part")
def test_nor_do_its_pages_and_its_public_edition(tmp_path: Path) -> None:
    live(tmp_path, 3, 2)
