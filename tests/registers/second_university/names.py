"""Names: ordinary ones by chance, and the ones that break software, each given to somebody on purpose."""

from __future__ import annotations

_FIRST = (
    "Agung Ayu Bagas Bayu Citra Damar Dewi Dimas Eka Endah Fajar Fitri Galih Gita Hendra Indah Jaka Kirana "
    "Laras Made Nanda Nyoman Putri Raka Ratih Sekar Surya Tirta Wahyu Wulan Yoga Zahra"
).split()
_MIDDLE = "Adi Anggun Budi Cahya Dwi Esti Tri Kusuma Mega Nur Panca Restu Sari Teguh".split()
_LAST = (
    "Adiwangsa Baskara Cakrawala Danurwenda Gunadarma Hapsari Kertarajasa Larasati Mahardika Nawangwulan "
    "Palapasari Purwaka Ranggawuni Sasongko Tunggadewi Utamajaya Wiratama Yudhakarta"
).split()

# (cohort, kind of ending, name). None of them is anybody's; a register must give them back letter by letter.
ADDED_AT = (
    (2024, "within", "ꦱꦼꦏꦂ ꦮꦸꦭꦤ꧀"),
    (2024, "within", "王小明"),
    (2024, "within", "محمد الأمين"),
    (2024, "within", "สมชาย ใจดี"),
    (2024, "within", "Анна Петровна Лугова"),
    (2024, "within", "Ma'ruf Nu'man"),
    (2024, "within", "Ma’mun D’Ornay"),
    (2024, "within", "Sukarnaya"),
    (2024, "within", "I"),
    (
        2024,
        "within",
        "Raden Mas Panji Arya Kusumadilaga Hadiningrat Suryawijaya Notonegoro Mangkupraja Bin Arya",
    ),
    (2024, "within", "Adi *Bintang* _garis_"),
    (2024, "within", "[tautan](http://x.example) Rekaan"),
    (2024, "within", "M. $alim$ & $b$ <b>Tebal</b>"),
    (2024, "within", "\uf0b7 Butir Peluru"),
    (2024, "within", "Ni Luh ☺ Ceria 🎓"),
    (2024, "within", "Śrī Ñātā Đặng-Öztürk"),
    (2023, "within", "ꦧꦒꦸꦱ꧀"),
    (2023, "within", "李美麗"),
    (2023, "within", "فاطمة الزهراء"),
    (2022, "on_time", "陳大文"),
    (2021, "late", "Юрий Ковальчук"),
    (2021, "over", "สุดา พร"),
)


def ordinary_names(rng, n: int) -> list[str]:
    """Names of one to four words from the lists above, by chance; some of them alike, as in life."""
    made = []
    for _ in range(n):
        words = [_FIRST[rng.integers(len(_FIRST))]]
        if rng.random() < 0.5:
            words.append(_MIDDLE[rng.integers(len(_MIDDLE))])
        if rng.random() < 0.92:
            words.append(_LAST[rng.integers(len(_LAST))])
        made.append(" ".join(words))
    return made
