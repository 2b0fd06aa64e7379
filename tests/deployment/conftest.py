"""nginx with TLS, PostgreSQL, two app processes and a worker on loopback, made by ``docs/deployment.md``."""

from __future__ import annotations

import os
import shlex
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.conftest import _as_postgres, _postgresql_binaries, _start_cluster
from tests.deployment.document import blocks, placed, unit

ROOT = Path(__file__).resolve().parents[2]
PASSWORD = "rumah gadang 7 lantai"
MAIN = """
daemon off;
worker_processes 1;
error_log {folder}/error.log;
pid {folder}/nginx.pid;
events {{ worker_connections 512; }}
http {{
    default_type application/octet-stream;
    access_log off;
    client_body_temp_path {folder}/bodies;
    proxy_temp_path {folder}/proxied;
    fastcgi_temp_path {folder}/f;
    uwsgi_temp_path {folder}/u;
    scgi_temp_path {folder}/s;
    include {folder}/tepat.conf;
}}
"""
SUDO = """#!{python}
import os, shutil, sys
words = sys.argv[1:]
while words and words[0].startswith("-"):  # -u WHOM, -E
    if words[0] == "-u":
        os.environ["PGUSER"] = words[1]  # the server lets whom the system names in by that name
    words = words[2:] if words[0] == "-u" else words[1:]
if words[0] in ("adduser", "systemctl"):
    sys.exit(0)  # there is no user to add; the test starts and stops the units itself
os.execvp(words[0], words)
"""


@dataclass
class Server:
    """What the document makes.

    Parameters
    ----------
    url : str
        ``https://localhost:PORT``
    plain : str
        The same without TLS.
    apps : tuple of int
        Ports of the app processes.
    folder : pathlib.Path
        Of configuration, logs and the store (``folder / "store"``).
    instead : dict of str to str
        What stands in the document → what stands here.
    """

    url: str
    plain: str
    apps: tuple[int, int]
    folder: Path
    instead: dict[str, str]
    environment: dict[str, str]
    processes: dict[str, subprocess.Popen] = field(default_factory=dict)

    @property
    def store_folder(self) -> Path:
        """The folder of the store."""
        return self.folder / "store"

    def block(self, name: str) -> str:
        """A block of the document with this machine's names."""
        return placed(blocks()[name], self.instead)

    def do(self, name: str, said: str = "") -> str:
        """Type the commands of a block; what they printed.

        Parameters
        ----------
        said : str
            What is typed when they ask.
        """
        script = "set -euo pipefail\n" + self.block(name)
        done = subprocess.run(
            ["bash", "-c", script],
            env=self.environment,
            input=said,
            capture_output=True,
            text=True,
            timeout=240,
        )
        assert done.returncode == 0, f"{name}: {done.stdout}\n{done.stderr}"
        return done.stdout + done.stderr

    def start(self, name: str, port: int | None = None) -> None:
        """Start a unit, as systemd would: its command, its folder, its environment."""
        file = "tepat@.service" if port else f"{name}.service"
        told = unit(self.block(f"/etc/systemd/system/{file}").replace("%i", str(port)))
        lines = Path(told["EnvironmentFile"]).read_text(encoding="utf-8").splitlines()
        own = dict(line.split("=", 1) for line in lines if "=" in line)
        with (self.folder / f"{name}.unit.log").open("a") as log:
            self.processes[name] = subprocess.Popen(
                shlex.split(told["ExecStart"]),
                cwd=told["WorkingDirectory"],
                env=self.environment | own,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def start_all(self) -> None:
        """Both apps and the worker, and wait until the apps answer."""
        for port in self.apps:
            self.start(f"tepat@{port}", port)
        self.start("tepat-worker")
        for port in self.apps:
            self.wait(f"http://localhost:{port}/health", f"tepat@{port}")

    def stop(self, *names: str) -> None:
        """End processes, all but nginx where none is named."""
        for name in names or [one for one in self.processes if one != "nginx"]:
            process = self.processes.pop(name)
            process.terminate()
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def wait(self, url: str, name: str, seconds: float = 120) -> None:
        """Until a process answers there."""
        end, context = time.monotonic() + seconds, ssl._create_unverified_context()
        while time.monotonic() < end:
            assert self.processes[name].poll() is None, (self.folder / f"{name}.unit.log").read_text()[-3000:]
            try:
                with urllib.request.urlopen(url, timeout=5, context=context) as answer:
                    if answer.status == 200:
                        return
            except OSError:
                time.sleep(0.2)
        raise TimeoutError(f"{url} did not answer")


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on."""
    held = [socket.socket() for _ in range(count)]
    for one in held:
        one.bind(("localhost", 0))
    ports = [one.getsockname()[1] for one in held]
    for one in held:
        one.close()
    return ports


@pytest.fixture(scope="session")
def server():
    """The whole of it, up and running."""
    nginx = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
    binaries = _postgresql_binaries()
    if nginx is None:
        pytest.fail("nginx is not installed: `make system` installs it")
    if binaries is None:
        pytest.fail("no PostgreSQL server is installed: `make system` installs one")
    folder = Path(tempfile.mkdtemp(prefix="tepat"))
    folder.chmod(0o755)
    cluster = Path(tempfile.mkdtemp(prefix="pg"))
    made = None
    try:
        _start_cluster(binaries, cluster)
        made = set_up(folder, cluster, binaries)
        made.start_all()
        serve(made, nginx)
        yield made
    finally:
        if made is not None:
            made.stop(*made.processes)
        _as_postgres([binaries / "pg_ctl", "-D", cluster / "data", "-m", "immediate", "stop"], check=False)
        shutil.rmtree(cluster, ignore_errors=True)
        shutil.rmtree(folder, ignore_errors=True)


def set_up(folder: Path, cluster: Path, binaries: Path) -> Server:
    """Follow the document up to the first administrator."""
    plain, tls, first, second = free_ports(4)
    (folder / "store").mkdir()
    (folder / "bin").mkdir()
    shim = folder / "bin" / "sudo"
    shim.write_text(SUDO.format(python=sys.executable), encoding="utf-8")
    shim.chmod(0o755)
    instead = {
        "/opt/tepat/.venv/bin/python": sys.executable,
        ".venv/bin/python": sys.executable,
        "/opt/tepat": str(ROOT),
        "/srv/tepat": str(folder / "store"),
        "/etc/tepat": str(folder),
        "/var/run/postgresql": str(cluster),
        "/var/log/nginx": str(folder),
        "/run/nginx.pid": str(folder / "nginx.pid"),
        "tepat.example.ac.id": "localhost",
        "https://tepat.example.ac.id": f"https://localhost:{tls}",
        "80": str(plain),
        "443": str(tls),
        "8501": str(first),
        "8502": str(second),
    }
    # As the database's owner of the test's cluster; who the commands name is in the commands.
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("TEPAT", "PG"))}
    environment |= {"PATH": f"{folder / 'bin'}:{binaries}:{os.environ['PATH']}:/usr/sbin"}
    environment |= {"PGHOST": str(cluster), "PGUSER": "postgres", "OMP_NUM_THREADS": "1"}
    made = Server(
        f"https://localhost:{tls}",
        f"http://localhost:{plain}",
        (first, second),
        folder,
        instead,
        environment,
    )
    made.do("database")
    (folder / "tepat.env").write_text(made.block("/etc/tepat/tepat.env"), encoding="utf-8")
    made.do("init", said=f"{PASSWORD}\n{PASSWORD}\n")
    return made


def serve(made: Server, nginx: str) -> None:
    """nginx with the document's file and a certificate of its own."""
    folder = made.folder
    (folder / "tls").mkdir()
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
        + ["-keyout", str(folder / "tls" / "privkey.pem"), "-out", str(folder / "tls" / "fullchain.pem")]
        + ["-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"],
        check=True,
        capture_output=True,
    )
    (folder / "tepat.conf").write_text(made.block("/etc/nginx/conf.d/tepat.conf"), encoding="utf-8")
    (folder / "main.conf").write_text(MAIN.format(folder=folder), encoding="utf-8")
    command = [nginx, "-p", str(folder), "-c", str(folder / "main.conf")]
    tested = subprocess.run([*command, "-t"], capture_output=True, text=True)
    assert tested.returncode == 0, tested.stderr
    with (folder / "nginx.log").open("a") as log:
        made.processes["nginx"] = subprocess.Popen(command, stdout=log, stderr=log)
    made.wait(f"{made.url}/health", "nginx")


@pytest.fixture
def window(chrome, server) -> Callable:
    """A function that opens a browser window of its own behind nginx, and an account's sign-in."""
    opened = []

    def fresh():
        context = chrome.new_context(ignore_https_errors=True, locale="en-GB", accept_downloads=True)
        context.set_default_timeout(60_000)
        opened.append(context)
        return context

    yield fresh
    for context in opened:
        context.close()
