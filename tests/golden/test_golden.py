"""A change that only moves code leaves every output as it was.

A change that is meant to change outputs accepts the new ones, in the same commit, with
`python -m tests.golden DIR --accept`; the diff of the digests says which outputs it changed.
"""

from pathlib import Path

import pytest

from tests.golden.outputs import digests, write_outputs
from tests.golden.worlds import WORLDS

DIGESTS = Path(__file__).parent / "digests"


def as_text(found: dict[str, str]) -> str:
    return "".join(f"{digest}  {path}\n" for path, digest in found.items())


@pytest.mark.slow
@pytest.mark.parametrize("name", WORLDS)
def test_every_output_is_as_it_was(name: str, tmp_path: Path) -> None:
    kept = (DIGESTS / f"{name}.txt").read_text(encoding="utf-8")
    expected = {path: digest for digest, path in (line.split("  ") for line in kept.splitlines())}
    found = digests(write_outputs(name, tmp_path))
    changed = [path for path in {**expected, **found} if expected.get(path) != found.get(path)]
    assert not changed, (
        f"{len(changed)} outputs differ, such as {sorted(changed)[:10]}; compare them with"
        " `python -m tests.golden DIR` at both states of the code and `diff -r`"
    )
