"""Pages of a release open with no network at all: nothing is asked for but the page itself."""

from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.browser.conftest import Open, served

pytestmark = pytest.mark.browser

FOLDERS = ["report", "quality", "series"]
"""The folders of pages that a lake shows; each is a fixture."""


def _pages(folder: Path) -> list[Path]:
    pages = sorted(folder.rglob("*.html"))
    assert folder / "index.html" in pages
    return pages


@pytest.mark.parametrize("name", FOLDERS)
def test_from_a_disk_nothing_else_is_asked_for(
    name: str, request: pytest.FixtureRequest, opened: Open
) -> None:
    pages = _pages(request.getfixturevalue(name))
    with opened(pages[0].as_uri()) as found:
        for path in pages:
            found.go(path.as_uri())
            assert found.requests == [path.as_uri()]
            assert found.complaints == []


@pytest.mark.parametrize("name", FOLDERS)
def test_from_a_server_nothing_else_is_asked_for(
    name: str, request: pytest.FixtureRequest, opened: Open
) -> None:
    folder = request.getfixturevalue(name)
    with served(folder) as address, opened(f"{address}/index.html") as found:
        for path in _pages(folder):
            url = f"{address}/{path.relative_to(folder)}"
            found.go(url)
            assert found.requests == [url]
            assert found.complaints == []


def test_a_page_that_asks_for_something_is_found_out(tmp_path: Path, opened: Open) -> None:
    """The two tests above would pass for ever if nothing were recorded."""
    page = tmp_path / "index.html"
    page.write_text('<img src="http://127.0.0.1:9/x.png"><script>console.warn("w")</script>')
    with opened(page.as_uri()) as found:
        assert "http://127.0.0.1:9/x.png" in found.requests
        assert "w" in found.complaints


_UNTOLD = """document.querySelectorAll('details').forEach(e => e.open = true),
  [...document.querySelectorAll('.scroll')].filter(e => e.scrollWidth > e.clientWidth
    && !e.previousElementSibling?.matches('.hint')).map(e => e.ariaLabel)"""
"""The tables that move sideways and do not say so."""


@pytest.mark.parametrize("name", FOLDERS)
def test_nothing_is_wider_than_a_phone(
    name: str, request: pytest.FixtureRequest, opened: Open
) -> None:
    """A page that moves sideways cannot be read with one hand."""
    pages = _pages(request.getfixturevalue(name))
    with opened(pages[0].as_uri(), width=380) as found:
        for path in pages:
            found.go(path.as_uri())
            wide = found.page.evaluate("document.documentElement.scrollWidth")
            assert wide <= 380, path.name
            assert found.page.evaluate(_UNTOLD) == [], path.name


@pytest.mark.parametrize("name", FOLDERS)
def test_every_link_leads_somewhere(
    name: str, request: pytest.FixtureRequest, opened: Open
) -> None:
    pages = _pages(request.getfixturevalue(name))
    marks, links = set(), set()
    with opened(pages[0].as_uri()) as found:
        for path in pages:
            found.go(path.as_uri())
            ids = found.page.evaluate("[...document.querySelectorAll('[id]')].map(e => e.id)")
            marks |= {path.as_uri(), *(f"{path.as_uri()}#{mark}" for mark in ids)}
            links |= set(found.page.evaluate("[...document.links].map(a => a.href)"))
    assert len(links) >= len(pages)
    outside = {
        url for url in links - marks if "#" not in url and Path(urlsplit(url).path).is_file()
    }
    assert links - marks - outside == set()
