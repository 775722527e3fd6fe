"""`muster alert-test`: one marked test message through each channel, to prove a set-up."""

import sys
from datetime import UTC, datetime

import click


@click.command("alert-test", short_help="Send a test message through each channel.")
def command() -> None:
    """Send a test message through each channel that MUSTER_ALERT_URLS names.

    Exit code 0: every channel took it, or none is set. 1: a channel did not.
    """
    from assets.lake import Lake, lake_root
    from pipelines.alerts.channels import SETTING, channels
    from pipelines.cli.output import shown_path
    from schemas.wording import plural

    there = channels()
    if not there:
        outbox = shown_path(Lake(lake_root(), "").outbox)
        click.echo(
            f"No channel is set, so alerts go to the log and to {outbox}; nothing leaves this"
            f" machine. To send them, set {SETTING} to one or more apprise addresses."
        )
        return
    at = datetime.now(UTC).isoformat(timespec="seconds")
    text = (
        f"This is a test of Muster's alerts, sent {at}. Nothing is broken; there is nothing to do."
    )
    failed = 0
    for channel in there:
        why = channel.send("Muster: TEST, nothing is broken", text, "info")
        failed += why is not None
        click.echo(f"{channel.name}: {'ok' if why is None else f'failed: {why}'}")
    if failed:
        click.echo(
            f"{plural(failed, 'channel')} of {len(there)} failed. Mend the address in {SETTING} or"
            " the service behind it, then try again.",
            err=True,
        )
    sys.exit(1 if failed else 0)
