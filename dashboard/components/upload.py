"""The field for files with its own words in the reader's language; Streamlit's are English."""

from __future__ import annotations

import re

import streamlit as st

from dashboard.components.reworded import instead
from dashboard.shell import current_session
from data.settings import get_settings


def file_field(label: str, *, key: str, **options):
    """``st.file_uploader`` whose button and limit stand in the reader's language.

    Parameters
    ----------
    label : str
    key : str
    **options
        Further ones of ``st.file_uploader``.
    """
    words = current_session.words()
    if words.language != "en":
        most = options.get("max_upload_size") or get_settings().upload_mb
        field = f".st-key-{re.sub('[^a-zA-Z0-9_-]', '-', key)}"
        zone = f'{field} [data-testid="stFileUploaderDropzone'
        button = instead(f'{zone}"] button p', words("upload.button"), "1rem")
        limit = instead(f'{zone}Instructions"] span', words("upload.limit", mb=most), "0.875rem")
        st.html(f"<style>{button}{limit}</style>")
    return st.file_uploader(label, key=key, **options)
