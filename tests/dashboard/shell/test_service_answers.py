"""What the service answers: what the pages would show, by the same rules, and what is kept of it."""

from __future__ import annotations

import hashlib
import json
from contextlib import ExitStack

import pandas as pd
import pytest
from sqlalchemy import select

from dashboard.shell import stores
from dashboard.shell.service import cohorts as counting
from dashboard.shell.service.routes import api
from dashboard.shell.service.signatures import COMPARED
from data import queries, schema
from data.calendar.clock import today
from data.consents.consent import record_consent
from data.scores.predictions import predictions
from data.settings import get_settings
from data.trust import audit
from data.trust.erase import erase_questioned
from data.trust.scope import Scope
from data.trust.small_cells import THRESHOLD
from data.verification import queries as kept

ALL = Scope.system()


def code_of(answer) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


# --- scores ------------------------------------------------------------------------------------------------
def test_scores_are_the_caseload_page_by_page_and_hold_no_name(service):
    token, rows, offset = service.token("scores"), [], 0
    while True:
        said = service.get("/scores", token, target="late", limit=25, offset=offset).json()
        if not said["rows"]:
            break
        rows += said["rows"]
        offset += 25
    listed = queries.caseload(service.store, ALL, "late", 500)
    assert len(rows) == said["total"] == len(listed) > 50
    told = pd.DataFrame(rows)
    for column in (
        "student_key",
        "program_code",
        "cohort_term",
        "risk",
        "band",
        "as_of_term",
        "model_version",
    ):
        assert told[column].tolist() == listed[column].tolist(), column
    assert told["student_number"].isna().all()
    assert set(told["model_version"]) == {said["model_version"]}
    names = listed["name"].dropna().unique()
    assert not [name for name in names if name in json.dumps(rows, ensure_ascii=False)]


def test_student_numbers_come_with_the_scope_that_allows_them(service):
    plain, identified = service.token("scores"), service.token("scores", "identify")
    assert code_of(service.get("/scores", plain, target="late", student=service.number)) == (
        404,
        "no_such_student",
    )
    by_key = service.get("/scores", plain, target="late", student=service.key).json()["rows"]
    by_number = service.get("/scores", identified, target="late", student=service.number).json()["rows"]
    assert (
        [row["student_key"] for row in by_key] == [row["student_key"] for row in by_number] == [service.key]
    )
    assert by_number[0]["student_number"] == service.number and by_key[0]["student_number"] is None


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"target": "never"},
        {"target": "late", "limit": 0},
        {"target": "late", "limit": 501},
        {"target": "late", "offset": -1},
        {"target": "late", "cohort": "many"},
        {"target": "late", "cohort": 10**30},
        {"target": "late", "band": "red"},
        {"target": "late", "student": "a\x00b"},
        {"target": "late", "programme": "IF"},  # a filter that does not exist must not be passed over
    ],
)
def test_what_cannot_be_asked_is_told_part_by_part_without_what_was_sent(service, query):
    answer = service.get("/scores", service.token(), **query)
    assert code_of(answer) == (422, "invalid")
    assert answer.json()["errors"] and "a\\u0000b" not in answer.text


def test_no_score_is_told_where_no_model_may_speak(service, monkeypatch):
    from fusion.model.manifest import Fitness

    few = Fitness("late", 12, 3, 1, "few_students")
    token = service.token()
    monkeypatch.setattr(stores, "unlearned", lambda target: (True, few if target == "late" else None))
    answer = service.get("/scores", token, target="late")
    assert code_of(answer) == (409, "model_unfit") and "12 students" in answer.json()["detail"]
    assert code_of(service.get("/scores", token, target="dropout")) == (409, "no_model")
    rows = service.get("/cohorts", token).json()["rows"]
    assert rows and all(row["late"] is None and row["dropout"] is None for row in rows)


# --- cohorts -----------------------------------------------------------------------------------------------
def cells(row: dict) -> dict:
    """Name → (students, hidden) of a cohort as it was told."""
    flat = {name: row[name] for name in (*counting.STATES, "entered")}
    for target in ("late", "dropout"):
        flat |= {(target, band): one for band, one in (row[target] or {}).items()}
    return {name: (one["students"], one["hidden"]) for name, one in flat.items()}


def test_cohorts_are_the_flow_of_students_with_small_counts_hidden(service):
    said = service.get("/cohorts", service.token("cohorts"), limit=500).json()
    flow = queries.flow_counts(service.store, ALL).groupby(["program_code", "cohort_term"])["students"].sum()
    assert said["total"] == len(said["rows"]) == len(flow) and said["smallest_count"] == THRESHOLD
    hidden = 0
    for row in said["rows"]:
        told = cells(row)
        entered, whole_hidden = told["entered"]
        assert whole_hidden or entered == flow[row["program_code"], row["cohort_term"]]
        for students, is_hidden in told.values():
            assert (students is None) is is_hidden
            assert is_hidden or students == 0 or students >= THRESHOLD
            hidden += is_hidden
    assert hidden > 10
    risky = queries.cohort_cube(service.store, ALL, "late")
    shown = {
        (row["program_code"], row["cohort_term"], band): one["students"]
        for row in said["rows"]
        for band, one in row["late"].items()
        if not one["hidden"] and band != counting.UNSCORED
    }
    counted = {(r.program_code, r.cohort_term, r.band): r.students for r in risky.itertuples()}
    assert shown and all(counted.get(key, 0) == students for key, students in shown.items())


def test_no_hidden_count_follows_from_the_sums_of_its_row():
    """The attacker knows all that is told and every sum, both targets' bands included."""
    from data.trust.small_cells import CountSystem, bounds

    states = dict(zip(counting.STATES, (31, 9, 6, 5, 24), strict=True))
    late = dict(zip(("low", "moderate", "high", "very_high", "not_scored"), (11, 7, 3, 3, 0), strict=True))
    drop = dict(zip(("low", "moderate", "high", "very_high", "not_scored"), (20, 0, 0, 4, 0), strict=True))
    counts = states | {("late", band): n for band, n in late.items()}
    counts |= {("dropout", band): n for band, n in drop.items()}
    hidden = counting.hidden_in_row(tuple(counts.items()))
    small = {name for name, n in counts.items() if 0 < n < THRESHOLD}
    assert small <= hidden
    values = {counting._address(name): n for name, n in counts.items()}
    values[counting._address("entered")] = sum(states.values())
    sums = (
        counting._sum("entered", counting.STATES),
        counting._sum("studying", [("late", band) for band in late]),
        counting._sum("studying", [("dropout", band) for band in drop]),
    )
    system = CountSystem(values, frozenset(values), sums)
    unknown = frozenset(counting._address(name) for name in hidden)
    for name in small:
        low, high = bounds(system, unknown, counting._address(name))
        assert high - low >= THRESHOLD - 1, name


def test_a_small_cohort_and_a_small_rest_are_hidden_with_their_zeros():
    nobody = tuple((name, 0) for name in counting.STATES)
    assert counting.hidden_in_row(nobody) == frozenset()
    few = (("graduated_on_time", 3), *((name, 0) for name in counting.STATES[1:]))
    assert counting.hidden_in_row(few) == {*counting.STATES, "entered"}
    rest = dict(zip(counting.STATES, (30, 0, 0, 0, 2), strict=True))
    bands = {("late", band): n for band, n in (("low", 2), ("high", 0), ("not_scored", 0))}
    assert set(bands) <= counting.hidden_in_row(tuple((rest | bands).items()))


# --- verification ------------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def enrolled(service):
    from vision.verification.verification_pipeline import enrol

    enrol(service.store, service.key, actor="test")
    return service


def test_a_comparison_is_the_decision_that_the_page_shows(enrolled):
    token = enrolled.token("verify")
    answer = enrolled.send("/verify", token)
    said = answer.json()
    assert answer.status_code == 200, said
    decision = kept.decision(enrolled.store, ALL, said["decision_id"])
    actor = f"token:{enrolled.secrets[token]}"
    assert decision["actor"] == actor
    for name in ("outcome", "reason"):
        assert said[name] == decision[name]
    assert said["references"] == len(decision["reference_ids"])
    assert [one["code"] for one in said["findings"]] == [one["code"] for one in decision["findings"]]
    assert all(one["sentence"] for one in said["findings"] if one["status"] == "found")
    ratio, limits = said["likelihood_ratio"], decision["thresholds"]
    assert (ratio is not None) is (decision["log10_lr"] is not None and decision["reason"] in COMPARED)
    if ratio is not None:
        assert ratio["value"] == pytest.approx(10 ** decision["log10_lr"])
        assert ratio["range"]["lowest"] <= ratio["value"] <= ratio["range"]["highest"]
        assert ratio["range"]["highest"] == pytest.approx(10 ** limits["cap"])
    assert said["thresholds"]["source"] == limits["source"]
    assert said["thresholds"]["descriptor_sha256"] == decision["descriptor_sha256"]
    entry = audit.entries(enrolled.store, action="verify signature").iloc[0]
    assert (entry["actor"], entry["role"], entry["object"]) == (actor, "service", enrolled.key)
    assert entry["detail"]["decision"] == said["decision_id"]


def test_a_comparison_speaks_the_language_that_was_asked_for(enrolled):
    answer = enrolled.client.post(
        "/api/v1/verify?language=id",
        data={"student_number": enrolled.number},
        files={"image": ("s.png", b"", "image/png")},
        headers={"Authorization": f"Bearer {enrolled.token('verify')}"},
    )
    assert code_of(answer) == (422, "image_refused")
    one, other = (
        enrolled.client.post(
            f"/api/v1/verify?language={language}",
            data={"student_number": enrolled.number},
            files={"image": ("s.png", _stroke(enrolled), "image/png")},
            headers={"Authorization": f"Bearer {enrolled.token('verify')}"},
        ).json()
        for language in ("en", "id")
    )
    assert one["notice"] != other["notice"] and one["reason_words"] != other["reason_words"]


def _stroke(service) -> bytes:
    """The newest questioned image."""
    with service.store.reading() as connection:
        table = schema.questioned_images
        number, sealed = connection.execute(select(table.c.decision_id, table.c.ciphertext)).first()
    return service.store.cipher.decrypt(bytes(sealed), f"questioned:{number}")


@pytest.mark.parametrize("image", [b"", b"x", b"\x89PNG\r\n\x1a\n" + b"\x00" * 50, b"PK\x03\x04" + b"x" * 30])
def test_a_file_that_is_no_image_is_refused_with_its_rule(enrolled, image):
    answer = enrolled.send("/verify", enrolled.token("verify"), image)
    assert code_of(answer) == (422, "image_refused")
    assert answer.json()["detail"].startswith("SPC")


def test_nothing_is_compared_without_consent(enrolled):
    token = enrolled.token()
    record_consent(enrolled.store, enrolled.key, "verification", "withdrawn", actor="test")
    before = len(kept.decisions(enrolled.store, ALL, key=enrolled.key))
    assert code_of(enrolled.send("/verify", token)) == (409, "no_consent")
    assert len(kept.decisions(enrolled.store, ALL, key=enrolled.key)) == before
    record_consent(enrolled.store, enrolled.key, "verification", "renewed", actor="test")


def test_a_signature_waits_for_others_no_longer_than_it_must(enrolled, monkeypatch):
    from dashboard.shell.service import signatures
    from dashboard.shell.service.turns import Client

    monkeypatch.setattr(signatures, "PATIENCE", 0.3)
    with ExitStack() as others:
        for _ in range(signatures.AT_ONCE):
            others.enter_context(signatures._WORK.one(Client(), 0))
        answer = enrolled.send("/verify", enrolled.token("verify"))
        assert code_of(answer) == (429, "busy") and int(answer.headers["retry-after"]) > 0
    assert enrolled.send("/verify", enrolled.token("verify")).status_code == 200


# --- predictions -------------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def recipe(service, tmp_path_factory):
    """Weights of the recipe as a training leaves them: small, and not trained at all."""
    from vision.networks.backbone_maps import build_backbone
    from vision.recipes.training import save_weights, write_manifest

    path = tmp_path_factory.mktemp("recipe") / "graduation.safetensors"
    network, origin = build_backbone("mobilenet_v3_large", "none", classes=2)
    about = {
        "start": origin,
        "architecture": "mobilenet_v3_large",
        "labels": "late\non_time",
        "recipe": "graduation",
    }
    save_weights(network, path, about)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    write_manifest(path, {"recipe": "graduation", "best": {"accuracy": 0.5}, "sha256": digest})
    patched = pytest.MonkeyPatch()
    patched.setattr(get_settings(), "signature_recipe", path)
    yield path
    patched.undo()


def test_without_a_trained_recipe_there_is_no_prediction_and_a_sentence_why(service):
    answer = service.send("/predict-signature", service.token("predict"))
    assert code_of(answer) == (409, "no_recipe")
    assert "python -m vision train --recipe graduation" in answer.json()["detail"]


def test_a_prediction_is_kept_with_who_asked_and_which_network_answered_and_no_image(service, recipe):
    token = service.token("predict")
    answer = service.send("/predict-signature", token)
    said = answer.json()
    assert answer.status_code == 200, said
    assert set(said["shares"]) == {"late", "on_time"}
    assert sum(said["shares"].values()) == pytest.approx(1)
    assert said["validation"] == {"accuracy": 0.5} and said["image_kept"] is False
    row = predictions(service.store, ALL, service.key).iloc[0]
    assert row["prediction_id"] == said["prediction_id"]
    assert row["actor"] == f"token:{service.secrets[token]}"
    assert row["model_sha256"] == hashlib.sha256(recipe.read_bytes()).hexdigest() == said["model_sha256"]
    assert row["share"] == pytest.approx(said["shares"]["on_time"])
    assert _images(service) == {}
    entry = audit.entries(service.store, action="predict signature").iloc[0]
    assert (entry["object"], entry["detail"]["prediction"]) == (service.key, said["prediction_id"])
    other = Scope("x", "service", False, ("nowhere",), True, True)
    assert predictions(service.store, other).empty


def test_the_image_is_kept_when_asked_and_agreed_sealed_and_for_a_time(service, recipe):
    from datetime import timedelta

    token = service.token("predict")
    record_consent(service.store, service.key, "research", "withdrawn", actor="test")
    assert code_of(service.send("/predict-signature", token, keep_image="true")) == (409, "no_consent")
    assert service.send("/predict-signature", token).status_code == 200
    record_consent(service.store, service.key, "research", "renewed", actor="test")
    image = _stroke_bytes()
    said = service.send("/predict-signature", token, image, keep_image="true").json()
    assert said["image_kept"] is True
    sealed = _images(service)[said["prediction_id"]]
    assert image not in sealed
    assert service.store.cipher.decrypt(sealed, f"predicted:{said['prediction_id']}") == image
    erase_questioned(service.store, today(service.store) + timedelta(days=4000), actor="test")
    assert _images(service) == {}
    assert said["prediction_id"] in set(predictions(service.store, ALL, service.key)["prediction_id"])


def test_a_no_to_the_outcome_model_ends_predictions_and_erases_those_there_were(service, recipe):
    token = service.token("predict")
    assert service.send("/predict-signature", token).status_code == 200
    from data.consents.consent import forget_scores

    record_consent(service.store, service.key, "outcome_model", "withdrawn", actor="test")
    forget_scores(service.store, [service.key], "test")
    assert predictions(service.store, ALL, service.key).empty
    assert code_of(service.send("/predict-signature", token)) == (409, "no_consent")
    record_consent(service.store, service.key, "outcome_model", "renewed", actor="test")


def test_a_sheet_without_ink_is_no_signature_to_a_network_either(service, recipe):
    import io

    from PIL import Image

    buffer = io.BytesIO()
    Image.new("L", (480, 192), 250).save(buffer, "PNG")
    answer = service.send("/predict-signature", service.token("predict"), buffer.getvalue())
    assert code_of(answer) == (422, "image_refused")


def test_weights_that_are_not_those_of_their_manifest_are_not_used(service, recipe):
    told = recipe.with_suffix(".json").read_text()
    recipe.with_suffix(".json").write_text(told.replace('"sha256": "', '"sha256": "0'))
    recipe.touch()
    assert code_of(service.send("/predict-signature", service.token("predict"))) == (409, "no_recipe")
    recipe.with_suffix(".json").write_text(told)
    recipe.touch()


def _images(service) -> dict[str, bytes]:
    table = schema.prediction_images
    with service.store.reading() as connection:
        rows = connection.execute(select(table.c.prediction_id, table.c.ciphertext)).all()
    return {number: bytes(sealed) for number, sealed in rows}


def _stroke_bytes() -> bytes:
    import io

    from PIL import Image, ImageDraw

    scan = Image.new("L", (300, 120), 245)
    ImageDraw.Draw(scan).line([(20, 60), (90, 30), (150, 90), (270, 50)], fill=30, width=4)
    buffer = io.BytesIO()
    scan.save(buffer, "PNG", dpi=(300, 300))
    return buffer.getvalue()


def test_the_document_describes_every_answer_and_every_refusal():
    document = api().openapi()
    assert document["openapi"].startswith("3.1")
    assert set(document["paths"]) == {"/verify", "/predict-signature", "/scores", "/cohorts"}
    for path in document["paths"].values():
        for operation in path.values():
            assert operation["security"] == [{"token": []}]
            assert {"200", "401", "403", "422", "429", "503"} <= set(operation["responses"])
            for status, response in operation["responses"].items():
                kinds = {"application/json"} if status == "200" else {"application/problem+json"}
                assert set(response["content"]) == kinds
