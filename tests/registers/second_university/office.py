"""Everything that the office hands over, written into a folder."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from . import files, hand, paper
from .consents import standing, words_of_consent
from .people import Person, people
from .plan import SEED, VERIFICATION
from .specimens import Specimen, specimens


@dataclass(frozen=True)
class Questioned:
    """A signature on a form to be checked: who is said to have signed, and who did ("" another writer)."""

    nim: str
    written_by: str
    path: Path


@dataclass(frozen=True)
class Office:
    """The files of the system in use, of the one switched off, consents, signatures; and forms to check."""

    mapping: Path
    students: Path
    terms: Path
    outcomes: Path
    old_students: Path
    old_terms: Path
    old_outcomes: Path
    consents: Path
    signatures: Path
    questioned: tuple[Questioned, ...]
    unasked: Questioned
    intake: Path
    hard: Path
    exchanged: Path


def write(folder: Path, seed: int = SEED) -> Office:
    """Write all files below folder (made if missing) and say where they are; same seed, same contents.

    About 500 images are drawn, which takes some 20 seconds on one core.
    """
    folder.mkdir(parents=True, exist_ok=True)
    everybody = people(seed)
    given = specimens(everybody, seed)
    new = [p for p in everybody if p.programme.code != "0213"]
    old = [p for p in everybody if p.programme.code == "0213"]
    (folder / "pemetaan.toml").write_text(files.MAPPING, encoding="utf-8")
    files.write_xlsx({"Mahasiswa": files.students(new)}, folder / "mahasiswa.xlsx")
    files.write_csv(files.terms(new), folder / "aktivitas.csv")
    files.write_xlsx({"Status akhir": files.outcomes(new, "mixed")}, folder / "status_akhir.xlsx")
    files.write_csv(files.old_students(old), folder / "lama_mahasiswa.csv", "cp1252")
    files.write_csv(files.terms(old), folder / "lama_aktivitas.csv", "cp1252")
    files.write_csv(files.outcomes(old, "text"), folder / "lama_keluar.csv", "cp1252")
    words = words_of_consent(everybody, given, seed)
    files.write_csv(files.consents(words), folder / "persetujuan.csv")
    _write_scans(folder / "pindaian.zip", given, seed)
    files.write_csv(files.intake_2026(), folder / "mahasiswa_baru_2026.csv")
    _write_hard(folder / "buku_induk.xlsx", new)
    files.write_xlsx({"Ekspor": files.outcomes(new, "exchanged")}, folder / "ekspor_tanggal.xlsx")
    return Office(
        mapping=folder / "pemetaan.toml",
        students=folder / "mahasiswa.xlsx",
        terms=folder / "aktivitas.csv",
        outcomes=folder / "status_akhir.xlsx",
        old_students=folder / "lama_mahasiswa.csv",
        old_terms=folder / "lama_aktivitas.csv",
        old_outcomes=folder / "lama_keluar.csv",
        consents=folder / "persetujuan.csv",
        signatures=folder / "pindaian.zip",
        questioned=_write_questioned(folder / "formulir", given, standing(words, VERIFICATION), seed),
        unasked=_write_unasked(folder, given, {w.nim for w in words}, seed),
        intake=folder / "mahasiswa_baru_2026.csv",
        hard=folder / "buku_induk.xlsx",
        exchanged=folder / "ekspor_tanggal.xlsx",
    )


def image_of(one: Specimen, seed: int) -> bytes:
    """The bytes of a specimen, its fault included."""
    writer = hand.writer_of(one.nim, seed)
    turn = 0 if one.fault == "copy" else one.turn
    rng = np.random.default_rng([seed, 7, turn, *one.nim.encode()])
    strokes = hand.specimen(writer, rng, 2.6 if one.fault == "marker" else 1.0)
    page = paper.scan(strokes, rng, writer.dark)
    if one.fault == "phone":
        return paper.jpeg(paper.photographed(page, rng), one.on)
    if one.fault == "photocopy":
        return paper.png(paper.photocopied(page, rng))
    if one.fault == "upside_down":
        return paper.png(page.rotate(180))
    if one.fault == "blank":
        return paper.png(paper.blank_form(rng))
    return paper.jpeg(page) if one.path.endswith(".jpg") else paper.png(page)


def _write_scans(path: Path, given: dict[str, list[Specimen]], seed: int) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        for own in given.values():
            for one in own:
                archive.writestr(one.path, image_of(one, seed))
        stranger = Specimen("F1D179999", own[0].on, "pendaftaran", 0)  # graduated before the register begins
        archive.writestr(stranger.path, image_of(stranger, seed))
        archive.writestr("Thumbs.db", b"\xd0\xcf\x11\xe0 what a folder view leaves behind")


def _write_questioned(
    folder: Path, given: dict[str, list[Specimen]], agreed: frozenset[str], seed: int
) -> tuple[Questioned, ...]:
    """Of twelve who agreed and have four sound specimens: a fresh one, an imitation, another's own."""
    folder.mkdir(exist_ok=True)
    rich = [nim for nim, own in given.items() if len(own) >= 4 and nim in agreed]
    sound = [nim for nim in rich if not any(one.fault for one in given[nim])]
    chosen, made = sound[:: len(sound) // 12][:12], []
    for index, nim in enumerate(chosen):
        rng = np.random.default_rng([seed, 11, index])
        writer, forger = hand.writer_of(nim, seed), hand.writer_of(f"forger of {nim}", seed)
        other = sound[(sound.index(nim) + 1) % len(sound)]
        stranger = hand.writer_of(other, seed)
        for name, by, strokes, dark in (
            ("asli", nim, hand.specimen(writer, rng), writer.dark),
            ("tiruan", "", hand.imitation(writer, forger, rng), forger.dark),
            ("lain", other, hand.specimen(stranger, rng), stranger.dark),
        ):
            path = folder / f"{name}_{nim}.png"
            path.write_bytes(paper.png(paper.scan(strokes, rng, dark)))
            made.append(Questioned(nim, by, path))
    return tuple(made)


def _write_unasked(folder: Path, given: dict, asked: set[str], seed: int) -> Questioned:
    """A fresh signature of the first one with four sound specimens whom nobody ever asked for consent."""
    quiet = [nim for nim, own in given.items() if nim not in asked and len(own) >= 4]
    nim = next(nim for nim in quiet if not any(one.fault for one in given[nim]))
    writer, rng = hand.writer_of(nim, seed), np.random.default_rng([seed, 13])
    path = folder / f"susulan_{nim}.png"
    path.write_bytes(paper.png(paper.scan(hand.specimen(writer, rng), rng, writer.dark)))
    return Questioned(nim, nim, path)


def _write_hard(path: Path, new: list[Person]) -> None:
    """One sheet a programme, a page of instructions first, the entry only as a true date."""
    sheets = {
        "Petunjuk": files.Table(
            ("Isi satu baris untuk satu mahasiswa.",), ("Kolom", "Arti"), [("NIM", "nomor")]
        )
    }
    for code in dict.fromkeys(p.programme.code for p in new):
        own = [p for p in new if p.programme.code == code]
        whole = files.students(own)
        header = tuple(h for h in whole.header if h != "Semester Masuk")
        entered = header.index("Tanggal Masuk")
        rows = []
        for one, row in zip(own, whole.rows, strict=True):
            cells = [cell for h, cell in zip(whole.header, row, strict=True) if h != "Semester Masuk"]
            cells[entered] = one.entered
            rows.append(tuple(cells))
        sheets[f"{code} {own[0].programme.name}"] = files.Table(whole.titles, header, rows)
    sheets["ref"] = files.Table((), ("Kode Prodi", "NIM", "Nama Mahasiswa"), [("54231", "", "")])
    files.write_xlsx(sheets, path, hidden=("ref",))
