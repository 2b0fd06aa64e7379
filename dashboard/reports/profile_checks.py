"""What a rule profile may say: known facts, columns and rows, both languages, no key twice."""

from __future__ import annotations

from dashboard.reports.expressions import ExpressionError, parse, references
from dashboard.reports.language import PRINTED
from dashboard.reports.profile_parts import Profile

FACTS = (  # the flow's facts that a condition may name; nothing else, so no prediction can slip in
    "entry_year entry_term entry_type program_code exit_year exit_type years_to_exit augusts_to_exit "
    "study_years study_years_net study_years_terms exit_terms study_year_at_exit normal_ratio leave_terms "
    "leave_terms_until_row enrolled_year active_year normal_end_year double_end_year days_to_exit "
    "degree_level in_pddikti exit_in_pddikti unreported_year"
).split()
AGGREGATED = ("study_years", "study_years_net", "study_years_terms", "gpa_final")
COMPARISONS = ("eq", "gt", "ge", "lt", "le")
FIRST, LAST = "first", "last"
OPENED = "opened"  # of a group that closes: in every row the first cell that the instrument opens


class ProfileError(ValueError):
    """A profile that breaks a rule; the message names the profile, the part and the value."""


def check_profile(profile: Profile) -> None:
    """Refuse a profile that names an unknown fact, column, row or language, or repeats a key."""
    where = f"profile {profile.id} {profile.level}".strip()
    keys = [column.key for column in profile.columns]
    for name, listed in (("column", keys), ("row", [row.key for row in profile.rows])):
        if len(set(listed)) != len(listed):
            raise ProfileError(f"{where}: every {name} key must be used once, got {listed}")
    known = {*keys, *(column.group for column in profile.columns), *profile.constants}
    for part in (*profile.rows, *profile.columns, *profile.indicators):
        _check_words(part.label, f"{where}: label of {part.key}")
        _check_where(part.where, f"{where}: {part.key}")
    for column in profile.columns:
        _check_aggregate(column.aggregate, f"{where}: {column.key}")
        _check_formula(column.formula, known, profile, f"{where}: {column.key}")
    for indicator in profile.indicators:
        _check_aggregate(indicator.aggregate, f"{where}: {indicator.key}")
        _check_formula(indicator.formula, known, profile, f"{where}: {indicator.key}")
        known.add(indicator.key)
    for whole, parts in profile.parts:
        if unknown := [name for name in (whole, *parts) if name not in known]:
            raise ProfileError(f"{where}: parts name an unknown column {unknown[0]!r}")


def _check_words(words: dict, where: str) -> None:
    if missing := [tongue for tongue in PRINTED if not words.get(tongue)]:
        raise ProfileError(f"{where} needs the languages {', '.join(PRINTED)}; missing {missing[0]!r}")


def _check_where(condition: dict, where: str) -> None:
    for fact, value in condition.items():
        if fact not in FACTS:
            raise ProfileError(f"{where}: a condition may name {', '.join(FACTS)}, got {fact!r}")
        if isinstance(value, dict) and (unknown := [name for name in value if name not in COMPARISONS]):
            raise ProfileError(f"{where}: {fact} compares with {', '.join(COMPARISONS)}, got {unknown[0]!r}")


def _check_aggregate(aggregate: str, where: str) -> None:
    name, _, fact = aggregate.partition(":")
    if aggregate != "count" and (name not in ("mean", "min", "max") or fact not in AGGREGATED):
        raise ProfileError(
            f"{where}: aggregate must be count or mean|min|max:{'|'.join(AGGREGATED)}, got {aggregate!r}"
        )


def _check_formula(formula: str, known: set[str], profile: Profile, where: str) -> None:
    if not formula:
        return
    try:
        named = references(parse(formula))
    except ExpressionError as error:
        raise ProfileError(f"{where}: {error}") from error
    rows = {FIRST, LAST, OPENED, *(row.key for row in profile.rows)}
    for name, row in named:
        if name not in known or (row and row not in rows):
            raise ProfileError(
                f"{where}: formula {formula!r} names unknown {name}{f'[{row}]' if row else ''}"
            )
