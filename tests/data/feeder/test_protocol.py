"""The line itself: bad answers, slow answers, other addresses, and a password that is never repeated."""

from __future__ import annotations

import logging
import socket
import ssl
import threading
import time

import pytest

from data.feeder.lists import LISTS, PEOPLE, STUDENTS, TERMS, FeederList, kept_rows
from data.feeder.protocol import AnswerError, FeederClient, FeederError, checked_address, is_plain
from data.files.never_stored import never_stored
from tests.data.feeder.server import FAULTS, PASSWORD, USER, served

ROWS = {"GetProdi": [{"id_prodi": str(place), "kode_program_studi": f"55{place:03d}"} for place in range(9)]}


@pytest.fixture
def feeder():
    with served(ROWS) as running:
        running.patience = 0.6
        yield running


@pytest.fixture
def client(feeder):
    with FeederClient(feeder.url, USER, PASSWORD, pauses=(0.0, 0.0), seconds=0.4) as one:
        yield one


@pytest.mark.parametrize("fault", [name for name in FAULTS if name not in ("nothing", "rows")])
def test_one_bad_answer_is_asked_for_again(feeder, client, fault):
    feeder.faults["GetProdi"] = [fault]
    assert len(client.rows("GetProdi")) == 9
    assert feeder.acts() == ["GetProdi"] * 2


@pytest.mark.parametrize(
    ("fault", "code", "said"),
    [
        ("html", "broken", "the answer is a web page"),
        ("half", "broken", "not whole JSON"),
        ("nothing", "broken", "error_code is missing"),
        ("rows", "broken", "data is no list of rows"),
        ("hang up", "unreachable", "GetProdi: .*"),
        ("busy", "unreachable", "HTTP 503"),
        ("late", "unreachable", "no whole answer within 0.4 s"),
        ("drip", "unreachable", "too slowly"),
        ("error", "answer", r"error 1107: SQLSTATE\[57014\]: query canceled"),
        ("expired", "sign_in", "none of its own tokens"),
    ],
)
def test_a_service_that_stays_bad_ends_in_one_plain_sentence(feeder, client, fault, code, said):
    feeder.always["GetProdi"] = fault
    began = time.monotonic()
    if fault == "expired":
        feeder.token_uses = 0
    with pytest.raises(FeederError, match=said) as raised:
        client.rows("GetProdi")
    assert raised.value.code == code
    assert isinstance(raised.value, AnswerError) == (code == "answer")
    assert time.monotonic() - began < 20
    assert len(feeder.acts()) <= 3


def test_the_pause_grows_between_tries(feeder):
    waited = []
    feeder.always["GetProdi"] = "busy"
    with FeederClient(feeder.url, USER, PASSWORD, pauses=(1, 2, 5), sleep=waited.append) as client:
        with pytest.raises(FeederError, match="4 tries"):
            client.rows("GetProdi")
    assert waited == [1, 2, 5]


def test_a_wrong_password_is_tried_once_and_not_repeated_by_the_message(feeder):
    with FeederClient(feeder.url, USER, "salah-sekali-88", pauses=(0.0,)) as client:
        with pytest.raises(FeederError) as raised:
            client.rows("GetProdi")
    assert raised.value.code == "sign_in"
    assert "salah-sekali-88" not in str(raised.value) and "***" in str(raised.value)
    assert len(feeder.asked) == 1


def test_neither_password_nor_token_is_in_any_message_or_log(feeder, client, caplog):
    caplog.set_level(logging.DEBUG)
    feeder.always["GetProdi"] = "echo"
    with pytest.raises(AnswerError) as raised:
        client.rows("GetProdi")
    feeder.always["GetProdi"] = "hang up"
    with pytest.raises(FeederError) as other:
        client.rows("GetProdi")
    tokens = list(feeder.tokens)
    assert tokens and any("127.0.0.1" in record.getMessage() for record in caplog.records)
    for text in (caplog.text, str(raised.value), repr(raised.value), str(other.value), repr(client)):
        assert PASSWORD not in text
        assert all(token not in text for token in tokens)
    for problem in (raised.value, other.value):
        assert problem.__cause__ is None and problem.__suppress_context__ is (problem.__context__ is not None)


def test_the_password_is_sent_for_a_token_only(feeder, client):
    client.rows("GetProdi")
    client.rows("GetProdi")
    assert [body["act"] for body in feeder.asked if PASSWORD in str(body)] == ["GetToken"]


@pytest.mark.parametrize(
    "where",
    ["http://feeder.other.example/ws/live2.php", "//127.0.0.2/ws", "http://127.0.0.1:1/ws", "ftp://x/"],
)
def test_a_redirect_to_another_address_is_refused_and_nothing_is_sent_there(feeder, client, where):
    feeder.redirect = where
    with pytest.raises(FeederError) as raised:
        client.rows("GetProdi")
    assert raised.value.code == "redirect"
    assert len(feeder.asked) == 1


def test_a_redirect_on_the_same_host_is_followed_but_not_for_ever(feeder, client):
    feeder.before["GetToken"] = [lambda: None, lambda: setattr(feeder, "redirect", "")]
    feeder.redirect = "/ws/live2.php/"
    assert len(client.rows("GetProdi")) == 9
    assert client.url.endswith("/ws/live2.php/")
    feeder.redirect = "/ws/again"
    with pytest.raises(FeederError, match="without end"):
        client.rows("GetProdi")


@pytest.mark.parametrize(
    "text",
    ["", "feeder.local/ws", "ftp://a/ws", "http://", "http://a:x/ws", "http://me:pw@a/ws", "file:///etc"],
)
def test_what_is_no_address_of_a_service_is_refused(text):
    with pytest.raises(FeederError) as raised:
        checked_address(text)
    assert raised.value.code == "address"
    assert "pw" not in str(raised.value)


def test_http_is_known_to_be_readable():
    assert is_plain("http://10.0.0.5:3003/ws/live2.php")
    assert not is_plain("https://feeder.kampus.ac.id/ws/live2.php")


def test_nothing_that_answers_at_the_address_is_said(client, feeder):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with FeederClient(f"http://127.0.0.1:{port}/ws", USER, PASSWORD, pauses=(0.0,)) as gone:
        with pytest.raises(FeederError, match=r"cannot be reached, or hung up \(2 tries\)"):
            gone.rows("GetProdi")


def test_a_certificate_that_nobody_signed_is_refused_without_a_second_try(tmp_path):
    certificate, key = _self_signed(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    tries = []
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def answer():
            while True:
                try:
                    connection, _ = listening.accept()
                except OSError:
                    return
                tries.append(1)
                try:
                    context.wrap_socket(connection, server_side=True).close()
                except (ssl.SSLError, OSError):
                    connection.close()

        threading.Thread(target=answer, daemon=True).start()
        url = f"https://127.0.0.1:{listening.getsockname()[1]}/ws"
        with FeederClient(url, USER, PASSWORD, pauses=(0.0, 0.0)) as client:
            with pytest.raises(FeederError, match="TEPAT_FEEDER_CA") as raised:
                client.rows("GetProdi")
        assert (raised.value.code, len(tries)) == ("certificate", 1)
    with FeederClient(url, USER, PASSWORD, ca=str(tmp_path / "missing.pem")) as client:
        with pytest.raises(FeederError, match="cannot be read"):
            client.rows("GetProdi")


def _self_signed(folder):
    from datetime import UTC, datetime, timedelta

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    (folder / "c.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    plain = serialization.NoEncryption()
    pem, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    (folder / "k.pem").write_bytes(key.private_bytes(pem, form, plain))
    return folder / "c.pem", folder / "k.pem"


def test_no_list_asks_for_a_field_that_is_never_stored():
    for one in (*LISTS, PEOPLE):
        assert not [name for name in one.fields if never_stored(name)]
    with pytest.raises(ValueError, match="nothing that is never stored"):
        FeederList("GetBiodataMahasiswa", ("id_mahasiswa", "nik"), ("id_mahasiswa",))


def test_a_row_keeps_the_listed_fields_as_short_texts_and_a_birth_keeps_its_year():
    row = {"id_registrasi_mahasiswa": " a1 ", "nim": 21001, "nama_mahasiswa": "x" * 900, "nik": "337"}
    row |= {"tanggal_lahir": "2003-05-09", "id_periode": 20211, "jenis_kelamin": None}
    (kept,) = kept_rows(STUDENTS, [row])
    assert set(kept) == set(STUDENTS.fields)
    assert (kept["nim"], kept["tanggal_lahir"], kept["jenis_kelamin"]) == ("21001", "2003", "")
    assert len(kept["nama_mahasiswa"]) == 300
    for day, year in (("09-05-2003", "2003"), ("", ""), ("kosong", "?"), ("2003-2004", "?")):
        assert kept_rows(STUDENTS, [row | {"tanggal_lahir": day}])[0]["tanggal_lahir"] == year


@pytest.mark.parametrize("wrong", [{"id_semester": None}, {"ips": [3]}, {"ips": {"a": 1}}, {"ips": True}])
def test_a_row_without_key_or_with_a_nested_cell_is_refused(wrong):
    row = {"id_registrasi_mahasiswa": "a", "id_semester": "20211", "ips": 3.5}
    assert kept_rows(TERMS, [row])[0]["ips"] == "3.5"
    with pytest.raises(FeederError, match="GetAktivitasKuliahMahasiswa"):
        kept_rows(TERMS, [row | wrong])


def test_a_dead_address_is_given_up_soon_and_the_office_is_told_meanwhile():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    told, waited = [], []
    url = f"http://127.0.0.1:{port}/ws/live2.php"
    with FeederClient(url, USER, PASSWORD, sleep=waited.append, tell=told.append) as client:
        with pytest.raises(FeederError, match="3 tries.*see that Neo Feeder runs, and that --url names"):
            client.rows("GetProdi")
    assert waited == [1, 2]
    assert told[0] == f"asking the Feeder at 127.0.0.1:{port}"
    assert told[1].endswith("trying again in 1 s, 2 of 3") and told[2].endswith("trying again in 2 s, 3 of 3")
    assert PASSWORD not in " ".join(told)


def test_a_service_that_has_answered_is_waited_for_longer(feeder):
    told, waited = [], []
    with FeederClient(feeder.url, USER, PASSWORD, sleep=waited.append, tell=told.append) as client:
        assert len(client.rows("GetProdi")) == 9
        feeder.always["GetProdi"] = "busy"
        with pytest.raises(FeederError, match="6 tries"):
            client.rows("GetProdi")
    assert len(waited) == 5 and len(told) == 6
