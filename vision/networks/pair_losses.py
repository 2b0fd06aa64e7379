"""Losses of the published systems: contrastive pairs, and writers with forgeries in four formulations."""

from __future__ import annotations

import torch
from torch.nn import functional

FORMULATIONS = ("writers", "forgeries_as_classes", "loss1", "loss2")


def contrastive_loss(
    first: torch.Tensor, second: torch.Tensor, different: torch.Tensor, margin: float = 1.0
) -> torch.Tensor:
    """Mean of (1 − y) D² + y max(0, m − D)² (Hadsell, Chopra and LeCun 2006).

    Parameters
    ----------
    first, second : Tensor (n, d)
        Embeddings of both signatures of each pair.
    different : Tensor (n,)
        y: 0 for two genuine signatures of a writer, 1 for a genuine and a forged one. With the labels the
        other way round, as the DeepSign paper's text has it, training would push genuine pairs apart.
    margin : float
        m, in units of the embedding; forged pairs farther apart cost nothing.
    """
    square = (first - second).square().sum(dim=1)
    distance = (square + 1e-12).sqrt()  # the root's slope is infinite at 0
    apart = functional.relu(margin - distance).square()
    different = different.to(square.dtype)
    return ((1 - different) * square + different * apart).mean()


def writer_loss(
    writer_logits: torch.Tensor,
    forged_logits: torch.Tensor | None,
    writers: torch.Tensor,
    forged: torch.Tensor,
    formulation: str = "writers",
    weight: float = 0.95,
) -> torch.Tensor:
    """SigNet's loss in one of its four formulations.

    Parameters
    ----------
    writer_logits : Tensor (n, classes)
    forged_logits : Tensor (n,) or None
        Needed by ``loss1`` and ``loss2``.
    writers : int Tensor (n,)
        Writer of each signature, of the imitated writer for forgeries; 0 to M − 1.
    forged : Tensor (n,)
        1 for a forgery, else 0.
    formulation : str
        ``writers``: genuine signatures only. ``forgeries_as_classes``: class M + w for forgeries of writer w.
        ``loss1``: (1 − λ) Lc + λ Lf. ``loss2``: the writer term for genuine signatures alone.
    weight : float, 0 to 1
        λ; the paper's best lie between 0.95 and 0.999.
    """
    if formulation not in FORMULATIONS:
        raise ValueError(f"formulation: must be one of {', '.join(FORMULATIONS)}, got {formulation!r}")
    if formulation == "writers":
        genuine = forged == 0
        if not bool(genuine.any()):
            return writer_logits.sum() * 0
        return functional.cross_entropy(writer_logits[genuine], writers[genuine])
    if formulation == "forgeries_as_classes":
        half = writer_logits.shape[1] // 2
        return functional.cross_entropy(writer_logits, writers + half * forged.long())
    if forged_logits is None:
        raise ValueError(f"forged_logits: formulation {formulation!r} needs the forgery unit, got None")
    forged = forged.to(writer_logits.dtype)
    who = functional.cross_entropy(writer_logits, writers, reduction="none")
    fake = functional.binary_cross_entropy_with_logits(forged_logits, forged, reduction="none")
    share = (1 - weight) * (1 - forged) if formulation == "loss2" else (1 - weight)
    return (share * who + weight * fake).mean()
