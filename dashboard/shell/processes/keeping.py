"""The parent of several app processes: starts them, starts again who died, replaces them, ends them.

It never reads the store and never speaks to a browser; nothing of the app is imported here.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from pathlib import Path

from dashboard.shell.processes.doorkeeper import HAND_SECONDS, Doorkeeper
from dashboard.shell.processes.taking import LEAVE, TAKE

ROOT = Path(__file__).resolve().parents[3]
PAUSES = (1.0, 2.0, 5.0, 15.0, 60.0)  # seconds before one that died is started again, the last for ever
STEADY = 120.0  # seconds after which a process counts as well
READY_SECONDS = 180.0  # that a process may take from its start until it is ready
HEALTH_SECONDS = 30.0  # that a new one may take to say that it can read the store
GOODBYE = 15.0  # seconds from the wish that a process ends until it is killed
_HEALTH = b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
logger = logging.getLogger(__name__)


class NotStarted(RuntimeError):
    """An app process ended before it was ready.

    Parameters
    ----------
    code : int
        Its exit code, or the number of the signal that ended it, negative.
    """

    def __init__(self, code: int):
        super().__init__(f"the app process ended with code {code} before it was ready")
        self.code = code


@dataclass(frozen=True)
class Plan:
    """What is to be served, and how.

    Parameters
    ----------
    command : sequence of str
        Starts a process; its number and the descriptor of its channel stand for "{number}" and "{channel}".
    folder : pathlib.Path
        Where it is started; looked up anew every time, so that a link to the release in use is followed.
    processes : int
        How many, 1 or more.
    leave_seconds : float
        How long a process that is replaced may wait for its tabs to be closed.
    pauses : sequence of float
        Seconds to wait after the first, second, … end in a row.
    """

    command: Sequence[str]
    folder: Path = ROOT
    processes: int = 2
    leave_seconds: float = 600.0
    pauses: Sequence[float] = PAUSES


@dataclass
class Kept:
    """One app process.

    Parameters
    ----------
    number : int
        No other of this parent has or had it.
    child : asyncio.subprocess.Process
    channel : socket.socket
        The parent's end; not blocking.
    """

    number: int
    child: asyncio.subprocess.Process
    channel: socket.socket
    leaving: bool = False
    ready: asyncio.Event = field(default_factory=asyncio.Event)
    began: float = field(default_factory=time.monotonic)
    _given: int = 0
    _told: tuple[int, int] = (0, 0)  # connections taken so far, connections open
    _heard: bytes = b""

    @property
    def load(self) -> int:
        """Connections that it holds, as it said last, and those given to it since."""
        taken, still_open = self._told
        return still_open + self._given - taken

    async def hand(self, connection: socket.socket) -> bool:
        """Give it a connection; False when it takes none any more."""
        end = time.monotonic() + HAND_SECONDS
        while time.monotonic() < end:
            try:
                socket.send_fds(self.channel, [TAKE], [connection.fileno()])
            except BlockingIOError:
                await asyncio.sleep(0.02)  # its queue is full
            except OSError:
                return False
            else:
                self._given += 1
                return True
        logger.warning("app process %d takes no connection", self.number)
        return False

    def leave(self) -> None:
        """Tell it that it takes no new tabs any more."""
        self.leaving = True
        try:
            self.channel.send(LEAVE)
        except OSError:
            logger.debug("app process %d has ended already", self.number)

    def listen(self) -> None:
        """Follow what it tells, in the running loop."""
        asyncio.get_running_loop().add_reader(self.channel, self._hear)

    def hang_up(self) -> None:
        """Let it end: it serves what it was given, and hears that nothing comes any more."""
        try:
            self.channel.shutdown(socket.SHUT_WR)
        except OSError:
            logger.debug("app process %d has ended already", self.number)

    def forget(self) -> None:
        """It has ended."""
        asyncio.get_running_loop().remove_reader(self.channel)
        self.channel.close()

    def _hear(self) -> None:
        try:
            heard = self.channel.recv(4096)
        except BlockingIOError:
            return
        except OSError:
            heard = b""
        if not heard:
            asyncio.get_running_loop().remove_reader(self.channel)
            return
        *lines, self._heard = (self._heard + heard).split(b"\n")
        for line in lines:
            taken, _, still_open = line.partition(b" ")
            self._told = (int(taken), int(still_open))
            self.ready.set()


class Keeper:
    """Keeps as many app processes as planned.

    Parameters
    ----------
    plan : Plan
    """

    def __init__(self, plan: Plan):
        self.plan = plan
        self._numbers = count(1)
        self._all: list[Kept] = []
        self._tasks: set[asyncio.Task] = set()
        self._stopping = False
        self._replacing = asyncio.Lock()

    def serving(self) -> list[Kept]:
        """Those that take connections now; one that is leaving takes its own tabs' only."""
        return [one for one in self._all if one.ready.is_set() and one.child.returncode is None]

    async def begin(self) -> None:
        """Start them all; return when they are ready.

        Raises
        ------
        NotStarted
            When one ends before.
        """
        await asyncio.gather(*(self.start() for _ in range(self.plan.processes)))

    async def start(self, ends: int = 0) -> Kept:
        """Start one; return when it is ready.

        Parameters
        ----------
        ends : int
            How many have ended in a row before it.

        Raises
        ------
        NotStarted
        """
        number, (ours, theirs) = next(self._numbers), socket.socketpair()
        words = [one.format(number=number, channel=theirs.fileno()) for one in self.plan.command]
        with theirs:
            try:
                child = await asyncio.create_subprocess_exec(
                    *words,
                    cwd=self.plan.folder,
                    stdin=asyncio.subprocess.DEVNULL,
                    pass_fds=[theirs.fileno()],
                    start_new_session=True,  # Ctrl+C reaches the parent alone, which ends them
                )
            except OSError:
                ours.close()
                raise
        ours.setblocking(False)
        kept = Kept(number, child, ours)
        kept.listen()
        self._all.append(kept)
        self._run(self._follow(kept, ends))
        return await self._until_ready(kept)

    async def _until_ready(self, kept: Kept) -> Kept:
        waits = [asyncio.create_task(kept.ready.wait()), asyncio.create_task(kept.child.wait())]
        _, late = await asyncio.wait(waits, timeout=READY_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        for task in late:
            task.cancel()
        if not kept.ready.is_set():
            if kept.child.returncode is None:
                kept.child.kill()
            raise NotStarted(await kept.child.wait())
        return kept

    async def _follow(self, kept: Kept, ends: int) -> None:
        """Wait for the end of a process, and start another where one is missing."""
        code = await kept.child.wait()
        ran, was_ready = time.monotonic() - kept.began, kept.ready.is_set()
        kept.forget()
        self._all.remove(kept)
        if self._stopping or kept.leaving or not was_ready:
            return  # whoever started it hears of it
        ends = 1 if ran > STEADY else ends + 1
        while not self._stopping and self._missing():
            pause = self.plan.pauses[min(ends, len(self.plan.pauses)) - 1]
            said = "app process %d ended with code %d; another begins in %g s"
            logger.warning(said, kept.number, code, pause)
            await asyncio.sleep(pause)
            if self._stopping or not self._missing():
                return
            try:
                await self.start(ends)
            except NotStarted as problem:
                ends, code = ends + 1, problem.code
            except OSError as problem:  # no such folder, no room for another process
                logger.error("no app process could be started: %s", problem)
                ends += 1

    def _missing(self) -> int:
        return self.plan.processes - sum(not one.leaving for one in self._all)

    async def replace(self) -> bool:
        """Replace them one by one: whether all were.

        A new one is started; when it can read the store, the old one takes no new tabs any more and ends when
        its tabs are closed, or after the planned time. When a new one does not come up, the rest stays.
        """
        async with self._replacing:
            present = [one for one in self.serving() if not one.leaving]
            for old in sorted(present, key=lambda one: one.number):
                if self._stopping or old.child.returncode is not None:
                    continue
                try:
                    new = await self.start()
                except (NotStarted, OSError) as problem:
                    return self._not_replaced(str(problem))
                if not await healthy(new):
                    self._not_replaced("the new one cannot read the store")
                    new.leaving = True
                    await self._end(new)
                    return False
                old.leave()
                logger.info("app process %d takes the place of %d", new.number, old.number)
                await self._left(old)
                await self._end(old)
        return not self._stopping

    def _not_replaced(self, why: str) -> bool:
        if not self._stopping:
            logger.error("the app processes are not replaced: %s", why)
        return False

    async def _left(self, old: Kept) -> None:
        """Until the last connection of a process that is leaving is closed, or its time is over."""
        end, quiet = time.monotonic() + self.plan.leave_seconds, 0
        while quiet < 5 and time.monotonic() < end and old.child.returncode is None and not self._stopping:
            quiet = 0 if old.load else quiet + 1  # between two answers there may be none for a moment
            await asyncio.sleep(0.2)

    async def _end(self, kept: Kept) -> None:
        kept.hang_up()
        if not kept.ready.is_set():
            kept.child.terminate()  # it does not listen yet
        try:
            await asyncio.wait_for(kept.child.wait(), GOODBYE)
        except TimeoutError:
            logger.warning("app process %d did not end within %g s: it is killed", kept.number, GOODBYE)
            kept.child.kill()
            await kept.child.wait()

    async def stop(self) -> None:
        """End all of them, within :data:`GOODBYE` seconds."""
        self._stopping = True
        await asyncio.gather(*(self._end(one) for one in list(self._all)))
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _run(self, work) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


async def healthy(kept: Kept) -> bool:
    """Whether a process says that it can read the store; asked over a connection of its own."""
    ours, theirs = socket.socketpair()
    with theirs:
        if not await kept.hand(theirs):
            ours.close()
            return False
    reader, writer = await asyncio.open_connection(sock=ours)
    try:
        async with asyncio.timeout(HEALTH_SECONDS):
            writer.write(_HEALTH)
            await writer.drain()
            first = await reader.readline()
    except (TimeoutError, OSError):
        return False
    finally:
        writer.close()
    return b" 200 " in first


def bound(port: int, address: str) -> socket.socket:
    """A socket at a port, not yet listening.

    Raises
    ------
    OSError
        When the port is not to be had.
    """
    listening = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if listening.family == socket.AF_INET6:
            listening.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        listening.bind((address, port))
        listening.setblocking(False)
    except BaseException:
        listening.close()
        raise
    return listening


async def keep(plan: Plan, listening: socket.socket, replaced: Callable[[], None] = lambda: None) -> int:
    """Serve until SIGTERM or SIGINT, replace the processes at SIGHUP; the signal's number.

    Parameters
    ----------
    plan : Plan
    listening : socket.socket
        Bound (:func:`bound`).
    replaced : callable
        Is told when all processes have been replaced.

    Raises
    ------
    NotStarted
        When one of the first processes ends before it is ready.
    """
    loop, stopped, told = asyncio.get_running_loop(), asyncio.Event(), []
    keeper = Keeper(plan)
    door = Doorkeeper(listening, keeper.serving)
    replacements: set[asyncio.Task] = set()

    def stop(number: int) -> None:
        told.append(number)
        stopped.set()

    async def in_turn() -> None:
        if await keeper.replace():
            replaced()
            logger.info("all app processes have been replaced")

    def replace() -> None:
        task = loop.create_task(in_turn())
        replacements.add(task)
        task.add_done_callback(replacements.discard)

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, partial(stop, number))
    loop.add_signal_handler(signal.SIGHUP, lambda: None)  # nothing to replace yet
    ending = loop.create_task(stopped.wait())
    beginning = loop.create_task(keeper.begin())
    try:
        await asyncio.wait({ending, beginning}, return_when=asyncio.FIRST_COMPLETED)
        if beginning.done():
            beginning.result()
            door.open()
            loop.add_signal_handler(signal.SIGHUP, replace)
            logger.info("%d app processes are ready", plan.processes)
            await ending
    finally:
        await door.close()
        await keeper.stop()
        for task in (ending, beginning, *replacements):
            task.cancel()
        await asyncio.gather(ending, beginning, *replacements, return_exceptions=True)
    return told[0]


def command(port: int, address: str) -> tuple[str, ...]:
    """What starts an app process (:mod:`dashboard.shell.processes.one`)."""
    told = ("{number}", "{channel}", str(port), address)
    return (sys.executable, "-m", "dashboard.shell.processes.one", *told)


def more_descriptors() -> None:
    """Let this process, and those that it starts, hold as many connections as the system allows."""
    import resource

    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def serve_many(plan: Plan, listening: socket.socket, replaced: Callable[[], None]) -> None:
    """Serve until interrupted (SIGINT) or ended (SIGTERM).

    Parameters
    ----------
    plan : Plan
    listening : socket.socket
        Bound (:func:`bound`).
    replaced : callable
        Is told when all processes have been replaced.

    Raises
    ------
    NotStarted
        When one of the first processes ends before it is ready.
    KeyboardInterrupt
        After SIGINT, when all have ended.
    """
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    more_descriptors()
    if asyncio.run(keep(plan, listening, replaced)) == signal.SIGINT:
        raise KeyboardInterrupt
