"""Reads a file that describes something, and says what is wrong in it: all at once, by its lines.

Each fault is told once, and what only follows from one is not told. What is wrong is mended as it
was most likely meant, and the rest is examined as if that stood there: `unsure` are the places
where nobody can tell what was meant.
"""

import re
import tomllib
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from copy import deepcopy
from datetime import date, time
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final, TypeVar, get_args

from pydantic import BaseModel, ValidationError

from schemas.errors import SetupError
from schemas.toml_lines import Loc, lines_of

Fault = tuple[Loc | None, str]
"""Where something is wrong, and what; None for what names its place itself, in another file."""

_M = TypeVar("_M", bound=BaseModel)
_ROUNDS: Final = 20
"""How often a file is mended before the rest of it is not examined: each may uncover more."""
_TRIES: Final = 3
"""How often one place is mended before what it lies in is taken out."""


class Unsure(set[Loc]):
    """The places of a file where nobody can tell what was meant; `names` are told to be none."""

    def __init__(self, places: Iterable[Loc] = ()) -> None:
        """Begin with some places, and no name."""
        super().__init__(places)
        self.names: set[str] = set()

    def has(self, *keys: str | int) -> bool:
        """Return whether one of them is a place, or lies within it."""
        return any(at[: len(keys)] == keys or keys[: len(at)] == at for at in self)

    def new(self, faults: Iterable[Fault]) -> Iterator[Fault]:
        """Yield the faults that do not lie where nobody can tell, nor in a line of such a place."""
        for loc, said in faults:
            if loc is None or not (
                self.has(*loc) if len(loc) > 1 else any(loc[: len(at)] == at for at in self)
            ):
                yield loc, said


def examined(
    model: type[_M], data: Mapping[str, Any], context: object = None
) -> tuple[_M | None, list[Fault], Unsure]:
    """Return what a file says, mended, with what is wrong with its keys and their types.

    None in place of a file in which too much is wrong for that.
    """
    told, unsure = list[Fault](), Unsure()
    times: Counter[Loc] = Counter()
    for _ in range(_ROUNDS):
        try:
            return model.model_validate(data, context=context), told, unsure
        except ValidationError as error:
            wrong = error.errors(include_url=False)
        data = data if times else deepcopy(dict(data))
        before = set(times)
        # A misspelt key comes first: it is why another is missing.
        for each in sorted(wrong, key=lambda each: each["type"] != "extra_forbidden"):
            loc = _place(each, data)
            near = _meant(model, data, loc) if each["type"] == "extra_forbidden" else ""
            if each["type"] == "missing" and _at(data, loc) is not None:
                continue
            # What does not go together is told of what stands there, not of what stands in for it.
            follows = each["type"] == "value_error" and unsure.has(*loc)
            if loc not in before and not follows and not any(loc[: len(a)] == a for a in unsure):
                told.append((loc, f"{_said(each)}{near and f'; did you mean {near!r}?'}"))
            if not loc:
                return None, told, unsure
            times[loc] += 1
            kind = each["type"]
            while times[loc] > _TRIES and len(loc) > 1:
                loc, kind = loc[:-1], ""
                times[loc] += 1
            if not _mended(data, loc, kind, each.get("ctx", {}), near):
                unsure.add(loc)
    return None, told, unsure


def _said(each: Mapping[str, Any]) -> str:
    """Return what the library found, in our words where we have any."""
    if each["type"] not in _KINDS:
        return str(each["msg"]).removeprefix("Value error, ").rstrip(".")
    return str(_KINDS[each["type"]]["said"]).format_map(each.get("ctx", {}))


def _at(data: Any, loc: Loc) -> Any:
    """Return what stands at a place, None for nothing."""
    for part in loc:
        try:
            data = data[part]
        except (KeyError, IndexError, TypeError):
            return None
    return data


def _place(each: Mapping[str, Any], data: Any) -> Loc:
    """Return where in the file something is wrong: the library's own marks are no part of it."""
    loc: Loc = each["loc"]
    there = next(n for n in range(len(loc), -1, -1) if _at(data, loc[:n]) is not None)
    return loc[: there + (each["type"] == "missing")]


def _meant(model: type[BaseModel], data: Any, loc: Loc) -> str:
    """Return the key that one which is not known is likely meant to be.

    One that is given is a table, and what is no table is not meant to be one.
    """
    of: type[BaseModel] | None = model
    for part in loc[:-1]:
        if of is not None and part in of.model_fields:
            of = _model_in(of.model_fields[str(part)].annotation)
    beside = _at(data, loc[:-1])
    tables = {name for name, value in beside.items() if _is_table(value)}
    given = beside.keys() - (tables if loc[-1] in tables else set())
    value = beside[loc[-1]]
    plain = not any(
        isinstance(one, dict | list) for one in (value if isinstance(value, list) else [value])
    )
    free = [
        name
        for name, field in (of.model_fields if of else {}).items()
        if name not in given and not (plain and _model_in(field.annotation))
    ]
    return next(iter(get_close_matches(str(loc[-1]).lower(), free, 1)), "")


def _is_table(value: Any) -> bool:
    """Whether a value is a table, or several: only these may be parts of one."""
    each = value if isinstance(value, list) else [value]
    return bool(each) and all(isinstance(one, dict) for one in each)


def _model_in(kind: Any) -> type[BaseModel] | None:
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return kind
    return next(filter(None, map(_model_in, get_args(kind))), None)


def _mended(data: Any, loc: Loc, kind: str, about: Mapping[str, Any], near: str) -> bool:
    """Mend what is wrong at a place; return whether it is what was meant."""
    parent: Any = _at(data, loc[:-1])
    key: Any = loc[-1]
    is_table = isinstance(parent, dict)
    if type(key) is not (str if is_table else int):
        return True  # it lay in what was mended just now
    value = parent.get(key) if is_table else parent[key]
    if kind == "extra_forbidden":
        del parent[key]
        if near and isinstance(there := parent.setdefault(near, value), list):
            more = value if isinstance(value, list) else [value]
            parent[near] = there if there is value else there + more
        elif near and isinstance(value, dict):
            parent[near] = {**value, **there}
        return True
    with suppress(ValueError, TypeError, KeyError, IndexError):
        parent[key] = _EXACTLY[kind](value, about)
        return True
    if kind == "missing" or "instead" in _KINDS.get(kind, {}):
        parent[key] = deepcopy(_KINDS[kind].get("instead", _NOTHING))
    elif is_table:
        parent.pop(key, None)
    else:
        parent[key] = _NOTHING
    return False


def _as_text(value: Any, _: Any) -> str:
    if not isinstance(value, bool | int | float | date):
        raise TypeError
    return str(value)


def _as_list(value: Any, _: Any) -> list[str]:
    if not isinstance(value, str):
        raise TypeError
    return [value]


_NOTHING: Final = object()
_EXACTLY: Final[dict[str, Callable[[Any, Any], Any]]] = {
    "string_type": _as_text,
    "tuple_type": _as_list,
    "list_type": _as_list,
    "date_type": lambda value, _: date.fromisoformat(value),
    "time_type": lambda value, _: time.fromisoformat(value),
    "string_too_short": lambda value, about: value.ljust(about["min_length"], "."),
    "literal_error": lambda value, about: get_close_matches(
        value, re.findall("'([^']+)'", about["expected"]), 1
    )[0],
}
"""By what is wrong: how it is mended where what was meant is plain, else an error."""

_KINDS: Final[dict[str, dict[str, Any]]] = tomllib.loads(
    Path(__file__).with_suffix(".toml").read_text(encoding="utf-8")
)


def known(what: str, name: str, there: Collection[str]) -> str:
    """Return that there is no such name, and which was meant, or which there are."""
    alike = [one for one in there if one.casefold() == name.strip().casefold()]
    near = alike or get_close_matches(name, there, 1)
    hint = (
        f"did you mean {near[0]!r}?" if near else f"there are {', '.join(there) or 'none at all'}"
    )
    return f"there is no {what} {name!r}; {hint}"


_UNSHOWN: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufeff\ufffe\uffff]")


def shown(text: str) -> str:
    """Return a text without what no page or workbook can show."""
    return _UNSHOWN.sub("", text)


def unshown(data: Any, loc: Loc = ()) -> Iterator[tuple[Loc, str]]:
    """Yield the texts with a character that no page or workbook can show."""
    if isinstance(data, str):
        if odd := _UNSHOWN.search(data):
            yield loc, f"holds a character that no page can show: {odd[0]!a}"
    elif isinstance(data, dict | list):
        for key, part in data.items() if isinstance(data, dict) else enumerate(data):
            yield from unshown(part, (*loc, key))


def twice(named: Iterable[tuple[Loc, str]]) -> Iterator[Fault]:
    """Yield the places at which a name stands once more."""
    seen: set[str] = set()
    for loc, name in named:
        if name in seen:
            yield loc, f"{name!r} stands here twice"
        seen.add(name)


_MEND: Final = " Mend it and try again."


class DescriptionError(SetupError):
    """A file that describes something cannot be used; `lines` says why, a line for each fault."""

    def __init__(
        self,
        path: Path,
        text: str,
        what: str,
        faults: Iterable[Fault],
        mended: Any = None,
        unsure: Unsure | None = None,
    ) -> None:
        """Say what is wrong in the text of a file that is to be a `what`.

        `mended` is what it says as if what was meant stood there, but for the places `unsure`.
        """
        self.lines, self.mended = worded(path, text, faults), mended
        self.unsure = Unsure() if unsure is None else unsure
        wrong = "\n".join(self.lines)
        super().__init__(f"This is no {what} that can be used:\n{wrong}\n{_MEND.strip()}")


_MARKS: Final = {
    "collection": {"census", "deadlines", "forces"},
    "template": {"lists", "measures", "sheet"},
}


def refuse_other(path: Path, data: Mapping[str, Any], what: str) -> None:
    """Refuse a file that is to be a `what`, and is a template or collection in the wrong folder."""
    (other,) = _MARKS.keys() - {what}
    if data.keys() & _MARKS[other] and not data.keys() & _MARKS[what]:
        said = f"this is a {other}, which belongs in {other}s/: move it there"
        raise DescriptionError(path, "", what, [((), said)])


_LIKE_DATE: Final = re.compile(r"[^\"'#]*=\s*(?P<date>\d+([-/.])\d+\2\d+)\s*(#.*)?$")
_KEY: Final = re.compile(
    r"^[ \t]*(?P<key>\[+[^\]\n]+\]+|(\"[^\"\n]*\"|'[^'\n]*'|[\w.-])+(?=[ \t]*=))", re.M
)
_TOML: Final = {
    r"Illegal character '\\[nr]|Unterminated string|Expected \"'": "a quote is not closed",
    "Cannot (overwrite a value|declare)": "{key} stands here twice",
    "Expected newline or end": "more stands after the value: a quote or a comma may be missing",
    "Invalid value": "the value is none: text stands in quotes",
    "Unclosed": "a bracket is not closed",
}
"""What is said in plain words of what the library finds."""


def read_toml(path: Path) -> tuple[dict[str, Any], str]:
    """Return what a TOML file holds, and its text.

    Raises:
        SetupError: it cannot be read, or is no TOML; it says at which line.
    """
    try:
        text = path.read_text(encoding="utf-8")
        if text.startswith("\ufeff"):
            said = "it begins with a byte order mark; save it as UTF-8 without one"
            raise SetupError(f"{path}:1: this is no TOML: {said}.{_MEND}")
        return tomllib.loads(text), text
    except RecursionError:
        said = "brackets stand within brackets, too many to be meant"
        raise SetupError(f"{path}: this is no TOML: {said}.{_MEND}") from None
    except tomllib.TOMLDecodeError as error:
        said, number = _plainly(str(error), text)
        line = f":{number}" if number else ""
        raise SetupError(f"{path}{line}: this is no TOML: {said}.{_MEND}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise SetupError(f"{unreadable(path, error)}.{_MEND}") from None


def _plainly(said: str, text: str) -> tuple[str, int]:
    """Return what is wrong in a text that is no TOML in plain words, and its line: 0 if unknown."""
    said, _, place = said.rpartition(" (at ")
    number = int(re.sub(r"\D+", " ", place).split()[0]) if place.startswith("line ") else 0
    before = "\n".join(text.split("\n")[: number or None])
    said = next((words for form, words in _TOML.items() if re.match(form, said)), said)
    if number and (odd := _LIKE_DATE.match(before.rpartition("\n")[2])):
        said = f"{odd['date']} is no date; write one that there is as 2013-05-31"
    keys = [*_KEY.finditer(before)] if "{key}" in said else []
    if keys:
        number = before.count("\n", 0, keys[-1].start("key")) + 1
    return said.replace("{key}", keys[-1]["key"] if keys else "a key"), number


def unreadable(path: Path, error: OSError | UnicodeDecodeError) -> str:
    """Return that a file cannot be read as text, and why; what is not UTF-8 with its line."""
    if isinstance(error, OSError):
        return f"{path} cannot be read: {error.strerror}"
    line = error.object.count(b"\n", 0, error.start) + 1
    return f"{path}:{line}: it is no text in UTF-8; save it as that"


def lines_in(error: SetupError) -> list[str]:
    """Return a line for each thing that is wrong in a file which cannot be used."""
    if isinstance(error, DescriptionError):
        return error.lines
    return [str(error).removesuffix(_MEND)]


def worded(path: Path, text: str, faults: Iterable[Fault]) -> list[str]:
    """Return a line for each fault of a file: path, line, key, what is wrong; in order of lines."""
    lines = lines_of(text)
    found = []
    for loc, message in faults:
        if loc is None:
            found.append((0, message))
            continue
        known = next((loc[:n] for n in range(len(loc), 0, -1) if loc[:n] in lines), None)
        line = lines[known] if known else 1
        key = ".".join(str(part + 1) if isinstance(part, int) else part for part in loc)
        found.append((line, f"{path}:{line}: {key or 'the file'}: {message}"))
    return [told for _, told in sorted(set(found))]
