"""The public edition: what of the marts everybody may see, whether it holds, and its files."""

import json
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, Final

import polars as pl

from assets.disclosure.audit import audit, problems
from assets.disclosure.choose import Choice, choose
from assets.disclosure.counts import Block, blocks
from assets.disclosure.forms import Key, of_one_force, public_forms, that_tell
from assets.disclosure.ledger import Entry, files_in, given_out
from assets.disclosure.published import Edition, changed, edition_behind
from assets.html import render
from assets.kept import Keep, each_time, made_once
from assets.lake import Lake, atomic_file, write_errors
from assets.marts import write_mart
from assets.tables import read_table
from schemas import vocabulary as v
from schemas.collection import Collection, load_collection
from schemas.conform import conform
from schemas.contract import Contract, empty
from schemas.disclosure import SUPPRESSED, SYMBOLS, Disclosure
from schemas.errors import ContractError
from schemas.marts import DisclosureReport, SuppressionAudit
from schemas.public import public_marts, symbol_of, with_symbols
from schemas.wording import Number, plural

_ROUNDS: Final = 16
"""How often more is hidden, as long as the audit finds a count that can be told."""

_MOST_PROVED: Final = 40_000
"""Counts of one system of sums: what has been seen to end, in minutes (docs/disclosure.md)."""

_TOLD: Final = {
    "M010": "rule M010: with it, counts that are hidden could be told",
    "M011": "rule M011: it is too early for another one",
}
"""What the public is told of a rule that withholds an edition: nothing about any count."""


@dataclass(frozen=True)
class PublicEdition:
    """The public marts by name, and what is to be said about them.

    `audit` is the mart SuppressionAudit and `report` the mart DisclosureReport, which belong in the
    full edition alone. `problems` are the cases against rule M010. `withheld` says why there is no
    public edition, None where there is one; `told` says it in words that may be public. `rule` is
    the rule that withholds it, None where none does. `contracts` are those of the marts.
    """

    marts: Mapping[str, pl.DataFrame] = field(default_factory=dict)
    audit: pl.DataFrame = field(default_factory=lambda: empty(SuppressionAudit))
    report: pl.DataFrame = field(default_factory=lambda: empty(DisclosureReport))
    problems: tuple[str, ...] = ()
    withheld: str | None = None
    told: str | None = None
    rule: str | None = None
    contracts: Mapping[str, Contract] = field(default_factory=dict)

    def without(self, rule: str, why: str) -> "PublicEdition":
        """Return that there is no edition by a rule, with what was found out about the one made."""
        return replace(
            self, marts={}, problems=(), withheld=f"rule {rule}: {why}", told=_TOLD[rule], rule=rule
        )


def public_edition(
    marts: Mapping[str, pl.DataFrame],
    collection: Collection,
    earlier: Sequence[Edition] = (),
    *,
    due: bool = True,
    keep: Keep = each_time,
    ahead: Callable[[], None] = lambda: None,
) -> PublicEdition:
    """Return the public edition of a release.

    It is chosen from the marts of the full edition, and those that published.BEHIND names are read
    as well. The earlier ones are all that were ever shown, oldest first; `due` is whether the hard
    deadline has passed. `keep` keeps what was found of one system of sums, for as long as that is
    the same, and `ahead` waits until what `choose_ahead` chooses is kept, if somebody was asked to.

    Raises:
        ContractError: the marts contradict each other, or no numbers fit all editions.
    """
    settings = collection.disclosure
    if settings is None or (why := _impossible(marts, collection, settings)):
        why = "the collection file has no [disclosure]" if settings is None else why
        return PublicEdition(withheld=why, told=why)
    now = edition_behind("", marts, collection)
    if early := too_early(now, earlier, collection, due=due):
        return PublicEdition().without("M011", early)
    totals, wholly = frozenset[Key](of_one_force(now)), frozenset[str]()
    for _ in range(_ROUNDS):
        made = blocks(now, collection, earlier, totals)
        if (most := max((len(each.counts) for each in made), default=0)) > _MOST_PROVED:
            why = (
                f"{most:,} counts would have to be proved together, and that is done for up to"
                f" {_MOST_PROVED:,}"
            )
            return PublicEdition(withheld=why, told=why)
        chosen = _chosen(made, settings, wholly, keep, ahead)
        hidden = (
            (block.counts[place].mart, block.counts[place].column, block.counts[place].key)
            for block, choice in chosen
            for place in choice.hidden
        )
        public = public_forms(marts, hidden, collection, totals)
        # What is another number than in fact, by the name that the audit has for the count.
        tables = [
            {name: n for place, n in table if (name := block.counts[place].name)}
            for block, choice in chosen
            for table in choice.tables
        ]
        audited = audit([*earlier, now.retold(public=public)], collection, tables, keep)
        if more := that_tell(now, audited, totals, wholly):
            totals |= more
        elif narrow := _of_narrow(audited) - wholly:
            wholly |= narrow
        else:
            break
    return PublicEdition(
        public,
        audited,
        report(chosen, settings),
        tuple(problems(audited)),
        contracts=public_marts(collection.template),
    )


def _impossible(
    marts: Mapping[str, pl.DataFrame], collection: Collection, settings: Disclosure
) -> str | None:
    """Return why there can be no public edition at all, None where there can."""
    live = marts["returns_status"].filter(pl.col("state").is_in(v.LIVE_STATES)).height
    if collection.template.disclosure is None:
        return f"template {collection.template.name} does not say what is to be protected"
    if live < settings.fewest_forces:
        return (
            f"{Number(live):return is|returns are} in, and a public edition needs"
            f" {settings.fewest_forces}: national totals of few forces would tell of each"
        )
    return None


def choose_ahead(lake: Lake, tables: Mapping[str, str]) -> None:
    """Choose what the next public edition will hide at first, and keep it until that is made.

    Of the largest system of sums: whoever makes the edition chooses of the others meanwhile. The
    tables are those of the marts that published.BEHIND names, by these names.

    Raises:
        LakeError: a table or an earlier edition cannot be read.
        ContractError: the marts contradict each other, or no numbers fit all editions.
    """
    collection = load_collection(lake.collection)
    settings = collection.disclosure
    marts = {name: read_table(lake.table(of)) for name, of in tables.items()}
    if settings is None or _impossible(marts, collection, settings):
        return
    earlier = [entry.edition(collection) for entry in given_out(lake, collection)]
    now = edition_behind("", marts, collection)
    if not too_early(now, earlier, collection, due=True):
        made = blocks(now, collection, earlier, frozenset(of_one_force(now)))
        if (largest := _largest(made)) and len(largest.counts) <= _MOST_PROVED:
            _choice(largest, settings, frozenset(), partial(made_once, lake))


def _largest(made: Sequence[Block]) -> Block | None:
    return max(made, key=lambda block: len(block.counts), default=None)


def _chosen(
    made: Sequence[Block],
    settings: Disclosure,
    wholly: frozenset[str],
    keep: Keep,
    ahead: Callable[[], None],
) -> list[tuple[Block, Choice]]:
    """Return each block with which of its counts to hide."""
    largest = _largest(made)

    def choice(block: Block) -> Choice:
        if block is largest:
            ahead()
        return _choice(block, settings, wholly, keep)

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(zip(made, pool.map(choice, made), strict=True))


def _choice(block: Block, settings: Disclosure, wholly: frozenset[str], keep: Keep) -> Choice:
    """Return which counts of a block to hide, as it was found before of the same block."""
    protection = settings.counts[block.subject]
    broken = {force: sorted(rules) for force, rules in sorted(block.broken.items())}
    told = block.counts, block.nation, block.told, broken, block.ranges
    key = repr((told, protection, sorted(wholly))).encode()

    made = keep("choice", key, lambda: json.dumps(choose(block, protection, wholly)).encode())
    return Choice(*json.loads(made))


def _of_narrow(audited: pl.DataFrame) -> frozenset[str]:
    """Return the forces of this edition's counts that could be told, though others were hidden."""
    told = audited.filter(~pl.col("protected"), pl.col("edition").is_null())
    return frozenset(told["cell"].str.extract(r"^force_code=(\w+)").drop_nulls())


def too_early(
    now: Edition, earlier: Sequence[Edition], collection: Collection, *, due: bool
) -> str | None:
    """Return why it is too early for another public edition by rule M011, None where it is not.

    `due` is whether the hard deadline has passed.
    """
    assert collection.disclosure is not None
    hard, least = collection.deadlines.hard, collection.disclosure.least_changed
    if not due:
        return f"returns may come in until {hard}, and two editions would tell which did"
    for edition in reversed(earlier):
        forces = changed(edition, now)
        if 0 < forces < least:
            return (
                f"{plural(forces, 'force')} changed since the public edition of {edition.release},"
                f" and the next one needs {least}: what differs between two editions is about"
                " those alone"
            )
    return None


def report(chosen: Iterable[tuple[Block, Choice]], settings: Disclosure) -> pl.DataFrame:
    """Return the mart DisclosureReport of what was chosen."""
    rows = [
        (count.mart, count.column, count.value, place in small, place in hidden, is_exempt)
        for block, choice in chosen
        for small, hidden in [(set(choice.small), set(choice.hidden))]
        for place, count in enumerate(block.counts)
        for is_exempt in [count.known and settings.counts[block.subject].is_small(count.value)]
        if count.is_shown
    ]
    flags = dict.fromkeys(("is_small", "is_hidden", "is_exempt"), pl.Boolean)
    types = {"mart": pl.String, "column_name": pl.String, "value": pl.Int64, **flags}
    counts = pl.DataFrame(rows, types, orient="row")
    total, hidden = pl.col("value").sum(), pl.col("value").filter("is_hidden").sum()
    found = counts.group_by("mart", "column_name", maintain_order=True).agg(
        counts=pl.len().cast(pl.Int64),
        small=pl.col("is_small").sum().cast(pl.Int64),
        secondary=(pl.col("is_hidden") & ~pl.col("is_small")).sum().cast(pl.Int64),
        exempt=pl.col("is_exempt").sum().cast(pl.Int64),
        total=total,
        hidden=hidden,
        hidden_share=pl.when(total > 0).then(hidden * 100 / total),
    )
    return conform(DisclosureReport, found)


README: Final = "README.txt"
_README: Final = Path(__file__).with_name("readme.txt.j2")


def write_public(folder: Path, edition: PublicEdition, about: Mapping[str, str]) -> None:
    """Write the public edition into a folder.

    `about` are facts about the release, among them `release`, `basis` and `sources`; they stand in
    every Parquet file and in the page.

    Raises:
        ContractError: the edition has problems, or is withheld; it must not be shown.
        LakeError: a file cannot be written.
    """
    if edition.problems or edition.withheld:
        why = edition.withheld or edition.problems[0]
        raise ContractError(f"the public edition must not be shown: {why}. Report it; rule M010.")
    for name, frame in edition.marts.items():
        with atomic_file(folder / f"{name}.parquet") as file:
            write_mart(file, name, edition.contracts[name], frame, {**about, "edition": "public"})
    contracts = {name: edition.contracts[name] for name in edition.marts}
    with atomic_file(folder / README) as file:
        file.write(_page(about, symbols=SYMBOLS, contracts=contracts, hidden=_hidden(edition)))


def _hidden(edition: PublicEdition) -> Iterator[str]:
    """Yield a line for each column of a public mart in which cells are hidden."""
    for mart, frame in edition.marts.items():
        for column in with_symbols(mart, edition.contracts[mart]):
            if hidden := frame.filter(pl.col(symbol_of(mart, column)) == SUPPRESSED).height:
                yield f"{mart}.{column}: {hidden:,} of {plural(frame.height, 'cell')}"


def carry_forward(folder: Path, entry: Entry | None, why: str, about: Mapping[str, str]) -> None:
    """Write the last public edition into a folder once more, byte for byte, and why it is the last.

    Without an entry, where there is no edition yet, the page is alone. `why` tells nothing of a
    count. What the folder holds is replaced.

    Raises:
        LakeError: a file cannot be written.
    """
    with write_errors(folder):
        shutil.rmtree(folder, ignore_errors=True)
    files = files_in(entry.public) if entry else {}
    for name, path in files.items():
        if name != README:
            with atomic_file(folder / name) as file:
                file.write(path.read_bytes())
    own = (entry.public / README).read_bytes() if entry else b""
    with atomic_file(folder / README) as file:
        file.write(_page(about, why=why, earlier=entry and entry.release) + own)


def _page(about: Mapping[str, str], **told: Any) -> bytes:
    return render(_README, about=about, **{"why": None, "earlier": None, **told}).encode()
