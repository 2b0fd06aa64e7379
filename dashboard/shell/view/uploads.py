"""The files that people uploaded, which Streamlit keeps in memory for their tabs."""

from __future__ import annotations

from collections.abc import Iterable

from streamlit.runtime import get_instance
from streamlit.runtime.scriptrunner import get_script_run_ctx

from dashboard.shell import current_session


def held_for(tabs: Iterable[str]) -> tuple[int, int]:
    """How many bytes and files are held for some tabs."""
    storage = get_instance().uploaded_file_mgr.file_storage
    files = [file for tab in tabs for file in list(storage.get(tab, {}).values())]
    return sum(len(file.data) for file in files), len(files)


def release_when_left() -> None:
    """On the first run of a page: let go of what was uploaded on the one before, which shows it no more."""
    run = get_script_run_ctx(suppress_warning=True)
    if run is not None and current_session.arrived():
        run.uploaded_file_mgr.remove_session_files(run.session_id)
