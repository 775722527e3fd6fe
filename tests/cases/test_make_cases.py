"""The benchmark's rows are what they claim to be: a benchmark of other rows measures nothing."""

from pathlib import Path

import polars as pl
import pytest

from assets.returns.validation.check import check_files
from benchmarks import bodies
from benchmarks.make_cases import LAYOUTS, SHAPES, Recipe, blocks, write
from schemas.cases import COLUMN_OF, TYPES
from schemas.collection import Collection, load_collection
from tests.cases.extracts import run


def _rows(recipe: Recipe, collection: Collection) -> pl.DataFrame:
    return pl.concat(
        rows.select(pl.lit(force).alias("force_code"), pl.all())
        for force, _, rows in blocks(recipe, collection, block=500)
    )


@pytest.mark.parametrize("shape", SHAPES)
def test_as_many_as_asked_and_as_bad_as_told(shape: str, tmp_path: Path, few: Collection) -> None:
    recipe = Recipe(20_000, seed=2, shape=shape)
    write(recipe, tmp_path / "in", "file", few)
    found = run(tmp_path / "in", tmp_path / "out", few).summary
    assert found["rows"] == 20_000
    if shape == "duplicates":
        assert found["bad_share"] == pytest.approx(1, abs=0.01)
    else:
        assert found["bad_share"] == pytest.approx(recipe.bad_share, rel=0.4)
    if shape == "bad":
        broken = {rule["rule_id"] for rule in found["rules"] if rule["rows"]}
        assert broken == set(COLUMN_OF) - {"CASE01"}, "what the folder decides is not broken"


def test_the_same_seed_gives_the_same_rows(few: Collection) -> None:
    assert _rows(Recipe(3_000), few).equals(_rows(Recipe(3_000), few))
    assert not _rows(Recipe(3_000), few).equals(_rows(Recipe(3_000, seed=2), few))


def test_shapes(collection: Collection) -> None:
    giant = Recipe(10_000, shape="giant").sizes(collection.forces)
    assert max(giant.values()) == 5_000
    empty = Recipe(10_000, shape="empty").sizes(collection.forces)
    assert sum(size == 0 for size in empty.values()) == 15
    assert sum(empty.values()) == 10_000


@pytest.mark.parametrize("layout", LAYOUTS)
def test_layouts_are_extracts(layout: str, tmp_path: Path, few: Collection) -> None:
    write(Recipe(2_000), tmp_path / "in", layout, few)
    assert run(tmp_path / "in", tmp_path / "out", few).summary["rows"] == 2_000
    assert set(TYPES) >= {"case_ref"}


@pytest.mark.slow
def test_a_collection_of_more_bodies_than_there_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each body is another that sends what one of the sample sends."""
    root, name = bodies.made(46, tmp_path)
    monkeypatch.setenv("MUSTER_COLLECTIONS", str(root))
    collection = load_collection(name)
    assert len({*collection.forces}) == 46
    assert collection.without_police_authority == ("MPS",)
    names = {path.stem for path in (root / "returns").iterdir()}
    assert names == {*collection.forces}
    some = [collection.forces[0], collection.forces[-1]]
    found = check_files([root / "returns" / f"{body}.xlsx" for body in some], collection)
    assert [(each.force_code, each.findings) for each in found] == [(body, ()) for body in some]
