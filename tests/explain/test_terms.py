"""What makes a figure: the cells that it adds up, also where there are none."""

import polars as pl
import pytest

from assets.figures.explain.terms import Question, terms_of
from schemas.collection import Collection


@pytest.mark.parametrize("statistic", ["minimum", "median", "mean", "upper_quartile"])
def test_a_statistic_of_nobody_has_no_terms(
    statistic: str, live: pl.DataFrame, collection: Collection
) -> None:
    """Releases are compared by the forces that changed, of which none may have the cell."""
    for measure in ("investigations_per_force", "second_job_review_months"):
        question = Question(measure, f"statistic={statistic}", "collection")
        terms = terms_of(question, live.clear(), collection)
        assert terms is None or terms.terms.is_empty()
