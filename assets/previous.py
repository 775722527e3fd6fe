"""What the released collection before this one holds, entry by entry of this one's template."""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple

import polars as pl

from assets.lake import Lake
from assets.marts import DESCRIPTION, read_mart
from schemas.collection import Collection, load_collection, read_collection
from schemas.errors import SetupError
from schemas.measures import NOW, QUESTION
from schemas.reference import all_forces, forces_at
from schemas.template import Entry, Place, Template
from schemas.template_file import load_template
from schemas.vocabulary import MISSING_REASONS

_BEFORE: Final = "returns-1"
"""The template of releases from a time when they kept none."""

_PLACE: Final = ["sheet", "row_code", "column_code"]
_WAS: Final = ["was_force", *(f"was_{name}" for name in _PLACE)]

Leaf = tuple[str | None, ...]
"""What a cell counts: measure, period, wording of its question, and its codes."""


class Earlier(NamedTuple):
    """The folder of a release that analysts see, and its collection as the release keeps it."""

    folder: Path
    collection: Collection


def kept_collection(folder: Path, collection_id: str, known: Collection | None = None) -> Earlier:
    """Return a release with its collection: as it keeps it, else today's on the first template.

    Raises:
        SetupError: it keeps none, and there is none of that name today.
    """
    kept = folder / DESCRIPTION / "collections" / f"{collection_id}.toml"
    if kept.exists():
        return Earlier(folder, read_collection(kept, sound=True))
    today = known or load_collection(collection_id)
    return Earlier(folder, today.model_copy(update={"template": load_template(_BEFORE)}))


def earlier_releases(lake: Lake, collection: Collection) -> dict[str, Earlier]:
    """Return by id, oldest first, what is released of the same return's earlier collections.

    What is shown of a collection that nothing describes any more is passed over; so is what
    repeats another, unless this collection is compared with it by name.
    """
    found = []
    named = {each.collection for each in collection.comparators.values()}
    for link in sorted((lake.root / "marts").glob("*")):
        if link.is_symlink() and link.exists() and link.name != collection.id:
            with suppress(SetupError):
                found.append(kept_collection(link.resolve(), link.name))
    of = [one for one in found if one.collection.template.name == collection.template.name]
    own = [one for one in of if one.collection.id in named or not one.collection.repeats]
    before = [one for one in own if one.collection.period.start < collection.period.start]
    ordered = sorted(before, key=lambda one: (one.collection.period.start, one.collection.id))
    return {one.collection.id: one for one in ordered}


def previous_release(lake: Lake, collection: Collection) -> Earlier | None:
    """Return the release of the collection before: the one it is compared with, else the newest.

    None where the one it is compared with is not released, or none is.
    """
    there = earlier_releases(lake, collection)
    compared = {one.collection for one in collection.comparators.values() if one.collection}
    named = [found for name, found in there.items() if name in compared]
    return next(reversed(named if compared else [*there.values()]), None)


def changed_in_place(root: Path, templates: Iterable[Template]) -> list[str]:
    """Return of each template whose cells are not those that a collection was released on, so."""
    said = []
    kept = f"*/{DESCRIPTION}/templates"
    for now in templates:
        for path in sorted((root / "marts").glob(f"{kept}/{now.name}-{now.version}.toml")):
            then = load_template(path.stem, path.parents[1], sound=True)
            places = dict.fromkeys((*then.entry_at, *now.entry_at))
            other = [at for at in places if then.entry_at.get(at) != now.entry_at.get(at)]
            if other:
                what = "cell is" if len(other) == 1 else "cells are"
                said.append(
                    f"{now.path}: {len(other)} {what} not as when {path.parents[2].name} was"
                    f" released on it ({'/'.join(other[0])} first). Put it back as it was, and make"
                    f" the change in a new version, {now.name}-{now.version + 1}.toml"
                )
    return said


def previous_values(lake: Lake, collection: Collection) -> pl.DataFrame:
    """Return what each force's entries were in the released collection before.

    An entry is the same where it counts the same: of the same measure at the same codes, those
    that were renamed since (`since`) followed, or the same question in the same words; a sum where
    all its parts are the same. One that asks about the period of another collection is what was
    counted there. For a force that others merged into (`successor`) counts are summed, where each
    of these gave a number; an answer cannot be.

    Returns:
        One row for each force the collection expects and entry that counts or repeats a count:
        force_code, sheet, row_code, column_code, value (the text of the entry, such as `12`,
        `not_held` or `yes`), collection (where that is from); both null where there is none.

    Raises:
        LakeError: the release cannot be read.
    """
    template, last = collection.template, previous_release(lake, collection)
    entries = [entry for entry in template.entries() if entry.place in _meanings(template, {})]
    places = pl.DataFrame(
        [entry.place for entry in entries], schema=dict.fromkeys(_PLACE, pl.String), orient="row"
    )
    forces = pl.DataFrame({"force_code": sorted(collection.forces)})
    asked = forces.join(places, how="cross")
    named = {entry: _comparator(entry, collection) for entry in entries}
    sources = earlier_releases(lake, collection) if {*named.values()} - {None} else {}
    found = [asked.head(0).with_columns(value=pl.lit(""), collection=pl.lit(""))]
    if last is not None:
        own = [entry for entry, other in named.items() if other is None]
        found.append(_values(last, collection, _same(own, last, collection)))
    for name, source in sources.items():
        whole = [entry for entry, other in named.items() if other == name]
        found.append(_values(source, collection, _leaves(whole, source, collection)))
    key = ["force_code", *_PLACE]
    return asked.join(pl.concat(found), on=key, how="left", validate="1:1").sort(key)


def _comparator(entry: Entry, collection: Collection) -> str | None:
    """Return the collection whose period an entry asks about."""
    period = collection.comparators.get(entry.period)
    return period.collection if period else None


def renamed(
    before: Template, now: Template, root: Path, known: Iterable[Template] = ()
) -> dict[str, dict[str, str]]:
    """Return what the codes of an earlier version of a template are called in a later one.

    By dimension: the code in the earlier one, and its name now. A version between that is
    neither among those `known` nor in the folder of collections any more renames nothing.
    """
    called: dict[str, dict[str, str]] = {}
    there = {template.version: template for template in (*known, now)}
    for version in range(before.version + 1, now.version + 1):
        try:
            of = there.get(version) or load_template(f"{now.name}-{version}", root, sound=True)
        except SetupError:
            continue
        for dimension, codes in of.since.items():
            until, olds = called.get(dimension, {}), {old: new for new, old in codes.items()}
            own = {*before.lists.get(dimension, ()), *before.groups.get(dimension, ()), *olds}
            own -= {*until.values()}
            # A code of which another has the name now is no more.
            gone = f" ({before.name}-{before.version})"
            called[dimension] = until | {
                code: olds.get(last, f"{code}{gone}")
                for code, last in ({code: code for code in own} | until).items()
                if last in olds or last in codes
            }
    return called


def parts_of_forces(before: Collection, now: Collection) -> dict[str, list[str]]:
    """Return for each force now expected those it was at an earlier census: itself, or others."""
    known = all_forces(now.root).drop_nulls("successor")
    there = {*forces_at(now.root, now.census)["force_code"]}
    parts: dict[str, list[str]] = {code: [] for code in now.forces}
    for code in forces_at(now.root, before.census)["force_code"]:
        heir, successor = code, dict(known.select("force_code", "successor").iter_rows())
        while heir not in there and heir in successor:
            heir = successor.pop(heir)
        parts.setdefault(heir, []).append(code)
    return {code: parts[code] for code in now.forces}


def _meanings(
    template: Template, called: Mapping[str, Mapping[str, str]]
) -> dict[Place, frozenset[Leaf]]:
    """Return what each entry counts, or repeats the count of: the cells in it, by their codes."""
    found: dict[Place, frozenset[Leaf]] = {}
    for row in (row for sheet in template.sheets for row in sheet.rows):
        for entry in row.entries:
            codes = (
                f"{name}={called.get(name, {}).get(code, code)}"
                for name, code in entry.dims.items()
            )
            wording = row.label if QUESTION in entry.dims else None
            if entry.measure:
                leaf = (entry.measure, entry.period, wording, *sorted(codes))
                found[entry.place] = frozenset([leaf])
    parts = {each.total: each.parts for each in template.sums()}

    def counted(place: Place) -> frozenset[Leaf]:
        if place not in found:
            found[place] = frozenset().union(*(counted(part) for part in parts[place]))
        return found[place]

    for total in parts:
        counted(total)
    return found


class _Link(NamedTuple):
    """An entry, and a cell of the earlier template that is it or a part of it."""

    entry: Entry
    was: Place


def _same(entries: list[Entry], earlier: Earlier, now: Collection) -> list[_Link]:
    """Link each entry to the one that counted the same."""
    called = renamed(earlier.collection.template, now.template, now.root)
    then = _meanings(earlier.collection.template, called)
    places: dict[frozenset[Leaf], list[Place]] = {}
    for entry in earlier.collection.template.entries():
        dates = [c.comparators.get(entry.period) for c in (earlier.collection, now)]
        if entry.place in then and (entry.period == NOW or dates[0] == dates[1]):
            places.setdefault(then[entry.place], []).append(entry.place)
    own, found = _meanings(now.template, {}), []
    for entry in entries:
        there = places.get(own[entry.place], [])
        # Of several that count the same, such as a sum of one part, the place tells which it is.
        of_place = [place for place in there if place == entry.place]
        found += [_Link(entry, place) for place in of_place or (there if not there[1:] else [])]
    return found


def _leaves(entries: list[Entry], earlier: Earlier, now: Collection) -> list[_Link]:
    """Link each entry to the cells that counted over the period it asks about."""
    called = renamed(earlier.collection.template, now.template, now.root)
    counted = [cell for cell in earlier.collection.template.counted() if cell.period == NOW]
    return [
        _Link(entry, cell.place)
        for entry in entries
        for cell in counted
        if cell.measure == entry.measure
        and all(
            called.get(name, {}).get(cell.dims.get(name, ""), cell.dims.get(name)) == code
            for name, code in entry.dims.items()
        )
    ]


def _values(earlier: Earlier, now: Collection, links: list[_Link]) -> pl.DataFrame:
    """Return the values of linked cells, summed where an entry or a force is made of several."""
    statistics = {name for name, measure in now.template.measures.items() if measure.statistics}
    own = _meanings(now.template, {})
    text = dict.fromkeys([*_PLACE, *_WAS[1:]], pl.String)
    linked = pl.DataFrame(
        [
            (
                *link.entry.place,
                *link.was,
                link.entry.kind == "count" and not {leaf[0] for leaf in own[link.entry.place]}
                & statistics,
                [*link.entry.answers, *MISSING_REASONS] if link.entry.answers else None,
            )
            for link in links
        ],
        schema={**text, "adds": pl.Boolean, "accepted": pl.List(pl.String)},
        orient="row",
    )  # fmt: skip
    parts = parts_of_forces(earlier.collection, now)
    merged = pl.DataFrame(
        [(code, was) for code, those in parts.items() for was in those],
        schema={"force_code": pl.String, "was_force": pl.String},
        orient="row",
    )
    cells = read_mart(earlier.folder, "cells").select(
        pl.col("force_code", *_PLACE).name.prefix("was_"), "value"
    )
    cells = cells.rename({"was_force_code": "was_force"})
    number = pl.col("value").cast(pl.Int64, strict=False)
    added = pl.when(pl.col("adds").first() & number.is_not_null().all()).then(number.sum())
    alone = pl.when(pl.len() == 1).then(pl.col("value").first())
    given = pl.col("accepted").is_null() | pl.col("value").is_in(pl.col("accepted"))
    return (
        merged.join(linked, how="cross")
        .join(cells.unique(_WAS, keep="none"), on=_WAS, how="left")
        .with_columns(value=pl.when(given).then("value"))
        .group_by("force_code", *_PLACE)
        .agg(pl.coalesce(alone, added.cast(pl.String)).alias("value"))
        .drop_nulls("value")
        .with_columns(collection=pl.lit(earlier.collection.id))
    )
