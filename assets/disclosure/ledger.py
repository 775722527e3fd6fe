"""The ledger of public editions: each that was ever shown, with what stood behind it.

The ledger is not public: it holds the counts that editions hide.

An edition is entered before anybody sees it. Each entry names the one before, and each release the
entry that it shows, so that a ledger that was lost, cut or changed is seen to be.
"""

import hashlib
import json
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import polars as pl

from assets.disclosure.published import BEHIND, Edition
from assets.history import kept, shown
from assets.lake import Lake, atomic_file, forced_together, hashes, to_disk, write_errors
from assets.marts import read_manifest
from schemas.collection import Collection
from schemas.contract import Contract, empty
from schemas.disclosure import UNAVAILABLE
from schemas.errors import LakeError
from schemas.marts import contracts_of
from schemas.public import public_marts

UNKNOWN: Final = "unknown"
"""The edition of a release that does not say which it shows."""

_ENTRY: Final = "entry.json"
_PUBLIC: Final = "public"
_BEHIND: Final = "behind"
RESTORE: Final = (
    "Take the ledger back from a backup; or, where an edition has never left the house, name its"
    " release under [disclosure] not_given_out in the collection file. Until then no public edition"
    " is made; the full edition is."
)


_RETURN: Final = (
    "Give the template that column again: what the public knows by it has to be counted in. Until"
    " then no public edition is made; the full edition is."
)


@dataclass(frozen=True)
class Entry:
    """One public edition: its folder, its number from 1, the release that showed it first.

    `id` is the hash of everything in it, `content` the hash of each mart's rows by name.
    """

    folder: Path
    id: str
    number: int
    release: str
    rules: Mapping[str, Mapping[str, Any]]
    content: Mapping[str, str]

    @property
    def public(self) -> Path:
        """The folder with the files as they were shown."""
        return self.folder / _PUBLIC

    def edition(self, collection: Collection) -> Edition:
        """Return the edition and what stands behind it, in the form that editions have today.

        Raises:
            LakeError: it shows a column that the template has no longer.
        """
        # What the collection could not fill then stands in no file, and had no rows.
        full, forms = contracts_of(collection.template), public_marts(collection.template)
        shown = _marts(self.public)
        public = {name: self._as_today(of, shown.get(name)) for name, of in forms.items()}
        hidden = {name: empty(full[name]) for name in BEHIND} | _marts(self.folder / _BEHIND)
        return Edition(self.release, public, hidden, collection, self.rules)

    def _as_today(self, form: Contract, mart: pl.DataFrame | None) -> pl.DataFrame:
        """Return a public mart with the columns that it has today; one that is new told nothing."""
        made = empty(form)
        if mart is None:
            return made
        if lost := [name for name in mart.columns if name not in made.columns]:
            problem = f"shows the column {lost[0]}, which the template has no longer"
            raise LakeError(self.public, problem, _RETURN)
        return mart.with_columns(
            pl.lit(UNAVAILABLE if name.endswith("symbol") else None, dtype).alias(name)
            for name, dtype in made.schema.items()
            if name not in mart.columns
        )


def entries(lake: Lake) -> list[Entry]:
    """Return every entry, oldest first.

    Raises:
        LakeError: one is missing, cut short, changed, or of another collection.
    """
    found: list[Entry] = []
    folders = lake.public_editions.glob("[!.]*") if lake.public_editions.exists() else ()
    for number, folder in enumerate(sorted(folders), 1):
        path = folder / _ENTRY
        try:
            content = path.read_bytes()
            told = json.loads(content)
            entry_id = hashlib.sha256(content).hexdigest()
            entry = Entry(
                folder, entry_id, told["number"], told["release"], told["rules"], told["content"]
            )
            previous, files = told["previous"], told["files"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise LakeError(path, f"cannot be read ({type(error).__name__})", RESTORE) from error
        if (entry.number, folder.name) != (number, _name(number, entry_id)):
            raise LakeError(folder, f"is not entry {number} as it was written", RESTORE)
        if entry.release.rpartition("-")[0] != lake.collection:
            problem = f"is the edition of {entry.release}, a release of another collection"
            raise LakeError(folder, problem, RESTORE)
        if previous != (found[-1].id if found else None):
            raise LakeError(folder, "does not follow from the entry before it", RESTORE)
        if {name: sha256 for name, sha256 in hashes(folder).items() if name != _ENTRY} != files:
            raise LakeError(folder, "has files that are not as they were written", RESTORE)
        found.append(entry)
    return found


def given_out(lake: Lake, collection: Collection) -> list[Entry]:
    """Return the entry of every edition that left the house, oldest first.

    Each public edition that was shown has one, but for those that never left the house as the
    collection says; else nobody can say what the public knows.

    Raises:
        LakeError: an edition is not in the ledger, or an entry is damaged.
    """
    inside = collection.disclosure.not_given_out if collection.disclosure else ()
    if lost := [release for release in missing(lake) if release not in inside]:
        problem = f"lacks the public edition that release {lost[0]} shows"
        raise LakeError(lake.public_editions, problem, RESTORE)
    return [entry for entry in entries(lake) if entry.release not in inside]


def missing(lake: Lake) -> list[str]:
    """Return the releases that show a public edition which is not in the ledger.

    Raises:
        LakeError: an entry is damaged, or a manifest cannot be read.
    """
    told = {None, *(entry.id for entry in entries(lake))}
    return [release for release, edition in _claims(lake) if edition not in told]


def enter(lake: Lake, now: Edition, public: Path) -> Entry:
    """Enter a public edition and return its entry: the one there is, where it tells nothing new.

    Raises:
        LakeError: an entry is damaged, or this one cannot be written.
    """
    before = entries(lake)
    # Of the rows, whatever else stands in a file, and whichever forms are beside it.
    content = {
        path.stem: hashlib.sha256(pl.read_parquet(path).write_csv().encode()).hexdigest()
        for path in sorted(public.glob("*.parquet"))
    }
    for entry in before:
        is_same = entry.content == content and entry.rules == now.rules
        if is_same and entry.edition(now.collection).marks == now.marks:
            return entry
    number = len(before) + 1
    partial = lake.public_editions / f".{number}.partial"
    with write_errors(lake.public_editions):
        shutil.rmtree(partial, ignore_errors=True)
    with forced_together():
        for name, path in files_in(public).items():
            with atomic_file(partial / _PUBLIC / name) as file:
                file.write(path.read_bytes())
        for name, frame in now.behind.items():
            with atomic_file(partial / _BEHIND / f"{name}.parquet") as file:
                frame.write_parquet(file)
        told = {
            "number": number,
            "release": now.release,
            "previous": before[-1].id if before else None,
            "rules": dict(now.rules),
            "content": content,
            "files": hashes(partial),
        }
        text = json.dumps(told, indent=1, sort_keys=True).encode()
        with atomic_file(partial / _ENTRY) as file:
            file.write(text)
    entry_id = hashlib.sha256(text).hexdigest()
    folder = lake.public_editions / _name(number, entry_id)
    with write_errors(folder):
        partial.rename(folder)
        to_disk(lake.public_editions)
    return Entry(folder, entry_id, number, now.release, now.rules, content)


def files_in(folder: Path) -> dict[str, Path]:
    """Return the files of an edition, its pages among them, by their paths in its folder."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {str(path.relative_to(folder)): path for path in files}


def edition_of(folder: Path) -> str | None:
    """Return the id of the entry that a release shows, None for none, UNKNOWN where it is not said.

    Raises:
        LakeError: its manifest cannot be read.
    """
    found = read_manifest(folder).get("found", {}).get("public", {})
    if not isinstance(found, dict):
        raise LakeError(folder, "has a manifest that does not say what is public", RESTORE)
    edition: str | None = found.get("edition", UNKNOWN)
    shows = edition != UNKNOWN or any((folder / _PUBLIC).glob("*.parquet"))
    return edition if shows else None


def _claims(lake: Lake) -> Iterator[tuple[str, str | None]]:
    """Yield every release that was made or shown, and the id of its public edition."""
    folders, told = {folder.name: folder for folder in kept(lake)}, set[str]()
    for entry in shown(lake):
        if entry.release not in folders:
            yield entry.release, entry.edition
        elif entry.release not in told:
            yield entry.release, edition_of(folders[entry.release])
        told.add(entry.release)
    for name in sorted(folders.keys() - told):
        yield name, edition_of(folders[name])


def _marts(folder: Path) -> dict[str, pl.DataFrame]:
    return {path.stem: pl.read_parquet(path) for path in folder.glob("*.parquet")}


def _name(number: int, entry_id: str) -> str:
    return f"{number:04d}-{entry_id[:12]}"
