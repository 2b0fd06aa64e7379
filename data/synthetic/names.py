"""Invented Indonesian names: common given and family names put together at random."""

from __future__ import annotations

import numpy as np

MEN = (
    "Adi Agung Agus Ahmad Aldi Andi Andika Arif Bagas Bagus Bayu Budi Candra Daffa Dani Dedi Deni Dimas "
    "Eko Fajar Farhan Fikri Galih Gilang Hadi Hafiz Hendra Ilham Imam Indra Irfan Joko Krisna Lukman "
    "Made Miftah Naufal Nugroho Putra Rafi Rahmat Raka Reza Rian Rizal Rizki Satria Surya Taufik Teguh "
    "Wahyu Wisnu Yoga Yusuf"
).split()
WOMEN = (
    "Aisyah Alya Amelia Anggun Anisa Aulia Ayu Bunga Citra Dea Desi Dewi Diah Dinda Eka Elsa Fatimah "
    "Fitri Gita Hana Indah Intan Karina Kartika Laila Larasati Lestari Maya Mega Melati Nabila Nadia "
    "Nanda Nia Novita Nur Putri Rahma Rani Ratna Rina Rizka Salsabila Sari Sekar Shinta Siti Sri Tiara "
    "Tri Vina Wulan Yuni Zahra"
).split()
FAMILY = (
    "Abidin Anggraini Arifin Basuki Budiman Cahyono Darmawan Firmansyah Fitriani Gunawan Gultom Hakim "
    "Halim Handayani Hartono Hasanah Hidayat Irawan Iskandar Kurniawan Kusuma Lubis Mahendra Manurung "
    "Maulana Mulyani Nainggolan Nasution Nugraha Nurhayati Pangestu Permana Prabowo Pradana Pramono "
    "Prasetyo Pratama Purnama Purwanto Puspita Rahayu Rahman Ramadhan Safitri Santoso Saputra Setiawan "
    "Siregar Sitompul Subagyo Sudirman Suharto Sulistyo Susanto Sutrisno Syahputra Utami Utomo Wahyuni "
    "Wardani Wibowo Wicaksono Wijaya Wulandari Yulianto"
).split()


def draw_names(rng: np.random.Generator, sex: np.ndarray) -> np.ndarray:
    """One name per student: a given name by sex, half of them with a second one, and a family name."""
    n = len(sex)
    women = np.asarray(sex) == "P"
    given = [
        np.where(women, rng.choice(WOMEN, size=n), rng.choice(MEN, size=n)).astype(object) for _ in range(2)
    ]
    second = np.where((rng.random(n) < 0.5) & (given[0] != given[1]), " " + given[1], "")
    return given[0] + second + " " + rng.choice(FAMILY, size=n).astype(object)
