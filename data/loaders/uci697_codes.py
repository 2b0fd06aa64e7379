"""What the numbers in UCI 697 mean, as far as the common layout uses them.

Source: the variable table of "Predict Students' Dropout and Academic Success" (UCI Machine Learning
Repository 697, doi 10.24432/C5MC89, CC BY 4.0) and the article that describes it (Realinho et al. 2022,
doi 10.3390/data7110146).
"""

from __future__ import annotations

COURSES = {
    33: "Biofuel Production Technologies",
    171: "Animation and Multimedia Design",
    8014: "Social Service (evening)",
    9003: "Agronomy",
    9070: "Communication Design",
    9085: "Veterinary Nursing",
    9119: "Informatics Engineering",
    9130: "Equinculture",
    9147: "Management",
    9238: "Social Service",
    9254: "Tourism",
    9500: "Nursing",
    9556: "Oral Hygiene",
    9670: "Advertising and Marketing Management",
    9773: "Journalism and Communication",
    9853: "Basic Education",
    9991: "Management (evening)",
}
NURSING = 9500  # eight semesters; the other first degrees take six

APPLICATION_MODES = {
    1: "1st phase, general contingent",
    2: "Ordinance 612/93",
    5: "1st phase, special contingent (Azores)",
    7: "Holder of another higher degree",
    10: "Ordinance 854-B/99",
    15: "International student",
    16: "1st phase, special contingent (Madeira)",
    17: "2nd phase, general contingent",
    18: "3rd phase, general contingent",
    26: "Ordinance 533-A/99, b2",
    27: "Ordinance 533-A/99, b3",
    39: "Over 23 years old",
    42: "Transfer",
    43: "Change of course",
    44: "Holder of a technological specialization diploma",
    51: "Change of institution or course",
    53: "Holder of a short-cycle diploma",
    57: "Change of institution or course (international)",
}
TRANSFER_MODES = (42, 43, 51, 57)
PRIOR_LEARNING_MODES = (7, 44, 53)

# Parents' qualification codes by level, lowest first; 34 is "unknown".
EDUCATION_LEVELS = {
    "up to 4 years": (35, 36, 37),
    "basic": (11, 19, 26, 27, 29, 30, 38),
    "secondary": (1, 9, 10, 12, 13, 14, 18, 20, 22, 25, 31, 33),
    "higher": (2, 3, 4, 5, 6, 39, 40, 41, 42, 43, 44),
}

# The file has no intake year, but three national figures of that year, which between them name it:
# unemployment rate %, inflation rate %, real GDP growth % of Portugal.
ENTRY_YEARS = {
    (7.6, 2.6, 0.32): 2008,
    (9.4, -0.8, -3.12): 2009,
    (10.8, 1.4, 1.74): 2010,
    (12.7, 3.7, -1.70): 2011,
    (15.5, 2.8, -4.06): 2012,
    (16.2, 0.3, -0.92): 2013,
    (13.9, -0.3, 0.79): 2014,
    (12.4, 0.5, 1.79): 2015,
    (11.1, 0.6, 2.02): 2016,
    (8.9, 1.4, 3.51): 2017,
}
