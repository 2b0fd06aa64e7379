"""Documents made of blocks, typeset as tagged PDFs: for every report that is not an instrument's table."""

from __future__ import annotations

from collections.abc import Sequence

from dashboard.reports.charts import Chart
from dashboard.reports.pdf import common_data
from dashboard.reports.provenance import Provenance
from dashboard.reports.typeset import typeset


def document(
    title: str,
    blocks: Sequence[dict],
    provenance: Provenance,
    language: str,
    *,
    footer: str = "",
    landscape: bool = False,
    signed_by: Sequence[tuple[str, str]] = (),
) -> bytes:
    """A PDF of blocks under one title.

    Parameters
    ----------
    title : str
    blocks : sequence of dict
        From the functions below.
    provenance : Provenance
        Says whether the data are synthetic.
    language : {"id", "en"}
    footer : str
        At the foot of every page, before the software's name.
    landscape : bool
        Turned page.
    signed_by : sequence of (role, name)
        The signature block; none when empty.
    """
    foot = " · ".join(filter(None, (footer, provenance.software)))
    people = [{"role": role, "name": name} for role, name in signed_by]
    data = {"blocks": list(blocks), "footer": foot, "landscape": landscape, "signatories": people}
    return typeset("document", common_data(provenance, language, title) | data)


def heading(text: str, level: int = 2) -> dict:
    """A heading of level 2 or 3."""
    return {"kind": "heading", "level": level, "text": text}


def text(words: str) -> dict:
    """A paragraph."""
    return {"kind": "text", "runs": [{"text": words}]}


def note(words: str) -> dict:
    """A paragraph set apart."""
    return {"kind": "note", "text": words}


def facts(pairs: Sequence[tuple[str, str]]) -> dict:
    """Names and values in two columns."""
    return {"kind": "facts", "pairs": [list(pair) for pair in pairs]}


def items(lines: Sequence[str]) -> dict:
    """A list."""
    return {"kind": "list", "ordered": False, "items": [[{"text": line}] for line in lines]}


def chart(drawn: Chart) -> dict:
    """A chart with its heading and text alternative."""
    return {"kind": "chart", "title": drawn.title, "svg": drawn.svg, "alt": drawn.alt}


def table(
    head: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    right: Sequence[bool] | None = None,
    widths: Sequence[float] | None = None,
    size: float = 9,
) -> dict:
    """A table of texts.

    Parameters
    ----------
    right : sequence of bool, optional
        Which columns are set to the right; all but the first when not given.
    widths : sequence of float, optional
        Relative widths; equal when not given.
    size : float
        Of the type, in points.
    """
    for row in rows:
        if len(row) != len(head):
            raise ValueError(f"every row must have {len(head)} cells, got {len(row)}")
    return {
        "kind": "table",
        "head": list(head),
        "rows": [[str(cell) for cell in row] for row in rows],
        "right": list(right if right is not None else [at > 0 for at in range(len(head))]),
        "widths": list(widths if widths is not None else [1] * len(head)),
        "size": size,
    }


def pictures(images: Sequence[tuple[bytes, str, str]], columns: int = 3) -> dict:
    """PNG pictures side by side.

    Parameters
    ----------
    images : sequence of (PNG bytes, text alternative, caption)
    columns : int
    """
    for data, alternative, _ in images:
        if not data.startswith(b"\x89PNG"):
            raise ValueError(f"picture {alternative!r} must be a PNG file")
    return {
        "kind": "images",
        "columns": columns,
        "items": [{"data": list(data), "alt": alt, "caption": caption} for data, alt, caption in images],
    }
