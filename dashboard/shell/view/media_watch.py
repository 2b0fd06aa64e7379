"""Sees which files Streamlit gives an address, and notes for whom (:mod:`dashboard.shell.handed_files`)."""

from __future__ import annotations

from streamlit.runtime import get_instance
from streamlit.runtime.scriptrunner import get_script_run_ctx

from dashboard.shell import current_session
from dashboard.shell.handed_files import HandedFiles


def tab_is_open(tab: str) -> bool:
    """Whether a browser tab is connected."""
    return get_instance().is_active_session(tab)


def watch(manager, handed: HandedFiles) -> None:
    """Note every file that Streamlit's media manager takes from now on.

    What is drawn for nobody, in a thread or before anybody has signed in, is given to nobody.

    Parameters
    ----------
    manager : streamlit.runtime.media_file_manager.MediaFileManager
        Its ``add`` takes a file, ``add_deferred`` a promise of one, ``execute_deferred`` keeps the promise.
    """
    add, promise, keep = manager.add, manager.add_deferred, manager.execute_deferred

    def add_noted(*args, **kwargs) -> str:
        return _noted(handed, add(*args, **kwargs))

    def promise_noted(*args, **kwargs) -> str:
        return _noted(handed, promise(*args, **kwargs))

    def keep_noted(name: str) -> str:
        address = keep(name)
        handed.note_made(address, name)
        return address

    manager.add, manager.add_deferred, manager.execute_deferred = add_noted, promise_noted, keep_noted


def _noted(handed: HandedFiles, file: str) -> str:
    run = get_script_run_ctx(suppress_warning=True)
    person = current_session.person() if run is not None else None
    if person is not None:
        handed.note(file, run.session_id, person.account)
    return file
