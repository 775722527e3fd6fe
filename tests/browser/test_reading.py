"""What a reader sees: the numbers of the marts, on a page that can be read by anybody."""

import unicodedata
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from pypdf import PdfReader

from tests.browser.conftest import Open
from tests.pages.released import Answers, Marts, Shown, is_number, pages_in

pytestmark = pytest.mark.browser

_OPEN = "document.querySelectorAll('details').forEach(e => e.open = true)"
_SHOWN = """[...document.querySelectorAll('[data-from]')].map(
    e => [e.dataset.from, e.dataset.of ?? null, e.textContent, 'rank' in e.dataset,
      e.checkVisibility()])"""
_BARE = """[...document.querySelectorAll('td:not([data-from])')].map(e => e.textContent)"""


def test_every_number_in_every_table_is_the_marts(report: Path, marts: Marts, opened: Open) -> None:
    answers = Answers(marts)
    with opened((report / "index.html").as_uri()) as found:
        for path in pages_in(report):
            found.go(path.as_uri())
            found.page.evaluate(_OPEN)
            shown = found.page.evaluate(_SHOWN)
            wrong = [answers.wrong(Shown(*item[:4])) for item in shown]
            assert [message for message in wrong if message] == []
            assert all(visible for *_, visible in shown)
            assert len(shown) > {"checks": 10, "changes": 1}.get(path.stem, 150)
            bare = [text for text in found.page.evaluate(_BARE) if is_number(text)]
            assert bare == (["1"] if path.parent.name == "forces" else []), "the version"


_OUTLINE = """() => ({
  headings: [...document.querySelectorAll('h1,h2,h3,h4,h5,h6')].map(h => +h.tagName[1]),
  twice: [...document.querySelectorAll('[id]')].map(e => e.id)
    .filter((x, i, a) => a.indexOf(x) < i),
  pictures: [...document.querySelectorAll('svg, .cols')].map(s => [s.getAttribute('role'),
    [s.getAttribute('aria-label'), ...['aria-labelledby', 'aria-describedby'].flatMap(
      a => (s.getAttribute(a) || '').split(' '))
      .map(i => document.getElementById(i)?.textContent)].filter(t => t)]),
  tables: [...document.querySelectorAll('table')].map(t => [t.caption?.textContent,
    [...t.querySelectorAll('th')].every(h => ['col', 'row'].includes(h.scope)),
    t.parentElement.tabIndex, t.parentElement.getAttribute('aria-label')]),
  marks: ['header', 'main', 'footer', 'nav[aria-label]']
    .map(m => document.querySelectorAll(m).length),
  language: document.documentElement.lang,
})"""


def _outline(found: Any) -> dict[str, Any]:
    outline: dict[str, Any] = found.page.evaluate(_OUTLINE)
    return outline


def test_a_screen_reader_finds_its_way(report: Path, series: Path, opened: Open) -> None:
    drawn = {report / "index.html": 1, report / "forces" / "STF.html": 3, series / "index.html": 0}
    for path, pictures in drawn.items():
        with opened(path.as_uri()) as found:
            outline = _outline(found)
        levels = outline["headings"]
        assert levels[0] == 1
        assert levels.count(1) == 1
        assert all(after <= before + 1 for before, after in pairwise(levels))
        assert outline["twice"] == []
        assert outline["language"] == "en-GB"
        assert outline["marks"][:3] == [1, 1, 1]
        assert outline["marks"][3] >= 1
        assert len(outline["pictures"]) >= pictures
        for role, names in outline["pictures"]:
            assert role == "img"
            assert len(names) == 2
            assert all(names)
        for caption, scoped, tab, label in outline["tables"]:
            assert caption.strip() == label
            assert scoped
            assert tab == 0


_ACTIVE = """() => { const e = document.activeElement, s = getComputedStyle(e);
  const box = e.getBoundingClientRect();
  return {tag: e.tagName, label: e.getAttribute('aria-label'), href: e.getAttribute('href'),
    id: e.id, outline: s.outlineStyle, seen: box.bottom > 0 && box.top < innerHeight}; }"""


def test_everything_is_reached_with_the_tab_key(report: Path, opened: Open) -> None:
    with opened((report / "forces" / "STF.html").as_uri(), width=380) as found:
        page = found.page
        page.keyboard.press("Tab")
        first = page.evaluate(_ACTIVE)
        assert first["href"] == "#main"
        assert first["seen"], "the skip link comes into view"
        page.keyboard.press("Enter")
        assert page.evaluate(_ACTIVE)["id"] == "main"
        page.reload()
        reached = set()
        for _ in range(100):
            page.keyboard.press("Tab")
            active = page.evaluate(_ACTIVE)
            if active["tag"] == "BODY":
                break
            assert active["outline"] != "none", active
            assert active["seen"], active
            reached.add(active["label"] or active["href"])
        regions = page.evaluate(
            "[...document.querySelectorAll('.scroll')].map(e => e.getAttribute('aria-label'))"
        )
        assert len(regions) > 8
        assert set(regions) <= reached


def test_a_wide_table_moves_inside_its_own_region(report: Path, opened: Open) -> None:
    with opened((report / "index.html").as_uri(), width=380) as found:
        found.page.evaluate(_OPEN)
        region = found.page.locator(".scroll", has=found.page.locator("#t-outcomes"))
        region.focus()
        found.page.keyboard.press("ArrowRight")
        for _ in range(100):  # the page's policy lets no condition be waited for inside it
            if region.evaluate("region => region.scrollLeft") > 0:
                return
            found.page.wait_for_timeout(50)
        pytest.fail("the table does not move")


_COLOURS = """() => {
  const number = c => (c.match(/[\\d.]+/g) || []).map(Number);
  const bright = c => number(c).slice(0, 3).map(v => v / 255)
    .map(v => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [.2126, .7152, .0722][i], 0);
  const ratio = (a, b) => { const [x, y] = [bright(a), bright(b)].sort((p, q) => q - p);
    return (x + .05) / (y + .05); };
  const behind = e => { for (; e; e = e.parentElement) {
    const c = getComputedStyle(e).backgroundColor, n = number(c);
    if (n.length === 3 || n[3] > 0) return c; } return 'rgb(255, 255, 255)'; };
  const probe = document.body.appendChild(document.createElement('i'));
  const named = name => {
    probe.style.color = `var(${name})`; return getComputedStyle(probe).color; };
  const found = {};
  for (const e of document.querySelectorAll('body *')) {
    const own = [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim());
    if (!own || !e.checkVisibility() || e.closest('desc, title, .hid')) continue;
    const s = getComputedStyle(e), svg = e instanceof SVGElement, colour = svg ? s.fill : s.color;
    const back = e.closest('td.bar') ? named('--tint') : behind(e);
    found[`${e.tagName} ${colour} on ${back}`] = ratio(colour, back);
  }
  const series = ['now', 'then', 'p1', 'p2', 'p3', 'p4', 'p5'].map(n => named(`--${n}`));
  return {text: found, marks: series.map(c => ratio(c, named('--page'))), page: named('--page')};
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ["index.html", "forces/MPS.html"])
def test_text_stands_out_by_day_and_by_night(
    report: Path, opened: Open, name: str, scheme: str
) -> None:
    with opened((report / name).as_uri(), scheme=scheme) as found:
        colours = found.page.evaluate(_COLOURS)
    assert (colours["page"] == "rgb(255, 255, 255)") == (scheme == "light")
    assert len(colours["text"]) > 10
    assert {what: ratio for what, ratio in colours["text"].items() if ratio < 4.5} == {}
    assert min(colours["marks"]) >= 3


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(
    ("folder", "names"),
    [
        ("report", ["index", "figures", "checks", "arrangements", "forces/MPS", "forces/STF"]),
        ("quality", ["index"]),
        ("series", ["index"]),
    ],
)
def test_axe_finds_no_violation(
    request: pytest.FixtureRequest, opened: Open, folder: str, names: list[str], scheme: str,
    width: int,
) -> None:  # fmt: skip
    pages = request.getfixturevalue(folder)
    for name in names:
        with opened((pages / f"{name}.html").as_uri(), width=width, scheme=scheme) as found:
            told = Axe().run(found.page)
        assert told.response["passes"], name
        assert told.response["violations"] == [], name


_TOO_WIDE = """() => [...document.querySelectorAll('table, svg, pre')].filter(
    e => e.getBoundingClientRect().right > document.documentElement.clientWidth + 1
      || e.parentElement.scrollWidth > e.parentElement.clientWidth + 1)
  .map(e => e.id || e.tagName)"""
_A4_INSIDE = 688
"""Width in CSS pixels that the margins leave of a sheet of A4."""


@pytest.mark.parametrize("name", ["index.html", "forces/MPS.html", "forces/STF.html"])
def test_nothing_is_cut_off_on_paper(report: Path, opened: Open, tmp_path: Path, name: str) -> None:
    with opened((report / name).as_uri(), width=_A4_INSIDE) as found:
        found.page.emulate_media(media="print")
        assert found.page.evaluate(_TOO_WIDE) == []
        captions = (
            found.page.locator("figcaption, caption").filter(visible=True).all_text_contents()
        )
        path = tmp_path / "page.pdf"
        found.page.pdf(path=path, prefer_css_page_size=True)
    printed = PdfReader(path).pages
    assert len(captions) >= 10
    assert len(printed) <= 12
    assert round(float(printed[0].mediabox.width)) == 595
    said = _run_together("".join(page.extract_text() for page in printed))
    for caption in captions:
        assert _run_together(caption) in said


def _run_together(text: str) -> str:
    """Return a text without what printing changes: spaces, and letters joined to one sign."""
    return "".join(unicodedata.normalize("NFKC", text).split())


_SMALL = """[...document.querySelectorAll('body *')].filter(e => e.checkVisibility()
    && !e.closest('desc, title, [aria-hidden=true]')
    && [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim())
    && parseFloat(getComputedStyle(e).fontSize)
      * (e.closest('svg') ? e.closest('svg').getBoundingClientRect().width / 340 : 1) < 13.99)
  .map(e => e.outerHTML.slice(0, 80))"""
_NARROW = """[...document.querySelectorAll('nav a, summary, .points a, .tiles a, tbody a')].filter(
    e => e.checkVisibility() && e.getBoundingClientRect().height < 44)
  .map(e => e.textContent)"""
_CUT = """[...document.querySelectorAll('.scroll:has(.lines), pre')]
  .filter(e => e.scrollWidth > e.clientWidth).map(e => e.textContent.slice(0, 80))"""
_UNNAMED = """[...document.querySelectorAll('.lines td')].filter(
    e => !getComputedStyle(e, '::before').content.includes(
      e.closest('table').tHead.rows[0].cells[e.cellIndex].textContent))
  .map(e => e.textContent)"""


def test_a_phone_shows_words_below_each_other(report: Path, quality: Path, opened: Open) -> None:
    pages = report / "checks.html", report / "figures.html", quality / "index.html"
    with opened((report / "index.html").as_uri(), width=390) as found:
        assert found.page.evaluate(_CUT) == []
        for path in pages:
            found.go(path.as_uri())
            found.page.evaluate(_OPEN)
            assert found.page.locator(".lines").count() > 0
            assert found.page.evaluate(_CUT) == []
            assert found.page.evaluate(_UNNAMED) == []


_HIGH = "document.documentElement.scrollHeight"
_FIRST = "document.querySelector('main [data-from]').getBoundingClientRect().bottom"


def test_a_phone_shows_a_number_first_and_nothing_too_small(
    report: Path, series: Path, opened: Open
) -> None:
    pages = report / "index.html", report / "forces" / "MPS.html", series / "index.html"
    with opened(pages[0].as_uri(), width=390) as found:
        for path in pages:
            found.go(path.as_uri())
            if path.parent != series:
                assert found.page.evaluate(_FIRST) < 800
            found.page.evaluate(_OPEN)
            assert found.page.evaluate(_SMALL) == []
            assert found.page.evaluate(_NARROW) == []


def test_the_first_page_is_short(report: Path, series: Path, opened: Open) -> None:
    for folder in (report, series):
        with opened((folder / "index.html").as_uri(), width=1280) as found:
            assert found.page.evaluate(_HIGH) <= 12 * 800
