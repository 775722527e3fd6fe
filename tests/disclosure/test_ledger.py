"""The ledger of public editions: what is shown, what is withheld, and what is lost with it."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import polars as pl
import pytest

from assets.disclosure import ledger
from assets.disclosure.counts import blocks
from assets.disclosure.edition import PublicEdition, public_edition, too_early
from assets.disclosure.ledger import files_in
from assets.disclosure.published import Edition, changed, edition_behind
from assets.disclosure.readings import facts
from assets.doctor import public_editions
from assets.history import record, shown
from assets.lake import MANIFEST, Lake
from assets.marts import damage, read_manifest
from assets.release import contents
from assets.release import publish as publishing
from assets.release.gate.process import Gate
from assets.release.identity import EARLY, ingredients
from schemas.collection import Collection
from schemas.contract import empty
from schemas.errors import LakeError
from schemas.marts import MARTS
from tests.disclosure.conftest import SOME, Change
from tests.disclosure.marts import Marts, hidden, marts_of

COLLECTION = "2012-revisit"
OTHER = f"{COLLECTION}-0123456789ab"
Publish = Callable[..., Path]


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path / "lake", COLLECTION)


@pytest.fixture(scope="module")
def one_more(live: pl.DataFrame, collection: Collection) -> Marts:
    """The marts of thirteen returns."""
    return marts_of(live.filter(pl.col("force_code").is_in([*SOME, "WYK"])), collection)


@pytest.fixture
def publish(
    lake: Lake, some: Marts, edition: PublicEdition, monkeypatch: pytest.MonkeyPatch
) -> Publish:
    """Return a function that publishes marts with the public edition alone, made beforehand.

    Its pages are left out: one stands for them in the ledger as all of them would.
    """

    def made(
        marts: Marts, collection: Collection, earlier: list[Edition], *, due: bool, **_kept: object
    ) -> PublicEdition:
        now = edition_behind("", marts, collection)
        early = too_early(now, earlier, collection, due=due)
        return PublicEdition().without("M011", early) if early else edition

    def one_page(_gate: Gate, folder: Path, *_of: object) -> Callable[[], None]:
        def write() -> None:
            (folder / "index.html").write_text("<title>A page</title>", encoding="utf-8")

        return write

    monkeypatch.setattr(contents, "public_edition", made)
    monkeypatch.setattr(contents, "begin_pages", one_page)
    monkeypatch.setattr(contents, "PARTS", {"public": contents.PARTS["public"]})
    whole = {name: empty(contract) for name, contract in MARTS.items()}

    def publish(marts: Marts = some, name: str = "a", public: str = "due") -> Path:
        status = empty(MARTS["returns_status"])
        states = marts["returns_status"].with_columns(
            pl.lit(0, pl.Int64).alias(c) for c in ("blocking", "queries_open", "queries_answered")
        )
        full = {**whole, **marts, "returns_status": pl.concat([status, states], how="diagonal")}
        made_from = ingredients(COLLECTION, [], [("STF", name * 64)], [], [])
        folder, _ = publishing.publish(lake, full, made_from | {"public": public}, Mock(Gate))
        return folder

    return publish


def _found(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = read_manifest(folder)["found"]["public"]
    return found


def _readme(folder: Path) -> str:
    return (folder / "public" / "README.txt").read_text(encoding="utf-8")


def _names(folder: Path) -> list[str]:
    return [*files_in(folder / "public")]


def test_an_edition_is_in_the_ledger_with_what_stands_behind_it(
    lake: Lake,
    publish: Publish,
    some: Marts,
    edition: PublicEdition,
    collection: Collection,
) -> None:
    folder = publish()
    (entry,) = ledger.entries(lake)
    assert _found(folder)["edition"] == entry.id == shown(lake)[-1].edition
    assert entry.release == folder.name
    kept = entry.edition(collection)
    assert kept.public["investigations"].equals(edition.marts["investigations"])
    assert kept.behind["investigations"].equals(some["investigations"])
    assert kept.rules["Q105"]["lowest"] == 0.85
    assert damage(folder) == []


def test_where_there_is_no_new_one_the_last_one_is_shown_byte_for_byte(
    lake: Lake, publish: Publish, one_more: Marts
) -> None:
    """M011: thirteen forces after twelve."""
    first, second = publish(), publish(one_more, "b")
    assert _found(second)["rule"] == "M011"
    assert _found(second)["edition"] == _found(first)["edition"]
    assert _names(second) == _names(first)
    for name in set(_names(first)) - {"README.txt"}:
        before = (first / "public" / name).read_bytes()
        assert (second / "public" / name).read_bytes() == before
    page = _readme(second)
    assert f"the public edition of release {first.name}" in page
    assert "There is no newer one: rule M011" in page
    assert "1 force" not in page, "how many changed is not for the public"
    assert len(ledger.entries(lake)) == 1


def test_before_the_deadline_there_is_a_page_alone(lake: Lake, publish: Publish) -> None:
    folder = publish(public=EARLY)
    assert _names(folder) == ["README.txt"]
    assert "rule M011" in _readme(folder)
    assert _found(folder)["edition"] is None
    assert ledger.entries(lake) == []


def test_the_same_edition_is_entered_once(lake: Lake, publish: Publish) -> None:
    first, second = publish(), publish(name="b")
    assert first != second
    assert _found(second)["edition"] == _found(first)["edition"]
    assert _found(second)["withheld"] is None
    assert len(ledger.entries(lake)) == 1


def test_one_that_is_made_anew_is_held_against_those_before_it_alone(
    lake: Lake, publish: Publish, one_more: Marts, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the bounds that its audit finds would be others than before it was damaged."""
    made, earlier = contents.public_edition, list[int]()

    def counted(marts: Marts, known: Collection, before: list[Edition], **of: Any) -> PublicEdition:
        earlier.append(len(before))
        return made(marts, known, before, **of)

    monkeypatch.setattr(contents, "public_edition", counted)
    folder = publish()
    publish(one_more, "b")
    shutil.rmtree(folder)
    assert publish() == folder
    assert earlier == [0, 1, 0]
    assert len(ledger.entries(lake)) == 1


def test_a_run_that_dies_before_the_release_is_there_leaves_one_entry(
    lake: Lake, publish: Publish, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Entered, and not shown: the next run shows it."""

    def dies(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(publishing, "write_manifest", dies)
        with pytest.raises(KeyboardInterrupt):
            publish()
    assert len(ledger.entries(lake)) == 1
    assert not lake.marts.exists()
    folder = publish()
    assert len(ledger.entries(lake)) == 1
    assert _found(folder)["edition"] == ledger.entries(lake)[0].id


def test_an_edition_that_cannot_be_entered_is_not_shown(
    lake: Lake, publish: Publish, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The full edition does not wait for it."""

    def full(*_: object) -> None:
        raise LakeError(lake.public_editions, "cannot be written (full)", "Free space.")

    monkeypatch.setattr(ledger, "enter", full)
    folder = publish()
    assert lake.marts.resolve() == folder
    assert _names(folder) == ["README.txt"]
    assert "cannot be entered" in _found(folder)["withheld"]
    assert damage(folder) == []


def _lose_all(lake: Lake) -> None:
    shutil.rmtree(lake.public_editions)


def _lose_a_file(lake: Lake) -> None:
    next(lake.public_editions.rglob("behind/cells.parquet")).unlink()


def _change_a_count(lake: Lake) -> None:
    path = next(lake.public_editions.rglob("behind/investigations.parquet"))
    frame = pl.read_parquet(path)
    frame.with_columns(pl.col("cases") + 1).write_parquet(path)


def _change_the_entry(lake: Lake) -> None:
    """As somebody would who makes the hashes fit: then it is another entry."""
    path = next(lake.public_editions.rglob("entry.json"))
    path.write_text(path.read_text().replace('"number": 1', '"number": 1 '))


def test_the_doctor_says_what_the_ledger_lacks(lake: Lake, publish: Publish) -> None:
    publish()
    assert [each.level for each in public_editions(lake)] == ["ok"]
    _lose_all(lake)
    (found,) = public_editions(lake)
    assert (found.level, found.where) == ("bad", str(lake.public_editions))
    assert "lacks the public edition" in found.observed
    assert "backup" in found.do


@pytest.mark.parametrize("harm", [_lose_all, _lose_a_file, _change_a_count, _change_the_entry])
def test_a_ledger_that_is_not_whole_withholds(
    harm: Callable[[Lake], None], lake: Lake, publish: Publish, one_more: Marts
) -> None:
    publish()
    harm(lake)
    folder = publish(one_more, "b", "lost")
    assert lake.marts.resolve() == folder
    assert _names(folder) == ["README.txt"]
    assert _found(folder)["rule"] == "M010"
    assert "Take the ledger back from a backup" in _found(folder)["withheld"]
    assert str(lake.root) not in _readme(folder)


@pytest.mark.slow
def test_an_edition_of_the_time_before_there_was_a_publication_is_read_beside_a_newer_one(
    lake: Lake, tmp_path: Path, some: Marts, edition: PublicEdition, collection: Collection
) -> None:
    """Figures come after the first release: that edition reconciled nothing."""
    (tmp_path / "public").mkdir()
    for name in edition.marts.keys() - {"reconciliation"}:
        edition.marts[name].write_parquet(tmp_path / "public" / f"{name}.parquet")
    unreconciled = {name: frame for name, frame in some.items() if name != "reconciliation"}
    now = edition_behind(f"{COLLECTION}-0123456789ab", unreconciled, collection)
    earlier = ledger.enter(lake, now, tmp_path / "public").edition(collection)
    again = public_edition(some, collection, [earlier])
    assert again.withheld is None
    assert again.problems == ()
    assert hidden(again) == hidden(edition)


def _entered(
    lake: Lake, folder: Path, edition: PublicEdition, some: Marts, of: Collection, *gone: str
) -> ledger.Entry:
    """Enter an edition of a time when profiles did not have some columns."""
    folder.mkdir()
    for name, mart in edition.marts.items():
        then = mart.drop(*gone, *(f"{column}_symbol" for column in gone), strict=False)
        then.write_parquet(folder / f"{name}.parquet")
    profiles = some["force_profiles"].drop(*gone)
    now = edition_behind(OTHER, {**some, "force_profiles": profiles}, of)
    return ledger.enter(lake, now, folder)


def test_a_column_that_is_new_since_was_neither_shown_nor_hidden(
    lake: Lake, tmp_path: Path, some: Marts, edition: PublicEdition, collection: Collection
) -> None:
    new = {"procurement", "investigations_2010_11"}
    entry = _entered(lake, tmp_path / "public", edition, some, collection, *new)
    earlier, now = entry.edition(collection), edition_behind("", some, collection)
    assert changed(earlier, now) == 0
    made = [count for block in blocks(now, collection, [earlier]) for count in block.counts]
    counts = [count for count in made if count.column in new]
    assert {count.column for count in counts} == new
    assert not any(count.known or count.was_hidden for count in counts)
    known = [of.known() for of in facts([earlier], collection).values()]
    assert new.isdisjoint(item.column for of in known for item in of.hidden.values())


def test_where_a_column_is_gone_that_was_shown_there_is_no_further_edition(
    lake: Lake, tmp_path: Path, some: Marts, edition: PublicEdition, collection: Collection
) -> None:
    """Whoever kept it knows a sum that nobody would count in."""
    entry = _entered(lake, tmp_path / "public", edition, some, collection)
    profile = {n: of for n, of in collection.template.profile.items() if n != "continuing"}
    changed_since = replace(collection.template, profile=profile)
    with pytest.raises(LakeError, match="shows the column continuing"):
        entry.edition(collection.model_copy(update={"template": changed_since}))


@pytest.mark.slow
def test_the_end_of_the_ledger_cannot_be_cut_off(
    lake: Lake, publish: Publish, some: Marts, collection: Collection
) -> None:
    """Two entries, and a release names each."""
    publish()
    now = replace(edition_behind(OTHER, some, collection), rules={"Q102": {"severity": "Q"}})
    second = ledger.enter(lake, now, lake.marts / "public")
    assert len(ledger.entries(lake)) == 2
    record(lake, OTHER, second.id)
    assert len(ledger.given_out(lake, collection)) == 2
    shutil.rmtree(second.folder)
    with pytest.raises(LakeError, match=f"lacks the public edition that release {OTHER} shows"):
        ledger.given_out(lake, collection)


@pytest.mark.slow
def test_the_ledger_of_another_collection_is_not_taken_for_this_ones(
    lake: Lake, publish: Publish, some: Marts, collection: Collection
) -> None:
    """What was public there is not here, though force and cell have the same names."""
    folder = publish()
    other = Lake(lake.root, "2013-revisit")
    now = edition_behind("2013-revisit-0123456789ab", some, collection)
    ledger.enter(other, now, folder / "public")
    shutil.rmtree(lake.public_editions)
    shutil.copytree(other.public_editions, lake.public_editions)
    with pytest.raises(LakeError, match="is the edition of 2013-revisit-0123456789ab"):
        ledger.entries(lake)


def test_a_release_that_does_not_say_what_it_shows_withholds_until_somebody_answers_for_it(
    lake: Lake, publish: Publish, one_more: Marts, with_settings: Change
) -> None:
    """Nobody knows what was public; the collection file can say that it never was."""
    old = publish()
    manifest = read_manifest(old)
    del manifest["found"]["public"]["edition"]
    (old / MANIFEST).write_text(json.dumps(manifest))
    folder = publish(one_more, "b")
    assert _names(folder) == ["README.txt"]
    assert f"release {old.name} shows" in _found(folder)["withheld"]
    assert "not_given_out" in _found(folder)["withheld"]
    assert ledger.given_out(lake, with_settings(not_given_out=(old.name,))) == []


def test_what_an_audit_finds_is_not_told_to_the_public(
    lake: Lake, publish: Publish, edition: PublicEdition, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = "investigations.cases force_code=GMP can only be 1 to 2; it has to be 5 wide"
    bad = replace(edition, problems=(case,))
    monkeypatch.setattr(contents, "public_edition", lambda *_, **__: bad)
    folder = publish()
    assert _names(folder) == ["README.txt"]
    assert case in _found(folder)["withheld"]
    assert "GMP" not in _readme(folder)
    assert "rule M010" in _readme(folder)
    assert ledger.entries(lake) == []
