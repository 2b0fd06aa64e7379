"""Streamlit's own media manager, watched: every way in which a file gets an address is noted."""

from types import SimpleNamespace

import pytest
from streamlit.runtime.media_file_manager import MediaFileManager
from streamlit.runtime.memory_media_file_storage import MemoryMediaFileStorage

from dashboard.shell import current_session
from dashboard.shell.handed_files import HandedFiles
from dashboard.shell.view import media_watch
from data.trust.accounts import Account


@pytest.fixture
def handed():
    return HandedFiles({"tab"}.__contains__)


@pytest.fixture
def manager(handed):
    made = MediaFileManager(MemoryMediaFileStorage("/media"))
    media_watch.watch(made, handed)
    return made


@pytest.fixture
def drawing(monkeypatch):
    """A function that says who draws a page now; None: nobody has signed in; "thread": no page at all."""

    def draws(account):
        run = None if account == "thread" else SimpleNamespace(session_id="tab")
        monkeypatch.setattr(media_watch, "get_script_run_ctx", lambda **_: run)
        someone = account and Account(account, account, "advisor")
        monkeypatch.setattr(current_session, "person", lambda: someone)

    return draws


def test_a_file_belongs_to_whose_page_drew_it(manager, handed, drawing):
    drawing("ani")
    address = manager.add(b"a scan", "image/png", "1.(1).2")
    assert address.startswith("/media/")
    assert handed.may_have(address, "ani") and not handed.may_have(address, "budi")
    assert not handed.may_have(address, None)


def test_a_promised_file_belongs_to_whom_it_was_promised_whoever_draws_when_it_is_made(
    manager, handed, drawing
):
    drawing("ani")
    promise = manager.add_deferred(lambda: b"a;b\n", "text/csv", "1.(1).3", file_name="a.csv")
    drawing("thread")
    address = manager.execute_deferred(promise)
    assert handed.may_have(address, "ani") and not handed.may_have(address, "budi")


@pytest.mark.parametrize("who", [None, "thread"])
def test_what_is_drawn_for_nobody_is_nobodys(manager, handed, drawing, who):
    drawing(who)
    address = manager.add(b"a scan", "image/png", "1.(1).2")
    promise = manager.add_deferred(lambda: b"x", "text/csv", "1.(1).3", file_name="a.csv")
    for file in (address, promise, manager.execute_deferred(promise)):
        assert not any(handed.may_have(file, one) for one in ("ani", "", None))


def test_the_same_file_drawn_for_two_belongs_to_both(manager, handed, drawing):
    for who in ("ani", "budi"):
        drawing(who)
        address = manager.add(b"the same", "image/png", "1.(1).2")
        assert handed.may_have(address, who)
