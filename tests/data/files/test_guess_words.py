"""What was assumed in reading a file says how to confirm it and how to change it, as words to type."""

import pytest

from data.commands.load import _choices
from data.files.guess_words import guess_line
from data.files.reading import Guess


@pytest.mark.parametrize(
    ("guess", "said"),
    [
        (Guess("date_order", "dmy", "Tgl", 2, "05/06/2024"), "say so by --set outcomes.date_order=dmy"),
        (Guess("date_order", "dmy", "Tgl", 2, "05/06/2024"), "else --set outcomes.date_order=mdy"),
        (Guess("attendance", "fraction", "Hadir"), "--set outcomes.attendance=fraction; else"),
        (
            Guess("encoding", "cp1252"),
            "say so by --set outcomes.encoding=cp1252; else --set outcomes.encoding=NAME",
        ),
        (Guess("sheets", "2021, Data 2022"), "say so by --sheet 2021 --sheet 'Data 2022'"),
        (Guess("entry_date", "dates", "Masuk"), "if that is wrong, give the column"),
        (
            Guess("true_dates", ""),
            "else --set outcomes.true_dates=stored or --set outcomes.true_dates=swapped",
        ),
    ],
)
def test_an_assumption_says_what_to_type(guess, said):
    line = guess_line(guess, "outcomes")
    assert said in line and "please confirm" not in line


def test_what_is_to_be_typed_is_understood():
    line = guess_line(Guess("date_order", "dmy", "Tgl"), "outcomes")
    confirm, change = (part.split()[0] for part in line.split("--set ")[1:])
    for text, value in ((confirm.rstrip(";"), "dmy"), (change, "mdy")):
        assert _choices([text], ["students", "outcomes"], [])["outcomes"].date_order == value
