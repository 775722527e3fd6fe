"""The commands as people and scripts meet them: what they do, print, and end with."""

import json
import re
import shutil
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import click
import polars as pl
import pytest
from click.testing import CliRunner

from assets.lake import Lake, hashes
from pipelines.cli.main import main
from pipelines.cli.output import collection_option
from pipelines.open_demo import ID, open_collection
from schemas.collection import Collection, load_collection
from schemas.contract import empty
from schemas.marts import MARTS, marts_of
from tests.pipelines.conftest import Demo, Muster, invoke
from tests.returns import SampleReturn, address_of

INV = "investigations"
RELEASED = marts_of(load_collection("2012-revisit"))


def _mart(lake: Lake, name: str) -> pl.DataFrame:
    return pl.read_parquet(lake.marts / f"{name}.parquet")


def _state(lake: Lake, force: str) -> str:
    return str(_mart(lake, "returns_status").filter(pl.col("force_code") == force)["state"].item())


def _whole(lake: Lake) -> dict[str, object]:
    return (
        _mart(lake, "national_totals")
        .filter(
            pl.col("measure") == INV, pl.col("breakdown") == "", pl.col("period") == "collection"
        )
        .row(0, named=True)
    )


def test_the_demo_publishes_everything_and_says_so(demo: Demo) -> None:
    assert demo.exit_code == 0, demo.output
    lake = Lake(demo.lake, "2012-revisit")
    for name, contract in RELEASED.items():
        assert _mart(lake, name).schema == empty(contract).schema
    assert _whole(lake)["value"] == 2207
    assert "2,207" in demo.output
    assert "44 forces: 37 accepted, 7 queried, 0 rejected, 0 missing" in demo.output
    assert "189 match, 41 within_qualifier" in demo.output
    assert "RECONSTRUCTED" in demo.output
    assert "no public edition of this release: not asked for" in demo.output
    assert set(_mart(lake, "investigations")["basis"]) == {"reconstructed"}


@pytest.mark.slow
def test_running_again_changes_nothing(lake: Lake, run: Muster) -> None:
    release = lake.marts.resolve()
    before = hashes(release)
    result = run("run")
    assert result.exit_code == 0, result.output
    assert "Took in 0 new files" in result.output
    assert lake.marts.resolve() == release
    assert hashes(release) == before


@pytest.mark.slow
def test_one_more_case_in_one_cell_and_its_totals(
    lake: Lake, run: Muster, sample: Callable[[str], SampleReturn]
) -> None:
    place = (INV, "gratuities_hospitality", "no_further_action")
    sums = [
        (INV, "gratuities_hospitality", "total"),
        (INV, "total", "no_further_action"),
        (INV, "total", "total"),
    ]
    stf = sample("STF")
    changes = {p: str(int(stf.values[p]) + 1) for p in (place, *sums)}
    stf.with_values(changes).write(lake.landing / "STF again.xlsx")
    before = _mart(lake, "national_totals")
    assert run("run").exit_code == 0
    after = before.join(
        _mart(lake, "national_totals"), on=["measure", "breakdown", "period"], suffix="_after"
    )
    counts = after.filter(pl.col("measure") == INV, pl.col("period") == "collection")
    moved = counts.filter(pl.col("value_after") != pl.col("value"))
    assert set(moved["breakdown"]) == {
        "",
        "outcome=no_further_action",
        "outcome=completed",
        "category=gratuities_hospitality",
        "category=gratuities_hospitality;outcome=no_further_action",
        "category=gratuities_hospitality;outcome=completed",
    }
    assert set(moved["value_after"] - moved["value"]) == {1.0}
    reconciled = run("reconcile", "--json")
    assert reconciled.exit_code == 1
    rows = json.loads(reconciled.output)
    differing = {row["figure_id"] for row in rows if row["status"] == "differs"}
    assert differing == {"INV-01", "INV-09", "GFT-09", "GFT-10", "STF-01"}


@pytest.mark.parametrize(
    "words",
    ["status", "queries", "answer Q-1 --accepted-by A", "versions STF", "reconcile",
     "explain INV-01", "series", "releases", "releases verify", "releases prune"],
)  # fmt: skip
def test_no_lake_is_made_where_its_name_is_mistyped(words: str, tmp_path: Path) -> None:
    """An empty list of releases, and a new folder, passed for an answer."""
    for lake in (tmp_path / "lake", tmp_path):
        done = invoke(lake, *words.split())
        assert done.exit_code == 1
        assert f"there is no lake in {lake}, which MUSTER_LAKE names." in str(done.exception)
        assert [*tmp_path.iterdir()] == []


def test_broken_returns_are_rejected_and_the_others_published(
    tmp_path: Path, sample_folder: Path, sample: Callable[[str], SampleReturn]
) -> None:
    """Eight ways to break a return, each found at its place, none holding up the other three."""
    landing = tmp_path / "fresh" / "landing" / "2012-revisit"
    landing.mkdir(parents=True)
    for force in ("STF", "DER", "MPS", "CMB"):
        shutil.copy(sample_folder / f"{force}.xlsx", landing)
    refused = ("second_jobs", "refused", "count")
    sample("AVS").with_values({refused: None}).write(landing / "AVS.xlsx")
    sample("BED").with_values({refused: "some"}).write(landing / "BED.xlsx")
    sample("BTP").with_values({(INV, "total", "total"): "1"}).write(landing / "BTP.xlsx")
    sample("CAM").write(
        landing / "CAM.xlsx", lambda book: book[INV].__setitem__("A18", "second_job")
    )
    sample("CHS").write(landing / "CHS.xlsx", lambda book: book.remove(book["registers"]))
    sample("CLE").with_values({("cover", "force_code", "value"): "ZZZ"}).write(landing / "CLE.xlsx")
    (landing / "CMB.xlsx").write_bytes((landing / "CMB.xlsx").read_bytes()[:5000])
    (landing / "COL.xlsx").write_text("the figures are in the e-mail")
    fresh = Lake(tmp_path / "fresh", "2012-revisit")
    fresh.reports.mkdir()
    (fresh.reports / "STF.xlsx").write_text("no report")
    strays = landing.with_name("2012-revist") / "KEN.xlsx", landing.with_name("KEN.xlsx")
    strays[0].parent.mkdir()
    for stray in strays:
        stray.write_text("a return")
    result = invoke(fresh.root, "run")
    assert result.exit_code == 0, result.output
    for told in (
        "STF.xlsx: a report is read from",
        "  KEN.xlsx\n",
        "2012-revist (a folder, 1 file)",
    ):
        assert told in result.output
    found = {
        (row["force_code"], row["rule_id"], row["sheet"], row["cell"])
        for row in _mart(fresh, "findings").to_dicts()
        if row["severity"] == "B"
    }
    assert found == {
        ("AVS", "S010", "second_jobs", address_of(*refused)),
        ("BED", "V001", "second_jobs", address_of(*refused)),
        ("BTP", "C101", INV, address_of(INV, "total", "total")),
        ("BTP", "C103", INV, address_of(INV, "total", "total")),
        ("CAM", "S005", INV, "A18"),
        ("CHS", "S004", "registers", None),
        (None, "S007", "cover", address_of("cover", "force_code", "value")),
        (None, "S001", None, None),
    }
    rejected, missing = ("AVS", "BED", "BTP", "CAM", "CHS"), ("CLE", "CMB", "COL")
    assert {_state(fresh, force) for force in rejected} == {"rejected"}
    assert {_state(fresh, force) for force in missing} == {"missing"}
    assert _whole(fresh)["forces_included"] == 3
    assert set(_mart(fresh, INV)["force_code"]).isdisjoint({*rejected, *missing})
    assert "5 rejected, 36 missing" in result.output
    profiles = _mart(fresh, "force_profiles").filter(pl.col("force_code").is_in(missing))
    assert profiles[INV].null_count() == 3


@pytest.mark.slow
def test_renamed_and_reordered_files_give_the_same_totals(
    lake: Lake, tmp_path: Path, sample_folder: Path
) -> None:
    other = Lake(tmp_path / "other", "2012-revisit")
    shutil.copytree(lake.research, other.research)
    for number, path in enumerate(sorted(sample_folder.iterdir(), reverse=True)):
        (other.landing / f"return {number}.xlsx").write_bytes(path.read_bytes())
    assert invoke(other.root, "run").exit_code == 0
    assert other.marts.resolve().name == lake.marts.resolve().name, "made from the same"
    for name in RELEASED:
        ours, theirs = ((where.marts / f"{name}.parquet").read_bytes() for where in (lake, other))
        if name != "returns_status":
            assert ours == theirs, name
    status = [_mart(where, "returns_status").drop("received_at") for where in (lake, other)]
    assert status[0].equals(status[1])


def test_check_ends_with_the_documented_code(
    tmp_path: Path, sample: Callable[[str], SampleReturn], run: Muster
) -> None:
    good = sample("STF").write(tmp_path / "good.xlsx")
    blank = {("second_jobs", "refused", "count"): None}
    bad = sample("DER").with_values(blank).write(tmp_path / "bad.xlsx")
    text = tmp_path / "text.xlsx"
    text.write_text("hello")
    assert run("check", good).exit_code == 0
    assert run("check", good, bad).exit_code == 1
    every = {place: "7" for place in sample("DER").values if place[0] == "investigations"}
    messy = sample("DER").with_values(every).write(tmp_path / "messy.xlsx")
    assert "too many cells are wrong" in run("check", messy).output
    assert run("check", good, bad, text).exit_code == 2
    found = json.loads(run("check", good, bad, text, "--json").output)
    assert [item["state"] for item in found] == ["accepted", "rejected", "rejected"]
    assert [item["force_code"] for item in found] == ["STF", "DER", None]
    assert set(found[1]["findings"][0]) == set(empty(MARTS["findings"]).columns)
    assert run("check", tmp_path / "nowhere.xlsx").exit_code == 2


def test_check_tells_cells_in_the_order_of_the_template_and_what_it_could_not_check(
    tmp_path: Path, sample: Callable[[str], SampleReturn], run: Muster
) -> None:
    changed = {
        ("capability", "media_policy", "answer"): None,
        ("comparators", "cards_2012", "value"): None,
        ("cover", "submitted_on", "value"): None,
        ("investigations", "second_jobs", "management_action"): "c. 3",
        ("second_jobs", "breach.driver", "count"): None,
    }
    path = sample("STF").with_values(changed).write(tmp_path / "STF.xlsx")
    (item,) = json.loads(run("check", path, "--json").output)
    assert [(each["sheet"], each["cell"]) for each in item["findings"]] == [
        ("cover", "C16"),
        ("investigations", "F18"),
        ("second_jobs", "C12"),
        ("capability", "C14"),
        ("comparators", "C11"),
    ]
    told = run("check", path).output
    assert re.search(r"investigations +F18 +c\. 3 +2 +C101 C103", told), "where to look first"
    assert re.search(r"Not checked yet.*: C101, .*S009", told)
    assert "Not asked of one return alone" in told
    another = {("cover", "collection", "value"): "2011-visit"}
    told = run("check", sample("STF").with_values(another).write(tmp_path / "STF.xlsx")).output
    assert "Nearly all else is checked once this is mended." in told
    assert "Not checked yet" not in told


def test_status_has_a_line_for_every_force(lake: Lake, run: Muster, collection: Collection) -> None:
    rows = json.loads(run("status", "--json").output)
    assert [row["force_code"] for row in rows] == sorted(collection.forces)
    assert [*rows[0]] == [*empty(MARTS["returns_status"]).columns, "sign_off"]
    (lake.root / "landing" / "2012-revist").mkdir()
    (lake.root / "landing" / "empty").mkdir()
    (lake.root / "landing" / "2012-revist" / "KEN.xlsx").write_text("a return")
    text = run("status").output
    assert "no run takes it in:\n  2012-revist (a folder, 1 file)\n  Put returns into" in text
    assert all(force in text for force in collection.forces)
    assert all(name in text for name in collection.bodies["short_name"])


def test_reconcile_prints_every_figure(run: Muster) -> None:
    result = run("reconcile", "--json")
    assert result.exit_code == 0
    assert len(json.loads(result.output)) == 248
    assert "189 match" in run("reconcile").output


def test_templates_are_prefilled_and_blank_elsewhere(tmp_path: Path, run: Muster) -> None:
    assert run("template", "STF", "DER", "--out", tmp_path).exit_code == 0
    assert sorted(path.name for path in tmp_path.glob("*.xlsx")) == ["DER.xlsx", "STF.xlsx"]
    (item,) = json.loads(run("check", tmp_path / "STF.xlsx", "--json").output)
    assert item["force_code"] == "STF"
    assert {finding["rule_id"] for finding in item["findings"]} == {"S010"}
    assert len(item["findings"]) == 185 - 6, "all but the prefilled cells"
    refused = run("template", "XXX", "--out", tmp_path)
    assert refused.exit_code == 1


def test_errors_say_what_to_do_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MUSTER_LAKE", str(tmp_path))
    for arguments in (["status"], ["reconcile"], ["run", "--collection", "2013"]):
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        assert ended.value.code == 1


@pytest.mark.parametrize(
    "name", ["demo", "sample", "template", "check", "run", "status", "reconcile", "read-report"]
)
def test_every_command_explains_itself(name: str, run: Muster) -> None:
    result = run(name, "--help")
    assert result.exit_code == 0
    assert len(result.output.splitlines()) > 5


@pytest.mark.parametrize(
    ("opened", "said", "named"),
    [
        ({}, None, "2012-revisit"),
        ({"later": date(2099, 1, 1)}, None, "later"),
        ({"later": date(2099, 1, 1), "now": None}, None, "now"),
        ({"later": date(2099, 1, 1), "now": None}, "2012-revisit", "2012-revisit"),
    ],
)
def test_the_collection_is_the_one_that_is_open_today_else_the_newest(
    opened: dict[str, date | None],
    said: str | None,
    named: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Else whoever forgets to name it in 2031 would look at what was closed years ago."""
    for name, day in opened.items():
        path = open_collection(tmp_path, day or datetime.now(UTC).date())
        text = path.read_text(encoding="utf-8").replace(ID, name)
        path.rename(tmp_path / f"{name}.toml").write_text(text, encoding="utf-8")
        monkeypatch.setenv("MUSTER_COLLECTIONS", str(tmp_path))
    monkeypatch.delenv("MUSTER_COLLECTION", raising=False)
    if said:
        monkeypatch.setenv("MUSTER_COLLECTION", said)

    @click.command()
    @collection_option
    def which(collection: Collection) -> None:
        click.echo(collection.id)

    assert CliRunner().invoke(which).output.strip() == named
    other = ["--collection", "2012-revisit"]
    assert CliRunner().invoke(which, other).output.strip() == "2012-revisit"
