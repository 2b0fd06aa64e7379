"""Words that no page says do not reach Streamlit, whoever says them."""

from __future__ import annotations

import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg

from dashboard.shell.view.page_words import OPERATIONS, WORDS, is_of_a_page
from dashboard.shell.word_guard import WordGuard
from tests.conftest import run_apart


def every_word() -> dict[str, bytes]:
    """Name → a message of each kind that this version of Streamlit knows."""
    said = {}
    for field in BackMsg.DESCRIPTOR.oneofs_by_name["type"].fields:
        message = BackMsg()
        if field.message_type is not None:
            getattr(message, field.name).SetInParent()
        else:
            setattr(message, field.name, True if field.type == field.TYPE_BOOL else "x")
        said[field.name] = message.SerializeToString()
    return said


def test_of_all_words_that_streamlit_knows_those_of_a_page_pass():
    passed = {name for name, data in every_word().items() if is_of_a_page(data)}
    assert {"clear_cache", "load_git_info", "set_run_on_save"} <= set(every_word()) - passed
    assert passed == WORDS - {"backend_operation_request"}  # it names no operation here


def test_of_all_operations_those_of_a_page_pass():
    request = BackMsg().backend_operation_request
    names = [field.name for field in request.DESCRIPTOR.oneofs_by_name["payload"].fields]
    passed = set()
    for name in names:
        message = BackMsg()
        getattr(message.backend_operation_request, name).SetInParent()
        if is_of_a_page(message.SerializeToString()):
            passed.add(name)
    assert "install_skills" in names
    assert passed == OPERATIONS


@pytest.mark.parametrize("data", [None, b"", b"\xff\xff\xff", b"rerun", b"\x00" * 100])
def test_what_is_no_word_is_left_out(data):
    assert not is_of_a_page(data)


def test_a_connection_goes_on_after_a_word_that_was_left_out():
    words = every_word()
    coming = [words["clear_cache"], None, words["rerun_script"]]
    heard = []

    async def receive() -> dict:
        if coming:
            return {"type": "websocket.receive", "bytes": coming.pop(0)}
        return {"type": "websocket.disconnect"}

    async def app(scope, receive, send) -> None:
        while (message := await receive())["type"] == "websocket.receive":
            heard.append(message["bytes"])

    guarded = WordGuard(app, is_of_a_page)({"type": "websocket"}, receive, None)
    run_apart(guarded)
    assert heard == [words["rerun_script"]]
