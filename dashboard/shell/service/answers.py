"""What the service takes and gives: the models that check requests, and from which its document is made."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

TEXT = r"^[^\x00-\x1f\x7f]+$"  # no control characters: databases refuse some of them
StudentNumber = Annotated[str, Field(min_length=1, max_length=64, pattern=TEXT)]
ProgramCode = Annotated[str, Field(min_length=1, max_length=32, pattern=TEXT)]
Term = Annotated[int, Field(ge=19000, le=29999, description="A term as YYYYT, such as 20241.")]
Target = Literal["late", "dropout"]
Band = Literal["low", "moderate", "high", "very_high"]
Language = Literal["en", "id"]
MOST_ROWS = 500


class ScoreQuery(BaseModel):
    """Which scores are asked for."""

    model_config = ConfigDict(extra="forbid")

    target: Target = Field(description="Which risk: of finishing late or not at all, or of dropping out.")
    program: ProgramCode | None = Field(None, description="One programme, by its code.")
    cohort: Term | None = Field(None, description="One entry cohort, by its first term.")
    band: Band | None = Field(None, description="One risk band.")
    student: StudentNumber | None = Field(
        None, description="One student, by key; by number too with the scope identify."
    )
    limit: int = Field(100, ge=1, le=MOST_ROWS, description="At most so many rows.")
    offset: int = Field(0, ge=0, le=10_000_000, description="Rows to pass over.")


class CohortQuery(BaseModel):
    """Which cohorts are asked for."""

    model_config = ConfigDict(extra="forbid")

    program: ProgramCode | None = Field(None, description="One programme, by its code.")
    cohort: Term | None = Field(None, description="One entry cohort, by its first term.")
    limit: int = Field(100, ge=1, le=MOST_ROWS, description="At most so many rows.")
    offset: int = Field(0, ge=0, le=10_000_000, description="Rows to pass over.")


class Score(BaseModel):
    """A student's newest score."""

    student_key: str = Field(description="Opaque; the same in every answer.")
    student_number: str | None = Field(description="Null without the scope identify.")
    program_code: str
    cohort_term: int
    risk: float = Field(ge=0, le=1, description="Estimated probability of the target.")
    risk_low: float | None = Field(
        ge=0, le=1, description="Lower end of its interval; null where too few past students stood there."
    )
    risk_high: float | None = Field(ge=0, le=1, description="Upper end of its interval; null with the lower.")
    band: Band
    previous_band: Band | None = Field(description="Of the score before; null where there is none.")
    as_of_index: int = Field(description="Completed terms that the score knows of.")
    as_of_term: int = Field(description="The last term that it knows of, as YYYYT.")
    modality: Literal["fused", "records"] = Field(description="Whether a signature took part.")
    model_version: str


class Scores(BaseModel):
    """A page of scores, the highest risk first."""

    target: Target
    model_version: str = Field(description="The model in service.")
    data_version: str = Field(description="Changes with every import and scoring; pages of two do not fit.")
    synthetic: bool = Field(description="Whether everybody here was invented.")
    total: int = Field(ge=0, description="Rows in all.")
    limit: int
    offset: int
    rows: list[Score]


class Count(BaseModel):
    """A number of students."""

    students: int | None = Field(ge=0, description="Null where so few could be recognised.")
    hidden: bool = Field(description="Whether the number is hidden: it, or one that would give it away.")


class Bands(BaseModel):
    """Those who study now, by risk band of one target."""

    low: Count
    moderate: Count
    high: Count
    very_high: Count
    not_scored: Count = Field(description="The target is no risk for them any more, or they have no score.")


class Cohort(BaseModel):
    """What became of those who entered a programme in one term. Counts under 5 are hidden, with what would
    give them away: all sums of a row are taken into account together."""

    program_code: str
    cohort_term: int
    entered: Count
    graduated_on_time: Count
    graduated_later: Count
    left: Count = Field(description="Resigned, expelled or gone without notice.")
    elsewhere: Count = Field(description="Transferred, died, or gone otherwise: outside rates.")
    studying: Count
    late: Bands | None = Field(description="Null where no model may speak about it.")
    dropout: Bands | None = Field(description="Null where no model may speak about it.")


class Cohorts(BaseModel):
    """A page of cohorts, by programme and entry term."""

    model_version: str | None = Field(description="The model in service; null where there is none.")
    data_version: str
    synthetic: bool
    smallest_count: int = Field(description="The smallest count that is told, except 0.")
    total: int = Field(ge=0)
    limit: int
    offset: int
    rows: list[Cohort]


class ScanFinding(BaseModel):
    """What a check of the scan says."""

    code: str
    status: str = Field(description="found, clear or not_applicable.")
    value: float | int | str | None = Field(description="What was measured.")
    sentence: str = Field(description="In words; empty where there is nothing to say.")


class RatioRange(BaseModel):
    """How far a ratio can go here: beyond it no trial has been seen."""

    lowest: float = Field(gt=0)
    highest: float = Field(gt=0)


class LikelihoodRatio(BaseModel):
    """How much more often such a comparison comes from the student than from somebody else."""

    value: float = Field(gt=0)
    log10: float
    words: str = Field(description="On the verbal scale of ENFSI (2015), in the language asked for.")
    range: RatioRange
    decisive_log10: float = Field(description="From which size on, in either direction, it decides.")


class Thresholds(BaseModel):
    """What the outcome was judged by, and where that comes from."""

    source: str = Field(description="register: own students; synthetic: invented signers, unproven here.")
    consistent_at: float | None = Field(description="Score from which on it is consistent.")
    review_at: float | None = Field(description="Score from which down it goes to review.")
    calibration_version: str
    descriptor_id: str
    descriptor_sha256: str
    classifier_version: str


class Comparison(BaseModel):
    """Advice to look again, never a verdict; kept, with its image, as the pages keep it."""

    decision_id: str
    student_number: str
    outcome: Literal["consistent", "inconclusive", "review"]
    reason: str = Field(description="A code.")
    reason_words: str
    likelihood_ratio: LikelihoodRatio | None = Field(description="Null where nothing was compared.")
    references: int = Field(ge=0, description="How many signatures of the student it was compared with.")
    findings: list[ScanFinding]
    thresholds: Thresholds
    notice: str
    synthetic: bool


class Prediction(BaseModel):
    """What a network that the institution trained says of a scan; kept without the image, unless asked."""

    prediction_id: str
    student_number: str
    recipe: Literal["graduation"]
    model_sha256: str
    shares: dict[str, float] = Field(description="Label → share, together 1. Not calibrated.")
    validation: dict[str, float] = Field(description="Figures on the persons held out in its training.")
    findings: list[ScanFinding]
    image_kept: bool
    notice: str
    synthetic: bool
