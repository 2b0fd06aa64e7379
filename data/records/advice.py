"""What somebody can do about what a check has found, rule by rule: the words of lists that are given back."""

from __future__ import annotations

import pandas as pd

ADVICE = {
    "REC001": (
        "Choose the header for this column in step 2, or add the column to the file; a value that is the "
        "same for every row can be given there too."
    ),
    "REC002": "Fill in the cell, or delete the row if it belongs to nobody.",
    "REC003": (
        "Open the row in your file and write the cell in the form that is named: a whole number, a number, "
        "a date or a term, and nothing else, so 3 and not 3 credits. Empty it if nothing is known. If the "
        "whole column is written so, say in step 2 how it is to be read."
    ),
    "REC004": (
        "Correct the number; look first for a lost decimal sign, or for two columns that were exchanged."
    ),
    "REC005": "Write one of the allowed values, or say in step 2 what this word or code means.",
    "REC006": (
        "Keep the row that holds and delete the other; if two classes or two dates of one mark are "
        "meant, add a column that tells them apart."
    ),
    "REC007": (
        "Look for a separator inside a cell, put that cell in quotation marks, or export the table again."
    ),
    "REC008": (
        "Format the column as text and export it again from the system it came from; digits that are "
        "lost cannot be restored here."
    ),
    "REC009": (
        "Correct the programme code, or add a column with the degree level (D3, S1, S2 …) so that the "
        "programme can be made."
    ),
    "REC010": (
        "Give the programme one degree level in every row; the level that most rows or the store have is "
        "taken as right."
    ),
    "REC011": (
        "Import the students file with this student first or together with this file, or correct the "
        "number; look for lost leading zeros."
    ),
    "REC012": "Mend the student's row in the students file; this row is then taken as it is.",
    "REC013": "Correct the term here, or the entry term in the students file.",
    "REC014": "Correct the date or term; look whether day and month are exchanged.",
    "REC015": (
        "Look up when this student entered and left. If the exit is wrong, correct it in this row; if the "
        "entry is wrong, correct the entry term in the students file and import that file first. If the "
        "number was given to somebody else since, write the exit under the number of who left."
    ),
    "REC016": "Give at least one of them: date of exit, term of exit, or number of terms studied.",
    "REC017": "Correct one of the two numbers; they may stand in each other's column.",
    "REC018": "Write the credits of that term, or empty the average.",
    "REC019": (
        "Open the file and save it as XLSX or CSV with one header row, without a password, and choose it "
        "again."
    ),
    "REC020": "Shorten the text to the length that is named.",
    "REC021": (
        "Delete the row if it is a total, a caption or a signature; if it is a student's, write the "
        "number as text."
    ),
    "REC022": "Open the file in a spreadsheet program, save it, and choose it again.",
    "REC023": (
        "Look up a date that you know, and say under How the files are read whether day and month are "
        "exchanged."
    ),
    "REC024": (
        "Write the cell as a per cent like the others; if it is right as it stands, choose per cent "
        "under How the files are read."
    ),
    "REC025": (
        "Say in step 2 what the mark means (grade points, open, passed, failed, withdrawn or taken "
        "over), or correct it."
    ),
    "REC026": "Add a column with letters or grade points.",
    "CON001": "Ask the student what holds, and keep only that row.",
    "REC030": "Say once in step 2 whether 0 means that there was no grade or that everything was failed.",
    "REC031": "Correct the semester number or the academic year of this row.",
    "SPC001": "Pack the images anew into an ordinary zip file, or choose them one by one.",
    "SPC002": "Put the image itself into the folder or archive in place of the link.",
    "SPC003": "Pack the folder anew, without paths that lead outside.",
    "SPC004": "Scan again at 300 dpi, or cut the image to the signature.",
    "SPC005": "Save the scan as PNG, JPEG, TIFF, BMP or WEBP, and choose it again.",
    "SPC006": "Copy the file again from where it came from, or scan again.",
    "SPC007": "Save each signature as an image file of its own.",
    "SPC008": "Remove the password, and choose the file again.",
    "SPC009": "Unpack the inner archive, and choose its images.",
    "SPC010": "Cut the image to the signature, or save it as PNG or JPEG.",
    "SPC011": "Scan again at 300 dpi or more; a small picture cannot be enlarged.",
    "SPC012": (
        "Put the date into the name of the file, such as 2024-08-31, or choose above when such "
        "signatures were captured."
    ),
    "SPC013": "Correct the date in the name of the file, or write it there.",
    "SPC014": "Pack the images anew into a zip file, or choose them one by one.",
    "SPC015": "Open the image, save it anew as PNG or JPEG, and choose it again.",
    "REC101": "Nothing has to be done; delete the second row if you wish.",
    "REC102": "Nothing has to be done if there was no grade; otherwise write the credits of that term.",
    "REC103": (
        "Look which of the two terms has the wrong total, and correct it; both are stored as they stand."
    ),
    "REC104": "Nothing has to be done if the entry term is right; otherwise correct it in the students file.",
    "REC105": "Nothing has to be done if entry and exit are right; otherwise correct them.",
    "REC106": "Correct the date or the term, whichever is wrong; until then the exit term decides.",
    "REC107": "Correct the status, or set the credits to 0.",
    "REC108": "Correct the term, or the exit of the student.",
    "REC109": "Compare year of birth and entry term with the student's papers.",
    "REC110": (
        "Add the entry type (new student, transfer …), so that transfers are not taken for new students."
    ),
    "REC111": (
        "Look whether the student lacks in the terms file, or never registered; without a term there is "
        "no score."
    ),
    "REC112": "Look which one is right; the file's takes the place of the stored one.",
    "REC113": "If the column is needed, choose in step 2 what it holds; otherwise nothing has to be done.",
    "REC114": "Look whether entry term and term are right.",
    "REC115": "Look whether both numbers mean one student, and correct the one that lost its zeros.",
    "REC116": "Nothing has to be done; correct the day if you wish.",
    "REC117": "Write how the student left, or empty date and term.",
    "CON101": "If the student has agreed anew, write it as a renewed consent with its date.",
    "CON102": "Write the purpose in the words that are named, if more is meant.",
    "REC118": (
        "Look whether the list is complete: who dropped out, resigned or transferred must be in it too, "
        "or risks come out too low."
    ),
    "REC119": (
        "Look up one date that you know; if it was read wrongly, choose the other order under How the "
        "files are read."
    ),
    "REC120": "Mend the formula in the spreadsheet if the value is needed.",
    "REC121": (
        "Look at the cell that is named; if it was read wrongly, choose the other scale under How the "
        "files are read."
    ),
    "REC122": "Nothing has to be done; a column with codes would be better.",
    "REC123": "If the sheet belongs to the register, choose it under How the files are read.",
    "REC124": (
        "Look whether the letters of this cell are right; if not, choose the encoding under How the "
        "files are read."
    ),
    "REC131": "Look whether the value holds for every row.",
    "REC132": (
        "Look whether students with a leave have a row for it; add the academic year if the file can have it."
    ),
    "REC133": "Add the date or the term of the exit, if it is known.",
    "REC134": "Nothing has to be done if that row holds no student.",
    "REC135": "Choose the same file as outcomes too, or as all in one, to read its exits.",
    "REC136": "Nothing has to be done; these columns are worked out from the terms.",
    "REC138": "Give the exit in a file of outcomes too; a row of a term tells only about that term.",
    "REC139": (
        "If the student was on leave or not registered, choose so under How the files are read, or add a "
        "column with the status of the term (C, N); otherwise nothing has to be done."
    ),
    "REC140": (
        "Compare the points with your own scale; if they differ, add a column with grade points or say "
        "them in step 2."
    ),
    "REC141": "Look whether letter or points of this row are wrong; they are stored as they stand.",
    "REC142": "Nothing has to be done.",
    "REC143": "Nothing has to be done if the student took both classes; otherwise delete one row.",
    "REC144": "If two courses are meant, give them two codes; otherwise nothing has to be done.",
    "REC145": "Look which figure is right, and correct the term or its grades.",
    "REC146": "Nothing has to be done if Feeder's list is right; look at one row that you know.",
    "REC147": "If these rows are needed, correct them in Feeder and read it again.",
    "REC148": "Look whether the right one was read; if not, choose the other header in step 2.",
    "REC149": "Look which one is right; the file's takes the place of the stored one.",
    "REC150": (
        "Look up one graduate and one drop-out that you know. If they are exchanged, correct what the words "
        "of the exit mean in step 2; otherwise nothing has to be done."
    ),
    "REC137": "If the column holds other exits too, add a column with the kind of exit.",
    "SPC101": (
        "Put the student's number into the name of the file or its folder, or import the student first."
    ),
    "SPC102": "Rename the file so that one student number alone stands in its name.",
    "SPC103": (
        "Nothing has to be done if it is no signature; otherwise save it as PNG, JPEG, TIFF, BMP or WEBP."
    ),
    "SPC104": "Look whether the date in the name is right.",
    "SPC105": (
        "Look whether the date that was taken is right; if not, put the date into the name of the file."
    ),
}

_ON_COMMAND_LINE = {"in step 2": "with --set", "under How the files are read": "with --set"}


def with_advice(found: pd.DataFrame) -> pd.DataFrame:
    """Problems for a list that is given back: with ``what_to_do``, what helps against each, in English.

    Parameters
    ----------
    found : pandas.DataFrame
        Columns :data:`data.records.checks.PROBLEM_COLUMNS`.

    Returns
    -------
    pandas.DataFrame
        The same rows in the same order, without ``told``, which is for programs.
    """
    return found.drop(columns="told").assign(what_to_do=found["rule"].map(ADVICE).astype("str"))


def on_command_line(rule: str) -> str:
    """What helps against a rule, where there is no page: its steps are options of the command line.

    Parameters
    ----------
    rule : str
        A key of :data:`ADVICE`.
    """
    said = ADVICE[rule]
    for step, option in _ON_COMMAND_LINE.items():
        said = said.replace(step, option)
    return said
