"""The weekly message, sent to a mail server on this machine: counts and a link, over TLS or not at all."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from ipaddress import ip_address
from socket import socket

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Message
from aiosmtpd.smtp import AuthResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from dashboard.jobs import digest_mail, worker_child
from dashboard.jobs.digest_mail import Wish
from dashboard.jobs.nightly import next_night
from dashboard.shell.wording import Words
from data.jobs import table
from data.settings import Settings
from data.store import get_fact, set_fact
from data.trust import audit, origin, reports_store
from data.trust.accounts import Account, write_accounts
from tests.dashboard.cases.test_inbox import REPORT

DEAN = Account("dean", "Prof. Sari", "leadership")
WISH = Wish("sari@kampus.example", 2, 6, "en")
SECRET = "mail-secret-7391"


class Letters(Message):
    """Keeps what was delivered."""

    def __init__(self):
        super().__init__()
        self.delivered = []

    def prepare_message(self, session, envelope):
        self.delivered.append(
            (envelope.rcpt_tos, message_from_bytes(envelope.content, policy=policy.default))
        )
        return super().prepare_message(session, envelope)

    def handle_message(self, message):
        pass


def self_signed(folder):
    """A certificate for 127.0.0.1 that vouches for itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    at, day = datetime.now(UTC), timedelta(days=1)
    made = made.serial_number(1).not_valid_before(at - day).not_valid_after(at + day)
    own = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    signed = made.add_extension(own, critical=False).sign(key, hashes.SHA256())
    form = (Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (folder / "cert.pem").write_bytes(signed.public_bytes(Encoding.PEM))
    (folder / "key.pem").write_bytes(key.private_bytes(*form))
    return folder / "cert.pem", folder / "key.pem"


@pytest.fixture
def post(tmp_path, monkeypatch):
    """Starts a server; returns its letters."""
    running = []

    def start(encrypted: bool = True):
        letters = Letters()
        certificate, key = self_signed(tmp_path)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        tls = {"tls_context": context, "require_starttls": True} if encrypted else {}

        def known(server, session, envelope, mechanism, data):
            right = (data.login, data.password) == (b"tepat", SECRET.encode())
            return AuthResult(success=right, handled=False)  # the server answers

        asked = {"authenticator": known, "auth_required": True} if encrypted else {}
        with socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        server = Controller(letters, hostname="127.0.0.1", port=port, **tls, **asked)
        server.start()
        running.append(server)
        told = {"HOST": "127.0.0.1", "PORT": port, "USER": "tepat", "PASSWORD": SECRET, "CA": certificate}
        for name, value in (told | {"FROM": "tepat@kampus.example"}).items():
            monkeypatch.setenv(f"TEPAT_SMTP_{name}", str(value))
        monkeypatch.setenv("TEPAT_ADDRESS", "https://tepat.kampus.example/")
        return letters

    yield start
    for server in running:
        server.stop()


@pytest.fixture
def office(store):
    origin.begin_own(store)
    write_accounts(store, [DEAN, Account("staff", "Staff", "accreditation")])
    return store


def work(store):
    """Do the job that waits, as if its hour had come."""
    (waiting,) = [job for job in table.open_jobs(store) if job.kind == "digest"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(table, "now", lambda: waiting.begins_at)
        patch.setattr("dashboard.jobs.nightly.now", lambda: waiting.begins_at)
        worker_child.do(store, table.take(store, "w"))
    return table.find(store, waiting.job_id)


def test_a_message_has_counts_and_a_link_and_no_name_and_comes_again_the_next_week(office, post):
    letters = post()
    reports_store.save_prepared(office, REPORT, "accreditation")
    digest_mail.choose(office, DEAN, WISH)
    done = work(office)
    assert (done.status, done.result) == ("done", {"sent": 1}), done.problem
    [(to, letter)] = letters.delivered
    text = letter.get_content()
    assert to == ["sari@kampus.example"] and letter["Subject"] == "Tepat: something waits for you"
    assert "- Reports to approve: 1" in text and "https://tepat.kampus.example/inbox" in text
    assert not any(word in text for word in ("Sari", "IF", "staff", REPORT.report_id))
    (following,) = table.open_jobs(office)
    assert following.begins_at.replace(tzinfo=UTC).astimezone().weekday() == 2
    assert 6 <= (following.begins_at - done.begins_at).days <= 7
    told = " ".join(map(str, audit.entries(office)["detail"]))
    assert "kampus.example" not in told and SECRET not in told


def test_nothing_is_sent_when_nothing_waits_and_a_closed_account_gets_no_more(office, post):
    letters = post()
    digest_mail.choose(office, DEAN, WISH)
    assert work(office).result == {"sent": 0}
    write_accounts(office, [Account("dean", "Prof. Sari", "leadership", active=False)])
    assert work(office).problem == "not_allowed"
    assert letters.delivered == [] and table.open_jobs(office) == []


def test_a_new_wish_replaces_the_old_one_and_ending_it_stops_the_series(office):
    digest_mail.choose(office, DEAN, WISH)
    digest_mail.choose(office, DEAN, Wish("sari@kampus.example", 4, 20, "id"))
    (waiting,) = table.open_jobs(office)
    assert (waiting.arguments["weekday"], waiting.arguments["hour"]) == (4, 20)
    other = Account("staff", "Staff", "accreditation")
    digest_mail.choose(office, other, WISH)  # somebody else's is another series
    assert len(table.open_jobs(office)) == 2
    digest_mail.choose(office, DEAN, None)
    assert [job.actor for job in table.open_jobs(office)] == ["staff"]
    assert digest_mail.wish_of(office, "dean") is None
    assert digest_mail.wish_of(office, "staff") == WISH


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("TEPAT_SMTP_PASSWORD", "wrong", "mail_sign_in"),
        ("TEPAT_SMTP_CA", "", "mail_tls"),  # nobody vouches for its certificate
        ("TEPAT_SMTP_PORT", "1", "mail_unreachable"),
        ("TEPAT_SMTP_HOST", "", "mail_not_set"),
    ],
)
def test_a_message_that_does_not_go_says_why_and_the_next_week_is_asked_for(
    office, post, monkeypatch, name, value, problem, caplog
):
    letters = post()
    reports_store.save_prepared(office, REPORT, "accreditation")
    digest_mail.choose(office, DEAN, WISH)
    monkeypatch.setenv(name, value)
    failed = work(office)
    assert (failed.status, failed.problem) == ("failed", problem)
    assert letters.delivered == [] and len(table.open_jobs(office)) == 1
    assert SECRET not in caplog.text and "kampus.example" not in caplog.text
    for language in ("en", "id"):
        assert Words(language).has(f"job_problem.{problem}")


def test_without_encryption_nothing_is_sent(office, post):
    letters = post(encrypted=False)
    reports_store.save_prepared(office, REPORT, "accreditation")
    digest_mail.choose(office, DEAN, WISH)
    assert work(office).problem == "mail_tls"
    assert letters.delivered == []


def test_a_demo_sends_nothing(store, post):
    post()
    assert digest_mail.offered(store, Settings())
    set_fact(store, "synthetic", True)
    assert get_fact(store, "synthetic") and not digest_mail.offered(store, Settings())


@pytest.mark.parametrize(
    "address", ["", "sari", "sari@kampus", "a@b.id, c@d.id", "a@b.id\nBcc: c@d.id", "<a@b.id>"]
)
def test_what_is_no_address_is_refused(address):
    with pytest.raises(ValueError, match="address"):
        Wish(address, 0, 6, "en")


@pytest.mark.parametrize("weekday", range(7))
def test_the_next_week_is_that_weekday_within_seven_days(weekday):
    moment = datetime(2026, 3, 4, 12, 30)
    when = next_night(6, moment, weekday)
    here = when.replace(tzinfo=UTC).astimezone()
    assert (here.weekday(), here.hour) == (weekday, 6)
    assert 0 < (when - moment).total_seconds() <= 7 * 86400
    with pytest.raises(ValueError, match="weekday"):
        next_night(6, moment, 7)
