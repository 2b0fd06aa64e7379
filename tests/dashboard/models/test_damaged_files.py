"""A model's file, or a stored image, that was altered on disk: who notices, and what goes on."""

from __future__ import annotations

import json
import shutil
from contextlib import closing

import numpy as np
import pytest
from sqlalchemy import select, update

from dashboard.jobs import asking, worker_child
from dashboard.shell import stores
from dashboard.shell.wording import Words
from data import queries, schema
from data.engine.cipher import KeyProblem
from data.engine.health import served_version
from data.jobs import table as jobs
from data.settings import get_settings
from data.store import open_store
from data.trust.accounts import Account
from data.trust.scope import Scope
from fusion.model.model_files import ModelFileError, load_model_folder
from fusion.pipeline import load_model
from vision.scans.specimens import DamagedImages, each_specimen

EN = Words("en")
ADMINISTRATOR = Account("adm", "Adm", "administrator")


@pytest.fixture
def copied(small_university, tmp_path):
    """A copy of the small university that a test may damage."""
    folder = tmp_path / "store"
    shutil.copytree(small_university.store.folder, folder)
    with closing(open_store(folder=folder)) as store:
        yield store


def model_folder(store):
    [folder] = [path for path in store.models_folder.iterdir() if path.is_dir()]
    return folder


def test_every_file_of_a_model_is_missed_and_every_altered_byte_is_noticed(copied):
    folder = model_folder(copied)
    names = sorted(path.name for path in folder.iterdir())
    assert "manifest.json" in names and len(names) > 3
    rng = np.random.default_rng(3)
    for name in names:
        whole = (folder / name).read_bytes()
        for damaged in (None, b"", whole[: len(whole) // 2], flipped(whole, rng)):
            (folder / name).unlink() if damaged is None else (folder / name).write_bytes(damaged)
            if name == "manifest.json" and damaged and noticed_by_nobody(folder, whole):
                continue
            with pytest.raises(ModelFileError, match=name if damaged is None else folder.name):
                load_model(copied)
            (folder / name).write_bytes(whole)
    assert load_model(copied) is not None


def flipped(whole: bytes, rng) -> bytes:
    """The same with one bit turned."""
    altered = bytearray(whole)
    altered[int(rng.integers(len(altered)))] ^= 1 << int(rng.integers(8))
    return bytes(altered)


def noticed_by_nobody(folder, whole: bytes) -> bool:
    """A letter of a free text in the manifest: the store holds it too, and only that one is shown."""
    try:
        load_model_folder(folder)
    except ModelFileError:
        return False
    (folder / "manifest.json").write_bytes(whole)
    return True


@pytest.mark.parametrize(
    "said",
    ["[]", "{}", "null", '"x"', '{"format": 99}', '{"format": "a"}', '{"format": 4, "targets": 3}', "{"],
)
def test_a_manifest_of_any_form_is_refused_in_words(copied, said):
    folder = model_folder(copied)
    (folder / "manifest.json").write_text(said, encoding="utf-8")
    with pytest.raises(ModelFileError, match=folder.name):
        load_model_folder(folder)


def test_with_a_damaged_model_scoring_says_so_and_the_rest_of_the_app_goes_on(
    copied, served, screen, monkeypatch, small_university
):
    folder = model_folder(copied)
    trees = next(path for path in folder.iterdir() if path.suffix == ".ubj")
    whole = trees.read_bytes()
    trees.write_bytes(flipped(whole, np.random.default_rng(1)))
    job_id = asking.start(copied, ADMINISTRATOR, "score")
    worker_child.do(copied, jobs.take(copied, "w"))
    ended = jobs.find(copied, job_id)
    assert (ended.status, ended.problem) == ("failed", "model_gone")
    monkeypatch.setenv("TEPAT_FOLDER", str(copied.folder))
    monkeypatch.delenv("DATABASE_URL", raising=False)
    get_settings.cache_clear()
    assert served_version() is not None  # the load balancer is told that the app lives
    served(copied)
    stores._model.clear()
    overview = screen.drawn("overview", Account("rector", "Rector", "leadership"))
    assert not overview.error
    assert EN("why.unreadable") in screen.texts(overview)
    person = Account(small_university.advisor, "Somebody", "advisor")
    student = screen.drawn("student", person, key=small_university.student)
    assert EN("state.error_title") in screen.texts(student)
    caseload = screen.drawn("caseload", person)
    assert not caseload.error
    assert EN("why.unreadable") in screen.texts(caseload)  # its students are listed, without reasons
    trees.write_bytes(whole)  # put back from a backup: nobody restarts anything
    again = screen.drawn("student", person, key=small_university.student)
    assert EN("state.error_title") not in screen.texts(again)
    assert EN("why.unreadable") not in screen.texts(screen.drawn("caseload", person))
    get_settings.cache_clear()


def damage(store, specimen: str) -> None:
    """Turn a bit of a sealed image."""
    images = schema.specimen_images
    with store.writing() as connection:
        sealed = connection.scalar(select(images.c.ciphertext).where(images.c.specimen_id == specimen))
        altered = bytes(sealed[:-1]) + bytes([sealed[-1] ^ 1])
        connection.execute(update(images).where(images.c.specimen_id == specimen).values(ciphertext=altered))


class Heights:
    """How high each scan is."""

    def of_ink(self, ink):
        return ink

    def together(self, kept):
        return [len(ink) for ink in kept]


def test_one_damaged_image_holds_up_no_other(copied, caplog):
    pending = queries.specimen_table(copied)[["specimen_id"]].head(6).assign(check=False, wanted=True)
    specimen = pending["specimen_id"].iloc[2]
    damage(copied, specimen)
    made: dict[str, int] = {}
    damaged = each_specimen(
        copied,
        pending,
        Heights(),
        lambda ids, heights: made.update(zip(ids, heights, strict=True)),
        what="measuring",
        chunk=4,
    )
    assert damaged == [specimen]
    assert set(made) == set(pending["specimen_id"]) - {specimen}
    assert specimen in caplog.text and "cannot be opened" in caplog.text
    with pytest.raises(KeyProblem):
        queries.specimen_image(copied, specimen, Scope.system())


def test_a_job_that_meets_a_damaged_image_does_the_others_and_tells(copied, monkeypatch):
    from dashboard.jobs import kinds

    def embed(store, encoder, progress=None, threads=2):
        raise DamagedImages(["a" * 32])

    monkeypatch.setattr("vision.encoder.embed_specimens.embed_pending", embed)
    monkeypatch.setattr("vision.encoder.backbones.load_encoder", lambda name: None)
    asking.start(copied, ADMINISTRATOR, "embed")
    with pytest.raises(asking.Refused) as refused:
        kinds.embed(asking.Task(copied, jobs.take(copied, "w"), lambda *_: None))
    assert (refused.value.code, refused.value.result) == ("damaged_images", {"damaged": 1})
    assert EN.has("job_problem.damaged_images") and Words("id").has("job_problem.damaged_images")
    assert json.dumps(refused.value.result)


def test_a_page_with_a_damaged_image_shows_everything_else(copied, served, screen, small_university):
    person = Account(small_university.advisor, "Somebody", "advisor")
    theirs = queries.student_specimens(copied, Scope.system(), small_university.student)
    for specimen in theirs["specimen_id"]:
        damage(copied, specimen)
    served(copied)
    page = screen.drawn("student", person, key=small_university.student)
    said = screen.texts(page) + "".join(str(one.value) for one in page.warning)
    assert EN("state.error_title") not in said
    assert EN("signature.damaged") in said
