"""The tables of the four papers, as printed, beside which ours are shown. Fractions, not per cent."""

from __future__ import annotations

from dataclasses import dataclass

import typer


@dataclass(frozen=True)
class Printed:
    """One row of a paper's table.

    Attributes
    ----------
    data : str
        The set, as the paper calls it.
    system : str
    figures : dict of str to float
        By the names of our JSON keys.
    references : int or None
        Genuine references per writer, where the paper varies them.
    """

    data: str
    system: str
    figures: dict[str, float]
    references: int | None = None


def _errors(data: str, references: int, signet: float, signet_f: float) -> tuple[Printed, Printed]:
    return (
        Printed(data, "SigNet, SVM", {"eer_user": signet}, references),
        Printed(data, "SigNet-F, SVM", {"eer_user": signet_f}, references),
    )


SIGNET = (
    *_errors("CEDAR", 4, 0.0587, 0.0592),
    *_errors("CEDAR", 8, 0.0503, 0.0477),
    *_errors("CEDAR", 12, 0.0476, 0.0463),
    *_errors("MCYT-75", 5, 0.0358, 0.0370),
    *_errors("MCYT-75", 10, 0.0287, 0.0300),
    *_errors("GPDS-160", 5, 0.0323, 0.0241),
    *_errors("GPDS-160", 12, 0.0263, 0.0172),
    *_errors("GPDS-300", 12, 0.0315, 0.0169),
    *_errors("Brazilian PUC-PR", 15, 0.0207, 0.0403),
    *_errors("Brazilian PUC-PR", 30, 0.0201, 0.0344),
)
"""Hafemann, Sabourin and Oliveira 2017, tables 7 to 10: equal error rate with a threshold per writer."""


def _rates(data: str, system: str, accuracy: float, precision: float, recall: float, auc: float) -> Printed:
    return Printed(data, system, {"accuracy": accuracy, "precision": precision, "recall": recall, "auc": auc})


DEEPSIGN = (
    _rates("CEDAR → CEDAR", "SigNet", 0.65, 0.70, 0.15, 0.78),
    _rates("CEDAR → CEDAR", "MobileNetV2", 0.68, 0.67, 0.22, 0.72),
    _rates("CEDAR → CEDAR", "DeepSign", 0.76, 0.65, 0.59, 0.80),
    _rates("CEDAR → BHSig260", "SigNet", 0.65, 0.53, 0.26, 0.64),
    _rates("CEDAR → BHSig260", "MobileNetV2", 0.63, 0.52, 0.12, 0.59),
    _rates("CEDAR → BHSig260", "DeepSign", 0.74, 0.82, 0.50, 0.86),
    _rates("both → CEDAR", "DeepSign", 0.74, 0.51, 0.57, 0.72),
    _rates("both → BHSig260", "DeepSign", 0.92, 0.83, 0.85, 0.95),
    _rates("both → both", "DeepSign", 0.85, 0.76, 0.84, 0.93),
)
"""The DeepSign paper, tables 6 and 7: pairs of signatures, threshold from validation writers."""

IDENTIFICATION = (
    Printed("SigComp2011", "DenseNet201", {"accuracy": 0.9943, "eer": 0.0057, "gar": 0.99}, 10),
    Printed("SigComp2011", "DenseNet201, Manhattan", {"accuracy": 0.9773}, 10),
    Printed("SigComp2011", "DenseNet201, Minkowski", {"accuracy": 0.9943}, 10),
    Printed("SigComp2011", "DenseNet201, cosine", {"accuracy": 0.9943}, 10),
    Printed("SigComp2011", "MobileNet", {"accuracy": 0.9886}, 10),
    Printed("SigComp2011", "ResNet50", {"accuracy": 0.9659}, 10),
    Printed("SigComp2011", "VGG19", {"accuracy": 0.9659}, 10),
    Printed("SigComp2011", "DenseNet121", {"accuracy": 0.9602}, 10),
    Printed("SigComp2011", "MobileNetV2", {"accuracy": 0.9375}, 10),
    Printed("SigComp2009", "DenseNet201", {"eer": 0.089, "gar": 0.91}, 4),
    Printed("private, 50 writers", "DenseNet201", {"eer": 0.09, "gar": 0.91}, 10),
)
"""Nugraha, Nurhadiyatna and Arsa 2021, tables 2, 3 and 7: the writer of the nearest training signature."""


def show(title: str, published: tuple[Printed, ...], ours: list[Printed], columns: tuple[str, ...]) -> None:
    """Print the paper's table with our rows below it, in per cent.

    Parameters
    ----------
    title : str
    published : tuple of Printed
    ours : list of Printed
    columns : tuple of str
        Keys of ``figures``, in the order to show them.
    """
    typer.echo(title)
    typer.echo(f"  {'data':26}{'system':48}{'refs':>5}" + "".join(f"{name:>12}" for name in columns))
    for row in (*published, *ours):
        cells = "".join(
            f"{100 * row.figures[name]:11.2f}%" if row.figures.get(name) is not None else f"{'–':>12}"
            for name in columns
        )
        references = "–" if row.references is None else str(row.references)
        typer.echo(f"  {row.data:26}{row.system:48}{references:>5}{cells}")


def as_printed(result: dict, system: str, references: int | None = None) -> Printed:
    """Our result, or that of the paper's network trained here, as a row.

    Parameters
    ----------
    result : dict
        With figures as ``{"value", "low", "high"}``.
    system : str
    references : int, optional
    """
    figures = {
        name: figure["value"]
        for name, figure in result.items()
        if isinstance(figure, dict) and "value" in figure
    }
    return Printed(f"{result.get('data', '')} (here)", system, figures, references)
