"""Each wording of a published figure is satisfied by what it says, and by nothing else."""

import pytest

from assets.figures.reconcile import QUALIFIERS, Pair, compare
from schemas.collection import Collection

CASES = [
    ("exact", 7, 7, "match"),
    ("exact", 7, 7.0001, "differs"),
    ("counted", 7, 8, "differs"),
    ("derived", 7, 7, "match"),
    ("rounded", 79, 78.704, "within_qualifier"),
    ("rounded", 79, 78.499, "differs"),
    ("rounded", 79, 78.5, "within_qualifier"),
    ("rounded", 79, 79.5, "differs"),
    ("rounded", 33.3, 33.349, "within_qualifier"),
    ("rounded", 33.3, 33.35, "differs"),
    ("rounded", 2.5, 2.45, "within_qualifier"),
    ("average", 245, 245.22, "within_qualifier"),
    ("average", 245, 245.5, "differs"),
    ("at_least", 12, 12, "within_qualifier"),
    ("at_least", 12, 11, "differs"),
    ("more_than", 50, 50.01, "within_qualifier"),
    ("more_than", 50, 50, "differs"),
    ("all", 44, 44, "match"),
    ("all", 44, 43, "differs"),
    ("all", 43, 43, "differs"),
    ("all_but_one", 43, 43, "match"),
    ("all_but_one", 43, 44, "differs"),
    ("about", -100, -103, "within_qualifier"),
    ("about", -100, -116, "differs"),
    ("about", 100, 115, "within_qualifier"),
    ("almost", 33.3, 28.64, "within_qualifier"),
    ("almost", 33.3, 28.3, "differs"),
    ("almost", 33.3, 33.34, "within_qualifier"),
    ("almost", 33.3, 33.4, "differs"),
    ("almost", 8000, 8532, "differs"),
    ("about", 0, 0, "within_qualifier"),
    ("about", 0, 1, "differs"),
    ("no_change", 0, 0, "match"),
    ("no_change", 0, 1, "differs"),
]


@pytest.mark.parametrize(("qualifier", "published", "computed", "status"), CASES)
def test_a_qualifier_says_what_it_says(
    qualifier: str, published: float, computed: float, status: str
) -> None:
    assert compare(qualifier, Pair(published, computed, 44)) == status


def test_every_qualifier_of_the_publication_is_known_and_tested(collection: Collection) -> None:
    used = set(collection.published_figures["qualifier"])
    assert used <= QUALIFIERS.keys() == {case[0] for case in CASES}


def test_an_unknown_qualifier_is_an_error_not_a_match() -> None:
    with pytest.raises(KeyError):
        compare("roughly", Pair(1, 1, 44))
