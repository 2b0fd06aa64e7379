"""Work of the background begins no piece while a page is drawn, and is never kept waiting for good."""

from __future__ import annotations

from threading import Event, Thread

import pytest

from dashboard.shell import turns

SOON = 10.0  # seconds; far more than it takes


class Worker:
    """A thread that does two pieces in the background, the first of them with a piece within."""

    def __init__(self) -> None:
        self.asked, self.done, self.inner, self.going = Event(), [], Event(), Event()
        self.going.set()
        self.thread = Thread(target=self.work, daemon=True)

    def work(self) -> None:
        with turns.background():
            for number in (1, 2):
                self.asked.set()
                with turns.piece():
                    self.going.wait(SOON)
                    with turns.piece():
                        self.inner.set()
                    self.done.append(number)

    def ended(self) -> bool:
        self.thread.join(SOON)
        return not self.thread.is_alive()


@pytest.fixture
def worker():
    return Worker()


def test_a_piece_waits_until_no_page_is_drawn(worker, monkeypatch):
    monkeypatch.setattr(turns, "PATIENCE", SOON)
    with turns.page():
        with turns.page():
            worker.thread.start()
            assert worker.asked.wait(SOON)
        assert worker.done == []  # another page is drawn still
    assert worker.ended() and worker.done == [1, 2]


def test_a_piece_within_a_piece_begins_at_once(worker, monkeypatch):
    """A page may wait for what the outer one makes: neither would ever go on."""
    monkeypatch.setattr(turns, "PATIENCE", SOON)
    worker.going.clear()
    worker.thread.start()
    assert worker.asked.wait(SOON)
    with turns.page():
        worker.going.set()
        assert worker.inner.wait(SOON)
    assert worker.ended()


def test_background_work_goes_on_where_pages_never_end(worker, monkeypatch):
    monkeypatch.setattr(turns, "PATIENCE", 0.01)
    with turns.page():
        worker.thread.start()
        assert worker.ended() and worker.done == [1, 2]


def test_a_page_that_fails_keeps_nobody_waiting(worker, monkeypatch):
    monkeypatch.setattr(turns, "PATIENCE", SOON)
    with pytest.raises(RuntimeError), turns.page():
        raise RuntimeError("a page")
    worker.thread.start()
    assert worker.ended()


def test_whoever_draws_a_page_never_waits():
    with turns.page(), turns.piece(), turns.piece():
        pass
