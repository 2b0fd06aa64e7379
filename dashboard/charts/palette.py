"""The colours of the charts: risk bands that a colour-blind reader can tell apart, and a few quiet greys.

The bands run from blue over sand and orange to dark red: ordered by hue *and* by lightness, so that they
stay apart under protanopia, deuteranopia and tritanopia (a test simulates all three). No chart relies on
colour alone: each band also has its own mark and its name.
"""

from __future__ import annotations

from data.columns import BANDS

BAND_COLORS = dict(zip(BANDS, ("#5b9bc8", "#ebd48a", "#d9772b", "#a3312a"), strict=True))
BAND_TEXT = dict(
    zip(BANDS, ("#0c2233", "#3a2c00", "#2e1400", "#ffffff"), strict=True)
)  # on the band's colour
BAND_MARKS = dict(zip(BANDS, ("●○○○", "●●○○", "●●●○", "●●●●"), strict=True))

RAISES = "#c2622d"  # pushes the risk up
LOWERS = "#3f83b5"  # pulls it down
SIGNATURE = "#8a6fb0"  # the signature's one bar
ACCENT = "#3b82b5"
MUTED = "#8794a1"
GRID = "rgba(135,148,161,0.22)"
COHORTS = ("#b9c4ce", "#93a6b5", "#6fa3c7", "#3f83b5", "#4f8f7b", "#8a6fb0", "#d07430")
SIDES = ("#3a5fcd", "#009e73", "#cc79a7", "#c0392b")  # side by side, on light and on dark ground
HIDDEN = "rgba(138, 143, 152, 0.3)"  # the part of a bar that is not told


def translucent(color: str, alpha: float) -> str:
    """A ``#rrggbb`` colour as ``rgba()`` with the given opacity in 0–1."""
    red, green, blue = (int(color[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},{alpha:g})"
