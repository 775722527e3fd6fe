"""Who may sign in: the accounts file, which holds hashes of passwords and no password."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Final, Literal

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from assets.lake import alone, put_in_place, scratch_file, write_errors
from schemas.errors import LakeError, MusterError

Role = Literal["preparer", "signer", "desk"]
"""Who sends and answers for a force, who signs for it, and who sees and accepts them all."""

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9._@-]{1,63}")
_SHORTEST: Final = 12
RESTORE: Final = "Restore it from the backup of the lake; nobody can sign in meanwhile."
LONGEST_PASSWORD: Final = 256


class AccountError(MusterError):
    """An account cannot be made or changed as asked; the message says why."""


@dataclass(frozen=True)
class Account:
    """One account. Whatever ends the sessions it has open counts its `version` up."""

    name: str
    role: Role
    force_code: str | None = None
    password: str | None = None
    subject: str | None = None
    contact: str = ""
    disabled: bool = False
    version: int = 1


class Accounts:
    """The accounts file of a portal; read anew whenever it has changed."""

    def __init__(self, folder: Path, hasher: PasswordHasher | None = None) -> None:
        self.path = folder / "accounts.json"
        self._hasher = hasher or PasswordHasher()
        self._read: tuple[tuple[int, int], dict[str, Account]] = ((0, 0), {})

    def all(self) -> dict[str, Account]:
        """Return every account by its name.

        Raises:
            LakeError: the file is damaged, or has gone since it was read.
        """
        try:
            status = self.path.stat()
            seen = status.st_mtime_ns, status.st_ino
            if self._read[0] != seen:
                told = json.loads(self.path.read_text(encoding="utf-8"))["accounts"]
                found = [Account(**each) for each in told]
                self._read = seen, {each.name: each for each in found}
        except FileNotFoundError as error:
            if self._read[1]:
                raise LakeError(self.path, "is gone", RESTORE) from error
            return {}
        except OSError as error:
            do = "Let the account of the service read it; nobody can sign in meanwhile."
            raise LakeError(self.path, f"cannot be read ({error.strerror})", do) from error
        except (ValueError, TypeError, KeyError) as error:
            problem = f"is no accounts file ({type(error).__name__})"
            raise LakeError(self.path, problem, RESTORE) from error
        return self._read[1]

    def active(self, name: str) -> Account | None:
        """Return an account that may be used, None where there is none."""
        found = self.all().get(name)
        return None if found is None or found.disabled else found

    def with_subject(self, subject: str) -> Account | None:
        """Return the account of somebody whom the identity provider calls `subject`."""
        mine = (each for each in self.all().values() if each.subject == subject)
        return next((each for each in mine if not each.disabled), None)

    def verified(self, name: str, password: str) -> Account | None:
        """Return the account that a name and a password are of; to find none takes as long."""
        found = self.active(name)
        # Where there is no account, a password is verified that costs as much as theirs do.
        anybodys = (each.password for each in self.all().values() if each.password)
        hashed = found.password if found and found.password else next(anybodys, None)
        try:
            self._hasher.verify(hashed or self._hasher.hash(""), password)
        except (Argon2Error, InvalidHashError):
            return None
        return found if found and found.password else None

    def add(self, account: Account, password: str | None) -> None:
        """Add an account.

        Raises:
            AccountError: it is none that can be, or there is one of that name.
        """
        if not _NAME.fullmatch(account.name):
            raise AccountError(
                f"{account.name!r} is no name of an account: 2 to 64 of a-z, 0-9 and . _ @ -,"
                " the first a letter or digit."
            )
        if (account.role == "desk") != (account.force_code is None):
            raise AccountError(
                "An account of the desk is of no force, any other is of one: --force CODE."
            )
        if password is None and account.subject is None:
            raise AccountError("Give a password, or the subject the identity provider knows.")
        with self._changing() as known:
            if account.name in known:
                raise AccountError(f"There is an account {account.name}. Choose another name.")
            if account.subject and any(a.subject == account.subject for a in known.values()):
                raise AccountError("There is an account with that subject.")
            known[account.name] = replace(account, password=self._hash(password))

    def change(
        self, name: str, *, password: str | None = None, disabled: bool | None = None
    ) -> None:
        """Change an account's password or whether it may be used; its sessions end.

        Raises:
            AccountError: there is no such account, or the password is too short.
        """
        with self._changing() as known:
            if name not in known:
                raise AccountError(f"There is no account {name}. List them: muster portal accounts")
            before = known[name]
            known[name] = replace(
                before,
                password=self._hash(password) or before.password,
                disabled=before.disabled if disabled is None else disabled,
                version=before.version + 1,
            )

    def _hash(self, password: str | None) -> str | None:
        if password is None:
            return None
        if not _SHORTEST <= len(password) <= LONGEST_PASSWORD:
            raise AccountError(f"A password has {_SHORTEST} to {LONGEST_PASSWORD} characters.")
        return self._hasher.hash(password)

    @contextmanager
    def _changing(self) -> Iterator[dict[str, Account]]:
        """Give every account to be changed, and write them when the block ends well."""
        with alone(private_folder(self.path.parent) / ".accounts.lock"):
            known = dict(self.all())
            yield known
            told = [asdict(known[name]) for name in sorted(known)]
            document = json.dumps({"accounts": told}, indent=1)
            write_private(self.path, document.encode())


def private_folder(path: Path) -> Path:
    """Make a folder that nobody else may look into, unless it is there, and return it."""
    with write_errors(path):
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
    return path


def write_private(path: Path, content: bytes) -> None:
    """Write a file whole or not at all, that nobody else may read."""
    with write_errors(path), scratch_file(path.parent) as scratch:
        scratch.write_bytes(content)
        put_in_place(scratch, path, mode=0o600)
