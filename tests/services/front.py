"""nginx in front of the UIs, as deploy/nginx has it, and how a person asks it for something."""

import base64
import http.client
import json
import socket
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.services.processes import account, free_port, output_of, running, search_path

CHECKOUT = Path(__file__).parents[2]
DEPLOY = CHECKOUT / "deploy"
TEAM, VIEW, DROP = "muster.test", "view.test", "returns.test"
PEOPLE = {TEAM: ("tess", "team's-secret"), VIEW: ("anna", "analyst's-secret")}
_ENV = {"PATH": search_path()}


@dataclass(frozen=True)
class Answer:
    """What a server answered."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Front:
    """nginx, with its files in a folder; `web`, `view`, `portal`: ports of what is behind."""

    folder: Path
    logs: Path
    ports: dict[str, int] = field(
        default_factory=lambda: {
            name: free_port() for name in ("http", "https", "web", "view", "portal")
        }
    )

    def trust(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=self.folder / "muster/tls/fullchain.pem")

    def request(
        self, host: str, path: str, *, body: Any = None, who: str | None = None, **headers: str
    ) -> Answer:
        """Ask for a path; `who` is the host whose person signs in, None nobody."""
        connection = _Connection(host, self.ports["https"], self.trust())
        if who is not None:
            headers["Authorization"] = sign_in(*PEOPLE[who])
        if body is not None:
            headers.setdefault("Content-Type", "application/json")
        data = None if body is None else json.dumps(body)
        try:
            connection.request("GET" if body is None else "POST", path, data, headers)
            response = connection.getresponse()
            return Answer(response.status, dict(response.getheaders()), response.read())
        finally:
            connection.close()

    @contextmanager
    def running(self) -> Iterator[None]:
        """Run nginx with the rendered files until the block ends."""
        self._certify(self.folder / "muster" / "tls")
        for host, name in ((TEAM, "team"), (VIEW, "analysts")):
            self._admit(self.folder / "muster" / f"{name}.htpasswd", *PEOPLE[host])
        output_of([DEPLOY / "nginx" / "render.sh", self.folder], {**_ENV, **self._settings})
        main, log = self.folder / "nginx.conf", self.logs / "nginx.log"
        main.write_text(self._main())
        command = ["nginx", "-c", str(main), "-p", str(self.folder), "-e", str(log)]
        output_of([*command, "-t"], _ENV)
        with running(command, log, _ENV):
            yield

    @property
    def _settings(self) -> dict[str, str]:
        names = {name.upper(): name for name in self.ports}
        places = {f"MUSTER_{name}": f"127.0.0.1:{self.ports[port]}" for name, port in names.items()}
        hosts = {"MUSTER_HOST": TEAM, "MUSTER_VIEW_HOST": VIEW, "MUSTER_PORTAL_HOST": DROP}
        return {**places, **hosts, "MUSTER_NGINX_LOGS": str(self.logs)}

    def _certify(self, folder: Path) -> None:
        folder.mkdir(parents=True)
        output_of(
            ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
             "-subj", f"/CN={TEAM}", "-addext", f"subjectAltName=DNS:{TEAM},DNS:{VIEW},DNS:{DROP}",
             "-keyout", folder / "privkey.pem", "-out", folder / "fullchain.pem"], _ENV,
        )  # fmt: skip

    def _admit(self, path: Path, name: str, password: str) -> None:
        hashed = output_of(["openssl", "passwd", "-6", "-stdin"], _ENV, input=password)
        path.write_text(f"{name}:{hashed}\n")

    def _main(self) -> str:
        kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        folders = "\n".join(f"    {kind}_temp_path {self.folder}/{kind};" for kind in kinds)
        return f"""
daemon off;
user {account("www-data", "nobody").pw_name};
pid {self.folder}/nginx.pid;
events {{}}
http {{
    access_log {self.logs}/nginx.access.log;
{folders}
    include {self.folder}/conf.d/*.conf;
}}
"""


class _Connection(http.client.HTTPSConnection):
    """Speaks to this machine by a name that only the certificate knows."""

    def __init__(self, host: str, port: int, trust: ssl.SSLContext) -> None:
        super().__init__(host, port, context=trust, timeout=60)
        self._trust = trust

    def connect(self) -> None:
        plain = socket.create_connection(("127.0.0.1", self.port), timeout=self.timeout)
        self.sock = self._trust.wrap_socket(plain, server_hostname=self.host)


def sign_in(name: str, password: str) -> str:
    """Return the header by which a person signs in."""
    return "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()
