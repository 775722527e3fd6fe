"""Signing in by OpenID Connect, against a provider on this machine that can also lie."""

import base64
import hashlib
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
import uvicorn
from joserfc import jwt
from joserfc.jwk import ECKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from pipelines.portal.accounts import Account
from pipelines.portal.provider import Provider, provider_of_settings
from pipelines.portal.web import Portal
from schemas.errors import SetupError
from tests.portal.conftest import Browser

SUBJECT = "00u-stf-17"
_KEY = ECKey.generate_key("P-256", {"kid": "one"})
_OTHER = ECKey.generate_key("P-256", {"kid": "one"})


@dataclass
class Fake:
    """A provider; `lies` change what it says of whoever signs in, and `key` signs it."""

    address: str = ""
    lies: dict[str, Any] = field(default_factory=dict)
    key: ECKey = field(default_factory=lambda: _KEY)
    asked: dict[str, str] = field(default_factory=dict)

    def app(self) -> Starlette:
        def about(_: Request) -> JSONResponse:
            places = {
                "authorization_endpoint": "/authorize", "token_endpoint": "/token",
                "jwks_uri": "/keys",
            }  # fmt: skip
            found: dict[str, Any] = {name: self.address + at for name, at in places.items()}
            algorithms = {"id_token_signing_alg_values_supported": ["ES256", "none"]}
            return JSONResponse({"issuer": self.address, **found, **algorithms})

        def keys(_: Request) -> JSONResponse:
            return JSONResponse({"keys": [_KEY.as_dict(private=False)]})

        async def token(request: Request) -> JSONResponse:
            form = {name: str(value) for name, value in (await request.form()).items()}
            digest = hashlib.sha256(form["code_verifier"].encode()).digest()
            assert base64.urlsafe_b64encode(digest).rstrip(b"=").decode() == self.asked["challenge"]
            now = int(time.time())
            claims = {
                "iss": self.address, "aud": "muster", "sub": SUBJECT, "iat": now, "exp": now + 60,
                "nonce": self.asked["nonce"], **self.lies,
            }  # fmt: skip
            signed = jwt.encode({"alg": "ES256", "kid": "one"}, claims, self.key)
            return JSONResponse({"access_token": "a", "token_type": "Bearer", "id_token": signed})

        return Starlette(
            routes=[
                Route("/.well-known/openid-configuration", about),
                Route("/keys", keys),
                Route("/token", token, methods=["POST"]),
            ]
        )


@pytest.fixture(scope="module")
def fake() -> Iterator[Fake]:
    found = Fake()
    server = uvicorn.Server(
        uvicorn.Config(found.app(), host="127.0.0.1", port=0, log_level="critical")
    )
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    found.address = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    yield found
    server.should_exit = True
    thread.join()


@pytest.fixture
def provided(portal: Portal, fake: Fake) -> Portal:
    fake.lies, fake.key = {}, _KEY
    portal.provider = Provider(fake.address, "muster", "a secret")
    portal.accounts.add(Account("stf.single", "preparer", "STF", subject=SUBJECT), None)
    return portal


def _through(found: Browser, fake: Fake, **changes: str) -> Any:
    """Go to the provider, sign in there, and come back, perhaps with something changed."""
    found.go("/sign-in")
    away = found.client.get("/sign-in/provider", follow_redirects=False)
    assert away.headers["location"].startswith(f"{fake.address}/authorize?")
    asked = {n: v[0] for n, v in parse_qs(urlsplit(away.headers["location"]).query).items()}
    assert asked["scope"] == "openid"
    fake.asked = {"challenge": asked["code_challenge"], "nonce": asked["nonce"]}
    back = urlsplit(asked["redirect_uri"]).path
    return found.go(f"{back}?{urlencode({'code': 'c', 'state': asked['state'], **changes})}")


def test_whoever_the_provider_knows_gets_in_without_a_password(
    browser: Callable[..., Browser], provided: Portal, fake: Fake
) -> None:
    found = browser()
    assert "Staffordshire Police" in _through(found, fake).text
    assert browser().sign_in("stf.single", "").status_code == 403
    provided.accounts.change("stf.single", disabled=True)
    assert found.go("/").url.path == "/sign-in"
    assert _through(browser(), fake).status_code == 403


@pytest.mark.parametrize(
    "lies",
    [{"sub": "somebody else"}, {"aud": "another"}, {"iss": "http://elsewhere.test"},
     {"nonce": "another"}, {"exp": 1}],
    ids=lambda lies: next(iter(lies)),
)  # fmt: skip
@pytest.mark.usefixtures("provided")
def test_what_does_not_fit_lets_nobody_in(
    browser: Callable[..., Browser], fake: Fake, lies: dict[str, Any]
) -> None:
    fake.lies = lies
    found = browser()
    assert _through(found, fake).status_code == 403
    assert found.go("/").url.path == "/sign-in"


@pytest.mark.usefixtures("provided")
def test_what_others_signed_or_began_lets_nobody_in(
    browser: Callable[..., Browser], fake: Fake
) -> None:
    assert _through(browser(), fake, state="another").status_code == 403
    fake.key = _OTHER
    assert _through(browser(), fake).status_code == 403
    assert browser().go("/sign-in/provider/back?code=c&state=s").status_code == 403


def test_a_provider_that_is_not_there_is_told(
    browser: Callable[..., Browser], portal: Portal
) -> None:
    assert browser().go("/sign-in/provider").url.path == "/sign-in"
    portal.provider = Provider("http://127.0.0.1:9", "muster", "a secret")
    assert browser().go("/sign-in/provider").status_code == 503


def test_half_a_provider_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    assert provider_of_settings() is None
    monkeypatch.setenv("MUSTER_OIDC_ISSUER", "https://login.example.org")
    with pytest.raises(SetupError, match="Set all of"):
        provider_of_settings()
    monkeypatch.setenv("MUSTER_OIDC_CLIENT", "muster")
    monkeypatch.setenv("MUSTER_OIDC_SECRET_FILE", "/nowhere")
    with pytest.raises(SetupError, match="cannot be read"):
        provider_of_settings()
