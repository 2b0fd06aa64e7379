"""What a report says about itself, as lines of text: the same words for workbook, PDF and screen."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from dashboard.reports.condition_words import condition_words, decimals, formula_words
from dashboard.reports.language import program_label
from dashboard.reports.model import LATER_EXITS, MARKS, OPEN, SUPPRESSED, ReportTable, academic_year
from dashboard.reports.profile_parts import Column, Profile, Row
from dashboard.reports.provenance import ReportProvenance, local_time
from dashboard.reports.words import (
    STATE_WORDS,
    day_words,
    figure,
    head_count,
    moment_words,
    month_words,
    say,
    with_days,
)
from data.calendar.academic_year import AcademicCalendar

Pairs = list[tuple[str, str]]


def title(table: ReportTable, language: str) -> str:
    """``BAN-PT IAPS 4.0 · Tabel 8.c · Masa Studi Lulusan``."""
    profile = table.profile
    number = (
        f"{say(language, 'table')} {profile.number}" if profile.number[:1].isdecimal() else profile.number
    )
    return f"{profile.instrument} · {number} · {profile.title[language]}"


def program_words(table: ReportTable, language: str) -> str:
    """Code and name of the programme, or "all programmes"."""
    chosen = table.selection
    if not chosen.program_code:
        return say(language, "all_programs")
    return program_label(chosen.program_code, chosen.program_name)


def row_words(table: ReportTable, row: Row, language: str) -> str:
    """A row's label, an academic year with its calendar years."""
    if row.offset is None or row.where:
        return row.label[language]
    return f"{row.label[language]} ({academic_year(table.selection, row.offset)})"


def header_pairs(table: ReportTable, provenance: ReportProvenance, language: str) -> Pairs:
    """The lines above the table."""
    chosen = table.selection
    pairs = [
        (say(language, "institution"), provenance.institution or "—"),
        (say(language, "program"), program_words(table, language)),
    ]
    if chosen.level:
        pairs.append((say(language, "level"), chosen.level))
    pairs += [
        (say(language, "ts"), say(language, "ts_value", year=academic_year(chosen, 0))),
        (say(language, "snapshot"), _observed(table, language)),
        (say(language, "status"), say(language, f"status_{provenance.status}")),
    ]
    return pairs


def _observed(table: ReportTable, language: str) -> str:
    later = any(notice.code == LATER_EXITS for notice in table.notices)
    return observed_words(table.snapshot, later, language)


def observed_words(day: date | None, later_exits: bool, language: str) -> str:
    """Until when everything is known; and, where there are any, that exits after that day are counted."""
    if day is None:
        return "—"
    told = day_words(day, language)
    return f"{told}; {say(language, 'snapshot_later')}" if later_exits else told


def banners(table: ReportTable, provenance: ReportProvenance, language: str) -> list[str]:
    """What must stand at the head of every page."""
    lines = [say(language, "synthetic")] if provenance.synthetic else []
    if not table.external:
        return [*lines, audience_banner(table, language)]
    hidden, figures = hidden_figures(table)
    number = {"n": figure(hidden, "0", language), "all": figure(figures, "0", language)}
    return [*lines, f"{audience_banner(table, language)}. {say(language, 'hidden_figures', **number)}"]


def audience_banner(table: ReportTable, language: str) -> str:
    """For whom the file is: confidential with every cell, or public with small cells hidden."""
    return say(language, "external" if table.external else "internal")


def hidden_figures(table: ReportTable) -> tuple[int, int]:
    """How many figures of a table are hidden, and how many it would show without."""
    states = [cell.state for cell in table.cells.values()] + [line.state for line in table.lines]
    return states.count(SUPPRESSED), states.count(SUPPRESSED) + states.count(OPEN)


def standing_notes(table: ReportTable, language: str) -> list[str]:
    """The notes under the table, the standing ones first."""
    profile = table.profile
    official = say(language, "check_official", profile=profile.id, version=profile.version)
    return [official, say(language, "no_model"), *(note[language] for note in profile.notes)]


def warning_lines(table: ReportTable, language: str) -> list[str]:
    """Notices with the number of students or cells that each concerns."""
    lines = []
    for notice in table.notices:
        text = say(language, f"note_{notice.code}", detail=with_days(notice.detail, language))
        lines.append(f"{text}: {head_count(notice.count, language)}" if notice.count else text)
    return lines + _score_warnings(table, language)


def _score_warnings(table: ReportTable, language: str) -> list[str]:
    """Where a variant would give another score than the indicator that it varies; both must be printed."""
    lines = []
    for line in table.lines:
        other = table.line(line.indicator.variant_of) if line.indicator.variant_of else None
        if other and None not in (line.score, other.score) and abs(line.score - other.score) >= 0.005:
            scores = [figure(each.score, "0.00", language) for each in (other, line)]
            names = {"indicator": other.indicator.key, "variant": line.indicator.label[language]}
            lines.append(say(language, "score_differs", score=scores[0], other=scores[1], **names))
    return lines


def missing_lines(table: ReportTable, language: str) -> list[str]:
    """Fields that the register does not hold, in words."""
    return [entry[language] for entry in table.profile.missing]


def legend(table: ReportTable, language: str) -> Pairs:
    """The marks that occur in the table."""
    used = {cell.state for cell in table.cells.values()} | {line.state for line in table.lines}
    shown = [state for state in STATE_WORDS if state in used and (MARKS[state] or state == SUPPRESSED)]
    return [(MARKS[state], say(language, STATE_WORDS[state])) for state in shown]


def exclusion_rows(table: ReportTable, language: str) -> list[tuple[str, str, str]]:
    """``(reason, row, number of students)``."""
    return [
        (say(language, f"excl_{item.reason}"), item.detail or "—", head_count(item.count, language))
        for item in table.exclusions
    ]


def measure_words(column: Column, profile: Profile, language: str) -> str:
    """What a column counts or averages, or its formula."""
    if column.kind == "input":
        return say(language, "measure_input")
    if column.kind == "formula":
        return f"{say(language, 'formula')}: {formula_words(column.formula, profile, language)}"
    name, _, fact = column.aggregate.partition(":")
    return say(language, f"measure_{name}", fact=say(language, f"fact_{fact}") if fact else "")


def definition_rows(table: ReportTable, language: str) -> Iterator[tuple[str, str, str]]:
    """``(column or indicator, what it is, condition or score rule)``, one line per group of year columns."""
    seen = set()
    for column in table.columns:
        name = column.group if column.offset is not None else column.key
        if name in seen:
            continue
        seen.add(name)
        head = column.group_label.get(language, "")
        label = (
            head if column.offset is not None else " · ".join(filter(None, (head, column.label[language])))
        )
        yield (
            label,
            measure_words(column, table.profile, language),
            condition_words(column.where, table.profile, language),
        )
    for row in table.profile.rows:
        if row.where:
            yield (
                row.label[language],
                say(language, "row"),
                condition_words(row.where, table.profile, language),
            )
    for line in table.lines:
        part = line.indicator
        name, _, fact = part.aggregate.partition(":")
        what = (
            f"{say(language, 'formula')}: {formula_words(part.formula, table.profile, language)}"
            if part.formula
            else say(language, f"measure_{name}", fact=say(language, f"fact_{fact}") if fact else "")
        )
        yield (
            part.label[language],
            what,
            score_words(table, part.key, language) or condition_words(part.where, table.profile, language),
        )


def score_words(table: ReportTable, key: str, language: str) -> str:
    """The score rule of an indicator as text; empty for one that is not scored."""
    part = table.line(key).indicator
    if not part.scored:
        return ""
    return decimals(part.score.words(), language) if part.score else say(language, "no_rule")


def rule_words(table: ReportTable, key: str, language: str) -> str:
    """What stands beside an indicator: its score rule or note, and whether no formula leads to it."""
    part = table.line(key).indicator
    told = score_words(table, key, language) or part.note.get(language, "")
    return told if part.formula else "; ".join(filter(None, (told, say(language, "counted_in_register"))))


def line_rows(table: ReportTable, language: str) -> list[tuple[str, str, str, str]]:
    """``(indicator, value, score, rule or note)`` as printed."""
    rows = []
    for line in table.lines:
        part = line.indicator
        score = figure(line.score, "0.00", language, line.state) if part.scored and part.score else ""
        rule = rule_words(table, part.key, language)
        rows.append(
            (part.label[language], figure(line.value, part.format, language, line.state), score, rule)
        )
    return rows


def provenance_pairs(table: ReportTable, provenance: ReportProvenance, language: str) -> Pairs:
    """Everything about the origin of the figures."""
    profile, not_yet = table.profile, say(language, "not_yet")
    audience = "audience_external" if table.external else "audience_internal"
    counts = {say(language, f"rows_{name}"): number for name, number in provenance.row_counts.items()}
    counts |= {say(language, f"count_{name}"): number for name, number in table.counts.items()}
    pairs = [
        (
            say(language, "profile"),
            f"{profile.id} v{profile.version} ({profile.instrument} {profile.number})",
        ),
        (say(language, "evidence"), say(language, f"evidence_{profile.evidence}")),
        (
            say(language, "filters"),
            f"{program_words(table, language)}; TS {academic_year(table.selection, 0)}",
        ),
        (say(language, "snapshot"), _observed(table, language)),
        (say(language, "row_counts"), "; ".join(f"{k} {head_count(n, language)}" for k, n in counts.items())),
        (
            say(language, "calendar"),
            _calendar_words(provenance.calendar, language),
        ),
        (say(language, "graduation_date"), _graduation_date(provenance.calendar, language)),
        (say(language, "software"), provenance.software),
        (say(language, "audience"), say(language, audience)),
        (say(language, "report_id"), provenance.report_id or "—"),
        (say(language, "version"), str(provenance.report_version or "—")),
        (say(language, "prepared"), prepared_words(provenance, language) or not_yet),
        (say(language, "approved"), approved_words(provenance, language) or not_yet),
        (say(language, "seal"), provenance.seal or not_yet),
        (say(language, "sha256"), provenance.content_sha256 or "—"),
    ]
    if provenance.replaces:
        pairs.append((say(language, "replaces"), provenance.replaces))
    for number, day, files in provenance.imports:
        pairs.append((say(language, "imports"), f"{number} · {day_words(day, language)} · {files}"))
    return pairs


def _graduation_date(calendar: dict, language: str) -> str:
    """What the institution calls its date of graduation, in its own words; else what the register takes."""
    told = calendar.get("graduation_date", "—")
    return say(language, "exit_date_of_register") if told == AcademicCalendar().graduation_date else told


def prepared_words(provenance: ReportProvenance, language: str) -> str:
    """Who prepared a report, and when; empty where nobody has."""
    name = provenance.prepared_name or provenance.prepared_by
    return _signed(name, provenance.prepared_role, provenance.prepared_at, provenance.time_zone, language)


def approved_words(provenance: ReportProvenance, language: str) -> str:
    """Who approved a report, and when; empty where nobody has."""
    name = provenance.approved_name or provenance.approved_by
    return _signed(name, provenance.approved_role, provenance.approved_at, provenance.time_zone, language)


def _signed(name: str, role: str, when: str, zone: str, language: str) -> str:
    """Who by name and role, and when on the clock of the place."""
    if not name:
        return ""
    role = say(language, f"role_{role}") if role else ""
    return ", ".join(filter(None, (name, role, moment_words(local_time(when, zone), language))))


def checksum_words(provenance: ReportProvenance, language: str, figures: int | None = 16) -> str:
    """The seal, of a draft the checksum of its figures, each by its name; empty where there is neither.

    The seal is what the audit log holds of every step of the report.

    Parameters
    ----------
    provenance : ReportProvenance
    language : {"id", "en"}
    figures : int or None
        How many of its 64 signs; None: all.
    """
    kind, told = ("seal", provenance.seal) if provenance.seal else ("sha256", provenance.content_sha256)
    if not told:
        return ""
    return f"{say(language, f'{kind}_short')} {told[:figures]}{'…' if figures else ''}"


def file_stem(table: ReportTable, provenance: ReportProvenance, language: str) -> str:
    """Name of the exported files without their ending: of what, which version, its state and day, for whom,
    in which language. A draft and what was approved of it can lie in one folder. A CSV has no language (empty
    here): its words are English."""
    chosen = table.selection
    parts = [table.profile.id, chosen.program_code or "all", f"TS{chosen.ts}"]
    parts += [f"v{provenance.report_version}"] if provenance.report_version else []
    parts += [say(language or "en", f"file_{provenance.status}")]
    parts += [f"{provenance.made:%Y%m%d}"] if provenance.made else []
    parts += ["external" if table.external else "internal"]
    parts += [language] if language else []
    return _stem(parts, provenance.synthetic)


def file_name(name: str, program: str, language: str, kind: str, synthetic: bool) -> str:
    """Name of a file that is no instrument's table."""
    return f"{_stem([name, program, language], synthetic)}.{kind}"


def _stem(parts: list[str], synthetic: bool) -> str:
    marked = [*parts, "synthetic"] if synthetic else parts
    return "_".join("".join(c if c.isalnum() or c in ".-" else "-" for c in part) for part in marked)


def _calendar_words(calendar: dict, language: str) -> str:
    if not calendar.get("start_month"):
        return "—"
    words = say(language, "calendar_value", month=month_words(calendar["start_month"], language))
    if calendar.get("closing_months"):
        months = ", ".join(month_words(month, language) for month in calendar["closing_months"])
        words += say(language, "closing_value", months=months)
    return words
