"""What cannot be an extract is refused whole, naming every file at fault; nothing crashes."""

import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pyarrow
import pyarrow.parquet
import pytest

from assets.cases.job import run_cases
from assets.cases.sources import find_sources
from schemas.cases import TYPES
from schemas.collection import Collection
from schemas.finding import FilesRefusedError
from tests.cases.extracts import frame, good, run, write_csv, write_parquet

HEAD = ",".join(TYPES)
LINE = "STF,STF-2011-1,other,,,2011-10-03,continuing,,false,staff"

NAMES = pl.Enum(["2011-10-03", "A Name"])
QUOTED = LINE.replace("staff", '"staff')
OPENS, CLOSES = LINE.replace("other", '"other'), LINE.replace("other", 'other"')


def _text(text: str) -> Callable[[Path], object]:
    return lambda path: path.write_bytes(text.encode())


def _bytes(content: bytes) -> Callable[[Path], object]:
    return lambda path: path.write_bytes(content)


def _rows(change: Callable[[pl.DataFrame], pl.DataFrame]) -> Callable[[Path], object]:
    return lambda path: change(frame([good(1)])).write_parquet(path)


def _cut_off(path: Path) -> None:
    write_parquet(path, [good(n) for n in range(1000)])
    path.write_bytes(path.read_bytes()[:-20])


def _damaged(path: Path) -> None:
    """Damage the pages and leave the footer whole."""
    write_parquet(path, [good(n) for n in range(1000)])
    content = bytearray(path.read_bytes())
    content[100:2000] = b"\xff" * 1900
    path.write_bytes(content)


def _miscounted(path: Path) -> None:
    """Have the footer say one row less than there are; both numbers take two bytes."""
    write_parquet(path, [good(n) for n in range(1000)])
    content = path.read_bytes()
    start = len(content) - 8 - int.from_bytes(content[-8:-4], "little")
    assert b"\xd0\x0f" in content[start:]
    path.write_bytes(content[:start] + content[start:].replace(b"\xd0\x0f", b"\xce\x0f", 1))


def fewer_than_none(path: Path) -> None:
    """Have the heads of pages say -320 values, for which a reader makes room and ends."""
    write_parquet(path, [good(n) for n in range(300)])
    content = path.read_bytes()
    assert b"\x15\xd8\x04\x15" in content
    path.write_bytes(content.replace(b"\x15\xd8\x04\x15", b"\x15\xff\x04\x15"))


def _nowhere(path: Path) -> None:
    """Give a column a time zone that no place has; polars panics on it."""
    table = frame([good(1)]).to_arrow()
    column = table.schema.get_field_index("opened_on")
    zone = pyarrow.timestamp("us", tz="Mars/Olympus")
    pyarrow.parquet.write_table(table.set_column(column, "opened_on", pyarrow.nulls(1, zone)), path)


REFUSED: list[tuple[str, Callable[[Path], object], str]] = [
    ("a.parquet", _bytes(b""), "empty"),
    ("a.csv", _bytes(b""), "empty"),
    ("a.parquet", _text("hello"), "neither"),
    ("a.csv", _bytes(b"PAR1 and so on"), "neither"),
    ("a.xlsx", _text("hello"), "neither"),
    ("a.parquet", _bytes(b"PAR1"), "damaged"),
    ("a.parquet", _cut_off, "damaged"),
    ("a.parquet", _damaged, "damaged"),
    ("a.parquet", _miscounted, "it says 999 rows and has 1,000"),
    ("a.parquet", fewer_than_none, "its pages do not follow"),
    ("a.parquet", _rows(lambda rows: rows.drop("media")), "lacks 'media'"),
    ("a.parquet", _rows(lambda rows: rows.with_columns(note=pl.lit("x"))), "must not have, 'note'"),
    ("a.parquet", _rows(lambda rows: rows.with_columns(suspended=pl.lit(1))), "suspended is Int32"),
    ("a.parquet", _rows(lambda rows: rows.cast({"opened_on": pl.String})), "opened_on is String"),
    (
        "a.parquet",
        _rows(lambda rows: rows.with_columns(opened_on=pl.lit(datetime.now(UTC)))),
        "opened_on is Datetime",
    ),
    ("a.parquet", _nowhere, "time zone"),
    ("a.csv", _text(HEAD.replace("media,", "") + "\n"), "lacks 'media'"),
    ("a.csv", _text(f"{HEAD},name\n"), "must not have, 'name'"),
    ("a.csv", _text(f"{LINE}\n{LINE}\n"), "must not have, 8 others: is its first line the heading"),
    (
        "a.parquet",
        _rows(lambda rows: rows.cast({"opened_on": pl.String}).cast({"opened_on": NAMES})),
        "opened_on is Enum, expected",
    ),
    ("a.csv", _text(f"{HEAD},media\n"), "twice 'media'"),
    ("a.csv", _text(HEAD.replace(",", "|") + "\n"), "lacks"),
    ("a.csv", _text(f"{HEAD}\n{LINE.replace(',', ';')}\n"), "Row #2"),
    ("a.csv", _text(f"{HEAD}\n{LINE},more\n"), "Row #2"),
    ("a.csv", _text(f"{HEAD}\n{LINE}\nSTF,STF-2011-1\n"), "Row #3"),
    ("a.csv", _text(f'{HEAD}\n"{LINE}\n{LINE}\n'), "not CSV"),
    ("a.csv", _text(f"{HEAD}\n{LINE}\n{QUOTED}\n{LINE}\n{LINE}\n"), "row 2 holds other rows"),
    ("a.csv", _text(f'{HEAD}\n{LINE}\n{QUOTED}\n{LINE}"\n{LINE}\n'), "row 2 holds other rows"),
    ("a.csv", _text(f"{HEAD}\n,,,,,,,,,\n{OPENS}\n{CLOSES}\n"), "row 1 holds other rows"),
    ("a.csv", _bytes(f"{HEAD}\n{LINE.replace('other', 'é')}\n".encode("latin-1")), "UTF-8"),
    ("a.csv", _bytes(f"{HEAD}\n{LINE}\n".encode("utf-16") + b"\0"), "UTF-8"),
    ("a.csv", _bytes(HEAD.replace("media", "é").encode("latin-1") + b"\n"), "UTF-8"),
]


@pytest.mark.parametrize(("name", "make", "problem"), REFUSED)
def test_refused_with_the_reason(
    name: str,
    make: Callable[[Path], object],
    problem: str,
    tmp_path: Path,
    collection: Collection,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """Beside a good file, which is not at fault, and without touching earlier results.

    No library prints a panic of its own.
    """
    fine = write_parquet(tmp_path / "fine.parquet", [good(1)])
    before = run(fine, tmp_path / "out", collection).summary
    make(tmp_path / name)
    with pytest.raises(FilesRefusedError) as caught:
        run_cases(find_sources([fine, tmp_path / name]), tmp_path / "out", collection)
    (refusal,) = caught.value.findings
    assert refusal.sheet == str(tmp_path / name)
    assert problem in refusal.message
    assert refusal.how_to_fix.endswith(f". See docs/rules/cases.md#{refusal.rule_id.lower()}.")
    assert run(fine, tmp_path / "out", collection).summary == before
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted({name, "fine.parquet", "out"})
    assert capfd.readouterr().err == ""


def test_everything_that_is_wrong_is_told_at_once(tmp_path: Path, collection: Collection) -> None:
    for name in ("1.parquet", "2.csv", "3.txt"):
        (tmp_path / name).write_text("hello")
    (tmp_path / "nothing").mkdir()
    with pytest.raises(FilesRefusedError) as caught:
        run_cases(find_sources([tmp_path, tmp_path / "nothing"]), tmp_path / "out", collection)
    named = [Path(r.sheet or "").name for r in caught.value.findings]
    assert named == ["1.parquet", "3.txt", "nothing"]
    (tmp_path / "gone.csv").symlink_to(tmp_path / "nowhere")
    with pytest.raises(FilesRefusedError) as caught:
        run_cases(find_sources([tmp_path / "gone.csv"]), tmp_path / "out", collection)
    assert "link to none" in caught.value.findings[0].message
    for name in ("4.csv", "5.csv"):
        (tmp_path / name).write_text("hello\n")
    with pytest.raises(FilesRefusedError) as caught:
        run_cases(
            find_sources([tmp_path / "4.csv", tmp_path / "5.csv"]), tmp_path / "out", collection
        )
    assert [Path(r.sheet or "").name for r in caught.value.findings] == ["4.csv", "5.csv"]


def test_hostile_values_are_findings_of_their_row(tmp_path: Path, collection: Collection) -> None:
    """Free text, formulas, control characters and 10 MB in a cell reach the quarantine as sent."""
    nasty = ["=cmd|'/c calc'!A1", "a\x00b", "\x1b[31mred", "x" * 10_000_000, 'he said "no"', "1\n2"]
    rows = [good(n, category=value) for n, value in enumerate(nasty)]
    path = write_csv(tmp_path / "in.csv", [good(99), *rows, good(100)])
    results = run(path, tmp_path / "out", collection)
    assert results.quarantine["category"].to_list() == nasty
    assert results.quarantine["row"].to_list() == [2, 3, 4, 5, 6, 7]
    assert set(results.quarantine["reasons"]) == {"CASE03"}
    assert results.summary["valid"] == 2


def test_an_extract_without_rows_is_one(tmp_path: Path, collection: Collection) -> None:
    """A force without cases sends the heading alone."""
    write_csv(tmp_path / "in" / "force_code=STF" / "a.csv", [])
    write_parquet(tmp_path / "in" / "force_code=DER" / "a.parquet", [])
    results = run(tmp_path / "in", tmp_path / "out", collection)
    assert results.summary["state"] == "accepted"
    assert results.summary["rows"] == 0
    assert results.by_force.select("force_code", "rows").rows() == [("DER", 0), ("STF", 0)]
    assert results.quarantine.is_empty()


def test_dates_beyond_the_calendar_are_bad_rows(tmp_path: Path, collection: Collection) -> None:
    """Parquet can hold days and times that have no date; the library panics on some of them."""
    days = pl.Series([2**31 - 1, -(2**31), 10_000_000], dtype=pl.Int32).cast(pl.Date)
    rows = frame([good(1), good(2), good(3)])
    rows.with_columns(opened_on=days, closed_on=days.reverse()).write_parquet(
        tmp_path / "days.parquet"
    )
    for unit in ("ns", "us", "ms"):
        times = pl.Series([2**63 - 1, -(2**63) + 1, 2**62]).cast(pl.Datetime(unit))
        rows.with_columns(opened_on=times).write_parquet(tmp_path / f"{unit}.parquet")
    results = run(sorted(tmp_path.glob("*.parquet")), tmp_path / "out", collection)
    assert results.summary["bad"] == 12
    assert {rule["rows"] for rule in results.summary["rules"] if rule["rule_id"] == "CASE06"} == {
        12
    }
    assert results.quarantine.filter(pl.col("file").str.ends_with("days.parquet"))[
        "opened_on"
    ].to_list() == ["2147483647", "-2147483648", "10000000"]


def test_a_heading_alone_is_an_extract_with_or_without_line_end(
    tmp_path: Path, collection: Collection
) -> None:
    for text in (HEAD, f"{HEAD}\n", f"\ufeff{HEAD}"):
        (tmp_path / "in.csv").write_text(text, encoding="utf-8")
        assert run(tmp_path / "in.csv", tmp_path / "out", collection).summary["rows"] == 0


def test_csv_with_a_byte_order_mark_and_windows_lines(
    tmp_path: Path, collection: Collection
) -> None:
    (tmp_path / "in.csv").write_bytes(f"\ufeff{HEAD}\r\n\r\n{LINE}\r\n\r\n".encode())
    assert run(tmp_path / "in.csv", tmp_path / "out", collection).summary["valid"] == 1


def test_a_name_that_is_no_text_is_refused(tmp_path: Path, collection: Collection) -> None:
    """No reader opens it, no table can show it, and a crash would not name it."""
    good_file = write_parquet(tmp_path / "a.parquet", [good(1)])
    good_file.rename(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.parquet"))
    with pytest.raises(FilesRefusedError) as caught:
        run_cases(find_sources([tmp_path]), tmp_path / "out", collection)
    (refusal,) = caught.value.findings
    assert "UTF-8" in refusal.message
    assert (refusal.sheet or "").encode().endswith(rb"caf\udce9.parquet")


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_csv_as_programs_write_it(
    separator: str, encoding: str, tmp_path: Path, collection: Collection
) -> None:
    """Other separators and UTF-16 are what Excel writes where it does not speak English."""
    lines = [HEAD, LINE, LINE.replace("-1,", "-2,"), "," * 9, LINE.replace("-1,", "-3,")]
    text = "\r\n".join([*lines, ""]).replace(",", separator)
    (tmp_path / "in.csv").write_bytes(text.encode(encoding))
    summary = run(tmp_path / "in.csv", tmp_path / "out", collection).summary
    assert (summary["rows"], summary["valid"]) == (3, 3)


BLANK = [
    "",
    " ",
    ",,,,,,,,,",
    '"","","","","","","","","",""',
    " , ,\t,,,,,,,",
    ",,,",
    ",,,,,,,,,,,,",
    "\x1a",
]


@pytest.mark.parametrize("blank", BLANK)
def test_lines_without_a_value_are_no_rows(
    blank: str, tmp_path: Path, collection: Collection
) -> None:
    """Excel writes separators for every row that was ever touched."""
    text = "\n".join([HEAD, blank, LINE, blank, LINE.replace("-1,", "-2,"), blank, ""])
    (tmp_path / "in.csv").write_text(text)
    summary = run(tmp_path / "in.csv", tmp_path / "out", collection).summary
    assert (summary["rows"], summary["valid"]) == (2, 2)


def test_spaces_around_values_are_no_part_of_them(tmp_path: Path, collection: Collection) -> None:
    padded = [f"  {value}\xa0" if value else " " for value in LINE.split(",")]
    heads = ", ".join(TYPES)
    (tmp_path / "in.csv").write_text(f"{heads}\n{','.join(padded)}\n", encoding="utf-8")
    results = run(tmp_path / "in.csv", tmp_path / "out", collection)
    assert (results.summary["rows"], results.summary["valid"]) == (1, 1)
    (tmp_path / "in.csv").write_text(f"sep=; \n{HEAD}\n{LINE}\n".replace(",", ";"))
    assert run(tmp_path / "in.csv", tmp_path / "out", collection).summary["valid"] == 1


def test_a_refusal_does_not_quote_the_row(tmp_path: Path, collection: Collection) -> None:
    """What a cell says must not reach logs and alerts, which a refusal does."""
    (tmp_path / "in.csv").write_text(f"{HEAD}\nSTF,\x1b[31mJohn Smith,x\n")
    with pytest.raises(FilesRefusedError) as caught:
        run_cases(find_sources([tmp_path / "in.csv"]), tmp_path / "out", collection)
    assert "Smith" not in str(caught.value)
