"""A sentence about a file that also carries what it says as data, so that a page can say it in its own words.

The sentence itself is plain English for the command line, with its ``--set``. Its code and values let
another reader choose the words: the labels of a page, another language.
"""

from __future__ import annotations

import json


class Told(str):
    """A sentence of the command line, with its code and values.

    Parameters
    ----------
    code : str
        Names the sentence, in small letters with underscores.
    sentence : str
        In English, as the command line shows it.
    **values
        What the sentence is about, as JSON can hold it. The name says what a value is: ``column`` and
        ``columns`` are names of the common layout, ``term`` a ``YYYYT`` number, ``day`` and ``…_day`` ISO
        dates, ``month`` 1–12, ``figure_…`` a number with decimals, ``values_COLUMN`` codes of a column,
        ``named_…`` a word of a closed list; all else is shown as it stands.

    Examples
    --------
    >>> one = Told("entry_was", "entry was in 20211", term=20211)
    >>> str(one), one.data
    ('entry was in 20211', '{"code": "entry_was", "term": 20211}')
    """

    data: str

    def __new__(cls, code: str, sentence: str, **values) -> Told:
        told = super().__new__(cls, sentence)
        told.data = json.dumps({"code": code, **values}, ensure_ascii=False)
        return told


def data_of(sentence: str) -> str:
    """What a sentence carries, as JSON; empty for a plain one."""
    return sentence.data if isinstance(sentence, Told) else ""


def told_of(data: str) -> tuple[str, dict]:
    """Code and values of what :func:`data_of` gave; an empty code for none."""
    if not data:
        return "", {}
    values = json.loads(data)
    return values.pop("code"), values
