"""Time stamps of the audit log's head: made by a service on loopback, checked against the log."""

from __future__ import annotations

import random
import shutil
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import delete, insert, select
from typer.testing import CliRunner

from data import schema
from data.__main__ import app
from data.engine.kept_head import Head
from data.settings import get_settings
from data.store import open_store
from data.trust import audit, time_stamps
from data.trust.audit_chain import verify_chain
from data.trust.time_stamps import StampProblem, authority, keep_stamp, request_stamp, said_of
from tests.data.trust import tsa as service
from tests.data.trust.test_audit_chain import tamper

LOG = schema.audit_log
REPLY = "application/timestamp-reply"
HEAD = Head(7, "ab" * 32)


@pytest.fixture(scope="module")
def tsa(tmp_path_factory):
    with service.served(tmp_path_factory.mktemp("tsa") / "one") as one:
        yield one


@pytest.fixture(autouse=True)
def as_it_should(tsa):
    tsa.answer = None


def act(store, actor: str = "ani") -> int:
    return audit.append(store, actor=actor, role="advisor", action="view student", object="0001")


def stamped(store, tsa) -> Head:
    """Have the head stamped, as the command does."""
    with store.reading() as connection:
        head, _ = time_stamps.newest_head_kept(connection, store.seal)
    keep_stamp(store.seal, head, request_stamp(tsa.url, head, authority(tsa.ca))[0])
    return head


def states(store, tsa) -> list[tuple[int, str]]:
    return [(one.entry, one.state) for one in verify_chain(store, None, authority(tsa.ca)).stamps]


# --- asking ---
def test_a_stamp_is_of_the_head_and_of_now_and_openssl_agrees(tsa, tmp_path):
    content, at = request_stamp(tsa.url, HEAD, authority(tsa.ca))
    assert abs(at - datetime.now(UTC)) < timedelta(minutes=5)
    (tmp_path / "answer").write_bytes(content)
    assert tsa.agrees(said_of(HEAD), tmp_path / "answer")
    assert not tsa.agrees(said_of(Head(8, HEAD.hash)), tmp_path / "answer")
    query = tsa.asked[-1]
    assert HEAD.hash.encode() not in query and len(query) < 100  # a digest, a nonce, and no more


@pytest.mark.parametrize(
    ("wrong", "code", "said"),
    [
        (lambda tsa, query: (503, "text/plain", b"later"), "down", "HTTP 503"),
        (lambda tsa, query: (302, REPLY, tsa.url.encode()), "down", "HTTP 302"),
        (lambda tsa, query: (200, "text/html", b"<html>"), "damaged", "is no stamp"),
        (lambda tsa, query: (200, REPLY, b""), "damaged", "is no stamp"),
        (lambda tsa, query: (200, REPLY, tsa.stamped(query)[:-40]), "damaged", "is no stamp"),
        (lambda tsa, query: (200, REPLY, b"0" * 2**20), "damaged", "too much"),
        (lambda tsa, query: (200, REPLY, tsa.stamped(b"no query")), "refused", "made no stamp"),
        (lambda tsa, query: (200, REPLY, tsa.stamped(tsa.query(b"other"))), "imprint", "wrong imprint"),
        (lambda tsa, query: (200, REPLY, tsa.stamped(tsa.query(said_of(HEAD)))), "nonce", "nonce mismatch"),
        (
            lambda tsa, query: (200, REPLY, tsa.stamped(tsa.query(said_of(HEAD), "-no_nonce"))),
            "nonce",
            "nonce mismatch",
        ),
    ],
    ids=["503", "redirect", "page", "empty", "cut", "huge", "refused", "imprint", "nonce", "no nonce"],
)
def test_what_is_no_stamp_of_this_head_is_said(tsa, wrong, code, said):
    tsa.answer = lambda query: wrong(tsa, query)
    with pytest.raises(StampProblem, match=said) as problem:
        request_stamp(tsa.url, HEAD, authority(tsa.ca))
    assert problem.value.code == code


def test_a_stamp_of_another_authority_does_not_count(tsa, tmp_path):
    service.certified(tmp_path / "other")
    other = service.Tsa(tmp_path / "other")
    tsa.answer = lambda query: (200, REPLY, other.stamped(query))
    with pytest.raises(StampProblem, match="untrusted") as problem:
        request_stamp(tsa.url, HEAD, authority(tsa.ca))
    assert problem.value.code == "untrusted"


def test_a_service_that_is_down_or_not_set_is_said(tsa, tmp_path):
    for url, code in (
        ("http://127.0.0.1:9/tsr", "down"),
        ("", "address"),
        ("file:///etc/passwd", "address"),
        ("https://ani:secret@tsa.example/", "address"),
        ("https://[", "address"),
    ):
        with pytest.raises(StampProblem) as problem:
            request_stamp(url, HEAD, authority(tsa.ca))
        assert problem.value.code == code and "secret" not in str(problem.value)
    with pytest.raises(StampProblem, match="TEPAT_TSA_CA") as problem:
        request_stamp(tsa.url, HEAD, ())
    (tmp_path / "no.pem").write_text("no certificate")
    for wrong in (tmp_path / "no.pem", tmp_path / "not there", tmp_path):
        with pytest.raises(StampProblem, match="must be a file of certificates"):
            authority(wrong)


# --- checking ---
@pytest.fixture
def logged(store):
    """Nine entries, of three people in turn."""
    for number in range(9):
        act(store, ("ani", "budi", "citra")[number % 3])
    return store


def test_stamps_of_an_untouched_log_are_proven(logged, tsa):
    assert stamped(logged, tsa).entry == 9
    act(logged)
    assert stamped(logged, tsa).entry == 10
    assert states(logged, tsa) == [(9, "proven"), (10, "proven")]
    report = verify_chain(logged)
    assert [one.state for one in report.stamps] == ["unchecked", "unchecked"] and report.intact


def test_a_log_rewritten_by_whoever_has_key_and_head_does_not_fit_its_stamp(logged, tsa):
    """The whole of it anew without one person, hashes made with the key, and the kept head to match."""
    stamped(logged, tsa)
    with logged.reading() as connection:
        rows = [dict(row) for row in connection.execute(select(LOG).order_by(LOG.c.entry)).mappings()]
    previous, fresh = audit.FIRST, []
    for number, row in enumerate((row for row in rows if row["actor"] != "budi"), 1):
        row = row | {"entry": number, "previous_hash": previous}
        previous = row["hash"] = audit.keyed_hash(logged.seal, row, previous)
        fresh.append(row)
    tamper(logged, delete(LOG), insert(LOG).values(fresh))
    logged.seal.keep(Head(len(fresh), previous), anew=True)
    report = verify_chain(logged, None, authority(tsa.ca))
    assert report.whole and not report.intact  # nothing else tells
    assert [(one.entry, one.state) for one in report.stamps] == [(9, "lost")]
    for _ in range(6):  # the number is there again, with another hash
        act(logged)
    assert states(logged, tsa) == [(9, "lost")]


def test_stamps_of_entries_before_a_restore_are_told_and_those_after_it_count(logged, tsa):
    stamped(logged, tsa)
    tamper(logged, delete(LOG).where(LOG.c.entry > 6))
    audit.accept(logged, actor="ani", reason="restored from Sunday's backup")
    assert states(logged, tsa) == [(9, "superseded")]
    assert verify_chain(logged, None, authority(tsa.ca)).intact
    assert [one.state for one in verify_chain(logged).stamps] == ["lost"]  # unproven moments excuse nothing
    for _ in range(4):
        act(logged)
    assert stamped(logged, tsa).entry == 11
    tamper(logged, delete(LOG).where(LOG.c.entry > 8))
    assert states(logged, tsa) == [(9, "superseded"), (11, "lost")]


def test_a_damaged_stamp_and_one_of_somebody_else_are_told_apart(logged, tsa, tmp_path):
    head = stamped(logged, tsa)
    file = time_stamps._file(logged.seal, head)
    whole = file.read_bytes()
    with service.served(tmp_path / "other") as other:
        assert states(logged, other) == [(9, "untrusted")]
    for content in (b"", b"no stamp", whole[: len(whole) // 2], whole + b"0" * time_stamps.MAX_BYTES):
        file.write_bytes(content)
        assert states(logged, tsa) == [(9, "damaged")]
        assert not verify_chain(logged).intact
    file.unlink()
    file.mkdir()
    assert states(logged, tsa) == [(9, "damaged")]
    shutil.rmtree(file)
    for name in ("10.tsr", "x-{}.tsr", "-1-{}.tsr", "¹-{}.tsr", f"{10**30}-{{}}.tsr", "10-{}.tsr.tmp"):
        name = name.format(head.hash[:16])
        (file.parent / name).write_bytes(whole)
    assert verify_chain(logged).stamps == ()


def test_no_byte_of_a_stamp_can_be_changed_so_that_it_proves_something_else(logged, tsa):
    """Wherever a byte is changed it is damaged, untrusted or lost, or proves the same moment as before."""
    head = stamped(logged, tsa)
    file = time_stamps._file(logged.seal, head)
    whole, trusted = file.read_bytes(), authority(tsa.ca)
    before = time_stamps._checked_stamp(9, head.hash, whole, trusted)
    assert before.state == "proven"
    drawn = random.Random(3)
    other = 0
    for place in range(len(whole)):
        bent = bytearray(whole)
        bent[place] ^= 1 << drawn.randrange(8)
        found = time_stamps._checked_stamp(9, head.hash, bytes(bent), trusted)
        other += found.state != "proven"
        assert found.state in ("damaged", "untrusted", "lost") or found == before
    assert other > len(whole) / 2


def test_a_service_whose_certificate_has_run_out_stamps_nothing_that_counts(tmp_path):
    with service.served(tmp_path / "old", expired=True) as old:
        with pytest.raises(StampProblem, match="untrusted"):
            request_stamp(old.url, HEAD, authority(old.ca))


# --- the commands ---
@pytest.fixture
def office(tmp_path, monkeypatch, tsa):
    """An office's store with two entries, and its settings."""
    monkeypatch.chdir(tmp_path)
    for name in ("TEPAT_KEY", "TEPAT_KEY_FILE", "TEPAT_KEY_COMMAND", "TEPAT_AUDIT_HEAD"):
        monkeypatch.delenv(name, raising=False)
    settings = {"TEPAT_FOLDER": tmp_path / "store", "DATABASE_URL": "", "TEPAT_TSA": tsa.url}

    def say(**more: str) -> None:
        for name, value in (settings | {"TEPAT_TSA_CA": tsa.ca} | more).items():
            monkeypatch.setenv(name, str(value))
        get_settings.cache_clear()

    say()
    store = open_store()
    act(store), act(store)
    store.close()
    yield say
    get_settings.cache_clear()


def run(*words: str):
    return CliRunner().invoke(app, list(words))


def test_the_command_stamps_the_head_once_and_the_check_tells_of_it(office, tmp_path):
    made = run("stamp")
    assert made.exit_code == 0 and "entry 2" in made.stdout, made.output
    (file,) = tmp_path.rglob("*.tsr")
    assert file.parents[1] == tmp_path / "store" / "audit-stamps" and file.stat().st_mode & 0o077 == 0
    again = run("stamp")
    assert again.exit_code == 0 and "nothing new" in again.stdout and len(list(tmp_path.rglob("*.tsr"))) == 1
    checked = run("audit")
    assert checked.exit_code == 0 and "stamps     1, the newest of 20" in checked.stdout
    assert "as stamped, and signed" in checked.stdout and "3 entries" in checked.stdout
    office(TEPAT_TSA_CA="")
    unchecked = run("audit")
    assert unchecked.exit_code == 0 and "signatures not checked: TEPAT_TSA_CA is not set" in unchecked.stdout
    file.write_bytes(b"no stamp")
    damaged = run("audit")
    assert damaged.exit_code == 1 and "stamps     1, entry 2: DAMAGED" in damaged.stdout
    assert "not proven: see above" in damaged.stdout


def test_what_keeps_a_stamp_from_being_made_is_one_line_and_leaves_no_trace(office, tmp_path, tsa):
    (tmp_path / "no.pem").write_text("x")
    for changed, code, said in (
        ({"TEPAT_TSA": ""}, 2, "no time-stamping service is set"),
        ({"TEPAT_TSA": "http://127.0.0.1:9/"}, 4, "does not answer"),
        ({"TEPAT_TSA_CA": ""}, 2, "TEPAT_TSA_CA must name"),
        ({"TEPAT_TSA_CA": str(tmp_path / "no.pem")}, 2, "must be a file of certificates"),
    ):
        office(**changed)
        result = run("stamp")
        assert result.exit_code == code and said in result.stderr, result.output
        assert result.stderr.count("\n") == 1
    office()
    (tmp_path / "store" / "audit-head.json").unlink()
    lost = run("stamp")
    assert lost.exit_code == 2 and "the kept head is not in the log" in lost.stderr
    store = open_store()
    assert len(audit.entries(store)) == 2 and not list(tmp_path.rglob("*.tsr"))
    store.close()
