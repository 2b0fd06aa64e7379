"""A visitor without a browser: speaks the app's websocket protocol, so that a script can be twenty people.

What a browser sends and is sent goes over the wire as it would: one message per widget change with the state
of every widget touched so far, and the hashes of the messages that it keeps. Nothing is drawn.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.Element_pb2 import Element
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets.sync.client import connect

PATIENCE = 60.0
LARGEST_MESSAGE = 64 * 2**20


class AppFailed(RuntimeError):
    """The app showed an error, or did not answer."""


@dataclass(frozen=True)
class Visit:
    """What one action cost and brought.

    Attributes
    ----------
    seconds : float
        From the message to the app until it said that the script has finished.
    script_seconds : float
        How long the script ran by Streamlit's own clock; NaN when the app does not tell (with
        ``browser.gatherUsageStats`` it does; a browser would send it on, this visitor keeps it).
    message_bytes : int
        All that was sent to the browser meanwhile.
    elements : tuple
        Streamlit ``Element`` messages, in the order in which they came.
    """

    seconds: float
    script_seconds: float
    message_bytes: int
    elements: tuple

    def widget(self, kind: str, key: str):
        """The widget of a kind (``button``, ``selectbox`` …) whose key in the app is ``key``."""
        for element in self.elements:
            if element.WhichOneof("type") == kind and getattr(element, kind).id.endswith(f"-{key}"):
                return getattr(element, kind)
        raise AppFailed(f"{kind} {key!r} is not on the page; there are {self.keys(kind)}")

    def keys(self, kind: str) -> list[str]:
        """Keys of the widgets of a kind."""
        return [getattr(e, kind).id.split("-", 2)[-1] for e in self.elements if e.WhichOneof("type") == kind]


@dataclass
class Visitor:
    """One browser tab on the app at ``url`` (http://…)."""

    url: str
    language: str = "en"
    pages: dict[str, str] = field(default_factory=dict)
    page: str = ""
    query: str = ""
    _states: dict[str, WidgetState] = field(default_factory=dict)
    _kept: dict[str, bytes] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._wire = connect(
            self.url.replace("http", "ws", 1) + "/_stcore/stream",
            subprotocols=["streamlit"],
            origin=self.url,
            max_size=LARGEST_MESSAGE,
            open_timeout=PATIENCE,
        )

    def __enter__(self) -> Visitor:
        return self

    def __exit__(self, *problem) -> None:
        self.close()

    def close(self) -> None:
        """Close the tab."""
        self._wire.close()

    def open(self, name: str = "", query: str = "") -> Visit:
        """Go to a page of the menu; the first time, ``name`` empty, the app's start."""
        if name and name not in self.pages:
            raise AppFailed(f"page {name!r} is not in the menu; there are {sorted(self.pages)}")
        self.page, self.query = self.pages.get(name, ""), query
        return self._run()

    def press(self, visit: Visit, key: str) -> Visit:
        """Press a button."""
        return self._run(WidgetState(id=visit.widget("button", key).id, trigger_value=True))

    def select(self, visit: Visit, key: str, place: int) -> Visit:
        """Choose the option at a place of a select box."""
        box = visit.widget("selectbox", key)
        return self._change(WidgetState(id=box.id, string_value=box.options[place]))

    def pick(self, visit: Visit, key: str, place: int) -> Visit:
        """Choose the option at a place of a segmented control or of pills."""
        group = visit.widget("button_group", key)
        state = WidgetState(id=group.id)
        state.string_array_value.data.append(group.options[place].content)
        return self._change(state)

    def slide(self, visit: Visit, key: str, value: float) -> Visit:
        """Move a slider."""
        state = WidgetState(id=visit.widget("slider", key).id)
        state.double_array_value.data.append(value)
        return self._change(state)

    def type(self, visit: Visit, key: str, text: str) -> Visit:
        """Write into a text field."""
        return self._change(WidgetState(id=visit.widget("text_input", key).id, string_value=text))

    def _change(self, state: WidgetState) -> Visit:
        self._states[state.id] = state
        return self._run()

    def _run(self, trigger: WidgetState | None = None) -> Visit:
        message = BackMsg()
        run = message.rerun_script
        run.page_script_hash, run.query_string = self.page, self.query
        run.context_info.locale = self.language
        run.context_info.url = self.url
        run.cached_message_hashes.extend(self._kept)
        run.widget_states.widgets.extend([*self._states.values(), *([trigger] if trigger else [])])
        started = time.perf_counter()
        self._wire.send(message.SerializeToString())
        return self._collect(started)

    def _collect(self, started: float) -> Visit:
        received, elements, script = 0, [], float("nan")
        while True:
            data = self._wire.recv(timeout=PATIENCE)
            answer = self._unfolded(data)
            kind = answer.WhichOneof("type")
            if kind == "page_profile":  # the profiler's own word, no part of what a page weighs
                script = (answer.page_profile.prep_time + answer.page_profile.exec_time) / 1e6
                continue
            received += len(data)
            if kind == "delta" and answer.delta.WhichOneof("type") == "new_element":
                elements.append(_drawn(answer.delta.new_element))
            elif kind == "script_finished" and self._is_end(answer):
                return Visit(time.perf_counter() - started, script, received, tuple(elements))
            else:
                self._follow(answer)

    def _unfolded(self, data: bytes) -> ForwardMsg:
        """A message, or the kept one that it refers to."""
        answer = ForwardMsg.FromString(data)
        if answer.WhichOneof("type") == "ref_hash":
            return ForwardMsg.FromString(self._kept[answer.ref_hash])
        if answer.metadata.cacheable:
            self._kept[answer.hash] = data
        return answer

    def _follow(self, answer: ForwardMsg) -> None:
        """Where the visitor stands now."""
        if answer.WhichOneof("type") == "navigation":
            self.pages = {page.url_pathname: page.page_script_hash for page in answer.navigation.app_pages}
            self.page = answer.navigation.page_script_hash
        elif answer.WhichOneof("type") == "page_info_changed":
            self.query = answer.page_info_changed.query_string

    @staticmethod
    def _is_end(answer: ForwardMsg) -> bool:
        """A run cut short by the app itself (``st.rerun``, a change of page) goes on in another one."""
        if answer.script_finished == ForwardMsg.FINISHED_WITH_COMPILE_ERROR:
            raise AppFailed("the script does not compile")
        return answer.script_finished != ForwardMsg.FINISHED_EARLY_FOR_RERUN


def _drawn(element: Element) -> Element:
    """An element of the page, unless it tells of a failure."""
    if element.WhichOneof("type") == "exception":
        raise AppFailed(element.exception.message)
    return element
