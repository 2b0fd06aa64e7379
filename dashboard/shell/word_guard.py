"""Which words of a browser reach Streamlit: what a page of the app says, and nothing else.

Streamlit takes further ones from whoever has a connection, signed in or not: to clear the caches of all
visitors (the open store and the loaded model are among them), to tell the state of the program's Git folder,
to write files for programming tools beside the program. Plain ASGI; only the form of the messages is
Streamlit's.
"""

from __future__ import annotations

import logging

from google.protobuf.message import DecodeError
from streamlit.proto.BackMsg_pb2 import BackMsg

WORDS = {"rerun_script", "stop_script", "file_urls_request", "app_heartbeat", "backend_operation_request"}
OPERATIONS = {"deferred_file", "dataframe_chunk"}
"""Further things that a page asks for: the file of a button, more rows of a table."""

logger = logging.getLogger(__name__)


class WordGuard:
    """Lets no other word through.

    Parameters
    ----------
    app
        The ASGI application behind it.
    """

    def __init__(self, app):
        self.app = app

    async def __call__(self, scope, receive, send) -> None:
        """Pass on, leaving out what no page of the app says."""
        if scope["type"] != "websocket":
            return await self.app(scope, receive, send)

        async def heard() -> dict:
            while True:
                message = await receive()
                if message["type"] != "websocket.receive" or is_of_a_page(message.get("bytes")):
                    return message
                logger.warning("a word that no page says was left out")

        await self.app(scope, heard, send)


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
