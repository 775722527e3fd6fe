"""The kinds of rules that a template can use, each as the tests of a row that is a return.

What each kind asks stands in schemas/rules/kinds.toml. What compares the entries of a return one by
one, with a list or with another return, is in entries.py.
"""

from collections.abc import Collection as Many
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import polars as pl

from assets.returns.validation.rules.evaluate import At, Fields, Sql, Test
from schemas.collection import Collection
from schemas.rules.catalogue import KINDS, RuleUse
from schemas.template import Place, Sum
from schemas.vocabulary import NOT_HELD

_SUM: Final = {
    "holds": (
        "CASE WHEN {whole_held} THEN {parts} = {whole} AND ({whole} IS NULL OR NOT {unsaid})"
        " ELSE {excused} END"
    ),
    "applies": "{parts_held}",
}
_WIDEST: Final = {"lowest": 0.0, "highest": 1e9}
"""What a share lies between where no limit is given: a part is no larger than any count."""
_BESIDES: Final = {
    "typical": "MEDIAN(CASE WHEN last AND {whole} > 0 THEN {part} / {whole} END) * {whole}",
    "nearest": "LEAST(GREATEST({at}, {lowest}), {highest})",
}
_OFF: Final = (
    "CASE WHEN {parts} > {whole} THEN CONCAT({parts} - {whole}, ' too few')"
    " ELSE CONCAT({whole} - {parts}, ' too many') END"
)


@dataclass(frozen=True)
class Use:
    """A rule as a template uses it, with the collection's limits."""

    item: RuleUse
    collection: Collection

    @property
    def limits(self) -> Mapping[str, float]:
        """The limits of the rule."""
        return self.collection.thresholds.get(self.item.id, {})

    def places(self, written: Sequence[str]) -> list[Place]:
        """Return the places that are meant."""
        return [place for text in written for place in self.collection.template.places(text)]

    def tests(self) -> Iterator[Test]:
        """Yield one test for each place where a finding can stand."""
        item, own = self.item, self.collection.period
        entries, earlier = self.collection.template.entry_at, self.collection.comparators
        for at, other in self.pairs():
            then = earlier.get(entries[other].period, own) if other in entries else own
            names = self._names(at, other, own.months / then.months)
            of: dict[str, str | float] = {"row": at[1], "column": at[2], **item.words}
            of |= {"months": own.months, "other_months": then.months, "until": f"{then.end:%B %Y}"}
            said, stands = {**of, **names, **self.limits}, (at[0], at[1] or None, at[2] or None)
            yield _test(KINDS[item.use], names, said, item.id, item.use, stands, item.fix or None)

    def of_entries(self, table: pl.DataFrame) -> Test:
        """Return the test of a table with one row an entry, whose columns kinds.toml names."""
        item, limits = self.item, {name: _literal(limit) for name, limit in self.limits.items()}
        said: Fields = {**{name: pl.col(name) for name in table.columns}, **self.limits}
        return _test(KINDS[item.use], limits, said, item.id, item.use)

    def pairs(self) -> Iterator[tuple[Place, Place]]:
        """Yield each place with the one that it is compared with; a sheet has no codes."""
        if self.item.sheet:
            yield (self.item.sheet, "", ""), (self.item.sheet, "", "")
        for written, other in zip(self.item.at, self.item.other or self.item.at, strict=True):
            for at in self.places([written]):
                compared = zip(at, other.split("/"), strict=True)
                sheet, row, column = (code if text == "*" else text for code, text in compared)
                yield at, (sheet, row, column)

    def _names(self, at: Place, other: Place, rate: float) -> dict[str, str]:
        """Return what kinds.toml has names for, and `typical` and the `question`, for messages.

        More is named than a kind asks for: none of that is read.
        """
        found = {**_cell("at", at), **_cell("other", other), **self._everywhere}
        found.setdefault("part", found["at"])
        found.setdefault("part_held", found["at_held"])
        found["value"] = found["at_value"]
        found["usual"] = Sql(f"({found['other']} * {_literal(rate)})")
        return found | {n: Sql(sql.format_map(found)) for n, sql in _BESIDES.items()}

    @cached_property
    def _everywhere(self) -> dict[str, str]:
        """What it names wherever a finding stands."""
        item, template = self.item, self.collection.template
        parts, whole = self.places(item.parts), self.places(item.whole)
        summed = _added("parts", parts, parts if item.unheld else ()) | _added("whole", whole)
        limits = {"fewest": 1.0, **_WIDEST, **self.limits}
        limits |= {"fewest": limits[item.fewest]} if item.fewest else {}
        found = {name: _literal(limit) for name, limit in limits.items()}
        found |= {**summed, "answer": _text(item.answer)}
        if parts:
            found |= {"part": summed["parts"], "part_held": summed["parts_held"]}
        for question, meant in item.where.items():
            (place,) = self.places([question])
            found |= {"question": place[1], "meant": _text(meant)}
            found["answered"] = _cell("question", place)["question_value"]
        without = [_text(force) for force in self.collection.without_police_authority]
        found["force"] = _cell("force", ("cover", "force_code", "value"))["force_value"]
        found["without"] = f"({', '.join(without) or _text('')})"  # an empty list is none in SQL
        if item.sheet:
            counted = [e for e in template.counted() if e.measure in item.measures]
            places = [each.place for each in counted if each.sheet == item.sheet]
            found |= _counts(places, int(self.limits["multiple"]))
        return found


def total_is_sum(each: Sum, missing: Many[str]) -> Test:
    """Return the test of a total that the template describes as the sum of others.

    The reasons in `missing` may stand in the place of the total.
    """
    names = _added("parts", each.parts, each.unheld) | _added("whole", each.whole)
    none, reason = _unheld(each, missing)
    names |= _cell("total", each.total) | {
        "excused": _excused(each) if missing else Sql("FALSE"),
        "unsaid": Sql(f"({none} AND {reason} IS NOT NULL)"),
    }
    off = _OFF.format_map(names)
    said: Fields = {
        "parts": each.line.named or "the parts",
        "added": names["parts"],
        "said": names["whole"],
        "total": names["total_value"],
        "off": Sql(f"CASE WHEN {names['whole_held']} THEN {off} ELSE 'no part says so' END"),
    }
    if each.unheld:
        said = {**said, **_as_far_as_held(each, said, none, reason)}
    return _test(_SUM, names, said, each.rule, "sum", each.total)


def _excused(each: Sum) -> Sql:
    """Return whether a part has the reason that stands in place of the total."""
    reason = _cell("total", each.total)["total_missing"]
    cells = [_cell("n", place) for place in each.parts]
    told = (f"({cell['n']} IS NULL AND {cell['n_missing']} = {reason})" for cell in cells)
    return Sql(f"({' OR '.join(told)})")


def _unheld(each: Sum, missing: Many[str]) -> tuple[str, str]:
    """Return whether no part is a number, and the reason of one that the total may have too."""
    parts = [_cell("n", place)["n_missing"] for place in each.parts]
    if not each.unheld.issuperset(each.parts):
        return "FALSE", "NULL"
    taken = ", ".join(map(_text, missing))
    reasons = (f"CASE WHEN {part} IN ({taken}) THEN {part} END" for part in parts if missing)
    none = " AND ".join(f"{part} IS NOT NULL" for part in parts)
    return f"({none})", f"COALESCE({', '.join(reasons) or 'NULL'})"


def _as_far_as_held(each: Sum, said: Fields, none: str, reason: str) -> Fields:
    """Return what is said otherwise of a sum of which a part is not held, or `none` is."""
    cells = [_cell("n", place)["n_missing"] for place in each.parts]
    some = " OR ".join(f"COALESCE({missing} = '{NOT_HELD}', FALSE)" for missing in cells)
    named = str(said["parts"])
    held = _text(f"{named}, as far as held,")
    instead = f"CONCAT('give the parts', COALESCE(', or ' || {reason} || ' as the total', ''))"
    return {
        "parts": Sql(f"CASE WHEN {some} OR {none} THEN {held} ELSE {_text(named)} END"),
        "added": Sql(f"CASE WHEN {none} THEN 'nothing' ELSE CONCAT({said['added']}) END"),
        "off": Sql(f"CASE WHEN {none} THEN {instead} ELSE {said['off']} END"),
    }


def _test(
    kind: Mapping[str, str], names: Mapping[str, str], said: Fields, rule: str, use: str,
    at: At | None = None, fix: str | None = None,
) -> Test:  # fmt: skip
    texts = (kind["holds"], kind.get("applies", "TRUE"))
    holds, applies = (pl.sql_expr(text.format_map(names)) for text in texts)
    return Test(rule, use, holds, said, applies, at, fix)


def _cell(name: str, place: Place) -> dict[str, Sql]:
    """Return what can be asked of a cell, in a table as `wide` returns it."""
    number, missing, value = (
        Sql(f'"{"/".join(place)}:{kind}"') for kind in ("number", "missing", "value")
    )
    told = {"": number, "_missing": missing, "_value": value, "_held": Sql(f"({missing} IS NULL)")}
    return {f"{name}{what}": sql for what, sql in told.items()}


def _added(name: str, places: Sequence[Place], unheld: Many[Place] = ()) -> dict[str, Sql]:
    """Return the sum of places, and whether it can be told; in `unheld`, a reason is nothing."""
    numbers, held = [], []
    for place in places:
        cell = _cell("n", place)
        free = place in unheld
        numbers.append(
            f"CASE WHEN {cell['n_held']} THEN {cell['n']} ELSE 0 END" if free else cell["n"]
        )
        held += [] if free else [cell["n_held"]]
    added, known = " + ".join(numbers) or "0", " AND ".join(held) or "TRUE"
    return {name: Sql(f"({added})"), f"{name}_held": Sql(f"({known})")}


def _counts(places: Sequence[Place], multiple: int) -> dict[str, Sql]:
    """Return what is asked of the counts of a sheet."""
    cells = [_cell("n", place) for place in places]
    above = ", ".join(f"CASE WHEN {c['n']} > 0 THEN {c['n']} END" for c in cells)
    known = [f"({c['n']} IS NOT NULL OR NOT {c['n_held']})" for c in cells]
    round_ = [f"({c['n']} IS NULL OR {c['n']} % {multiple} = 0)" for c in cells]
    number = [f"(CASE WHEN {c['n']} > 0 THEN 1 ELSE 0 END)" for c in cells]
    told = {
        "above": _paired("+", number), "most": f"GREATEST({above})", "least": f"LEAST({above})",
        "known": _paired("AND", known), "round": _paired("AND", round_),
    }  # fmt: skip
    return {name: Sql(f"({sql})") for name, sql in told.items()}


def _paired(word: str, texts: Sequence[str]) -> str:
    """Join texts as pairs of pairs: of hundreds in one chain polars takes ten times as long."""
    if len(texts) < 2:
        return "".join(texts)
    half = len(texts) // 2
    return f"({_paired(word, texts[:half])} {word} {_paired(word, texts[half:])})"


def _literal(number: float) -> str:
    """Return a number in SQL: without an exponent it would be a decimal, which rounds otherwise."""
    return f"{number:.17e}"


def _text(said: str) -> str:
    return "'" + said.replace("'", "''") + "'"
