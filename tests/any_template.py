"""A template at random: what both engines must count alike on templates nobody has thought of."""

import json
import tomllib
from collections.abc import Set
from pathlib import Path
from random import Random
from typing import Any, Final

from schemas.collection import Collection, read_collection

EXAMPLES: Final = Path(__file__).parents[1] / "examples"

STATISTICS: Final = ["minimum", "lower_quartile", "median", "mean", "upper_quartile", "maximum"]


def any_template(name: str, seed: int, cover: dict[str, Any], *, named: bool = False) -> str:
    """Return the text of a template file with lists, measures and sheets that are drawn.

    Args:
        name: the name of the template, whose version is 1.
        seed: the same template for the same seed.
        cover: the sheet `cover`, as a template file has it.
        named: with the measures that have marts of their own.
    """
    chance = Random(seed)
    lists = {
        f"{word}{'_2' * chance.randrange(2)}": [
            f"{chance.choice(['a', 'b_1', '9', 'x0', 'long_word'])}{n}"
            for n in range(chance.randrange(2, 5))
        ]
        for word in chance.sample(["shape", "ground", "result", "age", "band9"], 3)
    }
    chance.shuffle(names := list(lists))
    file: dict[str, Any] = {
        "name": name,
        "version": 1,
        "lists": {key: {code: f"{key} {code}" for code in lists[key]} for key in names},
        "groups": {},
        "measures": {},
        "sheet": [cover],
    }
    if chance.random() < 0.7:
        grouped = chance.choice(names)
        file["groups"] = {grouped: {"several": lists[grouped][: chance.randrange(1, 3)]}}
    for number in range(chance.randrange(1, 4)):
        _counts(file, f"counted{number}", lists, chance)
    _single(file, lists, chance)
    _asked(file, chance)
    if named:
        _named(file, chance)
    return to_toml(file)


_COLLECTION = """
id = "drawn"
title = "Drawn"
census = 2014-12-31
timezone = "Europe/London"
template = "drawn-1"
forces = ["AVS", "BED", "CAM", "CHS", "CLE", "CMB", "DER", "DOR", "DUR", "ESX", "GLO", "HAM"]
count_bands = ["0", "1..5", "40.."]
[period]
start = 2014-01-01
end = 2014-12-31
[deadlines]
soft = 2015-01-31
hard = 2015-02-14
[comparators.before]
start = 2012-01-01
end = 2013-06-30
"""


def drawn_collection(folder: Path, seed: int, *, named: bool = False) -> Collection:
    """Return the collection `drawn`, on a template drawn by the seed, written to a folder."""
    other = tomllib.loads((EXAMPLES / "templates/use-of-force-1.toml").read_text(encoding="utf-8"))
    for name in ("templates", "collections"):
        (folder / name).mkdir(parents=True)
    text = any_template("drawn", seed, other["sheet"][0], named=named)
    (folder / "templates/drawn-1.toml").write_text(text, encoding="utf-8")
    path = folder / "collections/drawn.toml"
    path.write_text(_COLLECTION, encoding="utf-8")
    return read_collection(path)


def _counts(
    file: dict[str, Any], measure: str, lists: dict[str, list[str]], chance: Random
) -> None:
    """Add a sheet of counts: rows of one list, one of them perhaps divided, by columns of one."""
    down, across, deep = chance.sample(list(lists), 3)
    rows: list[dict[str, Any]] = []
    tops = [*lists[down]][: chance.randrange(1, 5)]
    divided = chance.choice(tops) if chance.random() < 0.6 else None
    for code in tops:
        if code == divided:
            parts = [
                {"code": f"{code}.{part}", "dims": {down: code, deep: part}} for part in lists[deep]
            ]
            whole = {"code": code, "sum_of": [part["code"] for part in parts]}
            rows += [*parts, whole] if chance.random() < 0.5 else parts
        else:
            rows.append({"code": code, "dims": {down: code}})
    columns: list[dict[str, Any]] = [
        {"code": code, "dims": {across: code}} for code in lists[across]
    ]
    for line in (*rows, *columns):
        if "dims" in line and chance.random() < 0.3:
            line["missing"] = chance.choice(
                [["not_held"], ["not_applicable"], ["not_held", "not_applicable"]]
            )
    _with_total(rows, "all_rows", chance)
    _with_total(columns, "all_columns", chance)
    for line in (*rows, *columns):
        line["label"] = f"line {line['code']}"
    file["sheet"].append(
        {
            "name": f"sheet_{measure}",
            "title": measure,
            "instructions": [],
            "kind": "count",
            "measure": measure,
            "columns": columns,
            "rows": rows,
        }
    )
    described = _described(measure, down, across, deep, chance)
    cells = [{**r["dims"], **c["dims"]}.keys() for r in rows for c in columns
             if "dims" in r and "dims" in c]  # fmt: skip
    file["measures"][measure] = _held(described, cells)


def _held(described: dict[str, Any], cells: list[Set[str]]) -> dict[str, Any]:
    """Return a measure without the levels and shares that none of its cells is at."""

    def at(level: Any) -> Any:
        by = {*level["by"]} if isinstance(level, dict) else {*level}
        of = [cell for cell in cells if by <= cell]
        if not isinstance(level, dict):
            return level if of else None
        alone = [cell for cell in of if level["without"] not in cell]
        return None if not alone else level if len(alone) < len(of) else level["by"]

    levels = [level for level in map(at, described["levels"]) if level is not None]
    there = [level["by"] if isinstance(level, dict) else level for level in levels or [[]]]
    for key in ("per_month", "per_force"):
        described[key] = [by for by in described[key] if by in there]
    shares = [share for share in described["shares"] if at(share["by"]) is not None]
    for share in shares:
        if share.get("within") == share["by"]:
            share["within"] = []
    return {**described, "levels": levels or [[]], "shares": shares}


def _described(measure: str, down: str, across: str, deep: str, chance: Random) -> dict[str, Any]:
    """Return a measure: its levels, shares, rates and spread over the forces are drawn."""
    dims = [[], [down], [across], [down, across], [down, deep], [deep, across], [deep]]
    levels: list[Any] = chance.sample(dims, chance.randrange(1, len(dims)))
    described: dict[str, Any] = {"unit": "count", "levels": levels}
    if chance.random() < 0.5:
        described["crossed_by"] = crossed = chance.choice([across, down])
        described["levels"] = levels = [level for level in levels if crossed not in level] or [[]]
    wide = chance.choice([[down], [across], [down, across]])
    described["shares"] = [{"by": wide, "within": chance.choice([[], wide[:1]])}]
    if chance.random() < 0.5:
        described["shares"].append({"by": [deep], "name": f"{measure}_deeper"})
    described["per_month"] = chance.sample(levels, chance.randrange(len(levels) + 1))
    described["per_force"] = chance.sample(levels, chance.randrange(len(levels) + 1))
    if chance.random() < 0.4:
        described["change"] = across
    if chance.random() < 0.5:
        plain = [by for by in levels if deep not in by and by not in described["per_force"]]
        for by in plain[:1]:
            levels[levels.index(by)] = {"by": by, "without": deep}
    return described


def _with_total(lines: list[dict[str, Any]], code: str, chance: Random) -> None:
    """Add the total of all lines that are no part of another, unless there is none."""
    parts = {part for line in lines for part in line.get("sum_of", ())}
    tops = [line["code"] for line in lines if line["code"] not in parts]
    if chance.random() < 0.7:
        lines.append({"code": code, "sum_of": tops})


def _single(file: dict[str, Any], lists: dict[str, list[str]], chance: Random) -> None:
    """Add a sheet of single numbers: one with statistics, and counts of another period."""
    rows: list[dict[str, Any]] = [{"code": "how_long", "measure": "how_long"}]
    file["measures"]["how_long"] = {
        "unit": "months",
        "statistics": chance.sample(STATISTICS, chance.randrange(1, 6)),
    }
    measure = chance.choice([m for m in file["measures"] if m != "how_long"])
    rows.append({"code": "earlier", "measure": measure, "period": "before"})
    dim = next(
        iter(next(s for s in file["sheet"] if s.get("measure") == measure)["columns"][0]["dims"])
    )
    rows += [
        {"code": f"earlier.{code}", "measure": measure, "period": "before", "dims": {dim: code}}
        for code in lists[dim][: chance.randrange(3)]
    ]
    for row in rows:
        row["label"] = row["code"]
    missing = chance.choice([[], ["not_held"]])
    file["sheet"].append(
        {
            "name": "singles",
            "title": "Singles",
            "instructions": [],
            "kind": "count",
            "columns": [{"code": "v", "label": "v", "missing": missing}],
            "rows": rows,
        }
    )


def _asked(file: dict[str, Any], chance: Random) -> None:
    """Add a sheet of questions."""
    file["measures"]["answered"] = {"unit": "forces"}
    file["sheet"].append(
        {
            "name": "asked",
            "title": "Asked",
            "instructions": [],
            "kind": "answer",
            "measure": "answered",
            "columns": [{"code": "answer", "label": "answer"}],
            "questions": [
                {
                    "code": f"q{n}",
                    "label": f"Question {n}",
                    "answers": ["yes", "no", "2nd", "not_applicable"][: chance.randrange(2, 5)],
                }
                for n in range(chance.randrange(1, 4))
            ],
        }
    )


def _named(file: dict[str, Any], chance: Random) -> None:
    """Add a sheet of each mart of a measure's name; some of its lines may be without a number."""
    codes = {
        "category": ["c1", "c2", "c3"], "outcome": ["o1", "o2"], "recipient": ["r1", "r2"],
        "media": ["m1", "m2"], "body": ["b1", "b2"], "kind": ["k1"], "decision": ["d1", "d2"],
    }  # fmt: skip
    file["lists"] |= {key: {code: code.upper() for code in of} for key, of in codes.items()}
    cases = [{"category": "c1"}, {"category": "c2", "recipient": "r1"}]
    cases += [{"category": "c2", "recipient": "r2", "media": code} for code in codes["media"]]
    cases += [{"category": "c3", "media": code} for code in codes["media"]]
    entries = [{"body": code, "kind": "k1"} for code in codes["body"]]
    jobs = [{"decision": code} for code in codes["decision"]]
    for measure, rows, across in (
        ("investigations", cases, [{"outcome": code} for code in codes["outcome"]]),
        ("register_entries", entries, [{"decision": code} for code in codes["decision"]]),
        ("second_job_applications", jobs, [{}]),
        ("second_job_approvals_in_breach", [{"kind": "k1"}], [{}]),
        ("second_job_review_months", [{}], [{}]),
    ):
        lines = [[{"code": ".".join(dims.values()) or measure, "dims": dims}
                  | {"missing": chance.choice([[], ["not_held"], ["not_applicable"]])}
                  for dims in of] for of in (rows, across)]  # fmt: skip
        lines[0][0]["missing"] = ["not_held"]
        for number, line in enumerate((*lines[0], *lines[1])):
            line["label"] = f"line {number}"
        file["measures"][measure] = {"unit": "count", "levels": [[]]}
        file["sheet"].append(
            {
                "name": measure,
                "title": measure,
                "instructions": [],
                "kind": "count",
                "measure": measure,
                "rows": lines[0],
                "columns": lines[1],
            }
        )


def to_toml(file: dict[str, Any]) -> str:
    """Return a description as the text of a TOML file: one line a key, all values inline."""
    return "\n".join(f"{key} = {_inline(value)}" for key, value in file.items()) + "\n"


def _inline(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(k)} = {_inline(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_inline, value)) + "]"
    return json.dumps(value)
