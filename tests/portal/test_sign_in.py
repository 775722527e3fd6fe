"""Who gets in, who does not, and what the one who does not is told."""

import json
import stat
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import ClassVar, Literal

import pytest
from argon2 import PasswordHasher, extract_parameters

from pipelines.portal import serve
from pipelines.portal import state as state_module
from pipelines.portal.accounts import Account, Accounts
from pipelines.portal.web import Portal
from tests.portal.conftest import PASSWORD, Browser, log_of

Open = Callable[..., Browser]


def test_each_role_gets_its_own_first_page(browser: Open) -> None:
    assert "Staffordshire Police" in browser("stf.prepares").go("/").text
    assert "All forces" in browser("desk.one").go("/").text


def test_a_wrong_password_and_an_unknown_name_are_told_the_same(browser: Open) -> None:
    found = browser()
    wrong = found.sign_in("stf.prepares", "not this password")
    unknown = found.sign_in("stf.prepared", "not this password")
    assert wrong.status_code == unknown.status_code == 403
    assert wrong.text == unknown.text


def test_an_unknown_name_costs_what_the_known_ones_cost(tmp_path: Path) -> None:
    """Else the time that is taken tells who has an account."""

    class Noting(PasswordHasher):
        verified: ClassVar[list[str]] = []

        def verify(self, hash: str | bytes, password: str | bytes) -> Literal[True]:  # noqa: A002
            self.verified.append(str(hash))
            return super().verify(hash, password)

    quick = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    Accounts(tmp_path, quick).add(Account("stf.prepares", "preparer", "STF"), PASSWORD)
    served = Accounts(tmp_path, Noting())
    assert served.verified("stf.prepared", PASSWORD) is None
    assert served.verified("stf.prepares", PASSWORD)
    unknown, known = map(extract_parameters, Noting.verified)
    assert unknown == known


def test_no_address_is_mended_into_one_that_there_is(browser: Open) -> None:
    """A way on to it would tell that it is there, and lead where the request says."""
    found = browser("stf.prepares")
    nothing = found.go("/nothing")
    for path in ("/queries/", "/desk/queries/"):
        answer = found.client.get(path, headers={"Host": "elsewhere.test"}, follow_redirects=False)
        assert (answer.status_code, answer.text) == (404, nothing.text)


@pytest.mark.parametrize("number", ["77", "9" * 300, "9" * 5000, "-1", "1.5", "\u0661"])
def test_a_receipt_that_there_is_not(browser: Open, number: str) -> None:
    found = browser("stf.prepares")
    for path in (f"/receipts/{number}", f"/receipts/{number}/marked.xlsx"):
        answer = found.go(path)
        assert (answer.status_code, answer.text) == (404, found.go("/nothing").text)


def test_nobody_sees_anything_before_signing_in(browser: Open) -> None:
    found = browser()
    for path in ("/", "/desk", "/nothing", "/queries"):
        answer = found.client.get(path, follow_redirects=False)
        assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")


@pytest.mark.parametrize("whose", ["none", "wrong", "other"])
def test_a_form_that_was_not_ours_does_nothing(browser: Open, whose: str) -> None:
    found, other = browser("stf.prepares"), browser("ken.prepares")
    found.go("/")
    tokens = {
        "none": {"x": "y"},
        "wrong": {"token": "0" * 64},
        "other": {"token": other.go("/") and other.token},
    }
    answer = found.client.post("/sign-out", data=tokens[whose])
    assert answer.status_code == 403
    assert found.go("/").status_code == 200


def test_a_form_that_another_site_sends_does_nothing(browser: Open) -> None:
    found = browser("stf.prepares")
    found.go("/")
    others = {"Origin": "https://elsewhere.test"}, {"Origin": "http://["}
    for headers in (*others, {"Sec-Fetch-Site": "cross-site"}):
        answer = found.client.post("/sign-out", data={"token": found.token}, headers=headers)
        assert answer.status_code == 403
    assert found.go("/").url.path == "/"


def test_a_cookie_is_worth_nothing_after_signing_out(browser: Open) -> None:
    found = browser("stf.prepares")
    cookie = found.client.cookies["muster"]
    found.go("/")
    found.send("/sign-out")
    thief = browser()
    thief.client.cookies.set("muster", cookie)
    assert thief.go("/").url.path == "/sign-in"


def test_a_cookie_that_was_changed_is_worth_nothing(browser: Open) -> None:
    found = browser("stf.prepares")
    cookie = found.client.cookies["muster"]
    for changed in (
        cookie[:-1] + ("A" if cookie[-1] != "A" else "B"),
        "x" + cookie,
        cookie[5:],
        "",
    ):
        thief = browser()
        thief.client.cookies.set("muster", changed)
        assert thief.go("/").url.path == "/sign-in"


def test_signing_in_takes_a_new_session(browser: Open) -> None:
    """Else whoever set the cookie before would be signed in too."""
    found = browser()
    before = found.client.cookies["muster"]
    found.sign_in("stf.prepares")
    assert found.client.cookies["muster"] != before
    thief = browser()
    thief.client.cookies.set("muster", before)
    assert thief.go("/").url.path == "/sign-in"


@pytest.mark.parametrize("how", ["disabled", "password", "idle", "day"])
def test_a_session_ends(
    browser: Open, portal: Portal, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = browser("stf.prepares")
    assert found.go("/").url.path == "/"
    if how == "disabled":
        portal.accounts.change("stf.prepares", disabled=True)
    elif how == "password":
        portal.accounts.change("stf.prepares", password="another long password")
    else:
        after = state_module.IDLE if how == "idle" else state_module.LONGEST
        later = datetime.now(UTC) + after + timedelta(seconds=5)
        monkeypatch.setattr(portal.state, "_clock", lambda: later)
    assert found.go("/").url.path == "/sign-in"
    if how == "disabled":
        assert found.sign_in("stf.prepares").status_code == 403


def test_too_many_attempts_are_refused_whoever_it_is(browser: Open, portal: Portal) -> None:
    """A name that is known must not be told from one that is not; a restart forgets nothing."""
    found = browser()
    for name in ("stf.prepares", "no.such.name"):
        answers = [found.sign_in(name, f"wrong password {n}").status_code for n in range(12)]
        assert answers == [403] * 10 + [429] * 2
    assert found.sign_in("stf.prepares").status_code == 429
    again = state_module.State(portal.folder)
    assert again.attempt("stf.prepares", "testclient") is None
    # Nobody can shut a force out by guessing elsewhere, unless from everywhere.
    assert again.attempt("stf.prepares", "elsewhere") is not None
    for number in range(100):
        again.attempt("stf.prepares", f"elsewhere {number}")
    assert again.attempt("stf.prepares", "here") is None
    assert again.attempt("ken.prepares", "here") is not None
    # Where it has signed in before it still can.
    attempt = again.attempt("ken.prepares", "home")
    assert attempt is not None
    again.was_right("ken.prepares", "home", attempt)
    for number in range(100):
        again.attempt("ken.prepares", f"elsewhere still {number}")
    assert again.attempt("ken.prepares", "here") is None
    assert again.attempt("ken.prepares", "home") is not None
    again.close()


def test_the_log_says_who_did_what_and_nothing_that_was_typed(
    browser: Open, portal: Portal
) -> None:
    found = browser()
    found.sign_in("a password typed as a name", "x")
    found.sign_in("stf.prepares")
    found.go("/")
    found.send("/sign-out")
    lines = log_of(portal)
    text = json.dumps(lines)
    assert [line["action"] for line in lines] == ["sign-in-refused", "sign-in", "sign-out"]
    assert [line["account"] for line in lines] == [None, "stf.prepares", "stf.prepares"]
    assert "typed" not in text
    assert PASSWORD not in text


def test_accounts_that_have_gone_are_told_to_who_looks_after_them(
    browser: Open, portal: Portal, caplog: pytest.LogCaptureFixture
) -> None:
    found = browser("stf.prepares")
    portal.accounts.path.unlink()
    assert found.go("/").status_code == 500
    assert "is gone. Restore it from the backup" in caplog.text


def test_what_the_portal_keeps_is_for_nobody_else(browser: Open, portal: Portal) -> None:
    browser("stf.prepares")
    assert stat.S_IMODE(portal.folder.stat().st_mode) == 0o700
    for path in portal.folder.iterdir():
        if path.is_file() and path.stat().st_size:
            assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path
    assert PASSWORD not in portal.accounts.path.read_text()


def test_behind_a_proxy_the_cookie_goes_by_https_alone(browser: Open, portal: Portal) -> None:
    told = browser().shown.headers["set-cookie"]
    assert "HttpOnly" in told
    assert "SameSite=lax" in told
    assert "Secure" not in told
    portal.secure = True
    told = browser().shown.headers["set-cookie"]
    assert told.startswith("__Host-muster=")
    assert "Secure" in told
    assert "Path=/" in told


def test_a_force_that_is_not_asked_is_told_so(browser: Open, portal: Portal) -> None:
    portal.accounts.add(Account("xyz.prepares", "preparer", "XYZ"), PASSWORD)
    found = browser()
    assert "asks for no return of your force" in found.sign_in("xyz.prepares").text
    assert found.send("/sign-out").url.path == "/sign-in"


def test_off_this_machine_no_cookie_goes_without_encryption(
    portal: Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[Portal] = []

    def stop(portal: Portal) -> None:
        made.append(portal)
        raise SystemExit

    monkeypatch.setattr(serve, "application", stop)
    for host, secure in (("127.0.0.1", False), ("localhost", False), ("0.0.0.0", True)):
        with pytest.raises(SystemExit):
            serve.serve(portal.collection, portal.lake, host, 0, secure=False, tell=print)
        assert made[-1].secure is secure, host
