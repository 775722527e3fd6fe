"""A real browser, and the folders of pages that a release has."""

import os
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from assets.inputs.research.tables import ResearchTables
from assets.marts import write_mart
from assets.release.pages.figures import Edition
from assets.release.pages.series import write_series
from schemas.collection import Collection, load_collection
from schemas.marts import MARTS
from tests.gate.gated import run_gate
from tests.live import any_live
from tests.pages.released import ABOUT, Marts, marts_of, show_release, write_pages
from tests.test_structure import ROOT

_BESIDE = ("summary.xlsx", "dictionary.md", "muster.duckdb")
"""What stands in a release beside its report, and is led to."""
_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    path = os.environ.get("MUSTER_CHROMIUM") or shutil.which("chromium")
    if path is None:
        pytest.fail("install chromium (Debian package chromium), or name one in MUSTER_CHROMIUM")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=_ARGUMENTS)
        yield browser
        browser.close()


@dataclass
class Opened:
    """A page in the browser: every address it asked for, and everything it complained of."""

    page: Page
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def go(self, url: str) -> None:
        """Go to an address, and forget what was recorded before."""
        self.requests.clear()
        self.complaints.clear()
        self.page.goto(url, wait_until="load")


Open = Callable[..., AbstractContextManager[Opened]]


@pytest.fixture(scope="session")
def opened(browser: Browser) -> Open:
    """Return a way to open an address, at a width and in a colour scheme."""

    @contextmanager
    def open_(url: str, width: int = 1200, scheme: Any = "light") -> Iterator[Opened]:
        size = {"width": width, "height": 900}
        with browser.new_context(viewport=size, color_scheme=scheme) as context:  # type: ignore[arg-type]
            found = Opened(context.new_page())
            context.on("request", lambda request: found.requests.append(request.url))
            context.on("requestfailed", lambda request: found.complaints.append(request.url))
            found.page.on("console", lambda said: found.complaints.append(said.text))
            found.page.on("pageerror", lambda error: found.complaints.append(str(error)))
            found.go(url)
            yield found

    return open_


@pytest.fixture(scope="session")
def marts(live: Any, research: ResearchTables, collection: Collection) -> Marts:
    return marts_of(live, collection, research)


@pytest.fixture(scope="session")
def lake(tmp_path_factory: pytest.TempPathFactory, marts: Marts) -> Path:
    """A lake that shows 2012 with its report, 2013 with its own, and the series over both."""
    root = tmp_path_factory.mktemp("lake")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MUSTER_COLLECTIONS", str(ROOT / "examples"))
        for name in ("2012-revisit", "2013-revisit"):
            collection = load_collection(name)
            live = any_live(collection, 1, every_force=True)
            of = marts if name == ABOUT["collection"] else marts_of(live, collection)
            folder = show_release(root, of["national_totals"], collection, cells=of["cells"])
            write_pages(folder / "report", Edition(of, {**ABOUT, "collection": name}))
            for beside in (*_BESIDE, "quality/index.html", "public/README.txt"):
                (folder / beside).parent.mkdir(exist_ok=True)
                (folder / beside).touch()
    write_series(root)
    return root


@pytest.fixture(scope="session")
def report(lake: Path) -> Path:
    return lake / "marts" / "2012-revisit" / "report"


@pytest.fixture(scope="session")
def series(lake: Path) -> Path:
    return lake / "marts" / "series"


@pytest.fixture(scope="session")
def quality(tmp_path_factory: pytest.TempPathFactory, marts: Marts, collection: Collection) -> Path:
    """The pages of the gate, which says what was expected of the marts."""
    folder = tmp_path_factory.mktemp("gate")
    for name, contract in MARTS.items():
        with (folder / f"{name}.parquet").open("wb") as file:
            write_mart(file, name, contract, marts[name], ABOUT)
    run_gate(folder, collection, folder / "quality", ABOUT)
    return folder / "quality"


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name is inherited
        del format, args


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Serve a folder on loopback, and give its address."""
    handler = partial(_Quiet, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()
