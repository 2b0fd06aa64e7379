"""The pack of a submission: prepared by one, approved by another, one ZIP with an index and checksums."""

import hashlib
import io
import runpy
import shutil
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
import streamlit as st
from pypdf import PdfReader
from sqlalchemy import update
from streamlit.testing.v1 import AppTest
from typer.testing import CliRunner

from dashboard.__main__ import app as commands
from dashboard.jobs import asking, packs
from dashboard.jobs.asking import Refused, Task
from dashboard.reports import pack, pipeline
from dashboard.shell.plain import plain
from dashboard.shell.wording import Words
from data import schema
from data.jobs import live as jobs_live
from data.jobs import table as job_table
from data.settings import get_settings
from data.store import open_store, set_fact, write_records
from data.trust import reports_store
from data.trust.accounts import Account, write_accounts
from data.trust.scope import Scope

APPROVAL = Path(__file__).with_name("test_approval.py")
SITI, BUDI = Account("siti", "Siti", "accreditation"), Account("budi", "Budi", "leadership")
TWO = ("iaps40-8c", "iaps40-2a")


@pytest.fixture
def store(sqlite_template, tmp_path, monkeypatch):
    shutil.copy(sqlite_template, tmp_path / "tepat.db")
    monkeypatch.setenv("TEPAT_FOLDER", str(tmp_path))
    monkeypatch.delenv("DATABASE_URL", raising=False)
    get_settings.cache_clear()
    st.cache_resource.clear()
    st.cache_data.clear()
    opened = open_store()
    frames = runpy.run_path(str(APPROVAL))["frames"]()
    write_records(opened, frames, source="register40.csv", files={}, actor="registry", synthetic=True)
    set_fact(opened, "synthetic", True)
    write_accounts(opened, [SITI, BUDI])
    yield opened
    opened.close()
    get_settings.cache_clear()
    st.cache_resource.clear()
    st.cache_data.clear()


def worked(store, person: Account, **arguments) -> dict:
    """What the worker's process would do for a job that somebody asks for, its result kept."""
    job_id = asking.start(
        store, person, "pack", program_code="55201", ts=2025, profiles=list(TWO), **arguments
    )
    job = job_table.take(store, "test")
    result = packs.run(Task(store, job, lambda *_: None))
    job_table.finish(store, job, "done", result=result)
    assert job_table.find(store, job_id).status == "done"
    return result


def unpacked(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def test_a_pack_is_prepared_by_one_approved_by_another_and_holds_what_was_approved(store):
    assert worked(store, SITI, act="prepare")["tables"] == 2
    assert worked(store, SITI, act="prepare")["tables"] == 0  # what is prepared stays
    assert worked(store, SITI, act="approve") | {"files": ""} == {
        **{"act": "approve", "reach": ["55201"], "files": ""},
        **{"tables": 0, "own": 2},
    }
    with pytest.raises(Refused, match="pack_not_signed"):
        worked(store, SITI, act="print", signed=True)
    assert worked(store, BUDI, act="approve")["tables"] == 2
    result = worked(store, SITI, act="print", signed=True)
    assert (result["tables"], result["approved"], result["reach"]) == (2, 2, ["55201"])

    [(name, data)] = jobs_live.kept_files(store, result["files"])
    assert name == "pack_55201_TS2025_internal_synthetic.zip"
    files = unpacked(data)
    sums = dict(reversed(line.split("  ")) for line in files.pop("SHA256SUMS").decode().splitlines())
    assert sums == {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
    for one in pack.standings(store, Scope.system(), "55201", 2025, TWO):
        frozen = reports_store.stored_report(store, Scope.system(), one.report_id).files
        mine = {name: digest for name, digest in frozen.items() if "internal" in name}
        assert mine == {name: sums[f"{one.profile_id}/{name}"] for name in mine}
    for language, said in (
        ("en", "2 tables, 2 of them approved"),
        ("id", "2 tabel, 2 di antaranya disetujui"),
    ):
        text = " ".join(
            page.extract_text() for page in PdfReader(io.BytesIO(files[f"index_{language}.pdf"])).pages
        )
        text = " ".join(text.split())
        assert said in text and "Budi" in text and "8.c" in text
        assert ("CONFIDENTIAL" if language == "en" else "RAHASIA") in text


def test_the_same_tables_give_the_same_pack(store):
    register = pipeline.read_register(store, Scope.system())
    asked = (store, register, "55201", 2025, TWO)
    first, again = (pack.submission_pack(*asked, signed=False, languages=("en",)) for _ in range(2))
    assert first.data == again.data and (first.tables, first.approved) == (2, 0)


def test_figures_by_hand_that_were_prepared_are_not_prepared_over(store):
    register = pipeline.read_register(store, Scope.system())
    request = pipeline.Request("iaps40-2a", "55201", 2025, inputs={("TS", "capacity"): 120})
    kept = pipeline.prepare(
        store, *pipeline.build(store, register, request), actor="siti", role="accreditation"
    )
    assert worked(store, SITI, act="prepare")["tables"] == 1
    found = {one.profile_id: one for one in pack.standings(store, Scope.system(), "55201", 2025, TWO)}
    assert found["iaps40-2a"].report_id == kept.report_id


def test_an_altered_table_or_a_withdrawn_one_spoils_the_signed_pack(store):
    worked(store, SITI, act="prepare")
    worked(store, BUDI, act="approve")
    one, other = pack.standings(store, Scope.system(), "55201", 2025, TWO)
    fresh = [
        pipeline.withdraw(
            store, Scope.system(), each.report_id, reason="typo", actor="budi", role="leadership"
        )
        for each in (one, other)
    ]
    with store.writing() as connection:
        rows = schema.reports
        changed = update(rows).where(rows.c.report_id == fresh[0].report_id).values(prepared_by="eve")
        connection.execute(changed)
    states = {one.profile_id: one.state for one in pack.standings(store, Scope.system(), "55201", 2025, TWO)}
    assert states == {"iaps40-8c": "altered", "iaps40-2a": "waiting"}
    register = pipeline.read_register(store, Scope.system())
    with pytest.raises(pack.PackRefused, match=r"iaps40-8c \(altered\), iaps40-2a \(waiting\)"):
        pack.submission_pack(store, register, "55201", 2025, TWO, signed=True)


def test_each_step_asks_for_its_own_right_and_reach(store):
    with pytest.raises(Refused, match="not_allowed"):
        worked(store, BUDI, act="prepare")  # leadership approves, it does not prepare
    job_table.finish(store, job_table.find(store, job_table.open_jobs(store)[0].job_id), "failed")
    write_accounts(store, [replace(SITI, program_codes=("99999",))])
    with pytest.raises(Refused, match="no_records|not_allowed"):
        worked(store, SITI, act="print", signed=False)


def test_a_public_pack_hides_small_cells(store):
    register = pipeline.read_register(store, Scope.system())
    made = pack.submission_pack(
        store, register, "55201", 2025, ("iaps40-8c",), signed=False, audience="external", languages=("en",)
    )
    [table] = [
        data.decode("utf-8-sig") for name, data in unpacked(made.data).items() if name.endswith(".csv")
    ]
    assert "suppressed" in table


def test_the_command_packs_what_there_is(store, tmp_path):
    asked = [
        "report-pack",
        "--program",
        "55201",
        "--ts",
        "2025",
        "--out",
        str(tmp_path / "out"),
        "--language",
        "en",
    ]
    wanted = [part for name in TWO for part in ("--profile", name)]
    refused = CliRunner().invoke(commands, [*asked, *wanted, "--signed"])
    assert refused.exit_code != 0 and "must be approved" in refused.output
    unknown = CliRunner().invoke(commands, [*asked, "--profile", "mine"])
    assert unknown.exit_code != 0 and "--profile must be one of" in unknown.output
    done = CliRunner().invoke(commands, [*asked, *wanted])
    assert done.exit_code == 0, done.output
    files = unpacked((tmp_path / "out" / "pack_55201_TS2025_internal_synthetic.zip").read_bytes())
    assert {name.partition("/")[0] for name in files} == {*TWO, "index_en.pdf", "SHA256SUMS"}


def page():
    from dashboard.pages import reports_page

    reports_page.show()


def seen_by(person: Account) -> AppTest:
    app = AppTest.from_function(page, default_timeout=120)
    app.session_state["person"] = person
    app.session_state["language"] = "en"
    return app.run()


def pressed(app: AppTest, key: str, store) -> AppTest:
    app.button(key=key).click().run()
    assert not app.exception
    job = job_table.take(store, "test")
    job_table.finish(store, job, "done", result=packs.run(Task(store, job, lambda *_: None)))
    app.run()
    assert not app.exception
    return app


def test_the_pack_proposes_the_instrument_of_the_programmes_field_and_offers_the_others(store):
    tables = seen_by(SITI).multiselect(key="pack-tables-55201-2025-lam-infokom20-2a1")
    assert tables.value == ["lam-infokom20-2a1", "lam-infokom20-2a2", "lam-infokom20-2a3"]
    assert len(tables.options) == len(
        pack.instruments(pipeline.read_register(store, Scope.system()), "55201")
    )


@pytest.mark.parametrize("language", ["en", "id"])
def test_a_table_on_the_page_that_is_not_in_the_pack_is_said_so_with_why_and_taken_in_by_a_click(
    store, language
):
    words, app = Words(language), AppTest.from_function(page, default_timeout=120)
    app.session_state["person"], app.session_state["language"] = SITI, language
    app.run()

    def said(why: str) -> bool:
        name = plain(pack.instrument_name("iaps40-8c", language))
        told = words(f"pack.left_out_{why}", table=name, instrument="LAM INFOKOM 2.0")
        return told in [each.value for each in app.caption]

    app.selectbox(key="report-profile").set_value("iaps40-8c").run()
    app.selectbox(key="report-program-True").set_value("55201").run()
    assert not app.exception
    assert said("field")  # the programme is assessed by the instrument of its field
    app.button(key="pack-take-in").click().run()
    assert not app.exception
    tables = app.multiselect(key="pack-tables-55201-2025-lam-infokom20-2a1")
    assert "iaps40-8c" in tables.value and "lam-infokom20-2a1" in tables.value
    assert not said("field") and "pack-take-in" not in [each.key for each in app.button]
    app.selectbox(key="report-profile").set_value("lam-infokom20-2a1").run()
    app.multiselect(key="pack-tables-55201-2025-lam-infokom20-2a1").set_value(list(TWO)).run()
    app.selectbox(key="report-profile").set_value("lam-infokom20-2a3").run()
    named = plain(pack.instrument_name("lam-infokom20-2a3", language))
    assert any(named in each.value for each in app.caption)


LEVEL = ("aunqa-81", "iaps40-2a", "iaps40-8c", "iaps51-8d", "ipeds-gr", "lam-emba-metrics", "nba-4")


@pytest.mark.parametrize(
    ("program", "looked_at", "first"),
    [
        ("61201", "iaps40-8c", ("lam-emba-metrics",)),
        ("22201", "iaps40-8c", ("iaps40-2a", "iaps40-8c")),  # no instrument of its field ships
        ("22201", "iaps51-8d", ("iaps51-8d",)),
        ("Civil Engineering", "ipeds-gr", ("ipeds-gr",)),  # a register without codes, abroad
    ],
)
def test_without_an_instrument_of_the_field_the_one_looked_at_is_proposed(program, looked_at, first):
    assert pack.proposed(LEVEL, program, looked_at) == first


def test_all_programmes_together_are_proposed_what_is_looked_at():
    assert pack.proposed(("iapt30-5c1", "iapt30-5c2", "ipeds-gr"), "", "iapt30-5c2") == (
        *("iapt30-5c1", "iapt30-5c2"),
    )


def test_an_officer_gets_from_the_page_to_a_signed_pack_without_leaving_it(store):
    officer = seen_by(SITI)
    officer.multiselect(key="pack-tables-55201-2025-lam-infokom20-2a1").set_value(list(TWO)).run()
    assert officer.button(key="pack-print").disabled
    officer = pressed(officer, "pack-prepare", store)
    assert officer.button(key="pack-prepare").disabled and officer.button(key="pack-approve").disabled

    leader = seen_by(BUDI)
    assert not any(each.key == "pack-prepare" for each in leader.button)
    assert set(leader.multiselect(key="pack-tables-55201-2025-lam-infokom20-2a1").value) == set(TWO)
    leader = pressed(leader, "pack-approve", store)
    assert "2 of 2 approved" in " ".join(each.value for each in leader.caption)

    officer = pressed(officer.run(), "pack-print", store)
    assert [each for each in officer.get("download_button") if "fetch-" in each.proto.id]
