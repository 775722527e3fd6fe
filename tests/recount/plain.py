"""Totals of a template's file from what was sent, in plain Python: nothing of either engine."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import mean, median, quantiles
from typing import Any

Place = tuple[str, str, str]
Sent = Mapping[str, Mapping[Place, str]]
"""What each force sent, as text."""

Key = tuple[str, str, str]


@dataclass(frozen=True)
class Cell:
    place: Place
    measure: str
    period: str
    codes: dict[str, str]
    answers: tuple[str, ...]


def cells_of(file: dict[str, Any]) -> Iterator[Cell]:
    for sheet in file["sheet"]:
        asked = [{**q, "dims": {"question": q["code"]}} for q in sheet.get("questions", [])]
        for row in [*sheet.get("rows", []), *asked]:
            for column in sheet["columns"]:
                measure = next((x["measure"] for x in (row, column, sheet) if "measure" in x), None)
                if measure and not (row.get("sum_of") or column.get("sum_of")):
                    yield Cell(
                        (sheet["name"], row["code"], column["code"]),
                        measure,
                        row.get("period") or column.get("period") or "collection",
                        {**row.get("dims", {}), **column.get("dims", {})},
                        tuple(row.get("answers", ())),
                    )


class Plain:
    """The totals of a template's file and what was sent: value and forces, by key."""

    def __init__(
        self, file: dict[str, Any], sent: Sent, months: Mapping[str, int], bands: Sequence[str]
    ) -> None:
        self.file, self.sent, self.months, self.bands = file, sent, months, bands
        self.order = ["question", "answer", *file["lists"], "count", "statistic"]
        self.found: dict[Key, tuple[float | None, int]] = {}
        self.cells = [*cells_of(file)]
        for name, measure in file["measures"].items():
            own = [c for c in self.cells if (c.measure, c.period) == (name, "collection")]
            for cell in own if "question" in own[0].codes else []:
                self._answers(cell)
            if "question" not in own[0].codes:
                self._levels(name, measure, own)
                self._derived(name, measure, own)
        for cell in self.cells:
            if cell.period != "collection":
                total = self._put(cell.measure, cell.codes, *self._sum([cell]), cell.period)
                rates = map(set, file["measures"][cell.measure].get("per_month", []))
                if {*cell.codes} in rates:
                    self._rate(cell.measure, cell.codes, *total, cell.period)

    def _put(
        self, name: str, codes: Mapping[str, str], value: float | None, forces: int,
        period: str = "collection",
    ) -> tuple[float | None, int]:  # fmt: skip
        breakdown = ";".join(f"{key}={codes[key]}" for key in self.order if key in codes)
        assert (name, breakdown, period) not in self.found
        self.found[name, breakdown, period] = value, forces
        return value, forces

    def _rate(
        self, name: str, codes: Mapping[str, str], value: float | None, forces: int,
        period: str = "collection",
    ) -> None:  # fmt: skip
        rate = None if value is None else value / self.months[period]
        self._put(f"{name}_per_month", codes, rate, forces, period)

    def _held(self, cells: Sequence[Cell]) -> dict[str, int]:
        """Return the sum of each force that holds a number in some cells."""
        numbers = {
            f: [v[c.place] for c in cells if v[c.place].isdigit()] for f, v in self.sent.items()
        }
        return {force: sum(map(int, those)) for force, those in numbers.items() if those}

    def _sum(self, cells: Sequence[Cell]) -> tuple[int | None, int]:
        held = self._held(cells)
        return (sum(held.values()) if held else None), len(held)

    @staticmethod
    def _by(
        cells: Sequence[Cell], dims: Sequence[str]
    ) -> Iterator[tuple[dict[str, str], list[Cell]]]:
        of = [cell for cell in cells if {*dims} <= {*cell.codes}]
        codes = dict.fromkeys(tuple(cell.codes[key] for key in dims) for cell in of)
        for each in codes:
            those = [cell for cell in of if tuple(cell.codes[key] for key in dims) == each]
            yield dict(zip(dims, each, strict=True)), those

    def _levels(self, name: str, measure: dict[str, Any], own: Sequence[Cell]) -> None:
        crossed: str = measure.get("crossed_by", "")
        for level in measure.get("levels", []):
            by, without = (
                (level, None) if isinstance(level, list) else (level["by"], level["without"])
            )
            at = [cell for cell in own if without not in cell.codes]
            for codes, cells in self._by(at, by):
                total = self._put(name, codes, *self._sum(cells))
                if by in measure.get("per_month", []):
                    self._rate(name, codes, *total)
            for codes, cells in self._by(at, [*by, crossed]) if crossed else ():
                self._put(name, codes, *self._sum(cells))
            for group, members in self.file.get("groups", {}).get(crossed, {}).items():
                among = [cell for cell in at if cell.codes.get(crossed) in members]
                for codes, cells in self._by(among, by):
                    self._put(name, {**codes, crossed: group}, *self._sum(cells))

    def _derived(self, name: str, measure: dict[str, Any], own: Sequence[Cell]) -> None:
        for share in measure.get("shares", []):
            for codes, cells in self._by(own, share["by"]):
                same = {key: codes[key] for key in share.get("within", [])}.items()
                of = [cell for cell in own if {*share["by"]} <= {*cell.codes}]
                whole, _ = self._sum([cell for cell in of if same <= cell.codes.items()])
                part, forces = self._sum(cells)
                value = None if part is None or not whole else part * 100 / whole
                self._put(share.get("name") or f"{name}_share", codes, value, forces)
        if along := measure.get("change"):
            there = [c for c in self.file["lists"][along] if c in {x.codes.get(along) for x in own}]
            first, last = (
                self._held([c for c in own if c.codes.get(along) == there[end]]) for end in (0, -1)
            )
            both = first.keys() & last.keys()
            change = sum(last[force] - first[force] for force in both) if both else None
            self._put(f"{name}_change", {}, change, len(both))
        for statistic in measure.get("statistics", []):
            self._spread(name, {"statistic": statistic}, [*self._held(own).values()])
        for by in measure.get("per_force", []):
            for codes, cells in self._by(own, by):
                held = [*self._held(cells).values()]
                for statistic in _STATISTICS:
                    self._spread(f"{name}_per_force", {**codes, "statistic": statistic}, held)
                for band in self.bands:
                    low, dots, high = band.partition("..")
                    most = int(high or 10**30) if dots else int(low)
                    count = sum(int(low) <= number <= most for number in held) if held else None
                    self._put(f"forces_with_{name}", {**codes, "count": band}, count, len(held))

    def _spread(self, name: str, codes: dict[str, str], held: list[int]) -> None:
        value = _STATISTICS[codes["statistic"]](held) if held else None
        self._put(name, codes, value, len(held))

    def _answers(self, cell: Cell) -> None:
        given = [values[cell.place] for values in self.sent.values()]
        for size in (1, 2) if len(cell.answers) > 2 else (1,):
            for answers in combinations(cell.answers, size):
                codes = {**cell.codes, "answer": "|".join(answers)}
                number = sum(one in answers for one in given)
                self._put(cell.measure, codes, number, len(given))
                self._put(f"{cell.measure}_share", codes, number * 100 / len(given), len(given))


def _quartile(held: list[int], at: int) -> float:
    return quantiles(held, n=4, method="inclusive")[at] if held[1:] else held[0]


_STATISTICS: dict[str, Callable[[list[int]], float]] = {
    "minimum": min,
    "lower_quartile": lambda held: _quartile(held, 0),
    "median": median,
    "mean": mean,
    "upper_quartile": lambda held: _quartile(held, 2),
    "maximum": max,
}
