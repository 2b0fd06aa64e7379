"""The model card and the fairness report as PDF files."""

from __future__ import annotations

from functools import partial

import streamlit as st

from dashboard.models.study_report import study_markdown
from dashboard.reports.markdown_pdf import markdown_pdf
from dashboard.reports.provenance import Provenance, provenance_of
from dashboard.shell import auditing, current_session, exports, stores
from dashboard.shell.wording import Words
from data import queries
from data.cases.trial_outcomes import HelpSince
from fusion.model.manifest import Manifest
from fusion.service.cards import fairness_report, model_card
from fusion.service.reporting import study_report

LANGUAGE = "en"  # the cards are written for reviewers of the model, in English


def model_pdfs(version: str, manifest: Manifest) -> None:
    """Offer both; a file is made when its button is pressed, and the press is audited."""
    words, zone = current_session.words(), current_session.zone_name()
    for name in ("model_card", "fairness_report"):
        st.download_button(
            words(f"reports.{name}_pdf"),
            data=auditing.handed_out(
                partial(_file, name, version, manifest, zone), "export", version, kind="pdf", what=name
            ),
            file_name=exports.file_name(
                f"{name.replace('_', '-')}-{version}",
                "pdf",
                synthetic=stores.is_synthetic(),
                on=current_session.today(),
            ),
            mime="application/pdf",
            icon=":material/picture_as_pdf:",
            help=words(f"reports.{name}_pdf_help"),
            key=f"{name}-pdf",
            on_click="ignore",
        )


def study_pdf(version: str, manifest: Manifest) -> None:
    """Offer the report after TRIPOD+AI in the reader's language; the press is audited."""
    words, zone = current_session.words(), current_session.zone_name()
    st.download_button(
        words("study.button"),
        data=auditing.handed_out(
            partial(_study, version, manifest, words, zone),
            "export",
            version,
            kind="pdf",
            what="model_report",
        ),
        file_name=exports.file_name(
            f"model-report-{version}", "pdf", synthetic=stores.is_synthetic(), on=current_session.today()
        ),
        mime="application/pdf",
        icon=":material/fact_check:",
        help=words("study.button_help"),
        key="study-pdf",
        on_click="ignore",
    )


def _study(version: str, manifest: Manifest, words: Words, zone: str) -> bytes:
    """The file; asked for when no session is at hand, so it is told the reader's language and clock."""
    provenance = provenance_of(stores.store(), zone)
    about = {"synthetic": provenance.synthetic, "institution": provenance.institution}
    text = study_markdown(manifest, study_report(stores.store(), manifest), words, **about)
    return markdown_pdf(text, provenance, words.language, footer=version)


def _file(name: str, version: str, manifest: Manifest, zone: str) -> bytes:
    helped = queries.help_since_scores(stores.store(), manifest.version) if name == "model_card" else None
    return model_pdf(name, manifest, provenance_of(stores.store(), zone), version, helped)


def model_pdf(
    name: str, manifest: Manifest, provenance: Provenance, footer: str, helped: HelpSince | None = None
) -> bytes:
    """The ``model_card`` or the ``fairness_report`` of a registered model as PDF."""
    if name == "model_card":
        about = {"synthetic": provenance.synthetic, "institution": provenance.institution}
        text = model_card(manifest, **about, help_given=helped)
    else:
        text = fairness_report(manifest, synthetic=provenance.synthetic)
    return markdown_pdf(text, provenance, LANGUAGE, footer=footer)
