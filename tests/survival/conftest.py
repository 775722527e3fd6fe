"""A lake with a release in it, to be broken in every way; and disks that are full or read-only."""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from assets.lake import Lake
from tests.survival.harness import Ended, muster

COLLECTION = "2012-revisit"


@pytest.fixture(scope="session")
def published(tmp_path_factory: pytest.TempPathFactory, sample_folder: Path) -> Lake:
    """A lake with the 44 returns and one release; not to be changed."""
    lake = Lake(tmp_path_factory.mktemp("published") / "lake", COLLECTION)
    shutil.copytree(sample_folder, lake.landing)
    assert muster(lake, "run", quick=True).code == 0
    return lake


@pytest.fixture
def lake(published: Lake, tmp_path: Path) -> Lake:
    """A copy of that lake, to be broken."""
    shutil.copytree(published.root, tmp_path / "lake", symlinks=True)
    return Lake(tmp_path / "lake", COLLECTION)


@pytest.fixture
def run(lake: Lake) -> Callable[..., Ended]:
    """Run a command in that lake."""
    return lambda *arguments: muster(lake, *arguments, quick=True)


@contextmanager
def mounted(target: Path, *options: str) -> Iterator[None]:
    """Mount something for as long as the block lasts; skip where that is not permitted."""
    if os.geteuid() != 0:
        pytest.skip("only root can mount")
    target.mkdir(parents=True, exist_ok=True)
    mount = ["mount", *options, str(target)]
    done = subprocess.run(mount, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"mounting is not permitted here: {done.stderr.strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(target)], check=True)


@contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """Make a folder read-only, for root by a mount and for others by its mode."""
    if os.geteuid() != 0:
        modes = {path: path.stat().st_mode for path in (folder, *folder.rglob("*"))}
        for path in modes:
            path.chmod(0o555)
        try:
            yield
        finally:
            for path, mode in modes.items():
                path.chmod(mode)
        return
    with mounted(folder, "--bind", str(folder)):
        remount = ["mount", "-o", "remount,ro,bind", str(folder)]
        subprocess.run(remount, check=True, capture_output=True)
        yield
