"""What the worker does for each kind of job: the pipelines of the other packages, with progress.

Every one may be killed at any moment and started again: the pipelines write in transactions and never twice.
"""

from __future__ import annotations

import io
import zipfile

from dashboard.jobs.asking import Refused, Task, reach_of
from data import queries
from data.jobs import live as jobs_live
from data.settings import get_settings
from data.trust.scope import Scope


def embed(task: Task) -> dict:
    """Check every new specimen, embed those of consenting students. ``{"specimens": …}``, the embedded."""
    from vision.encoder.backbones import NoWeights, load_encoder
    from vision.encoder.embed_specimens import embed_pending
    from vision.scans.specimens import DamagedImages
    from vision.threads import use_threads

    task.report(0, 0, "loading the encoder")
    threads = use_threads(get_settings().threads)
    try:
        encoder = load_encoder(task.arguments.get("encoder") or get_settings().encoder or None)
    except NoWeights:
        raise Refused("no_encoder") from None
    try:
        return {"specimens": embed_pending(task.store, encoder, task.report, threads)}
    except DamagedImages as found:
        raise Refused("damaged_images", {"damaged": len(found.ids)}) from None


def train(task: Task) -> dict:
    """Train on every known outcome. ``{"model", "new", "served", "scores"}``.

    A model that goes into service, as the first one does, has scored the students before. Arguments:
    ``seed``, ``tune`` (trials), ``serve``, ``confirmed`` (what looks wrong in the register is right).
    """
    from fusion.pipeline import NotTrainable
    from fusion.pipeline import train as run

    asked = task.arguments
    if not queries.kpi_counts(task.store, Scope.system())["students"]:
        raise Refused("no_records")
    try:
        trained = run(
            task.store,
            seed=int(asked.get("seed", 0)),
            tune_trials=int(asked.get("tune", 0)),
            serve=bool(asked.get("serve", False)),
            confirmed=bool(asked.get("confirmed", False)),
            progress=task.report,
        )
    except NotTrainable:
        raise Refused("not_trainable") from None
    told = {"model": trained.model.version, "new": trained.new, "served": trained.served}
    told |= {"scores": trained.scores} if trained.served else {}
    return told | ({"doubts": list(trained.doubts)} if trained.doubts else {})


def serve(task: Task) -> dict:
    """Score the students by a model, then put it into service. ``{"model"}``.

    Arguments: ``act`` ("approve", "roll_back" or "records_only"), ``model`` (of the first two), ``reason``,
    and of the first ``confirmed`` (what looked wrong in its register is right).
    Who asked for the job has decided.
    """
    from fusion.model.model_files import ModelFileError
    from fusion.service import registry
    from fusion.service.serving import Doubted, NotServable

    asked = task.arguments
    who = {"actor": task.job.actor, "role": task.job.role, "reason": asked["reason"]}
    who["progress"] = task.report
    try:
        if asked["act"] == "records_only":
            return {"model": registry.serve_records_only(task.store, **who)}
        if asked["act"] == "approve":
            who |= {"confirmed": True} if asked.get("confirmed") else {}
            return {"model": registry.approve(task.store, asked["model"], **who)}
        return {"model": registry.serve_again(task.store, asked["model"], **who)}
    except NotServable:
        raise Refused("not_servable") from None
    except Doubted:
        raise Refused("doubted") from None
    except (LookupError, ModelFileError):
        raise Refused("model_gone") from None


def score(task: Task) -> dict:
    """Score every enrolled student by the served model, or by ``model``. ``{"scores": …}``."""
    from fusion.model.model_files import ModelFileError
    from fusion.pipeline import score as run

    try:
        written = run(
            task.store,
            task.arguments.get("model"),
            progress=task.report,
        )
    except LookupError:
        raise Refused("no_model") from None
    except ModelFileError:
        raise Refused("model_gone") from None
    return {"scores": written}


def reports(task: Task) -> dict:
    """One report for every programme that the person may see, as a ZIP to fetch.
    ``{"files", "programs", "left_out", "reach"}``.

    Arguments: ``profile``, ``ts`` (default: the last full year), ``audience``. Programmes of a level that the
    instrument has no table for are left out.
    """
    from dashboard.reports import pipeline
    from dashboard.reports.profile_checks import ProfileError

    asked = task.arguments
    task.report(0, 0, "reading the register")
    register = pipeline.read_register(task.store, task.scope)
    codes = register.programs["program_code"].tolist()
    if not codes or register.snapshot is None:
        raise Refused("no_records")
    year, left_out, packed = asked.get("ts") or register.last_full_year(), 0, io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for place, code in enumerate(codes):
            task.report(place, len(codes), "writing reports")
            try:
                request = pipeline.Request(asked["profile"], code, int(year))
                table, provenance = pipeline.build(task.store, register, request)
            except ProfileError:
                left_out += 1
                continue
            audiences = [asked.get("audience", "internal")]
            files = pipeline.print_files(task.store, register, table, provenance, audiences=audiences)
            for name, content in files.items():
                archive.writestr(f"{code}/{name}", content)
    if left_out == len(codes):
        raise Refused("no_table")
    name = f"{asked['profile']}_{year}.zip"
    kept = jobs_live.keep_files(task.store, [(name, packed.getvalue())], of_nobody=True)
    made = {"files": kept, "programs": len(codes) - left_out, "left_out": left_out}
    return made | {"reach": reach_of(task.scope)}
