"""What a page of the app says to the server over its WebSocket, in the form that Streamlit gives it."""

from __future__ import annotations

from google.protobuf.message import DecodeError
from streamlit.proto.BackMsg_pb2 import BackMsg

WORDS = {"rerun_script", "stop_script", "file_urls_request", "app_heartbeat", "backend_operation_request"}
OPERATIONS = {"deferred_file", "dataframe_chunk"}
"""Further things that a page asks for: the file of a button, more rows of a table."""


def is_of_a_page(data: bytes | None) -> bool:
    """Whether a page of the app may say this.

    Parameters
    ----------
    data : bytes or None
        A message of a WebSocket; None for a text.
    """
    if data is None:
        return False
    try:
        said = BackMsg.FromString(data)
    except DecodeError:
        return False
    word = said.WhichOneof("type")
    if word == "backend_operation_request":
        return said.backend_operation_request.WhichOneof("payload") in OPERATIONS
    return word in WORDS
