"""Typst templates filled with data: ``typeset(template, data) -> PDF`` (tagged, PDF/UA-1, fonts embedded)."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

from dashboard.reports.glyphs import SIGN, printable

TEMPLATES = Path(__file__).parent / "templates"
EPOCH = datetime(2000, 1, 1, tzinfo=UTC)  # fixed: the same content must give the same bytes


def typeset(template: str, data: dict) -> bytes:
    """A PDF from a template of ``templates/`` and the data that it prints.

    Parameters
    ----------
    template : str
        File name without its ending.
    data : dict
        Handed over as JSON; texts are printed as they are and never interpreted as markup. A character that
        the fonts lack becomes :data:`dashboard.reports.glyphs.SIGN`, and ``footer`` then says so in the words
        of ``sign_note``.

    Returns
    -------
    bytes
        A PDF/UA-1 file; equal for equal arguments. Only typst's own fonts are used, and they are embedded.

    Raises
    ------
    ValueError
        When there is no such template.
    """
    import typst

    path = TEMPLATES / f"{template}.typ"
    if not path.is_file():
        known = ", ".join(sorted(each.stem for each in TEMPLATES.glob("*.typ")))
        raise ValueError(f"template must be one of {known}, got {template!r}")
    data, replaced = printable(data)
    if replaced and "footer" in data:
        data["footer"] = f"{data['footer']} · {data.get('sign_note', SIGN)}"
    return typst.compile(
        str(path),
        root=str(TEMPLATES),
        sys_inputs={"data": json.dumps(data, ensure_ascii=False, default=str)},
        pdf_standards=["ua-1"],
        ignore_system_fonts=True,
        timestamp=EPOCH,
    )
