"""National totals that need no return: how many bodies are asked, and for how long."""

import polars as pl

from schemas.collection import Collection
from schemas.reference import forces


def rows(collection: Collection) -> pl.DataFrame:
    """Return the bodies the collection expects, by kind, and the months of its period."""
    kinds = forces().filter(pl.col("force_code").is_in(collection.forces))["kind"]
    values = [
        ("reporting_bodies", "", float(len(kinds)), "forces"),
        *(
            ("reporting_bodies", f"kind={kind}", float((kinds == kind).sum()), "forces")
            for kind in sorted(set(kinds))
        ),
        ("months_in_collection", "", float(collection.period.months), "months"),
    ]
    frame = pl.DataFrame(values, schema=["measure", "breakdown", "value", "unit"], orient="row")
    return frame.with_columns(
        pl.lit("collection").alias("period"),
        pl.lit(len(collection.forces), pl.Int64).alias("forces_included"),
        pl.lit(value=False).alias("provisional"),
    )
