"""Everything that is in a release, in the order in which it is made, and what blocks it."""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from contextvars import copy_context
from dataclasses import dataclass, replace
from functools import cached_property, partial
from itertools import takewhile
from pathlib import Path
from typing import Any, Final

import polars as pl

from assets.disclosure import ledger
from assets.disclosure.edition import PublicEdition, carry_forward, public_edition, write_public
from assets.disclosure.ledger import Entry
from assets.disclosure.published import edition_behind
from assets.figures.explain.released import Drafted
from assets.kept import made_once
from assets.lake import Lake, atomic_file
from assets.marts import DESCRIPTION, write_mart
from assets.release.changes import Since, since_edition, since_release
from assets.release.gate.outcome import GateResult, write_page
from assets.release.gate.process import Gate
from assets.release.identity import EARLY, MadeFrom, release_id
from assets.release.pack import Pack
from assets.release.pages.figures import Edition
from schemas.collection import Collection, description, load_collection
from schemas.contract import Contract
from schemas.errors import ContractError, LakeError, ReleaseBlockedError
from schemas.marts import DisclosureReport, SuppressionAudit, marts_of
from schemas.wording import plural

QUALITY: Final = "quality"
"""The folder of a release with what was expected of its marts, and what came of it."""

PUBLIC: Final = "public"
DISCLOSURE: Final = "disclosure"

_EXPECTATIONS: Final = "expectations"
_PACK: Final = "pack"
_RECONSTRUCTED: Final = (
    "reconstructed: returns or research were made by Muster so that the published totals hold;"
    " nobody sent them"
)

Found = dict[str, Any]
"""What the making of a part found: plain data, which the manifest of the release keeps."""


@dataclass(frozen=True)
class Draft:
    """A release in the making: its marts stand in `folder`, what follows from them is to come.

    `marts` are all that were made; what is released of them, `contracts` says. `about` are the
    facts that every file states of the release; `gate` evaluates what is expected of the marts.
    `made_from` is what the manifest will say.
    """

    folder: Path
    lake: Lake
    marts: Mapping[str, pl.DataFrame]
    about: Mapping[str, str]
    gate: Gate
    made_from: MadeFrom

    @cached_property
    def collection(self) -> Collection:
        """The collection it is of."""
        return load_collection(self.lake.collection)

    @cached_property
    def contracts(self) -> dict[str, Contract]:
        """The contracts of the marts that are released: that the collection can fill, or has."""
        filled = [name for name, frame in self.marts.items() if not frame.is_empty()]
        return marts_of(self.collection, filled)

    @cached_property
    def released(self) -> dict[str, pl.DataFrame]:
        """The marts that are released."""
        return {name: self.marts[name] for name in self.contracts}


def about_release(marts: Mapping[str, pl.DataFrame], made_from: MadeFrom) -> dict[str, str]:
    """Return the facts that every file of a release states of itself."""
    # A profile has the basis of its return, whatever that counts, or else of a printed report.
    of_covers = {*marts["force_profiles"]["basis"]} - {None, "published"}
    of_research = {basis for *_, basis in made_from["research"]}
    bases = {*marts["investigations"]["basis"], *of_covers, *of_research}
    basis = _RECONSTRUCTED if "reconstructed" in bases else ", ".join(sorted(bases)) or "none"
    return {
        "release": release_id(made_from),
        "collection": made_from["collection"],
        "sources": load_collection(made_from["collection"]).sources,
        "basis": basis,
    }


def write_marts(draft: Draft) -> None:
    """Write every mart as a Parquet file.

    Raises:
        ContractError: a mart is not what its contract says.
        LakeError: the lake cannot be written.
    """
    template = draft.collection.template
    for name, contract in draft.contracts.items():
        with atomic_file(draft.folder / f"{name}.parquet") as file:
            write_mart(file, name, contract, draft.marts[name], draft.about, template)


def write_parts(draft: Draft) -> dict[str, Found]:
    """Write beside the marts what follows from them, and return what each part found.

    Raises:
        ReleaseBlockedError: the marts are not fit to be shown.
        LakeError: the lake cannot be written.
    """
    found: dict[str, Found] = {}
    awaited: dict[str, Callable[[], Found]] = {}
    try:
        for name, make in PARTS.items():
            made = make(draft)
            if callable(made):
                awaited[name] = made
            else:
                found[name] = made
    except Exception:
        # What blocks the release is told first, even where something else has failed meanwhile.
        awaited.get(_EXPECTATIONS, dict)()
        raise
    finally:
        # Where anything fails the folder goes, which what is still written there would make anew.
        with suppress(Exception):
            awaited.get(_PACK, dict)()
    return found | {name: wait() for name, wait in awaited.items()}


def _national_rules(draft: Draft) -> Found:
    """Block where a rule on the totals fails that guards the release."""
    failed = draft.marts["national_checks"].filter(~pl.col("passed"))
    blocking = failed.filter(pl.col("severity") == "B")
    if not blocking.is_empty():
        messages = blocking.select("rule_id", "message").iter_rows()
        found = [f"{rule}: {message}" for rule, message in messages]
        raise ReleaseBlockedError(
            f"the release is blocked, what analysts see stays as it is. {'; '.join(found)}. Look"
            " each up in docs/rules/, then run again.",
            found,
        )
    return {"told": failed["rule_id"].to_list()}


def _expectations(draft: Draft) -> Callable[[], Found]:
    """Block where a critical expectation of a mart is not met; evaluated while others are made."""
    about = draft.folder, draft.collection, draft.contracts
    evaluated = draft.gate.evaluate(*about, draft.lake)

    def judged() -> Found:
        result = GateResult(evaluated(), draft.folder / QUALITY / "index.html")
        if result.critical:  # the folder of the release does not stay
            result = replace(result, page=draft.lake.work / QUALITY / "index.html")
        write_page(result, draft.collection, draft.about)
        if result.critical:
            raise ReleaseBlockedError(result.blocking_line, result.blocking_places)
        return result.metadata()

    return judged


def _description(draft: Draft) -> Found:
    """Keep what the collection is, so that the release can be explained by it for ever."""
    for name, content in description(draft.lake.collection).items():
        with atomic_file(draft.folder / DESCRIPTION / name) as file:
            file.write(content)
    template = draft.collection.template
    return {"template": f"{template.name}-{template.version}"}


def _pack(draft: Draft) -> Callable[[], Found]:
    """Begin to write the marts in the forms that analysts' tools read, while others are made."""
    pack = Pack(draft.released, draft.contracts, draft.collection, draft.about)
    begun = ThreadPoolExecutor(1).submit(copy_context().run, pack.write, draft.folder)
    return lambda: begun.result() or {}


def _public(draft: Draft) -> Found | Callable[[], Found]:
    """Write the public edition, or the last one and why; a full edition never waits for it.

    The tables that tell small counts from the others stand apart from it, in the full edition.
    """
    last: Entry | None = None
    try:
        mine, entered = draft.about["release"], ledger.given_out(draft.lake, draft.collection)
        # One that is made anew is held against those before it alone, so that it is the same again.
        before = [*takewhile(lambda entry: entry.release != mine, entered)]
        last = before[-1] if before else None
        earlier = [entry.edition(draft.collection) for entry in before]
        edition = public_edition(
            draft.marts,
            draft.collection,
            earlier,
            due=draft.made_from["public"] != EARLY,
            keep=partial(made_once, draft.lake),
            ahead=draft.gate.has_chosen,
        )
        released = {n: frame for n, frame in edition.marts.items() if n in draft.contracts}
        contracts = {name: edition.contracts[name] for name in released}
        edition = replace(edition, marts=released, contracts=contracts)
        if edition.problems:
            cases = f"{plural(len(edition.problems), 'case')}, such as {edition.problems[0]}"
            edition = edition.without("M010", cases)
    except (LakeError, ContractError) as error:
        edition = PublicEdition().without("M010", str(error))
    folder = draft.folder / PUBLIC
    if edition.withheld:
        carry_forward(folder, last, edition.told or "", draft.about)
    else:
        write_public(folder, edition, draft.about)
        about = {**draft.about, "edition": "public"}
        since = since_edition(before, edition.marts)
        write_pages = begin_pages(draft.gate, folder, edition.marts, about, since)
        Pack(edition.marts, edition.contracts, draft.collection, about).write(folder)
    tables = {
        "suppression_audit": (SuppressionAudit, edition.audit),
        "disclosure_report": (DisclosureReport, edition.report),
    }
    for name, (contract, table) in tables.items():
        with atomic_file(draft.folder / DISCLOSURE / f"{name}.parquet") as file:
            write_mart(file, name, contract, table, draft.about)
    found = {
        "withheld": edition.withheld,
        "rule": edition.rule,
        "edition": last.id if edition.withheld and last else None,
        "hidden_counts": int(edition.report["small"].sum())
        + int(edition.report["secondary"].sum()),
    }
    if edition.withheld:
        return found

    def written() -> Found:
        write_pages()
        # When every part is there, and before anybody sees it.
        now = edition_behind(draft.about["release"], draft.marts, draft.collection)
        try:
            return found | {"edition": ledger.enter(draft.lake, now, folder).id}
        except LakeError as error:
            none = PublicEdition().without("M010", f"the edition cannot be entered: {error}")
            carry_forward(folder, last, none.told or "", draft.about)
            shown = last.id if last else None
            return found | {"withheld": none.withheld, "rule": none.rule, "edition": shown}

    return written


def _report(draft: Draft) -> Callable[[], Found]:
    """Write the pages and the workbook that people read; drawn while others are made."""
    now = Drafted(draft.folder, draft.collection, None, draft.marts, draft.made_from)
    since = since_release(draft.lake, now, draft.about["release"])
    write = begin_pages(draft.gate, draft.folder, draft.released, draft.about, since)
    return lambda: write() or {}


def begin_pages(
    gate: Gate, folder: Path, marts: Mapping[str, pl.DataFrame], about: Mapping[str, str], of: Since
) -> Callable[[], None]:
    """Begin what people read of an edition, which follows from these marts and facts alone.

    It is drawn in the gate's process, as far as that comes to it.

    Returns:
        A function that writes it into the folder, or raises LakeError where a file cannot be
        written.
    """
    edition = Edition({**marts, **of.tables}, {**about, **of.facts})
    files = gate.draw(edition)

    def write() -> None:
        for name, content in files():
            with atomic_file(folder / name) as file:
                file.write(content)

    return write


Part = Callable[[Draft], Found | Callable[[], Found]]
"""Makes a part and returns what it found, or how to wait for that where it is made elsewhere."""

PARTS: Final[dict[str, Part]] = {
    "national_rules": _national_rules,
    "description": _description,
    _EXPECTATIONS: _expectations,
    "report": _report,
    _PACK: _pack,
    PUBLIC: _public,
}
"""The parts in the order in which they are begun, and waited for: first what can block."""
