"""Rule profiles: an instrument's table as data (``profiles/*.toml``), read, resolved and checked.

A profile says which cohort is counted, what the rows and columns are, which cells the instrument leaves
closed, which rates need how many years of observation, which fields the register does not hold, and how
scores follow. ``level`` sections override parts of it for D3, S1 and so on. A profile never names a model:
the checks below allow facts of the flow only.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

from dashboard.reports.language import PRINTED, program_label
from dashboard.reports.profile_checks import ProfileError, check_profile
from dashboard.reports.profile_parts import Column, Indicator, Profile, Row, year_name
from dashboard.reports.score import Piece, ScoreRule

FOLDER = Path(__file__).parent / "profiles"


def profile_ids() -> tuple[str, ...]:
    """Names of the profiles that ship, sorted."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.toml")))


@lru_cache(maxsize=64)
def profile_levels(profile_id: str) -> tuple[str, ...]:
    """The levels of study that an instrument has a table for; empty: one table for every level."""
    if profile_id not in profile_ids():
        raise ProfileError(f"profile must be one of {', '.join(profile_ids())}, got {profile_id!r}")
    return tuple(tomllib.loads((FOLDER / f"{profile_id}.toml").read_text(encoding="utf-8")).get("levels", ()))


@lru_cache(maxsize=64)
def is_of_field(profile_id: str, program_code: str) -> bool:
    """Whether an instrument is that of a programme's own field, by the beginning of its PDDikti code."""
    raw = tomllib.loads((FOLDER / f"{profile_id}.toml").read_text(encoding="utf-8"))
    return program_code.startswith(tuple(raw.get("programs", ())))


@lru_cache(maxsize=64)
def profile_about(profile_id: str) -> dict:
    """``instrument``, ``number`` and ``title`` (by language) of a profile that ships."""
    raw = tomllib.loads((FOLDER / f"{profile_id}.toml").read_text(encoding="utf-8"))
    return {name: raw[name] for name in ("instrument", "number", "title")}


@lru_cache(maxsize=64)
def load_profile(profile_id: str, level: str = "") -> Profile:
    """Read a shipped profile and resolve it for a level.

    Parameters
    ----------
    profile_id : str
        One of :func:`profile_ids`.
    level : str
        D3, D4, S1, S2, S3, or empty for all levels together where the instrument allows that.

    Raises
    ------
    ProfileError
        When there is no such profile, the instrument has no table for that level, or a rule is broken.
    """
    path = FOLDER / f"{profile_id}.toml"
    if profile_id not in profile_ids():
        raise ProfileError(f"profile must be one of {', '.join(profile_ids())}, got {profile_id!r}")
    return build_profile(tomllib.loads(path.read_text(encoding="utf-8")), level)


def build_profile(raw: dict, level: str = "") -> Profile:
    """Resolve and check a profile given as the dictionary of its TOML."""
    levels = tuple(raw.get("levels", ()))
    if levels and level not in levels:
        raise ProfileError(
            f"{raw['id']}: the instrument has levels {', '.join(levels)}, got {level or 'none'!r}"
        )
    own = raw.get("level", {}).get(level, {})
    own = raw["level"][own] if isinstance(own, str) else own
    merged = _merge({key: value for key, value in raw.items() if key != "level"}, own)
    profile = Profile(
        id=merged["id"],
        version=merged["version"],
        instrument=merged["instrument"],
        number=merged["number"],
        level=level,
        levels=levels,
        evidence=merged["evidence"],
        title=merged["title"],
        row_label=merged["row_label"],
        entry_types=tuple(merged.get("cohort", {}).get("entry_types", ())),
        entry_terms=tuple(merged.get("cohort", {}).get("entry_terms", ())),
        exclude_exits=tuple(merged.get("cohort", {}).get("exclude_exits", ())),
        rows=_rows(merged),
        columns=tuple(column for entry in merged["columns"] for column in _columns(entry, merged)),
        indicators=tuple(_indicator(entry, merged) for entry in merged.get("indicators", ())),
        constants=merged.get("constants", {}),
        notes=tuple(merged.get("notes", ())),
        missing=tuple(merged.get("missing", ())),
        parts=tuple((part["whole"], tuple(part["parts"])) for part in merged.get("parts", ())),
        total_label=merged.get("total_label", {"id": "Jumlah", "en": "Total"}),
        source=merged,
    )
    check_profile(profile)
    return profile


def for_programmes(profile: Profile, programmes: Iterable[tuple[str, str, str]]) -> tuple[Profile, dict]:
    """A profile whose rows are programmes, with a row for each, and the figures that follow from the level.

    Parameters
    ----------
    profile : Profile
        Other profiles come back as they are.
    programmes : iterable of (code, name, level)

    Returns
    -------
    (Profile, dict)
        The dictionary maps ``(row, column)`` to the figure of an input column that ``by_level`` names.
    """
    if profile.source.get("rows_from") != "programs":
        return profile, {}
    programmes = list(programmes)
    rows = [
        {"key": code, "offset": 0, "where": {"program_code": [code]}}
        | {"label": dict.fromkeys(PRINTED, f"{program_label(code, name)} ({level})")}
        for code, name, level in programmes
    ]
    by_level = profile.source.get("by_level", {})
    known = {
        (code, column): values[level]
        for code, _, level in programmes
        for column, values in by_level.items()
        if level in values
    }
    return build_profile(profile.source | {"rows": rows}, profile.level), known


def _merge(base: dict, own: dict) -> dict:
    merged = dict(base)
    for key, value in own.items():
        both = isinstance(value, dict) and isinstance(merged.get(key), dict)
        merged[key] = _merge(merged[key], value) if both else value
    return merged


def _rows(merged: dict) -> tuple[Row, ...]:
    if "rows" in merged:
        return tuple(
            Row(entry["key"], entry["label"], entry.get("offset"), entry.get("where", {}))
            for entry in merged["rows"]
        )
    return tuple(
        Row(year_name(offset), dict.fromkeys(PRINTED, year_name(offset)), offset)
        for offset in merged["years"]["rows"]
    )


def _columns(entry: dict, merged: dict) -> list[Column]:
    kind = "formula" if "formula" in entry else "input" if entry.get("input") else "measure"
    default = "0.00" if entry.get("aggregate", "count") != "count" else "0"
    shared = {name: entry[name] for name in ("horizon_years", "horizon_normal") if name in entry}
    shared |= {
        "where": entry.get("where", {}),
        "aggregate": entry.get("aggregate", "count"),
        "formula": entry.get("formula", ""),
        "format": entry.get("format", default),
        "optional": entry.get("optional", False),
        "total": entry.get("total", False),
    }
    if "years" not in entry:
        group = {"group": entry.get("group", ""), "group_label": entry.get("group_label", {})}
        return [Column(entry["key"], entry["label"], kind, **group, **shared)]
    opens = merged["years"].get("open_after") if entry.get("closes") else None
    words = entry.get("year_label", dict.fromkeys(PRINTED, "{year}"))
    return [
        Column(
            key=f"{entry['key']}@{year_name(offset)}",
            label={tongue: words[tongue].format(year=year_name(offset)) for tongue in PRINTED},
            kind=kind,
            group=entry["key"],
            group_label=entry["label"],
            offset=offset,
            open_after=opens,
            **shared,
        )
        for offset in merged["years"][entry["years"]]
    ]


def _indicator(entry: dict, merged: dict) -> Indicator:
    rule = merged.get("scores", {}).get(entry.get("variant_of") or entry["key"])
    score = None
    if rule:
        pieces = [
            Piece(
                tuple((name, float(piece[name])) for name in ("gt", "ge", "lt", "le") if name in piece),
                piece["value"],
            )
            for piece in rule["pieces"]
        ]
        score = ScoreRule(tuple(pieces), rule["otherwise"])
    kept = {
        name: entry[name]
        for name in ("formula", "where", "aggregate", "format", "note", "variant_of")
        if name in entry
    }
    return Indicator(entry["key"], entry["label"], scored=entry.get("scored", False), score=score, **kept)
