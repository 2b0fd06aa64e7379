"""Screen and paper are never mixed as references, and what rests on a screen has no outcome."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest

from data import queries
from data.engine.facts import write_fact
from data.signatures.strokes import Point, Stroke, Strokes
from data.store import NewSpecimen, write_consents, write_specimens
from data.trust import audit
from data.trust.origin import RealDataRefused
from data.trust.scope import Scope
from data.verification import queries as reads
from tests.vision.verification.test_verification_pipeline import Plain, drawing, file_of, synthetic
from vision.descriptor.describe_specimens import describe_pending
from vision.scans.signing import keep_drawn
from vision.verification.enrolling import enrol, enrol_all
from vision.verification.reference_choice import choose_references
from vision.verification.synthetic_ground import write_synthetic
from vision.verification.verification_pipeline import verify

SYSTEM = Scope.system()


def rows(*media: str, spoilt: tuple[int, ...] = ()) -> pd.DataFrame:
    """One student's specimens, one a day."""
    return pd.DataFrame(
        [
            {
                "specimen_id": f"s{day}",
                "captured_on": date(2024, 1, 1 + day),
                "context": "enrollment",
                "medium": medium,
                "quality": [{"code": "SIG001", "status": "found"}] if day in spoilt else [],
            }
            for day, medium in enumerate(media)
        ]
    )


def test_beside_usable_paper_a_screen_is_no_reference_wished_for_or_not():
    mixed = rows("screen", "paper", "screen", "screen", "screen")
    choice = choose_references(mixed)
    assert choice.references == ("s1",) and choice.advice == ("too_few",)
    assert choice.left_out == dict.fromkeys(("s0", "s2", "s3", "s4"), ("other_medium",))
    wished = choose_references(mixed, ["s0", "s2", "s3"])
    assert wished.references == () and wished.left_out["s1"] == ("not_chosen",)


def test_a_screen_is_one_where_paper_has_none_to_offer():
    assert choose_references(rows("screen", "screen", "screen")).references == ("s0", "s1", "s2")
    choice = choose_references(rows("paper", "screen", spoilt=(0,)))
    assert choice.references == ("s1",) and choice.left_out == {"s0": ("SIG001",)}


def pad(writer: int, signing: int) -> Strokes:
    """The line of :func:`drawing` as somebody signs it on a sheet of 600 × 240."""
    points = np.random.default_rng(writer).uniform((60, 60), (540, 180), (9, 2))
    points[[0, 1], 0] = 60, 540
    points = points + np.random.default_rng((writer, signing)).normal(0, 1.5, points.shape)
    stroke = Stroke("pen", tuple(Point(x, y, 40.0 * k, 0.5) for k, (x, y) in enumerate(points.tolist())))
    return Strokes(600.0, 240.0, (stroke,))


def have_sign(store, key: str, number: str, writer: int, signing: int) -> str:
    about = {"context": "enrollment", "captured_on": date(2023, 3, 1 + signing)}
    return keep_drawn(store, key, number, pad(writer, signing), **about, actor="rina", role="registry")


@pytest.fixture
def office(small_register):
    """S07 signed on the screen alone, four times; S08 four times on paper and twice on the screen."""
    store, keys = small_register.store, small_register.keys
    made = synthetic(Plain())
    write_synthetic(made, store.cache_folder / "verification" / f"{made.descriptor_id}.safetensors")
    about = {"context": "enrollment", "file_format": "png", "width": 600, "height": 240, "dpi": 300}
    paper = [NewSpecimen("S08", file_of(drawing(8, n)), date(2022, 9, 1 + n), **about) for n in range(4)]
    write_specimens(store, paper, source="scans", actor="test")
    for n in range(4):
        have_sign(store, keys["S07"], "S07", 7, n)
    for n in range(2):
        have_sign(store, keys["S08"], "S08", 8, n)
    agreed = pd.DataFrame({"student_number": ["S07", "S08"], "purpose": "verification", "granted": True})
    write_consents(store, agreed)
    return small_register


def test_references_of_a_screen_alone_are_always_inconclusive_and_give_no_figure(office):
    key = office.keys["S07"]
    made = enrol(office.store, key, actor="rina", descriptor=Plain())
    assert len(made.references) == 4
    for sheet in (drawing(7, 9), drawing(3, 1)):  # the same hand on paper, and another one
        found = verify(office.store, key, file_of(sheet), actor="rina", descriptor=Plain())
        assert (found.outcome, found.reason) == ("inconclusive", "screen_references")
        assert found.score is None and found.log10_lr is None
        stored = reads.decision(office.store, SYSTEM, found.decision_id)
        assert stored["outcome"] == "inconclusive" and len(stored["reference_ids"]) == 4


def test_references_on_paper_have_an_outcome_whatever_was_signed_on_a_screen(office):
    key = office.keys["S08"]
    made = enrol(office.store, key, actor="rina", descriptor=Plain())
    media = queries.student_specimens(office.store, SYSTEM, key).set_index("specimen_id")["medium"]
    assert len(made.references) == 4 and set(media[list(made.references)]) == {"paper"}
    assert sorted(made.left_out.values()) == [("other_medium",)] * 2
    found = verify(office.store, key, file_of(drawing(8, 9)), actor="rina", descriptor=Plain())
    assert (found.outcome, found.reason) == ("consistent", "agrees")


def test_a_screen_is_checked_and_described_as_a_scan_and_learned_from_by_nobody(office):
    assert describe_pending(office.store, descriptor=Plain()) == 10
    specimens = queries.specimen_table(office.store).set_index("specimen_id")
    assert all(len(found) == 11 for found in specimens["quality"])
    known = reads.described(office.store, "plain@1+abababab")
    assert set(specimens.loc[known["specimen_id"], "medium"]) == {"paper"} and len(known) == 4


def test_enrolling_everybody_leaves_out_who_signed_on_a_screen_alone(office, monkeypatch):
    from vision.descriptor import describe_specimens
    from vision.verification import verification_tools

    for module in (describe_specimens, verification_tools):
        monkeypatch.setattr(module, "descriptor_in_use", Plain)
    enrol_all(office.store, SYSTEM, actor="rina")
    assert reads.enrolments(office.store, SYSTEM)["student_key"].tolist() == [office.keys["S08"]]


def test_every_signing_is_an_import_with_an_entry_in_its_own_transaction(office, monkeypatch):
    store, key = office.store, office.keys["S07"]
    done = audit.entries(store, action="sign on screen")
    assert len(done) == 6 and set(done["object"]) == {key, office.keys["S08"]}
    assert (queries.imports(store)["source"] == "screen").sum() == 6
    assert have_sign(store, key, "S07", 7, 0) in set(queries.specimen_table(store)["specimen_id"])  # is there
    assert len(audit.entries(store, action="sign on screen")) == 6

    def refused(*_, **__):
        raise OSError("the log cannot be written")

    before = len(queries.specimen_table(store))
    monkeypatch.setattr(audit, "append_in", refused)
    with pytest.raises(OSError, match="cannot be written"):
        have_sign(store, key, "S07", 7, 9)
    assert len(queries.specimen_table(store)) == before


def test_a_demo_takes_nothing_that_was_not_said_to_be_invented(small_register):
    with small_register.store.writing() as connection:
        write_fact(connection, "synthetic", True)
    with pytest.raises(RealDataRefused):
        have_sign(small_register.store, small_register.keys["S07"], "S07", 7, 0)
    assert queries.specimen_table(small_register.store).empty
