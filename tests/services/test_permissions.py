"""Who may read and write what, with the accounts and folders of sysusers.conf and tmpfiles.conf.

They are made below a folder of the test, so this machine gets no account; a number is enough to
act as somebody.
"""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.services.front import DEPLOY
from tests.services.processes import output_of, search_path

pytestmark = pytest.mark.services

_MUSTER = Path(sys.executable).parent / "muster"
KEY = "2012-revisit"
ENV = {"PATH": search_path()}


@dataclass(frozen=True)
class Machine:
    """A folder that stands for a machine, and the numbers of its users and groups."""

    root: Path
    users: dict[str, tuple[int, int]]
    groups: dict[str, int]

    @property
    def lake(self) -> Path:
        return self.root / "srv/muster/lake"

    def do(self, who: str, script: str) -> bool:
        """Return whether somebody can run a line of shell in the lake."""
        done = subprocess.run(
            [*self._as(who), "sh", "-euc", f"umask 0027; cd {self.lake}; {script}"],
            env=ENV, capture_output=True, check=False,
        )  # fmt: skip
        return done.returncode == 0

    def _as(self, who: str) -> list[str]:
        if who == "analyst":  # an account of its own, in the group
            uid, gid, groups = 60001, 60001, [self.groups["muster-analysts"]]
        elif who == "stranger":
            uid, gid, groups = 60002, 60002, []
        elif who == "portal":  # as its unit has it
            uid, gid = self.users["muster"]
            groups = [self.groups[name] for name in ("muster-analysts", "muster-landing")]
        else:
            uid, gid = self.users[who]
            groups = [self.groups["muster-analysts"]] if who == "muster" else []
        named = ",".join(map(str, [gid, *groups]))
        return ["setpriv", f"--reuid={uid}", f"--regid={gid}", f"--groups={named}"]

    def muster(self, *arguments: str) -> None:
        """Run the muster command as the service.

        It writes with the service's own rights; reading is not held up, because the checkout of a
        test may lie where no other account can go.
        """
        can_read = ["--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"]
        command = ["sh", "-euc", 'umask 0027; exec "$@"', "sh", str(_MUSTER), *arguments]
        home = self.root / "var/lib/muster"
        env = {**ENV, "MUSTER_LAKE": str(self.lake), "HOME": str(home)}
        env["DAGSTER_HOME"] = str(home / "history")
        output_of([*self._as("muster"), *can_read, *command], env, cwd=home)


@pytest.fixture(scope="module")
def machine(place: Path, sample_folder: Path) -> Machine:
    """The machine after the drop-off account has dropped returns and the service published them."""
    if os.geteuid() != 0:
        pytest.fail("only root can act as other accounts; run this as root, in a container say")
    root = place / "machine"
    (root / "etc").mkdir(parents=True)
    output_of(["systemd-sysusers", f"--root={root}", DEPLOY / "sysusers.conf"], ENV)
    boot = ["systemd-tmpfiles", f"--root={root}", "--create", DEPLOY / "tmpfiles.conf"]
    output_of(boot, ENV)
    landing = root / "srv/muster/lake/landing"
    passwd = [line.split(":") for line in (root / "etc/passwd").read_text().splitlines()]
    groups = [line.split(":") for line in (root / "etc/group").read_text().splitlines()]
    found = Machine(
        root,
        {name: (int(uid), int(gid)) for name, _, uid, gid, *_ in passwd},
        {name: int(gid) for name, _, gid, _ in groups},
    )
    (root / "var/lib/muster/history").mkdir()
    uid, gid = found.users["muster"]
    os.chown(root / "var/lib/muster/history", uid, gid)
    output_of([DEPLOY / "let-write.py", str(found.groups["muster-landing"]), landing], ENV)
    output_of(boot, ENV)  # it runs at every boot
    drop = place / "to-be-dropped"
    drop.mkdir()
    for path in sample_folder.iterdir():
        if path.is_file():
            (drop / path.name).write_bytes(path.read_bytes())
    assert found.do("muster-drop", f"mkdir landing/{KEY}; cp {drop}/* landing/{KEY}")
    found.muster("run")
    return found


def test_the_drop_off_account_writes_landing_and_knows_nothing_else(machine: Machine) -> None:
    assert machine.do("muster-drop", f"echo x >landing/{KEY}/x.csv && cat landing/{KEY}/x.csv")
    assert machine.do("muster-drop", f"rm landing/{KEY}/x.csv")
    for folder in ("raw", "quarantine", "desk", "work", "releases", "marts", "alerts"):
        assert not machine.do("muster-drop", f"ls {folder}"), folder
        assert not machine.do("muster-drop", f"echo x >{folder}/x"), folder
    receipt = next((machine.lake / "raw" / KEY / "receipts").iterdir())
    assert not machine.do("muster-drop", f"cat {receipt}")
    assert not machine.do("muster-drop", "ls .")
    assert not machine.do("muster-drop", "echo x >x")


def test_the_process_of_the_drop_off_page_writes_landing_too(machine: Machine) -> None:
    name = f"landing/{KEY}/STF-portal.xlsx"
    assert machine.do("portal", f"echo x >{name}.new && mv {name}.new {name}")
    assert machine.do("muster", f"cat {name}")
    assert machine.do("portal", f"rm {name}")
    assert machine.do("portal", "echo x >portal/x && rm portal/x")
    for who in ("muster-drop", "analyst", "stranger"):
        assert not machine.do(who, "ls portal"), who


@pytest.mark.parametrize("who", ["muster", "analyst", "stranger"])
def test_nobody_else_writes_landing(machine: Machine, who: str) -> None:
    assert not machine.do(who, f"echo x >landing/{KEY}/x.csv")
    assert not machine.do(who, f"rm -f landing/{KEY}/AVS.xlsx")


def test_the_service_reads_what_was_dropped(machine: Machine) -> None:
    assert machine.do("muster", f"cat landing/{KEY}/AVS.xlsx")


@pytest.mark.parametrize("who", ["muster-drop", "analyst", "stranger"])
def test_nobody_but_the_service_reads_or_writes_raw(machine: Machine, who: str) -> None:
    files = machine.lake / "raw" / KEY / "files"
    assert machine.do("muster", f"ls {files} && touch {files}")
    kept = next(files.iterdir())
    for line in (f"ls {files}", f"cat {kept}", f"rm -f {kept}", f"echo x >{files}/x", "ls raw"):
        assert not machine.do(who, line), line


def test_analysts_read_the_marts_and_change_nothing(machine: Machine) -> None:
    totals = f"marts/{KEY}/national_totals.parquet"
    assert machine.do(
        "analyst", f"ls marts/{KEY}/ && cat {totals} && cat marts/{KEY}/manifest.json"
    )
    for line in (
        f"echo x >{totals}",
        f"rm -f {totals}",
        f"ln -sfn elsewhere marts/{KEY}",
        f"mv marts/{KEY} marts/away",
        "echo x >releases/x",
        "ls desk",
        "ls landing",
    ):
        assert not machine.do("analyst", line), line


def test_every_file_of_a_release_is_open_to_analysts(machine: Machine) -> None:
    """A mart that is made by another hand than the others might not be."""
    released = machine.lake / "releases" / KEY
    assert machine.do("analyst", f"find {released}/2012* -type f -exec cat {{}} + >/dev/null")
    assert len(list(released.rglob("*.parquet"))) >= 16


def test_strangers_see_nothing(machine: Machine) -> None:
    for line in ("ls .", f"ls marts/{KEY}/", f"cat marts/{KEY}/manifest.json", "ls raw"):
        assert not machine.do("stranger", line), line
    assert not machine.do("stranger", f"ls {machine.root}/srv/muster/backup")
    assert not machine.do("stranger", f"ls {machine.root}/etc/muster")
