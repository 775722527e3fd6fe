"""What the portal remembers: who is signed in, failed attempts, and the log of who did what."""

import hashlib
import hmac
import json
import os
import secrets
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from threading import Lock
from typing import Any, Final

from itsdangerous import BadData, URLSafeTimedSerializer

from assets.intake.store import Clock, utc_now
from assets.lake import to_disk, write_errors
from pipelines.portal.accounts import Account, private_folder, write_private
from schemas.errors import UnavailableError

IDLE: Final = timedelta(minutes=30)
LONGEST: Final = timedelta(hours=8)
"""How long somebody stays signed in: without a request, and at all."""

WINDOW: Final = timedelta(minutes=15)
OF_BOTH, OF_ADDRESS, OF_ACCOUNT = 10, 40, 100
"""Failed attempts within the window: of one account from one address, from that, and of that.

The last is no limit where the account has signed in before: guessing elsewhere shuts nobody out.
"""
_KNOWN: Final = timedelta(days=90)

_TABLES: Final = """
create table if not exists session (id text primary key, account text, version int,
  began real, seen real) strict;
create table if not exists attempt (at real, account text, address text) strict;
create index if not exists attempts on attempt (at);
create table if not exists home (account text, address text, at real,
  primary key (account, address)) strict;
"""


class State:
    """The state of a portal in its folder; it holds through a restart."""

    def __init__(self, folder: Path, clock: Clock = utc_now) -> None:
        self.folder = private_folder(folder)
        self._clock = clock
        secret = folder / "secret"
        with write_errors(secret):
            if not secret.exists():
                write_private(secret, secrets.token_hex(32).encode())
            self._secret = secret.read_bytes()
        self._signer = URLSafeTimedSerializer(self._secret, salt="session")
        self._lock = Lock()
        path = folder / "state.sqlite"
        with write_errors(path):
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        self._database = sqlite3.connect(path, check_same_thread=False, timeout=10)
        with self._lock, self._database:
            self._database.executescript(_TABLES)

    def close(self) -> None:
        """Let go of the database."""
        with self._lock:
            self._database.close()

    def _do(self, words: str, values: Sequence[Any] | Mapping[str, Any] = ()) -> list[Any]:
        try:
            with self._lock, self._database, closing(self._database.execute(words, values)) as told:
                return told.fetchall()
        except sqlite3.OperationalError as error:
            raise UnavailableError(
                self.folder / "state.sqlite",
                f"cannot be written ({error})",
                "Free space or mend the permissions; nobody can sign in meanwhile.",
            ) from error

    # Sessions. The cookie holds an id that is signed; whether it is signed in, and as whom, stands
    # here alone, so that what was signed out stays out whoever kept the cookie.

    def cookie(self, session: str) -> str:
        """Return what stands in the cookie of a session."""
        return self._signer.dumps(session)

    def session_in(self, cookie: str | None) -> str | None:
        """Return the session of a cookie, None where it is not one of ours or too old."""
        if cookie is None:
            return None
        try:
            return str(self._signer.loads(cookie, max_age=int(LONGEST.total_seconds())))
        except BadData:
            return None

    def form_token(self, session: str) -> str:
        """Return what each form of a session holds, and no other site can know."""
        return hmac.new(self._secret, f"form {session}".encode(), hashlib.sha256).hexdigest()

    def is_form_token(self, session: str, token: str) -> bool:
        """Return whether a form was made for a session."""
        return hmac.compare_digest(self.form_token(session).encode(), token.encode())

    def sign_in(self, account: Account) -> str:
        """Begin a session and return it."""
        session, now = secrets.token_urlsafe(32), self._now()
        oldest = (now - LONGEST.total_seconds(),)
        self._do("delete from session where began < ?", oldest)
        row = _hashed(session), account.name, account.version, now, now
        self._do("insert into session values (?, ?, ?, ?, ?)", row)
        return session

    def sign_out(self, session: str) -> None:
        """End a session."""
        self._do("delete from session where id = ?", (_hashed(session),))

    def signed_in(self, session: str) -> tuple[str, int] | None:
        """Return the name of the account that a session is of and its version then, or None."""
        now = self._now()
        found = self._do(
            "update session set seen = ? where id = ? and seen >= ? and began >= ?"
            " returning account, version",
            (now, _hashed(session), now - IDLE.total_seconds(), now - LONGEST.total_seconds()),
        )
        return found[0] if found else None

    # Attempts to sign in: each counts until it is seen to have been right.

    def attempt(self, account: str, address: str) -> int | None:
        """Note an attempt and return its number, None where there were too many."""
        now, named = self._now(), _hashed(account)
        self._do("delete from attempt where at < ?", (now - WINDOW.total_seconds(),))
        noted = self._do(
            "insert into attempt select :now, :account, :address from (select"
            " count(*) filter (where account = :account and address = :address) as both_,"
            " count(*) filter (where address = :address) as address_,"
            " count(*) filter (where account = :account) as account_ from attempt)"
            " where both_ < :both and address_ < :from and (account_ < :of or exists (select * from"
            " home where account = :account and address = :address)) returning rowid",
            {
                "now": now, "account": named, "address": address,
                "both": OF_BOTH, "from": OF_ADDRESS, "of": OF_ACCOUNT,
            },
        )  # fmt: skip
        return int(noted[0][0]) if noted else None

    def was_right(self, account: str, address: str, attempt: int) -> None:
        """Forget the failed attempts of an account, and this one, and know where it is at home."""
        now, named = self._now(), _hashed(account)
        self._do("delete from attempt where account = ? or rowid = ?", (named, attempt))
        self._do("delete from home where at < ?", (now - _KNOWN.total_seconds(),))
        self._do("insert or replace into home values (?, ?, ?)", (named, address, now))

    def _now(self) -> float:
        return self._clock().timestamp()

    # The log.

    def log(self, action: str, account: Account | None, about: Mapping[str, Any]) -> None:
        """Add a line to the month's log of who did what. What a return says is not for it.

        Raises:
            UnavailableError: it cannot be written; then nothing is to be done either.
        """
        who = {"account": account.name, "role": account.role} if account else {"account": None}
        at = self._clock().isoformat(timespec="seconds")
        line = json.dumps({"at": at, **who, "action": action, **about})
        path = self.folder / f"audit-{at[:7]}.jsonl"
        with self._lock, write_errors(path):
            is_new = not path.exists()
            file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            try:
                os.write(file, f"{line}\n".encode())
                os.fsync(file)
            finally:
                os.close(file)
            if is_new:
                to_disk(self.folder)


def _hashed(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()
