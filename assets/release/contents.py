"""Everything that is in a release, in the order in which it is made, and what blocks it."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property, partial
from itertools import chain, takewhile
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
from assets.release.changes import since_release
from assets.release.gate.outcome import GateResult, write_page
from assets.release.gate.process import Gate
from assets.release.identity import EARLY, MadeFrom, release_id
from assets.release.pack import Pack
from assets.release.pages.drawn import REPORT, Files, drawn
from assets.release.pages.figures import Edition
from assets.release.pages.public import public_pages
from schemas.collection import Collection, description, load_collection
from schemas.contract import Contract
from schemas.errors import ContractError, LakeError, ReleaseBlockedError
from schemas.marts import DisclosureReport, SuppressionAudit, marts_of
from schemas.wording import plural

QUALITY: Final = "quality"
"""The folder of a release with what was expected of its marts, and what came of it."""

PUBLIC: Final = "public"
DISCLOSURE: Final = "disclosure"

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

    @cached_property
    def pages(self) -> Callable[[], Files]:
        """How to have what people read of it; begun to be drawn when this is first seen."""
        now = Drafted(self.folder, self.collection, None, self.marts, self.made_from)
        since = since_release(self.lake, now, self.about["release"])
        edition = Edition({**self.released, **since.tables}, {**self.about, **since.facts})
        files = _meanwhile(self.gate, edition)
        return lambda: chain(files(), since.files(REPORT).items())

    def write(self, name: str, content: bytes) -> None:
        """Write a file of it, by its path in the folder."""
        with atomic_file(self.folder / name) as file:
            file.write(content)


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
    finally:
        # What blocks the release is told first, even where something else has failed meanwhile.
        found |= {name: wait() for name, wait in awaited.items()}
    if PUBLIC in found:  # when every part is there, and before anybody sees it
        found[PUBLIC] = _entered(draft, found[PUBLIC])
    return found


def _national_rules(draft: Draft) -> Found:
    """Block where a rule on the totals fails that guards the release."""
    failed = draft.marts["national_checks"].filter(~pl.col("passed"))
    blocking = failed.filter(pl.col("severity") == "B")
    if not blocking.is_empty():
        messages = blocking.select("rule_id", "message").iter_rows()
        found = [f"{rule}: {message}" for rule, message in messages]
        raise ReleaseBlockedError(
            f"the release is blocked, the last one stays in place. {'; '.join(found)}. Look each up"
            " in docs/rules/, then run again.",
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
        write_page(result, draft.collection, draft.about, draft.contracts)
        if result.critical:
            raise ReleaseBlockedError(result.blocking_line, result.blocking_places)
        return result.metadata()

    return judged


def _description(draft: Draft) -> Found:
    """Keep what the collection is, so that the release can be explained by it for ever."""
    for name, content in description(draft.lake.collection).items():
        draft.write(f"{DESCRIPTION}/{name}", content)
    template = draft.collection.template
    return {"template": f"{template.name}-{template.version}"}


def _pack(draft: Draft) -> Found:
    """Write the marts in the forms that analysts' tools read."""
    Pack(draft.released, draft.contracts, draft.collection, draft.about).write(draft.folder)
    return {}


def _public(draft: Draft) -> Found | Callable[[], Found]:
    """Write the public edition, or the last one and why; a full edition never waits for it.

    The tables that tell small counts from the others stand apart from it, in the full edition.
    """
    last: Entry | None = None
    if draft.gate:
        _ = draft.pages  # begun to be drawn: an edition takes as long
    try:
        mine, entered = draft.about["release"], ledger.given_out(draft.lake, draft.collection)
        # One that is made anew is held against those before it alone, so that it is the same again.
        before = [*takewhile(lambda entry: entry.release != mine, entered)]
        last = before[-1] if before else None
        earlier = [entry.edition(draft.collection) for entry in before]
        keep = partial(made_once, draft.lake)
        edition = public_edition(
            draft.marts,
            draft.collection,
            earlier,
            due=draft.made_from["public"] != EARLY,
            keep=keep,
        )
        released = {n: frame for n, frame in edition.marts.items() if n in draft.contracts}
        contracts = {name: edition.contracts[name] for name in released}
        edition = replace(edition, marts=released, contracts=contracts)
        if edition.problems:
            cases = f"{plural(len(edition.problems), 'case')}, such as {edition.problems[0]}"
            edition = edition.without("M010", cases)
    except (LakeError, ContractError) as error:
        edition = PublicEdition().without("M010", str(error))
    if edition.withheld:
        carry_forward(draft.folder / PUBLIC, last, edition.told or "", draft.about)
    else:
        folder = draft.folder / PUBLIC
        write_public(folder, edition, draft.about)
        about = {**draft.about, "edition": "public"}
        write_pages = public_pages(
            folder,
            edition.marts,
            draft.about,
            before[-1].public if before else None,
            partial(_meanwhile, draft.gate),
        )
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
        return found

    return written


def _entered(draft: Draft, found: Found) -> Found:
    """Enter the public edition of a draft in the ledger, and return what was found with its entry.

    Where it cannot be entered it is not shown, and the last one is.
    """
    folder = draft.folder / PUBLIC
    if found.get("withheld") is not None or not folder.exists():
        return found
    now = edition_behind(draft.about["release"], draft.marts, draft.collection)
    try:
        entry = ledger.enter(draft.lake, now, folder)
    except LakeError as error:
        last: list[Entry] = []
        with suppress(LakeError):
            last = ledger.given_out(draft.lake, draft.collection)
        none = PublicEdition().without("M010", f"the edition cannot be entered: {error}")
        carry_forward(folder, last[-1] if last else None, none.told or "", draft.about)
        shown = last[-1].id if last else None
        return {**found, "withheld": none.withheld, "rule": none.rule, "edition": shown}
    return {**found, "edition": entry.id}


def _report(draft: Draft) -> Found:
    """Write the pages and the workbook that people read."""
    for name, content in draft.pages():
        draft.write(name, content)
    return {}


def _meanwhile(gate: Gate, edition: Edition) -> Callable[[], Files]:
    """Let an edition be drawn in the gate's process while others are made, if it comes to that."""
    return gate.draw(edition) if gate else lambda: drawn(edition)


Part = Callable[[Draft], Found | Callable[[], Found]]
"""Makes a part and returns what it found, or how to wait for that where it is made elsewhere."""

PARTS: Final[dict[str, Part]] = {
    "national_rules": _national_rules,
    "description": _description,
    "expectations": _expectations,
    "public": _public,
    "pack": _pack,
    "report": _report,
}
"""The parts in the order in which they are begun: first what can block."""
