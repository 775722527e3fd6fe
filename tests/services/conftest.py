"""The service with everything it needs: a PostgreSQL, Dagster's processes, nginx, a webhook."""

import shutil
import tempfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from tests.portal.conftest import ACCOUNTS
from tests.portal.served import with_accounts
from tests.services.database import Database, started
from tests.services.processes import missing_packages, wait_until
from tests.services.service import Service

ALERT_TOKEN = "a-token-that-nothing-may-show"


@pytest.fixture(scope="session", autouse=True)
def programs() -> None:
    """What is not there is said at once, and is no reason to skip anything."""
    if missing := missing_packages():
        pytest.fail(f"missing Debian packages; run: apt-get install {' '.join(missing)}")


@pytest.fixture(scope="session")
def place() -> Iterator[Path]:
    """A folder that other accounts may pass through; its path is short enough for a socket."""
    folder = Path(tempfile.mkdtemp(prefix="muster-", dir="/tmp"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def database(place: Path) -> Iterator[Database]:
    with started(place / "postgres") as found:
        yield found


@pytest.fixture(scope="session")
def webhook() -> Iterator[str]:
    """The address of a webhook that takes every alert; a part of it is secret."""

    class Taker(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *args: object) -> None:
            del args

    with ThreadingHTTPServer(("127.0.0.1", 0), Taker) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"json://127.0.0.1:{server.server_port}/{ALERT_TOKEN}"
        server.shutdown()


@pytest.fixture(scope="session")
def service(place: Path, database: Database, webhook: str) -> Iterator[Service]:
    """The whole service, started, with an empty lake."""
    found = Service(place / "service", database, webhook)
    found.make()
    with found.behind_nginx():
        found.start()
        yield found
        found.stop()


@pytest.fixture(scope="session")
def published(service: Service, sample_folder: Path) -> Service:
    """The service after the daemon has noticed 44 dropped returns and published them."""
    with_accounts(service.lake, *ACCOUNTS)
    landing = service.lake / "landing" / "2012-revisit"
    shutil.copytree(sample_folder, landing)
    wait_until("a release", (service.lake / "marts" / "2012-revisit").exists, 300)
    (run_id,) = service.runs()
    service.wait_for_success(run_id)
    return service
