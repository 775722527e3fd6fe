"""Pandera for polars, loaded without pandas.

Pandera loads pandas wherever it is installed, which takes longer than all else of it; and nothing
here validates a table of pandas.
"""

import sys
from importlib.machinery import ModuleSpec

import polars  # noqa: F401 - before, as it looks for pandas itself and remembers what it finds


class _NoPandas:
    @staticmethod
    def find_spec(name: str, *_: object) -> ModuleSpec | None:
        """Say of pandas what is said of a package that is not installed."""
        if name == "pandas":
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return None


sys.meta_path.insert(0, _NoPandas)
try:
    import pandera.polars as pa
    from pandera.errors import SchemaErrors
finally:
    sys.meta_path.remove(_NoPandas)

__all__ = ["SchemaErrors", "pa"]
