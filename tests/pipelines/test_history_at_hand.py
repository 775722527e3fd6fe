"""The history's files stay open through a run, and no longer."""

from pathlib import Path

import pytest
from dagster import DagsterInstance

from pipelines.instance import history_at_hand


def _open_here() -> set[str]:
    links = (link for link in Path("/proc/self/fd").iterdir() if link.exists())
    return {link.resolve().name for link in links}


@pytest.mark.skipif(
    not Path("/proc/self/fd").is_dir(), reason="the system does not say what is open"
)
def test_what_there_is_of_it_is_open_for_as_long_as_a_run(tmp_path: Path) -> None:
    with DagsterInstance.local_temp(str(tmp_path)) as instance:
        with history_at_hand(instance):
            with history_at_hand(instance):
                instance.all_asset_keys()
            assert "index.db" in _open_here()
        assert "index.db" not in _open_here()
        assert instance.all_asset_keys() == []
