"""Writes the pages that are derived from the contracts, and tells when one has drifted.

`python -m pipelines.docs` writes them; with `--check` it changes nothing and fails on a difference.
"""

import sys
from pathlib import Path
from typing import Final

from assets.release.docs import case_page, data_dictionary, rule_pages
from schemas.collection import load_collection
from schemas.reference import COLLECTIONS

DOCS: Final = Path(__file__).parents[1] / "docs"


def generated() -> dict[Path, str]:
    """Return the text of every derived page by its path."""
    ours = [load_collection(path.stem) for path in sorted(COLLECTIONS.glob("*.toml"))]
    pages = {DOCS / "rules" / name: text for name, text in rule_pages(ours).items()}
    return {
        DOCS / "data_dictionary.md": data_dictionary(),
        DOCS / "case_tables.md": case_page(ours),
        **pages,
    }


def main(arguments: list[str]) -> int:
    """Write or check the pages; return the exit code."""
    check, drifted = "--check" in arguments, False
    for path, text in generated().items():
        if path.exists() and path.read_text(encoding="utf-8") == text:
            continue
        drifted = True
        if check:
            print(f"{path} is not what the contracts say. Write it anew: make docs")  # noqa: T201
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    return int(check and drifted)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
