"""The physical limit: every column read and one grouping, and nothing else."""

import polars as pl

from benchmarks.peers import spec


def main() -> None:
    """Read every value of the extract, and group by force and category."""
    source, out = spec.arguments()
    rest = [name for name in spec.COLUMNS if name not in {"force_code", "category"}]
    rows = pl.scan_parquet(source, hive_partitioning=True)
    table = rows.group_by("force_code", "category").agg(pl.len(), pl.col(rest).max())
    table.collect(engine="streaming").write_parquet(out / "scan.parquet")


if __name__ == "__main__":
    main()
