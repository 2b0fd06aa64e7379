"""A signature that a program sends: compared with the student's references, or shown to a trained recipe.

Both go the way of the pages: the same checks, consent, records and audit log.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from dashboard.shell import stores
from dashboard.shell.access import scope_for_token
from dashboard.shell.service import metrics
from dashboard.shell.service.answers import (
    Comparison,
    LikelihoodRatio,
    Prediction,
    RatioRange,
    ScanFinding,
    Thresholds,
)
from dashboard.shell.service.gate import Caller
from dashboard.shell.service.problems import Problem
from dashboard.shell.service.turns import Client, NoTurn, Turns
from dashboard.shell.wording import Words
from dashboard.verification.comparison import support_words
from dashboard.verification.findings import sentence
from data import queries
from data.scores.predictions import NewPrediction, need_outcome_consent, write_prediction
from data.settings import get_settings
from data.signatures.bare import bare
from data.signatures.findings import BLANK, Finding, as_rows, found_codes, read_findings
from data.signatures.specimens import RefusedFile
from data.trust import audit, tokens
from data.verification.write import NoConsent

COMPARED = ("agrees", "differs", "unclear", "weak_calibration")
"""Reasons that rest on the ratio; for all others it would say more than is known."""
RECIPE = "graduation"
AT_ONCE, PATIENCE = 2, 20  # signatures at work at once; seconds that a further one waits
_WORK = Turns(AT_ONCE)


@dataclass(frozen=True)
class Asked:
    """A signature that a program has sent.

    Parameters
    ----------
    caller : Caller
        Whose token came with it.
    client : Client
        Whether they still wait for the answer.
    number : str
        Under whose student number it was handed in.
    image : bytes
    """

    caller: Caller
    client: Client
    number: str
    image: bytes = field(repr=False)

    @property
    def by(self) -> dict[str, str]:
        """Who is written down."""
        return {"actor": self.caller.token.actor, "role": tokens.ROLE}


def compare(asked: Asked, language: str) -> Comparison:
    """Compare a questioned signature with a student's references, and keep the decision.

    Raises
    ------
    Problem
    ClientLeft
        When nobody waits for it any more; nothing was kept.
    """
    from vision.verification.verification_pipeline import verify

    words, store = Words(language), stores.store()
    key = _student(asked.caller, "verify", asked.number)
    with _at_work(asked.client), _refusals():
        made = verify(store, key, asked.image, **asked.by, go_on=asked.client.must_be_there)
    metrics.COMPARED.labels(made.outcome).inc()
    limits = made.thresholds
    return Comparison(
        decision_id=made.decision_id,
        student_number=asked.number,
        outcome=made.outcome,
        reason=made.reason,
        reason_words=words.named("verification_reason", made.reason),
        likelihood_ratio=_ratio(made, words),
        references=len(made.reference_ids),
        findings=_told(read_findings(list(made.findings)) or (), words),
        thresholds=Thresholds(
            source=limits["source"],
            consistent_at=limits["consistent_at"],
            review_at=limits["review_at"],
            **made.versions,
        ),
        notice=words("signature.footer"),
        synthetic=stores.is_synthetic(),
    )


def predict(asked: Asked, language: str, *, keep: bool) -> Prediction:
    """Ask the institution's own network of the recipe "graduation" about a signature, and keep the answer.

    Raises
    ------
    Problem
    ClientLeft
        When nobody waits for it any more; nothing was kept.
    """
    from vision.scans.images import inspect_and_decode
    from vision.scans.quality import check_pixels

    words, store = Words(language), stores.store()
    key, image = _student(asked.caller, "predict", asked.number), asked.image
    with _at_work(asked.client), _refusals():
        need_outcome_consent(store, key, keep=keep)
        network, about = trained_recipe()
        facts, pixels, of_page = inspect_and_decode(image)
        findings = [*check_pixels(pixels), *of_page]
        if BLANK in found_codes(findings):
            raise RefusedFile(BLANK, "no ink on the sheet; scan the signature again")
        asked.client.must_be_there()
        share = network.page_share(pixels)
        kept = NewPrediction(
            student_key=key,
            recipe=RECIPE,
            model_sha256=about["sha256"],
            labels=network.labels,
            share=share,
            image_sha256=facts.sha256,
            findings=as_rows(findings),
            image=bare(image) if keep else None,
        )
        asked.client.must_be_there()
        made = write_prediction(store, kept, **asked.by)
    metrics.PREDICTED.inc()
    return Prediction(
        prediction_id=made,
        student_number=asked.number,
        recipe=RECIPE,
        model_sha256=about["sha256"],
        shares={network.labels[0]: 1 - share, network.labels[1]: share},
        validation={name: float(value) for name, value in about["best"].items()},
        findings=_told(findings, words),
        image_kept=keep,
        notice=words("service.uncalibrated"),
        synthetic=stores.is_synthetic(),
    )


def trained_recipe():
    """The network of the recipe that the institution has trained, and its manifest.

    Raises
    ------
    Problem
        ``no_recipe``.
    """
    path = get_settings().signature_recipe or stores.store().models_folder / f"{RECIPE}.safetensors"
    try:
        stamp = path.stat()
    except OSError:
        said = "Train it (python -m vision train --recipe graduation) and name it in TEPAT_SIGNATURE_RECIPE."
        raise Problem("no_recipe", said) from None
    return _loaded(path, stamp.st_mtime_ns, stamp.st_size)


@lru_cache(maxsize=1)
def _loaded(path: Path, _changed: int, _size: int):
    from vision.encoder.backbones import NoWeights
    from vision.recipes.trained import load_trained

    try:
        about = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
        if hashlib.sha256(path.read_bytes()).hexdigest() != about["sha256"]:
            raise Problem("no_recipe", "The weights are not those that their manifest tells of.")
        network = load_trained(path)
    except (OSError, ValueError, KeyError, TypeError, NoWeights):
        raise Problem("no_recipe", "The weights or their manifest cannot be read.") from None
    if network.recipe != RECIPE or len(network.labels) != 2:
        raise Problem("no_recipe", f"The weights are of another recipe than {RECIPE}.")
    return network, about


def _student(caller: Caller, act: str, number: str) -> str:
    """The key of the student of that number, within the token's reach."""
    store = stores.store()
    key = queries.find_student(store, scope_for_token(caller.token, act), number)
    if key is None:
        refused(caller)
        raise Problem("no_such_student", "There is none, or the token's programmes do not reach it.")
    return key


def refused(caller: Caller) -> None:
    """Write down that a program asked for a student whom its token does not reach, or who does not exist."""
    whose = {"actor": caller.token.actor, "role": tokens.ROLE}
    audit.append(stores.store(), **whose, action="refuse_student", object="no student key")


@contextmanager
def _at_work(client: Client) -> Iterator[None]:
    """Within it a signature is worked on, of which a server does few at once, each for somebody."""
    try:
        with _WORK.one(client, PATIENCE):
            yield
    except NoTurn:
        said = "Other signatures are at work; try again in a moment."
        raise Problem("busy", said, retry_after=5) from None


@contextmanager
def _refusals() -> Iterator[None]:
    """Within it what the pages say of a file or a consent becomes a problem."""
    try:
        yield
    except RefusedFile as refusal:
        raise Problem("image_refused", f"{refusal.code}: {refusal.reason}") from refusal
    except NoConsent as problem:
        raise Problem("no_consent", f"{problem}.".capitalize()) from problem


def _ratio(made, words: Words) -> LikelihoodRatio | None:
    if made.log10_lr is None or made.reason not in COMPARED:
        return None
    cap = made.thresholds["cap"]
    return LikelihoodRatio(
        value=10**made.log10_lr,
        log10=made.log10_lr,
        words=support_words(made.log10_lr, words),
        range=RatioRange(lowest=10**-cap, highest=10**cap),
        decisive_log10=made.thresholds["decisive"],
    )


def _told(findings, words: Words) -> list[ScanFinding]:
    return [_finding(one, words) for one in findings]


def _finding(one: Finding, words: Words) -> ScanFinding:
    value = one.value if isinstance(one.value, str | int | float | None) else str(one.value)
    return ScanFinding(code=one.code, status=one.status, value=value, sentence=sentence(one, words))
