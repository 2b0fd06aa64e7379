"""``python -m dashboard model-report``: the report of a model after TRIPOD+AI and PROBAST."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from data.commands.frame import ACTOR, Refusal, opened_store


def model_report(
    out: Annotated[Path, typer.Option(help="The file to write: .md or .pdf.")],
    model: Annotated[str, typer.Option(help="Model version; default: the served one.")] = "",
    language: Annotated[str, typer.Option(help="en or id.")] = "en",
) -> None:
    """Write a model's flow of students, sample size, outcome, validation and risk of bias."""
    from dashboard.models.study_report import study_markdown
    from dashboard.reports.markdown_pdf import markdown_pdf
    from dashboard.reports.provenance import provenance_of
    from dashboard.shell.wording import LANGUAGES, Words
    from data.trust import audit
    from fusion.service.reporting import study_report
    from fusion.service.sources import served_model, the_model

    if language not in LANGUAGES:
        raise Refusal(f"language must be one of {', '.join(LANGUAGES)}, got {language!r}")
    if out.suffix not in (".md", ".pdf"):
        raise Refusal(f"out must end with .md or .pdf, got {out.name!r}")
    with opened_store() as store:
        found = the_model(store, model) if model else served_model(store)
        if found is None:
            raise Refusal("no model is served; train one first, or name one with --model")
        provenance = provenance_of(store)
        about = {"synthetic": provenance.synthetic, "institution": provenance.institution}
        text = study_markdown(found.manifest, study_report(store, found.manifest), Words(language), **about)
        detail = {"what": "model_report"}
        audit.append(store, actor=ACTOR, role="system", action="export", object=found.version, detail=detail)
    out.parent.mkdir(parents=True, exist_ok=True)
    pdf = out.suffix == ".pdf"
    out.write_bytes(markdown_pdf(text, provenance, language, footer=found.version) if pdf else text.encode())
    typer.echo(f"wrote {out.name}")
