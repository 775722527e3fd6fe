"""`python -m tests.golden DIR` writes the outputs of the three lakes; `--accept` keeps digests.

Two folders made at two states of the code are compared with `diff -r`.
"""

import sys
from pathlib import Path

from tests.golden.outputs import digests, write_outputs
from tests.golden.test_golden import DIGESTS, as_text
from tests.golden.worlds import WORLDS


def main(folder: Path, *, accept: bool) -> None:
    """Write the outputs below a new folder."""
    for name in WORLDS:
        found = digests(write_outputs(name, folder / name))
        if accept:
            (DIGESTS / f"{name}.txt").write_text(as_text(found), encoding="utf-8")
        print(f"{name}: {len(found)} outputs in {folder / name / 'outputs'}")  # noqa: T201


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve(), accept="--accept" in sys.argv)
