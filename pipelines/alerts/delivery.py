"""Sends what waits in the outbox: in order, each alert to each channel, with a few attempts.

Belongs here: the attempts of one occasion. What no attempt brought through stays in the outbox for
the next occasion: the end of the next run, or the sensor's next look.
"""

import time
from collections.abc import Callable, Collection, Sequence
from typing import Final

from pipelines.alerts.channels import Channel
from pipelines.alerts.outbox import Outbox, headline, signed

Wait = Callable[[float], object]

PAUSES: Final = (0.0, 1.0, 3.0)
"""Seconds before each attempt."""

_LONG_ENOUGH: Final = 25.0
"""Seconds after which no further attempt begins: somebody waits, at a terminal or in Dagster."""


def deliver(
    outbox: Outbox, channels: Sequence[Channel], wait: Wait, *, without: Collection[str] = ()
) -> dict[str, str]:
    """Send all that waits and return, by the name of each channel that failed, why.

    A channel that fails does not hold up the others, and gets nothing out of order.

    Args:
        outbox: the outbox, held.
        channels: every channel.
        wait: waits some seconds between attempts.
        without: names of channels that are not tried now; their alerts stay in the outbox.

    Raises:
        UnavailableError: it cannot be recorded what was sent; it will be sent again.
    """
    names = [channel.name for channel in channels]
    for kept in outbox.undelivered():
        outbox.settle(kept, names)
    begun = time.monotonic()
    left = [channel for channel in channels if channel.name not in without]
    failed: dict[str, str] = {}
    for pause in PAUSES:
        if not left or time.monotonic() - begun > _LONG_ENOUGH:
            break
        wait(pause)
        ended = {channel.name: _drain(outbox, channel, names) for channel in left}
        failed = {name: why for name, why in ended.items() if why is not None}
        left = [channel for channel in left if channel.name in failed]
    return failed


def _drain(outbox: Outbox, channel: Channel, names: Sequence[str]) -> str | None:
    """Send a channel all that it has not taken; return why it failed, None where it did not."""
    for kept in outbox.undelivered():
        if channel.name in kept.taken_by:
            continue
        alert = kept.alert
        severity = "info" if alert.news == "over" else alert.severity
        why = channel.send(headline(alert), signed(alert), severity)
        if why is not None:
            return why
        outbox.taken(kept, channel.name, names)
    return None
