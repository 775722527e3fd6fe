"""The drop-off page in a real browser: without scripts, on a phone, by keyboard, for everybody."""

import re
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, expect

from assets.lake import Lake
from schemas.collection import Collection
from tests.portal.conftest import ACCOUNTS, PASSWORD
from tests.portal.served import served, take_some_in, with_accounts
from tests.returns import SampleReturn

pytestmark = pytest.mark.browser

_OVERLAID = """[...document.querySelectorAll('.lines td')]
  .filter(e => getComputedStyle(e, '::before').whiteSpace !== 'normal').map(e => e.textContent)"""
_SIDEWAYS = """[...document.querySelectorAll('.scroll')]
  .filter(e => e.scrollWidth > e.clientWidth).map(e => e.ariaLabel)"""
PAGES = {
    "stf.prepares": ("/", "/queries", "/versions", "/letter", "/help", "/nothing"),
    "desk.one": ("/", "/desk/queries", "/desk/forces/STF", "/desk/contacts"),
}


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory, collection: Collection) -> Iterator[str]:
    lake = Lake(tmp_path_factory.mktemp("portal"), collection.id)
    with_accounts(lake.root, *ACCOUNTS)
    take_some_in(lake, collection)
    with served(lake.root) as (at, _):
        yield at


def _signed_in(context: BrowserContext, address: str, name: str) -> Page:
    """Sign in with the keyboard alone."""
    page = context.new_page()
    page.goto(f"{address}/sign-in")
    page.get_by_label("Name of your account").focus()
    page.keyboard.type(name)
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(f"{address}/")
    return page


@pytest.mark.parametrize(
    ("name", "scheme"), [("stf.prepares", "light"), ("stf.prepares", "dark"), ("desk.one", "light")]
)
def test_every_page_can_be_read_by_anybody(
    browser: Browser, address: str, name: str, scheme: Any
) -> None:
    with browser.new_context(
        viewport={"width": 380, "height": 800}, color_scheme=scheme
    ) as context:
        asked: list[str] = []
        said: list[str] = []
        context.on("request", lambda request: asked.append(request.url))
        page = _signed_in(context, address, name)
        page.on("console", lambda message: said.append(message.text))
        for path in PAGES[name]:
            page.goto(address + path)
            found = Axe().run(page)
            assert found.violations_count == 0, (path, found.generate_report())
            assert page.evaluate("document.documentElement.scrollWidth") <= 380, path
            assert page.evaluate(_SIDEWAYS) == [], path
            assert page.evaluate(_OVERLAID) == [], path
            assert page.locator("h1").count() == 1
        assert {url for url in asked if not url.startswith(address)} == set()
        # Chromium says itself that a page is not there.
        assert [text for text in said if "404" not in text] == []


def test_the_sign_in_page_can_be_read_by_anybody(browser: Browser, address: str) -> None:
    with browser.new_context(viewport={"width": 380, "height": 800}) as context:
        page = context.new_page()
        page.goto(address)
        assert page.url == f"{address}/sign-in"
        found = Axe().run(page)
        assert found.violations_count == 0, found.generate_report()
        page.get_by_label("Name of your account").fill("stf.prepares")
        page.get_by_label("Password").fill("not the password")
        page.keyboard.press("Enter")
        expect(page.get_by_role("alert")).to_contain_text("not right")


def test_a_force_checks_mends_sends_and_answers_without_scripts(
    browser: Browser, address: str, collection: Collection, tmp_path: Path
) -> None:
    mine = SampleReturn.of("STF", collection)
    wrong = mine.with_values({("investigations", "total", "total"): "331"})
    with browser.new_context(java_script_enabled=False, accept_downloads=True) as context:
        page = _signed_in(context, address, "stf.prepares")
        page.get_by_label("Your filled workbook").set_input_files(
            wrong.write(tmp_path / "wrong.xlsx")
        )
        page.get_by_role("button", name="Check only").press("Enter")
        expect(page.get_by_role("heading", level=1)).to_have_text("This must be mended first")
        with page.expect_download() as download:
            page.get_by_role("link", name="Download the marked copy").click()
        assert download.value.suggested_filename == "STF-marked.xlsx"
        assert (
            openpyxl.load_workbook(BytesIO(download.value.path().read_bytes())).sheetnames[0]
            == "problems"
        )
        page.get_by_label("Your filled workbook").set_input_files(
            mine.write(tmp_path / "right.xlsx")
        )
        page.get_by_role("button", name="Send").press("Enter")
        expect(page.get_by_role("heading", level=1)).to_contain_text("Receipt STF-")
        page.get_by_role("link", name="Queries").click()
        page.get_by_label("Why it is right").first.fill("The cards were counted anew by hand.")
        page.get_by_role("button", name="Record these answers").press("Enter")
        expect(page.get_by_role("table", name=re.compile("Answered"))).to_contain_text(
            "counted anew"
        )
        page.get_by_role("button", name="Sign out").press("Enter")
        assert page.url == f"{address}/sign-in"


def test_a_verdict_and_a_receipt_can_be_read_by_anybody(
    browser: Browser, address: str, collection: Collection, tmp_path: Path
) -> None:
    wrong = SampleReturn.of("STF", collection).with_values(
        {("investigations", "total", "total"): "331"}
    )
    with browser.new_context(viewport={"width": 380, "height": 800}) as context:
        page = _signed_in(context, address, "stf.signs")
        for button in ("Check only", "Send"):
            page.goto(address)
            page.get_by_label("Your filled workbook").set_input_files(
                wrong.write(tmp_path / "wrong.xlsx")
            )
            page.get_by_role("button", name=button).click()
            expect(page.get_by_role("heading", name="What was counted")).to_be_visible()
            found = Axe().run(page)
            assert found.violations_count == 0, found.generate_report()
            assert page.evaluate("document.documentElement.scrollWidth") <= 380


def test_two_forces_and_nobody_at_once(
    browser: Browser, address: str, collection: Collection, tmp_path: Path
) -> None:
    file = SampleReturn.of("KEN", collection).write(tmp_path / "KEN.xlsx")
    with browser.new_context() as one, browser.new_context() as two, browser.new_context() as no:
        stf = _signed_in(one, address, "stf.signs")
        ken = _signed_in(two, address, "ken.prepares")
        nobody = no.new_page()
        ken.get_by_label("Your filled workbook").set_input_files(file)
        ken.get_by_role("button", name="Send").click()
        expect(ken.get_by_role("heading", level=1)).to_have_text("Receipt KEN-0001")
        for path in ("/receipts/7/marked.xlsx", "/desk/forces/KEN", "/receipts/7"):
            answer = stf.goto(address + path)
            assert answer
            assert answer.status == 404
            assert "KEN" not in stf.content()
        nobody.goto(ken.url)
        assert nobody.url == f"{address}/sign-in"


def test_everything_on_the_first_page_is_reached_with_the_tab_key(
    browser: Browser, address: str
) -> None:
    with browser.new_context(viewport={"width": 380, "height": 800}) as context:
        page = _signed_in(context, address, "stf.prepares")
        page.reload()
        reached = []
        for _ in range(40):
            page.keyboard.press("Tab")
            what = page.evaluate(
                "(e => e.tagName === 'BODY' ? null : [e.textContent.trim() || e.id,"
                " getComputedStyle(e).outlineStyle])(document.activeElement)"
            )
            if what is None:
                break
            assert what[1] != "none", what
            reached.append(what[0])
        for words in ("Sign out", "Download your workbook", "return", "Check only", "Send"):
            assert words in reached
