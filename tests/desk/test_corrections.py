"""A correction is declared, agreed, applied while it fits, and loud once it does not."""

from collections.abc import Callable
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from assets.lake import Lake
from assets.returns.desk.corrections import (
    HarmfulCorrectionError,
    StaleCorrectionError,
    applied_mart,
    by_force,
    read_corrections,
    refuse_harmful,
)
from assets.returns.validation import assets as validation
from assets.returns.validation.judge import Judged, Received, judge
from assets.tables import contract_of
from schemas.collection import Collection
from schemas.contract import empty
from schemas.errors import SetupError
from schemas.tables import AppliedCorrections, Choices, Corrections, LiveReturns
from tests.returns import Place, SampleReturn

HEAD = "force_code,sheet,row_code,column_code,from_value,to_value,reason,owner,agreed_on"
CARDS = ("comparators", "cards_2012", "value")
TOTAL = ("investigations", "procurement", "total")


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    lake = Lake(tmp_path, "2012-revisit")
    lake.desk.mkdir(parents=True)
    return lake


def _declare(lake: Lake, *lines: str) -> None:
    (lake.desk / "corrections.csv").write_text("\n".join([HEAD, *lines]) + "\n")


def _line(force: str, place: Place, old: str, new: str) -> str:
    return f"{force},{','.join(place)},{old},{new},typing error,data team,2012-06-20"


def _validate(sample: SampleReturn, corrections: pl.DataFrame) -> Judged:
    received = {"r": Received(date(2012, 7, 1), "STF", 1)}
    return judge(
        {"r": sample.reading()},
        received,
        sample.collection,
        by_force(corrections),
    )


def _live() -> pl.DataFrame:
    row = ("STF", "r", "a" * 64, "submitted", False)
    return pl.DataFrame([row], schema=empty(LiveReturns).schema, orient="row")


def test_a_correction_changes_the_value_and_is_in_the_lineage(
    lake: Lake, sample: Callable[[str], SampleReturn], collection: Collection
) -> None:
    stf = sample("STF")
    old = stf.values[CARDS]
    _declare(lake, _line("STF", CARDS, old, "41"))
    corrections = read_corrections(lake, collection)
    result = _validate(stf, corrections)
    entry = result.entries.row(by_predicate=pl.col("row_code") == "cards_2012", named=True)
    assert (entry["value"], entry["number"]) == ("41", 41)
    mart = applied_mart(lake, corrections, result.applied, _live(), collection.template)
    row = mart.row(0, named=True)
    assert (row["from_value"], row["to_value"], row["cell"]) == (old, "41", entry["cell"])
    assert row["agreed_on"] == date(2012, 6, 20)


def test_a_correction_can_mend_what_could_not_be_typed(
    lake: Lake, sample: Callable[[str], SampleReturn], collection: Collection
) -> None:
    estimate = sample("STF").with_values({CARDS: "c. 40"})
    assert _validate(estimate, empty(Corrections)).findings["rule_id"].to_list() == ["V001"]
    _declare(lake, _line("STF", CARDS, "c. 40", "41"))
    assert _validate(estimate, read_corrections(lake, collection)).findings.is_empty()


def test_a_blank_cell_can_be_corrected(
    lake: Lake, sample: Callable[[str], SampleReturn], collection: Collection
) -> None:
    _declare(lake, _line("STF", CARDS, "", "41"))
    result = _validate(sample("STF").with_values({CARDS: None}), read_corrections(lake, collection))
    assert result.findings.is_empty()


def test_a_correction_whose_mistake_is_gone_stops_the_release(
    lake: Lake, sample: Callable[[str], SampleReturn], collection: Collection
) -> None:
    """Applied to a corrected return it would make a new mistake; forgotten, it hides."""
    _declare(lake, _line("STF", CARDS, "999999", "41"))
    corrections = read_corrections(lake, collection)
    result = _validate(sample("STF"), corrections)
    assert result.applied.is_empty()
    with pytest.raises(
        StaleCorrectionError,
        match=r"STF comparators cards_2012 value \(line 2\).* case rows, which no line",
    ) as told:
        applied_mart(lake, corrections, result.applied, _live(), collection.template)
    assert "999999" not in str(told.value), "what a cell said is sent to nobody"


_BESIDE = (
    "intake/receipts",
    "intake/damaged_receipts",
    "cases/extracts",
    "cases/investigations_by_month",
    "cases/extract_findings",
)


@pytest.fixture
def run_of(
    lake: Lake, collection: Collection, monkeypatch: pytest.MonkeyPatch
) -> Callable[[SampleReturn], pl.DataFrame]:
    """Return what a run finds in one return of STF."""
    receipts, damaged, extracts, by_month, of_extracts = map(empty, map(contract_of, _BESIDE))
    row = dict.fromkeys(receipts.columns) | {
        "receipt_id": "r",
        "force_code": "STF",
        "version": 1,
        "sequence": 1,
        "received_at": "2012-07-01T09:00:00+00:00",
    }
    receipts = pl.DataFrame([row], schema=receipts.schema)

    def found(sample: SampleReturn) -> pl.DataFrame:
        read = {"r": sample.reading()}
        monkeypatch.setattr(validation, "readings", lambda *_: read)
        return validation.validated(
            lake,
            collection,
            corrections=read_corrections(lake, collection),
            choices=empty(Choices),
            receipts=receipts,
            damaged=damaged,
            extracts=extracts,
            by_month=by_month,
            extract_findings=of_extracts,
        )[1]

    return found


def test_a_correction_with_which_a_return_fails_that_would_count_is_the_desks_fault(
    lake: Lake,
    sample: Callable[[str], SampleReturn],
    run_of: Callable[[SampleReturn], pl.DataFrame],
) -> None:
    """The force is told of nothing that it did not send, and the other returns keep theirs."""
    stf = sample("STF")
    _declare(lake, _line("GMP", CARDS, "1", "2"), _line("STF", TOTAL, stf.values[TOTAL], "9999"))
    with pytest.raises(
        HarmfulCorrectionError, match=r"corrections\.csv corrects STF .* \(line 3\):"
    ):
        run_of(stf)
    other = run_of(stf.with_values({CARDS: "c. 40"}))
    told = {row["rule_id"]: row for row in other.iter_rows(named=True)}
    assert "desk" not in told.pop("V001")["message"], "what the force sent, as it sent it"
    assert told
    assert all("(with what the desk corrected in " in row["message"] for row in told.values())
    assert all("See with the desk" in row["how_to_fix"] for row in told.values())


def test_a_correction_may_fail_a_version_that_would_not_count(lake: Lake) -> None:
    """As one that a later version has overtaken, in which the correction holds."""
    applied = pl.DataFrame({"receipt_id": ["r"], "sheet": "s", "row_code": "r", "column_code": "c"})
    row = {"receipt_id": "r", "force_code": "STF", "live": False, "held": False, "blocking": 0}
    sent, corrected = pl.DataFrame([row]), pl.DataFrame([row | {"blocking": 1}])
    refuse_harmful(lake, applied, sent, corrected)
    _declare(lake, "STF,s,r,c,1,2,why,who,2012-06-20")
    for counts in ("live", "held"):
        with pytest.raises(HarmfulCorrectionError, match=r"STF s r c \(line 2\)"):
            refuse_harmful(lake, applied, pl.DataFrame([row | {counts: True}]), corrected)


def test_a_correction_of_a_force_without_a_live_return_waits(
    lake: Lake, collection: Collection
) -> None:
    _declare(lake, _line("DER", CARDS, "1", "2"))
    corrections = read_corrections(lake, collection)
    assert applied_mart(
        lake, corrections, empty(AppliedCorrections), _live(), collection.template
    ).is_empty()


@pytest.mark.parametrize(
    ("line", "where"),
    [
        ("XXX,comparators,cards_2012,value,1,2,why,who,2012-06-20", " corrects XXX"),
        ("STF,second_jobs,refused,count,1,2,why,who,2999-06-20", " corrects STF .* a day to come"),
        ("STF,comparators,bicycles,value,1,2,why,who,2012-06-20", " corrects STF .*bicycles"),
        ("STF,comparators,cards_2012,value,1,2,why,who,20 Quoted", ", line 3: "),
        (
            "GMP,comparators,cards_2012,value,1,Quoted 9,why,who,2012-06-20",
            r" corrects GMP .*\(line 3\): to_value is .*; a whole number or not_held belongs there",
        ),
        ("STF,comparators,cards_2012,value,1,2,,who,2012-06-20", ", line 3: "),
        ("STF,comparators,cards_2012,value,1,2", ", line 3: "),
    ],
)
def test_a_wrong_file_of_corrections_says_where(
    lake: Lake, collection: Collection, line: str, where: str
) -> None:
    _declare(lake, _line("STF", CARDS, "1", "2"), line)
    with pytest.raises(SetupError, match=rf"corrections\.csv{where}") as told:
        read_corrections(lake, collection)
    assert "Quoted" not in str(told.value)


def test_two_corrections_of_one_cell_are_refused(lake: Lake, collection: Collection) -> None:
    _declare(lake, _line("STF", CARDS, "1", "2"), _line("STF", CARDS, "1", "3"))
    with pytest.raises(SetupError, match="each cell once"):
        read_corrections(lake, collection)


def test_without_a_file_there_are_no_corrections(lake: Lake, collection: Collection) -> None:
    assert read_corrections(lake, collection).is_empty()
