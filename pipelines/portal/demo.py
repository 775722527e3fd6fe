"""`make portal`: the drop-off page on this machine, with made-up accounts and their passwords."""

import secrets
import sys
from functools import partial
from pathlib import Path

import click
from argon2 import PasswordHasher

from assets.lake import Lake, lake_root
from pipelines.portal.accounts import Account, AccountError, Accounts
from pipelines.portal.serve import serve
from schemas.collection import command, load_collection, usual_collection
from schemas.errors import MusterError

MADE_UP = "made up for a demonstration"


def make_accounts(folder: Path, forces: list[str]) -> list[tuple[str, str]]:
    """Make accounts anew: two of each force and two of the desk; return names and passwords.

    Raises:
        AccountError: there are accounts that were not made up.
    """
    path, known = folder / "accounts.json", Accounts(folder).all().values()
    if any(each.contact != MADE_UP for each in known):
        raise AccountError(
            f"{path} holds accounts that were not made up for a demonstration. Serve them with"
            " muster portal, or name another lake in MUSTER_LAKE."
        )
    path.unlink(missing_ok=True)
    # Passwords that were drawn need no slow hash, and there are ninety.
    accounts = Accounts(folder, PasswordHasher(time_cost=1, memory_cost=1024))
    # No session of accounts that were called the same before is one of these.
    made_up = partial(Account, contact=MADE_UP, version=secrets.randbelow(2**31))
    told = []
    for force in forces:
        password = secrets.token_urlsafe(9)
        names = f"{force.lower()}.prepares", f"{force.lower()}.signs"
        accounts.add(made_up(names[0], "preparer", force), password)
        accounts.add(made_up(names[1], "signer", force), password)
        told.append((" ".join(names), password))
    for name in ("desk.one", "desk.two"):
        password = secrets.token_urlsafe(9)
        accounts.add(made_up(name, "desk"), password)
        told.append((name, password))
    return told


def main() -> None:
    """Make the accounts, print them, and serve."""
    collection = load_collection(usual_collection())
    lake = Lake(lake_root(), collection.id)

    def begin() -> None:
        told = make_accounts(lake.root / "portal", [*collection.forces])
        click.echo("Made-up accounts, each with the password beside it:")
        for names, password in told:
            click.echo(f"  {names:<28}{password}")
        click.echo(
            f"What is sent lies in {lake.landing} until it is taken in:"
            f" {command('run', collection.id)}. A workbook to send: one that the page gives"
            f"{', or one of those in landing' * any(lake.landing.glob('*.xlsx'))}."
        )

    serve(collection, lake, "127.0.0.1", 8000, secure=False, tell=click.echo, begin=begin)


if __name__ == "__main__":
    try:
        main()
    except MusterError as error:
        click.echo(f"muster: {error}", err=True)
        sys.exit(1)
