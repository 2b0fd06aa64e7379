"""Chunks of work in this process and on real processes of a cluster: the same results in the same order."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

from data.engine import spread
from data.engine.spread import HERE, NoCluster, spread_over

ROOT = Path(__file__).parents[3]


def times(factor: int, number: int) -> int:
    """A chunk's work."""
    return factor * number


def where(_: None, seconds: float) -> int:
    """The process that did a chunk."""
    time.sleep(seconds)
    return os.getpid()


def ends_once(folder: str, number: int) -> int:
    """Ends its own process the first time that it comes to chunk 3."""
    mark = Path(folder) / "ended"
    if number == 3 and not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return number * number


def ends_always(_: None, number: int) -> int:
    """Ends its own process."""
    os.kill(os.getpid(), signal.SIGKILL)
    return number


def fails(_: None, number: int) -> int:
    """Refuses a chunk."""
    raise ValueError(f"chunk {number} must not be done")


def threads_told(*_: object) -> tuple[str, str]:
    """How many threads a worker was told to use."""
    return os.environ["TEPAT_THREADS"], os.environ["OMP_NUM_THREADS"]


def numbers(count: int):
    return ((f"kept {n}", n) for n in range(count))


@pytest.fixture(scope="module")
def cluster():
    """Two processes of this machine."""
    with spread_over("local:2") as opened:
        yield opened


def test_a_cluster_gives_what_this_process_gives_in_the_same_order(cluster):
    expected = [(f"kept {n}", 7 * n) for n in range(20)]
    assert list(HERE.over(times, numbers(20), 7)) == expected
    assert list(cluster.over(times, numbers(20), 7)) == expected
    assert list(cluster.over(times, iter([]), 7)) == []


def test_the_work_is_done_in_other_processes(cluster):
    done = {pid for _, pid in cluster.over(where, ((None, 0.2) for _ in range(6)), None)}
    assert len(done) == 2 and os.getpid() not in done


def test_chunks_are_not_taken_far_ahead_of_the_results(cluster):
    taken = []

    def counted():
        for n in range(30):
            taken.append(n)
            yield None, n

    for done, _ in enumerate(cluster.over(times, counted(), 1), 1):
        assert len(taken) <= done - 1 + 2 * spread.AHEAD
    assert len(taken) == 30


def test_what_a_chunk_refuses_is_raised_as_it_is_here(cluster):
    for way in (HERE, cluster):
        with pytest.raises(ValueError, match="chunk 0 must not be done"):
            list(way.over(fails, numbers(4), None))


def test_a_worker_that_is_killed_costs_no_result(cluster, tmp_path):
    done = list(cluster.over(ends_once, numbers(12), str(tmp_path)))
    assert (tmp_path / "ended").exists()
    assert done == [(f"kept {n}", n * n) for n in range(12)]


def test_a_worker_of_another_version_does_nothing(cluster, monkeypatch):
    monkeypatch.setattr(spread, "made_by", lambda: "of tomorrow")
    with pytest.raises(NoCluster, match="runs another version of this software or of its libraries"):
        list(cluster.over(times, numbers(2), 1))


def test_work_that_ends_every_worker_is_told_in_a_sentence():
    import dask

    with spread_over("local:1") as opened, dask.config.set({"distributed.scheduler.allowed-failures": 0}):
        opened.client.cluster.scheduler.allowed_failures = 0
        with pytest.raises(NoCluster, match="ended every worker that took it"):
            list(opened.over(ends_always, numbers(1), None))


def test_processes_share_the_cores_and_nobody_else_can_use_them(cluster):
    each = str(max(1, len(os.sched_getaffinity(0)) // 2))
    assert [told for _, told in cluster.over(threads_told, numbers(1), None)] == [(each, each)]
    address = cluster.client.scheduler.address
    assert address.startswith("tls://127.0.0.1:")
    with pytest.raises(NoCluster), spread_over(address.replace("tls", "tcp")):
        pass


@pytest.mark.parametrize(
    "address",
    [
        "here",
        "local:0",
        "local:two",
        "127.0.0.1:8786",
        "http://host:1",
        "tcp://host",
        "tcp://host:1/x",
        "tcp://",
    ],
)
def test_what_is_no_address_is_refused(address):
    with pytest.raises(ValueError, match="--cluster must be local, local:N, tcp://host:port"):
        with spread_over(address):
            pass


def test_an_address_where_nobody_answers_is_refused_within_seconds():
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(NoCluster, match=f"127.0.0.1:{port} does not answer"):
        with spread_over(f"tcp://127.0.0.1:{port}"):
            pass


def test_what_answers_but_is_no_scheduler_is_refused():
    with socket.create_server(("127.0.0.1", 0)) as other:

        def answer():
            while True:
                try:
                    taken, _ = other.accept()
                except OSError:
                    return
                with taken:
                    taken.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        threading.Thread(target=answer, daemon=True).start()
        address = f"tcp://127.0.0.1:{other.getsockname()[1]}"
        with pytest.raises(NoCluster, match="is no Dask scheduler|does not answer"), spread_over(address):
            pass


def test_tls_without_its_files_is_refused():
    with pytest.raises(NoCluster, match="TLS"), spread_over("tls://127.0.0.1:9"):
        pass


@contextmanager
def started(*words: str):
    """A process that is ended afterwards."""
    process = subprocess.Popen(
        [sys.executable, "-m", "dask", *words],
        cwd=ROOT,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        process.terminate()
        process.wait(20)


@pytest.mark.slow
def test_scheduler_and_worker_as_the_page_starts_them_and_what_is_said_without_them(tmp_path, monkeypatch):
    monkeypatch.setattr(spread, "ANSWER_SECONDS", 20)
    about = tmp_path / "scheduler.json"
    place = ("scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard")
    with started(*place, "--scheduler-file", str(about)) as scheduler:
        while not about.exists() or not about.read_text():
            assert scheduler.poll() is None
            time.sleep(0.1)
        address = json.loads(about.read_text())["address"]
        monkeypatch.setattr(spread, "ANSWER_SECONDS", 1)
        with pytest.raises(NoCluster, match="has no worker"), spread_over(address):
            pass
        monkeypatch.setattr(spread, "ANSWER_SECONDS", 60)
        with started("worker", address, "--nworkers", "1", "--nthreads", "1", "--no-dashboard"):
            with spread_over(address) as opened:
                assert [made for _, made in opened.over(times, numbers(5), 2)] == [0, 2, 4, 6, 8]
                coming = opened.over(where, ((None, 0.3) for _ in range(40)), None)
                next(coming)
                scheduler.kill()
                with pytest.raises(NoCluster, match="lost on the way"):
                    list(coming)


def test_dask_is_loaded_by_nothing_but_a_cluster_that_is_asked_for():
    lines = """
import sys
import data.__main__, vision.__main__, fusion.__main__, dashboard.__main__
import fusion.pipeline, vision.encoder.embed_specimens
from data.engine.spread import spread_over
with spread_over("") as here:
    assert list(here.over(lambda shared, sent: shared + sent, [(None, 1)], 2)) == [(None, 3)]
sys.exit("dask" in sys.modules or "distributed" in sys.modules)
"""
    assert subprocess.run([sys.executable, "-c", lines], cwd=ROOT, check=False).returncode == 0
