"""`python -m tests.golden DIR [LAKE ...]` writes outputs of the lakes; `--accept` keeps digests.

Two folders made at two states of the code are compared with `diff -r`.
"""

import sys
from pathlib import Path

from tests.golden.outputs import digests, write_outputs
from tests.golden.test_golden import DIGESTS, as_text
from tests.golden.worlds import WORLDS


def main(folder: Path, names: list[str], *, accept: bool) -> None:
    """Write the outputs of the named lakes, or of all, below a new folder."""
    for name in names or WORLDS:
        found = digests(write_outputs(name, folder / name))
        if accept:
            (DIGESTS / f"{name}.txt").write_text(as_text(found), encoding="utf-8")
        print(f"{name}: {len(found)} outputs in {folder / name / 'outputs'}")  # noqa: T201


if __name__ == "__main__":
    named = [text for text in sys.argv[1:] if text != "--accept"]
    main(Path(named[0]).resolve(), named[1:], accept="--accept" in sys.argv)
