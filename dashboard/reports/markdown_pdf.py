"""Markdown (model card, fairness report) as a tagged PDF."""

from __future__ import annotations

from collections.abc import Sequence

from markdown_it import MarkdownIt
from markdown_it.token import Token

from dashboard.reports import documents
from dashboard.reports.charts import Chart
from dashboard.reports.provenance import Provenance

STYLES = {"strong_open": ("bold", True), "strong_close": ("bold", False), "em_open": ("italic", True)}
STYLES |= {"em_close": ("italic", False)}


def markdown_pdf(
    markdown: str, provenance: Provenance, language: str, *, charts: Sequence[Chart] = (), footer: str = ""
) -> bytes:
    """A Markdown text as a PDF; its first heading is the title.

    Parameters
    ----------
    markdown : str
        CommonMark with tables. Raw HTML and pictures are printed as text, links as their words.
    provenance : Provenance
    language : {"id", "en"}
    charts : sequence of Chart
        Printed after the text.
    footer : str
        At the foot of every page, e.g. the model's version.

    Raises
    ------
    ValueError
        When the text does not begin with a heading of level 1.
    """
    blocks = to_blocks(markdown)
    if not blocks or blocks[0]["kind"] != "heading" or blocks[0]["level"] != 1:
        raise ValueError(f"markdown must begin with a heading of level 1, got {markdown[:40]!r}")
    rest = [_lowered(block) for block in blocks[1:]] + [documents.chart(drawn) for drawn in charts]
    return documents.document(blocks[0]["text"], rest, provenance, language, footer=footer)


def _lowered(block: dict) -> dict:
    """Headings below the title: level 2 or 3, so that the outline has no gap."""
    return block | {"level": min(max(block["level"], 2), 3)} if block["kind"] == "heading" else block


def to_blocks(markdown: str) -> list[dict]:
    """The blocks of a Markdown text."""
    tokens = MarkdownIt("commonmark", {"html": False}).enable("table").parse(markdown)
    blocks, at = [], 0
    while at < len(tokens):
        token = tokens[at]
        end = _closing(tokens, at) if token.nesting == 1 else at
        inner = tokens[at + 1 : end]
        if token.type == "heading_open":
            blocks.append(documents.heading(_plain(inner[0]), int(token.tag[1])))
        elif token.type == "paragraph_open":
            blocks.append({"kind": "text", "runs": _runs(inner[0])})
        elif token.type in ("bullet_list_open", "ordered_list_open"):
            lines = [_runs(each) for each in inner if each.type == "inline"]
            blocks.append({"kind": "list", "ordered": token.type[0] == "o", "items": lines})
        elif token.type == "table_open":
            blocks.append(_table(inner))
        elif token.type in ("fence", "code_block"):
            blocks.append({"kind": "code", "text": token.content})
        elif token.type == "blockquote_open":
            blocks.append(documents.note(" ".join(_plain(each) for each in inner if each.type == "inline")))
        at = end + 1
    return blocks


def _closing(tokens: list[Token], at: int) -> int:
    wanted = tokens[at].type.replace("_open", "_close")
    return next(
        place
        for place in range(at + 1, len(tokens))
        if tokens[place].type == wanted and tokens[place].level == tokens[at].level
    )


def _runs(inline: Token) -> list[dict]:
    runs, style = [], {}
    for part in inline.children or []:
        if part.type in STYLES:
            name, on = STYLES[part.type]
            style = style | {name: on}
        elif part.type == "code_inline":
            runs.append({"text": part.content, "code": True})
        elif part.type in ("softbreak", "hardbreak"):
            runs.append({"text": " "})
        elif part.content:
            runs.append({"text": part.content, **style})
    return runs


def _plain(inline: Token) -> str:
    return "".join(run["text"] for run in _runs(inline))


def _table(tokens: list[Token]) -> dict:
    rows, right = [], []
    for place, token in enumerate(tokens):
        if token.type == "tr_open":
            rows.append([])
        elif token.type in ("th_open", "td_open"):
            rows[-1].append(_plain(tokens[place + 1]))
            if token.type == "th_open":
                right.append("right" in str(token.attrs.get("style", "")))
    return documents.table(rows[0], rows[1:], right=right, size=8.5)
