"""The field for files with its own words in the reader's language; Streamlit's are English."""

from __future__ import annotations

import re

import streamlit as st

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
        st.html(_REWORDED.replace("FIELD", field) % (words("upload.button"), words("upload.limit", mb=most)))
    return st.file_uploader(label, key=key, **options)


# Streamlit's texts stay for who listens; the eye reads those that the style sheet draws in their place.
_REWORDED = """<style>
FIELD [data-testid="stFileUploaderDropzone"] button p,
FIELD [data-testid="stFileUploaderDropzoneInstructions"] span { font-size: 0; }
FIELD [data-testid="stFileUploaderDropzone"] button p::after { content: "%s"; font-size: 1rem; }
FIELD [data-testid="stFileUploaderDropzoneInstructions"] span::after { content: "%s"; font-size: 0.875rem; }
</style>"""
