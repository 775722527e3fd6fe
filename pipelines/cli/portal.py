"""`muster portal`: the drop-off page, and the accounts that may sign in there."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from assets.lake import Lake, lake_root
from pipelines.cli.output import meant, named_option, print_json, print_rows, subcommand

if TYPE_CHECKING:
    from pathlib import Path

_ROLES = ("preparer", "signer", "desk")


def _folder() -> Path:
    return lake_root() / "portal"


@click.group(invoke_without_command=True)
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", default=8000, show_default=True, help="The port; 0 takes a free one.")
@click.option(
    "--secure",
    is_flag=True,
    help="Browsers reach it by https alone, through a proxy; so cookies go no other way.",
)  # fmt: skip
@named_option
@click.pass_context
def portal(
    context: click.Context, host: str, port: int, secure: bool, collection_id: str | None
) -> None:
    """Serve the drop-off page, where forces send, check and answer; on this machine alone.

    It writes to landing and to the ledger of the desk. It starts no run: that is for the sensor
    that watches landing, or for muster run.
    """
    if context.invoked_subcommand is not None:
        return
    from pipelines.portal.serve import serve

    collection = meant(context, collection_id)
    serve(collection, Lake(lake_root(), collection.id), host, port, secure=secure, tell=click.echo)


@portal.group(invoke_without_command=True)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.pass_context
def accounts(context: click.Context, as_json: bool) -> None:
    """List the accounts that may sign in; add and change them."""
    if context.invoked_subcommand is not None:
        return
    from pipelines.portal.accounts import Accounts

    known = Accounts(_folder()).all().values()
    rows: list[dict[str, Any]] = [
        {
            "account": each.name,
            "role": each.role,
            "force_code": each.force_code,
            "contact": each.contact or None,
            "signs_in_by": " or ".join(
                [*["password"] * bool(each.password), *["provider"] * bool(each.subject)]
            ),
            "disabled": each.disabled,
        }
        for each in known
    ]
    if as_json:
        print_json(rows)
        return
    told = [{**row, "state": "disabled" if row["disabled"] else "active"} for row in rows]
    print_rows(told, "account, role, force: force_code, contact, signs in by: signs_in_by, state")


@subcommand(of=accounts)
@click.argument("name")
@click.option("--role", required=True, type=click.Choice(_ROLES), help="What it may do.")
@click.option("--force", "force_code", help="The force it is of; none for the desk.")
@click.option("--contact", default="", help="How to reach whoever has it.")
@click.option("--subject", help="What the identity provider calls it; then it needs no password.")
def add(
    name: str,
    role: Any,
    force_code: str | None,
    contact: str,
    subject: str | None,
    collection: Any,
) -> None:
    """Add the account NAME. Its password is asked for, or read from standard input."""
    from pipelines.portal.accounts import Account, AccountError, Accounts
    from schemas.names import names_somebody

    if force_code is not None and force_code not in collection.forces:
        raise AccountError(f"{collection.id} expects no force {force_code}.")
    if what := names_somebody(name):
        raise AccountError(
            f"an account is named by role, as {name} is not: it has what looks like {what}. What it"
            " signs and answers shows that name: stf.prepares, say."
        )
    password = None if subject else _password()
    account = Account(name, role, force_code, subject=subject, contact=contact)
    Accounts(_folder()).add(account, password)
    click.echo(f"{name} can sign in.")


@subcommand(of=accounts)
@click.argument("name")
def password(name: str) -> None:
    """Give the account NAME another password; whoever is signed in as it is signed out."""
    from pipelines.portal.accounts import Accounts

    Accounts(_folder()).change(name, password=_password())
    click.echo(f"{name} has another password.")


@subcommand(of=accounts)
@click.argument("name")
def disable(name: str) -> None:
    """Let nobody sign in as NAME any more; whoever is signed in as it is signed out."""
    from pipelines.portal.accounts import Accounts

    Accounts(_folder()).change(name, disabled=True)
    click.echo(f"{name} cannot sign in.")


@subcommand(of=accounts)
@click.argument("name")
def enable(name: str) -> None:
    """Let the account NAME sign in again."""
    from pipelines.portal.accounts import Accounts

    Accounts(_folder()).change(name, disabled=False)
    click.echo(f"{name} can sign in.")


def _password() -> str:
    """Return a password that is typed unseen, or the first line of standard input."""
    if sys.stdin.isatty():
        return str(click.prompt("Password", hide_input=True, confirmation_prompt=True))
    return sys.stdin.readline().rstrip("\r\n")
