"""The main job from nothing to a drawn page: demo university, embeddings, model and scores, first page.

Each step is the command of the README in a process of its own, start-up included.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from benchmarks.report_file import write_result

ROOT = Path(__file__).resolve().parent.parent
BROWSER = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]


@dataclass(frozen=True)
class Place:
    """Where the store of a benchmark is.

    Attributes
    ----------
    folder : str
        Its folder: key, models and, where ``url`` is empty, the database.
    url : str
        Its database, where that is a server's.
    """

    folder: str
    url: str = ""

    @property
    def environment(self) -> dict[str, str]:
        """This process's environment with this store."""
        own = {"TEPAT_FOLDER": self.folder} | ({"DATABASE_URL": self.url} if self.url else {})
        return {k: v for k, v in os.environ.items() if k != "DATABASE_URL"} | own


def main(
    students: Annotated[int, typer.Option(min=50, help="Students of the demo university.")] = 2000,
    seed: Annotated[int, typer.Option(help="Seed of the demo.")] = 1,
    page_loads: Annotated[int, typer.Option(min=1, help="Fresh browsers for the first page.")] = 5,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the result here.")] = None,
) -> None:
    """Time demo, embed, train with its scores one after another, then the first page in Chromium."""
    with tempfile.TemporaryDirectory() as folder:
        steps = {
            "demo": ("data", "demo", "--students", str(students), "--seed", str(seed)),
            "embed": ("vision", "embed"),
            "train": ("fusion", "train", "--serve"),  # and scores
        }
        seconds = {name: run(command, Place(folder)) for name, command in steps.items()}
        seconds["total"] = sum(seconds.values())
        for name, value in seconds.items():
            typer.echo(f"{name:8s} {value:8.1f} s")
        pages = first_page(Place(folder), page_loads)
    typer.echo("first page drawn, s: " + ", ".join(f"{value:.2f}" for value in sorted(pages)))
    write_result(
        {
            "command": f"python -m benchmarks main-job --students {students} --seed {seed}",
            "data": f"synthetic demo university, {students} students, seed {seed}",
            "protocol": "each step one process, wall time; train ends with every student scored; first page: "
            "fresh browser profile, server already up, from the request to the last sign-in card drawn",
            "seconds": {name: round(value, 1) for name, value in seconds.items()},
            "first_page_seconds": [round(value, 2) for value in pages],
        },
        json_file,
    )


def run(command: tuple[str, ...], place: Place) -> float:
    """Wall seconds of ``python -m command`` on a store."""
    start = time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", *command],
        cwd=ROOT,
        env=place.environment,
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    return time.perf_counter() - start


def first_page(place: Place, loads: int) -> list[float]:
    """Seconds from the request to the drawn sign-in page, each in a fresh browser profile."""
    from playwright.sync_api import sync_playwright

    port = free_port()
    command = [sys.executable, "-m", "dashboard", "serve", "--port", str(port)]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(command, cwd=ROOT, env=place.environment, **quiet) as server:
        try:
            address = wait_until_up(port)
            with sync_playwright() as playwright:
                chromium = shutil.which("chromium") or shutil.which("chromium-browser")
                browser = playwright.chromium.launch(executable_path=chromium, args=BROWSER)
                return [drawn(browser, address) for _ in range(loads)]
        finally:
            server.terminate()


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("localhost", 0))
        return probe.getsockname()[1]


def wait_until_up(port: int) -> str:
    """The address, once the server accepts requests."""
    address = f"http://localhost:{port}"
    for _ in range(600):
        try:
            with urllib.request.urlopen(f"{address}/_stcore/health", timeout=5):
                return address
        except OSError:
            time.sleep(0.1)
    raise TimeoutError(f"the app did not answer on {address} within a minute")


def drawn(browser, address: str) -> float:
    """Seconds until the last card of the sign-in page is visible."""
    context = browser.new_context(viewport={"width": 1440, "height": 900}, locale="en-GB")
    start = time.perf_counter()
    page = context.new_page()
    page.goto(address)
    page.get_by_role("button", name="Enter as administrator").wait_for(timeout=60_000)
    seconds = time.perf_counter() - start
    context.close()
    return seconds
