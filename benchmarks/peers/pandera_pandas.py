"""The job with pandera on pandas, as pandera's pages show it: a schema, and lazy validation."""

import json
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
import pandera.pandas as pa
import pyarrow.parquet
from pandera.errors import SchemaErrors

from benchmarks.peers import spec

_COLUMN_OF: Final = {
    "force_code": "CASE01", "case_ref": "CASE02", "category": "CASE03", "recipient": "CASE04",
    "media": "CASE05", "opened_on": "CASE06", "status_at_census": "CASE07",
    "closed_on": "CASE08", "suspended": "CASE09", "workforce": "CASE10",
}  # fmt: skip
_START, _END, _CENSUS = (pd.Timestamp(day) for day in (spec.START, spec.END, spec.CENSUS))


def _own_reference(rows: pd.DataFrame) -> pd.Series:
    own = rows["case_ref"].str[:3] == rows["force_code"]
    return own | rows["case_ref"].isna() | ~rows["force_code"].isin(spec.FORCES)


def _recipient_of_disclosure(rows: pd.DataFrame) -> pd.Series:
    wanted = rows["category"] == "information_disclosure"
    return (rows["recipient"].notna() == wanted) | ~rows["category"].isin(spec.CATEGORIES)


def _media_where_concerned(rows: pd.DataFrame) -> pd.Series:
    wanted = (rows["category"] == "media_relationship") | (rows["recipient"] == "media")
    listed = rows["recipient"].isna() | rows["recipient"].isin(spec.RECIPIENTS)
    asked = rows["category"].isin(spec.CATEGORIES) & listed & _recipient_of_disclosure(rows)
    return (rows["media"].notna() == wanted) | ~asked


def _closed_in_time(rows: pd.DataFrame) -> pd.Series:
    closed = rows["closed_on"]
    asked = rows["opened_on"].between(_START, _END)
    in_time = (closed <= _CENSUS) & ((closed >= rows["opened_on"]) | ~asked)
    holds = in_time.where(rows["status_at_census"] != "continuing", closed.isna())
    return holds | ~rows["status_at_census"].isin(spec.OUTCOMES)


def _stands_once(rows: pd.DataFrame) -> pd.Series:
    return ~rows.duplicated(["force_code", "case_ref"], keep=False) | rows["case_ref"].isna()


_ROW_CHECKS: Final = {
    "CASE02": _own_reference,
    "CASE04": _recipient_of_disclosure,
    "CASE05": _media_where_concerned,
    "CASE08": _closed_in_time,
    spec.UNIQUE: _stands_once,
}

SCHEMA: Final = pa.DataFrameSchema(
    {
        "force_code": pa.Column(checks=pa.Check.isin(spec.FORCES)),
        "case_ref": pa.Column(checks=pa.Check.str_matches(spec.CASE_REF)),
        "category": pa.Column(checks=pa.Check.isin(spec.CATEGORIES)),
        "recipient": pa.Column(checks=pa.Check.isin(spec.RECIPIENTS), nullable=True),
        "media": pa.Column(checks=pa.Check.isin(spec.MEDIA), nullable=True),
        "opened_on": pa.Column(checks=pa.Check.in_range(_START, _END)),
        "status_at_census": pa.Column(checks=pa.Check.isin(spec.OUTCOMES)),
        "closed_on": pa.Column(nullable=True),
        "suspended": pa.Column(),
        "workforce": pa.Column(checks=pa.Check.isin(spec.WORKFORCE)),
    },
    checks=[
        pa.Check(check, name=rule, error=rule, ignore_na=False)
        for rule, check in _ROW_CHECKS.items()
    ],
)


def read(source: Path) -> pd.DataFrame:
    """Read every row, with its file, its number there, and the force of its folder."""
    frames = []
    for path in sorted(source.glob("*/*.parquet")):
        frame = pyarrow.parquet.read_table(path, partitioning=None).to_pandas(date_as_object=False)
        frame["force_code"] = path.parent.name.removeprefix("force_code=")
        frame["file"] = str(path)
        frame["row"] = range(1, len(frame) + 1)
        frames.append(frame)
    return pd.concat(frames, ignore_index=True)


def reasons(rows: pd.DataFrame) -> pd.Series:
    """Return the reasons of each bad row by its index."""
    try:
        SCHEMA.validate(rows, lazy=True)
    except SchemaErrors as error:
        found = error.failure_cases
    else:
        return pd.Series(dtype=str)
    named = found["check"].isin(_ROW_CHECKS)
    found["rule"] = found["check"].where(named, found["column"].map(_COLUMN_OF))
    once = found[["index", "rule"]].drop_duplicates().sort_values(["index", "rule"])
    return once.groupby("index")["rule"].agg(";".join)


def write(rows: pd.DataFrame, bad: pd.Series, out: Path) -> None:
    """Count the valid rows, set the others aside, and write the results."""
    quarantine = rows.loc[bad.index].assign(reasons=bad)
    for day in ("opened_on", "closed_on"):
        quarantine[day] = quarantine[day].dt.strftime("%Y-%m-%d")
    for name in spec.TEXTS:
        quarantine[name] = quarantine[name].str.strip()
    said = quarantine["suspended"]
    quarantine["suspended"] = said.map({True: "true", False: "false"})
    quarantine.to_parquet(out / "quarantine.parquet", index=False)
    valid = rows.drop(bad.index)
    valid["month"] = valid["opened_on"].dt.to_period("M").dt.start_time.dt.date
    valid["days"] = (valid["closed_on"] - valid["opened_on"]).dt.days
    valid["suspended"] = valid["suspended"].astype(bool)
    valid["staff"] = valid["workforce"] == "staff"
    counts = valid.groupby(spec.COUNTED_BY, dropna=False).size().rename("cases").reset_index()
    counts.to_parquet(out / "counts.parquet", index=False)
    forces = valid.groupby("force_code").agg(
        valid=("case_ref", "size"),
        suspended=("suspended", "sum"),
        staff=("staff", "sum"),
        closed=("days", "count"),
        days_longest=("days", "max"),
    )
    days = valid.dropna(subset="days").groupby("force_code")["days"]
    for name, share in spec.QUARTILES.items():
        forces[name] = days.agg(np.quantile, share, method="inverted_cdf")
    forces["bad"] = quarantine.groupby("force_code").size()
    forces["rows"] = forces["valid"] + forces["bad"].fillna(0)
    forces.reset_index().to_parquet(out / "by_force.parquet", index=False)
    closed = valid["days"].dropna()
    summary = {
        "rules": bad.str.split(";").explode().value_counts().to_dict(),
        "days": [
            int(days)
            for days in np.quantile(closed, [*spec.QUARTILES.values(), 1], method="inverted_cdf")
        ],
    }
    (out / "summary.json").write_text(json.dumps(summary))


def main() -> None:
    """Run the job on all rows at once."""
    source, out = spec.arguments()
    rows = read(source)
    write(rows, reasons(rows), out)


if __name__ == "__main__":
    main()
