"""OpenID Connect: an identity provider says who it is, the accounts file what the account may."""

import os
from pathlib import Path
from typing import Any, Final

from authlib.integrations.starlette_client import OAuth
from starlette.requests import Request

from schemas.errors import SetupError

_SETTINGS: Final = ("MUSTER_OIDC_ISSUER", "MUSTER_OIDC_CLIENT", "MUSTER_OIDC_SECRET_FILE")
_SIGNED_BY: Final = [
    "RS256",
    "RS384",
    "RS512",
    "PS256",
    "PS384",
    "PS512",
    "ES256",
    "ES384",
    "EdDSA",
]
"""How an identity may be signed: by a key that the provider alone has."""
_PATIENCE: Final = 10.0
_MOST: Final = 1000


class Provider:
    """An identity provider, by its issuer; who is on his way through it is remembered here."""

    def __init__(self, issuer: str, client_id: str, secret: str) -> None:
        self.issuer, self.client_id = issuer.rstrip("/"), client_id
        self._pending: dict[str, dict[str, Any]] = {}
        self.client: Any = OAuth().register(
            "provider",
            client_id=client_id,
            client_secret=secret,
            server_metadata_url=f"{self.issuer}/.well-known/openid-configuration",
            client_kwargs={
                "scope": "openid",
                "code_challenge_method": "S256",
                "timeout": _PATIENCE,
            },
        )

    def pending(self, session: str) -> dict[str, Any]:
        """Return what is remembered of a session that is on its way; the oldest are forgotten."""
        while len(self._pending) >= _MOST:
            del self._pending[next(iter(self._pending))]
        return self._pending.setdefault(session, {})

    def arrived(self, session: str) -> None:
        """Forget a session."""
        self._pending.pop(session, None)

    async def subject(self, request: Request) -> str:
        """Return what the provider calls whoever comes back from it.

        Raises:
            Exception: that cannot be told for sure, whatever the reason.
        """
        metadata = await self.client.load_server_metadata()
        if str(metadata["issuer"]).rstrip("/") != self.issuer:
            raise ValueError("the provider calls itself otherwise")
        told = set(metadata.get("id_token_signing_alg_values_supported") or ["RS256"])
        metadata["id_token_signing_alg_values_supported"] = [a for a in _SIGNED_BY if a in told]
        token = await self.client.authorize_access_token(
            request,
            claims_options={
                "iss": {"essential": True, "value": metadata["issuer"]},
                "aud": {"essential": True, "value": self.client_id},
                "sub": {"essential": True},
                "exp": {"essential": True},
            },
        )
        return str(token["userinfo"]["sub"])


def provider_of_settings() -> Provider | None:
    """Return the provider that the environment names, None where it names none.

    Raises:
        SetupError: it names a part of one, or the file with the secret cannot be read.
    """
    issuer, client_id, path = (os.environ.get(name, "") for name in _SETTINGS)
    if not any((issuer, client_id, path)):
        return None
    if not all((issuer, client_id, path)):
        raise SetupError(f"Set all of {', '.join(_SETTINGS)}, or none.")
    try:
        secret = Path(path).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise SetupError(
            f"{path} of MUSTER_OIDC_SECRET_FILE cannot be read ({error.strerror})."
        ) from error
    return Provider(issuer, client_id, secret)
