"""Which words of a browser reach Streamlit: what a page of the app says, and nothing else.

Streamlit takes further ones from whoever has a connection, signed in or not: to clear the caches of all
visitors (the open store and the loaded model are among them), to tell the state of the program's Git folder,
to write files for programming tools beside the program. Plain ASGI, no Streamlit.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

logger = logging.getLogger(__name__)


class WordGuard:
    """Lets no other word through.

    Parameters
    ----------
    app
        The ASGI application behind it.
    may_say : callable
        Whether a page says such a message (:func:`dashboard.shell.view.page_words.is_of_a_page`).
    """

    def __init__(self, app, may_say: Callable[[bytes | None], bool]):
        self.app, self._may_say = app, may_say

    async def __call__(self, scope, receive, send) -> None:
        """Pass on, leaving out what no page of the app says."""
        if scope["type"] != "websocket":
            return await self.app(scope, receive, send)

        async def heard() -> dict:
            while True:
                message = await receive()
                if message["type"] != "websocket.receive" or self._may_say(message.get("bytes")):
                    return message
                logger.warning("a word that no page says was left out")

        await self.app(scope, heard, send)
