"""Channels: the addresses that MUSTER_ALERT_URLS names, and how to send to each.

An address holds secrets, so a channel is known by a name without them, and what apprise says of a
failure is told without them too.
"""

import importlib
import os
import re
import time
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import unquote

from pipelines.alerts.conditions import without_credentials

SETTING: Final = "MUSTER_ALERT_URLS"

_PATIENCE: Final = 10
"""Seconds that a channel has to take a message."""
PAUSES: Final = (0.0, 1.0, 3.0)
"""Seconds before each attempt; the first that takes all its time is the last."""

_ADDRESS: Final = re.compile(r"[\s,]+(?=[A-Za-z][A-Za-z0-9+.-]*://)")
_PARTS: Final = re.compile(r"[^\w.-]+")
_OF_SEVERITY: Final = {"warning": "warning", "error": "failure"}


@dataclass(frozen=True)
class Channel:
    """A channel; `url` is secret and never shown. `known`: apprise can send there."""

    name: str
    url: str = field(repr=False)
    known: bool

    def send(self, title: str, text: str, severity: str) -> str | None:
        """Send a message; return None once it was taken, else why not at the last attempt.

        The title is one line; the severity `warning` or `error`, anything else is for information.
        """
        if not self.known:
            return f"is no address that apprise knows; see {SETTING}"
        begun, why = time.monotonic(), None
        for pause in PAUSES:
            time.sleep(pause)
            why = self._attempt(title, text, severity)
            if why is None or time.monotonic() - begun > _PATIENCE:
                break
        return why

    def _attempt(self, title: str, text: str, severity: str) -> str | None:
        try:
            service = _service()
            service.add(self.url)
            result = service.notify(
                title=title,
                body=text,
                body_format="text",
                notify_type=_OF_SEVERITY.get(severity, "info"),
            )
        except Exception as error:  # of a hundred services, each may raise what it likes
            return f"failed with {type(error).__name__}"
        if result:
            return None
        said = " ".join(entry.message for entry in result.logs())
        return self.without_secrets(said) or "did not take it"

    def without_secrets(self, text: str) -> str:
        """Return a text in which no part of the address stands that its name does not show."""
        parts = {p for t in (self.url, unquote(self.url)) for p in _PARTS.split(t) if len(p) > 2}
        for part in sorted(parts, key=len, reverse=True):
            if part not in self.name:
                text = text.replace(part, "****")
        return text


def channels() -> list[Channel]:
    """Return the channels that MUSTER_ALERT_URLS names, separated by spaces or commas."""
    urls = [url for url in _ADDRESS.split(os.environ.get(SETTING, "").strip(" \t\r\n,")) if url]
    found: list[Channel] = []
    for url in urls:
        service = _apprise().Apprise.instantiate(url)
        name = _name(url, service)
        alike = sum(channel.name.partition(" ")[0] == name for channel in found)
        found.append(Channel(f"{name} ({alike + 1})" if alike else name, url, service is not None))
    return found


def _name(url: str, service: Any) -> str:
    """Return scheme and host of an address; apprise shortens a host that is a token."""
    scheme, is_address, _ = url.partition("://")
    if service is None:
        return f"{scheme}://****" if is_address else "****"
    _, _, rest = without_credentials(service.url(privacy=True)).partition("://")
    return f"{scheme}://{re.split(r'[/?#]', rest)[0].rpartition('@')[2]}"


def _service() -> Any:
    """Return an empty set of services, which asks nobody for pictures and keeps no files."""
    apprise = _apprise()
    asset = apprise.AppriseAsset(
        app_id="Muster",
        app_desc="Muster",
        app_url="",
        image_url_mask="",
        image_url_logo="",
        service_timeout=_PATIENCE,
        language="en",
    )
    return apprise.Apprise(asset=asset)


def _apprise() -> Any:
    """Return apprise, which is loaded only once there is an address for it."""
    return importlib.import_module("apprise")
