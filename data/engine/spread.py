"""Work in chunks: in this process, or on the workers of a Dask cluster.

Both ways call the same functions on the same chunks and give the results in the chunks' order, so what is
written of them is the same. Only the process that asks reads and writes the store; a worker gets what a chunk
needs and gives back what was made of it, and needs neither database nor key.

A chunk whose worker dies is done again by another, as is what all chunks share.
"""

from __future__ import annotations

import hashlib
import logging
import os
import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, cast

if TYPE_CHECKING:
    from distributed import Client, Future

Kept = TypeVar("Kept")
Sent = TypeVar("Sent")
Shared = TypeVar("Shared")
Made = TypeVar("Made")

ANSWER_SECONDS = 5
"""How long a scheduler may take to answer, and then its first worker to sign on."""
AHEAD = 2
"""Chunks on their way per thread of the workers: one at work, one waiting. More would only fill memory."""
COUNTED = ("numpy", "scipy", "pandas", "scikit-learn", "xgboost", "onnxruntime", "opencv-python-headless")
"""Libraries whose versions can move a result, and so must be the same on every machine."""
ADDRESS = re.compile(r"(?:tcp|tls)://(?:[^/\s:@\[\]]+|\[[0-9a-fA-F:.]+\]):\d{1,5}")
LOCAL = re.compile(r"local(?::([1-9]\d{0,2}))?")


class NoCluster(Exception):
    """A cluster that does not answer, was lost, or cannot do this work; the sentence says which."""


class Spread(Protocol):
    """Does chunks of work somewhere."""

    def over(
        self,
        function: Callable[[Shared, Sent], Made],
        chunks: Iterable[tuple[Kept, Sent]],
        shared: Shared,
    ) -> Iterator[tuple[Kept, Made]]:
        """What ``function(shared, sent)`` makes of each chunk, in the chunks' order.

        Parameters
        ----------
        function : callable
            At the top level of a module. Its result depends on nothing but what it is given.
        chunks : iterable of (kept, sent)
            ``kept`` stays in this process and is given back beside the result; ``sent`` goes to the function.
            Taken one by one, not far ahead of the results.
        shared : object
            The same for all chunks; goes to each worker once.

        Raises
        ------
        NoCluster
            When the cluster is lost or cannot do this work.
        """
        ...


class Here:
    """In this process, one chunk after the other."""

    def over(
        self,
        function: Callable[[Shared, Sent], Made],
        chunks: Iterable[tuple[Kept, Sent]],
        shared: Shared,
    ) -> Iterator[tuple[Kept, Made]]:
        """See :meth:`Spread.over`."""
        for kept, sent in chunks:
            yield kept, function(shared, sent)


HERE = Here()


class OnCluster:
    """On the workers of a Dask cluster.

    Parameters
    ----------
    client : distributed.Client
        Connected.
    """

    def __init__(self, client: Client):
        self.client = client

    def over(
        self,
        function: Callable[[Shared, Sent], Made],
        chunks: Iterable[tuple[Kept, Sent]],
        shared: Shared,
    ) -> Iterator[tuple[Kept, Made]]:
        """See :meth:`Spread.over`."""
        coming: deque[tuple[Kept, Future]] = deque()
        try:
            with _told():
                # The result of a task, not scattered data, which would be gone with its worker.
                held = self.client.submit(_given, shared, pure=False)
            for kept, sent in chunks:
                with _told():
                    future = self.client.submit(_done, function, held, sent, made_by(), pure=False)
                    coming.append((kept, future))
                    threads = cast("dict[str, int]", self.client.nthreads())  # workers come and go
                most = AHEAD * max(sum(threads.values()), 1)
                while len(coming) >= most:
                    yield _next(coming)
            while coming:
                yield _next(coming)
        finally:
            for _, future in coming:
                future.release()


def _next(coming: deque[tuple[Kept, Future]]) -> tuple[Kept, Any]:
    """The first of the chunks on their way, when it is done."""
    kept, future = coming[0]
    with _told():
        made = future.result()
    coming.popleft()
    return kept, made


@contextmanager
def _told() -> Iterator[None]:
    """What befell the cluster, as a sentence."""
    from distributed import CancelledError, KilledWorker
    from distributed.comm.core import CommClosedError

    try:
        yield
    except KilledWorker:
        raise NoCluster(
            "the cluster: one part of the work ended every worker that took it; "
            "see its logs, most often memory was too small"
        ) from None
    except (CancelledError, CommClosedError):
        raise NoCluster(
            "the cluster was lost on the way: the same command goes on where it stopped"
        ) from None
    except ModuleNotFoundError as lacking:
        raise NoCluster(
            f"a worker of the cluster has no module {lacking.name!r}: "
            "start scheduler and workers in the folder of this software"
        ) from None


def _given(shared: Shared) -> Shared:
    """What all chunks share, where a worker has it."""
    return shared


def _done(function: Callable[[Shared, Sent], Made], shared: Shared, sent: Sent, asked_by: str) -> Made:
    """A chunk, where a worker does it; refused by one whose software would do it in another way."""
    if made_by() != asked_by:
        raise NoCluster(
            "a worker of the cluster runs another version of this software or of its libraries: "
            "install the same on every machine"
        )
    return function(shared, sent)


@lru_cache
def made_by() -> str:
    """SHA-256 over the code that works and the versions of the libraries that it works with."""
    root, digest = Path(__file__).parents[2], hashlib.sha256()
    for package in ("data", "vision", "fusion"):
        for path in sorted((root / package).rglob("*.py")):
            digest.update(path.relative_to(root).as_posix().encode())
            digest.update(path.read_bytes())
    for name in COUNTED:
        digest.update(f"{name}=={version(name)}".encode())
    return digest.hexdigest()


@contextmanager
def spread_over(cluster: str) -> Iterator[Spread]:
    """Where to work.

    Parameters
    ----------
    cluster : str
        Empty: in this process. ``local`` or ``local:N``: N processes of this machine, by default one per
        core, closed afterwards. ``tcp://host:port`` or ``tls://host:port``: a Dask scheduler; the files of a
        TLS connection are named in Dask's own settings.

    Raises
    ------
    ValueError
        When it is none of these.
    NoCluster
        When nobody answers at the address, or no worker has signed on.
    """
    if not cluster:
        yield HERE
        return
    local = LOCAL.fullmatch(cluster)
    if local is None and not ADDRESS.fullmatch(cluster):
        raise ValueError(
            f"--cluster must be local, local:N, tcp://host:port or tls://host:port, got {cluster!r}"
        )
    import distributed  # noqa: F401 - its settings must be there before one of them is set
    from dask import config

    logging.getLogger("distributed").setLevel(logging.CRITICAL)  # what went wrong is said in one line
    with config.set({"distributed.admin.large-graph-warning-threshold": "1GB"}):
        opened = _own(int(local[1] or _cores())) if local else _at(cluster)
        with opened as client:
            yield OnCluster(client)


def _cores() -> int:
    return len(os.sched_getaffinity(0))


@contextmanager
def _own(processes: int) -> Iterator[Client]:
    """A cluster of this machine, under keys of its own that nobody else has: no other account can use it."""
    from dask import config
    from distributed import Client, LocalCluster

    threads = str(max(1, _cores() // processes))
    with (
        config.set({"distributed.scheduler.http.routes": [], "distributed.worker.http.routes": []}),
        LocalCluster(
            n_workers=processes,
            threads_per_worker=1,
            host="127.0.0.1",
            security=True,
            dashboard_address="127.0.0.1:0",
            memory_limit=None,
            silence_logs=logging.CRITICAL,
            env={"TEPAT_THREADS": threads, "OMP_NUM_THREADS": threads},
        ) as cluster,
        Client(cluster) as client,
    ):
        yield client


@contextmanager
def _at(address: str) -> Iterator[Client]:
    """Somebody's cluster."""
    from distributed import Client

    try:
        client = Client(address, timeout=ANSWER_SECONDS, set_as_default=False)
    except (TypeError, ValueError) as wrong:
        raise NoCluster(f"the cluster at {address} cannot be reached: {wrong}") from None
    except OSError:
        raise NoCluster(
            f"the cluster at {address} does not answer: see that its scheduler runs, then try again"
        ) from None
    except MemoryError:  # the first bytes of another protocol, taken for the length of a message
        raise NoCluster(f"what answers at {address} is no Dask scheduler: see host and port") from None
    with client:
        try:
            client.wait_for_workers(1, timeout=ANSWER_SECONDS)
        except TimeoutError:
            raise NoCluster(f"the cluster at {address} has no worker: start some, then try again") from None
        yield client
