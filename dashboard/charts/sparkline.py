"""A small line or small bars under a figure, as a piece of HTML without a charting library.

The drawing is an SVG used as a mask: the style sheet's class ``spark`` gives the colour, so it follows the
theme. (Inline SVG would be taken out by Streamlit, which lets plain HTML through only.) The text alternative
carries every value, so that nothing is told by the drawing alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from html import escape
from urllib.parse import quote

WIDTH, HEIGHT, MARGIN = 100.0, 36.0, 4.0


def line(values: Sequence[float], alt: str) -> str:
    """Values from left to right as a line with its end marked, scaled between the lowest and the highest.

    Parameters
    ----------
    values : sequence of float
        At least two.
    alt : str
        What the line shows, with the values in words.

    Raises
    ------
    ValueError
        If there are fewer than two values.
    """
    if len(values) < 2:
        raise ValueError(f"values must be at least two, got {len(values)}")
    low, high = min(values), max(values)
    span = (high - low) or 1.0
    inner = HEIGHT - 2 * MARGIN
    xs = [MARGIN + (WIDTH - 2 * MARGIN) * place / (len(values) - 1) for place in range(len(values))]
    ys = [MARGIN + inner * (high - value) / span for value in values]
    points = " L".join(f"{x:.1f} {y:.1f}" for x, y in zip(xs, ys, strict=True))
    area = f"M{xs[0]:.1f} {HEIGHT:.1f} L{points} L{xs[-1]:.1f} {HEIGHT:.1f} Z"
    end = f"M{xs[-1]:.1f} {ys[-1]:.1f} h0.01"  # a point with round caps stays round however wide the card is
    stroke = 'fill="none" stroke="#000" stroke-linecap="round" vector-effect="non-scaling-stroke"'
    return _masked(
        alt,
        f'<path d="{area}" opacity="0.14"/><path id="line" d="M{points}" {stroke} stroke-width="2"/>'
        f'<path d="{end}" {stroke} stroke-width="7"/>',
    )


def bars(values: Sequence[float | None], alt: str) -> str:
    """Values from left to right as bars from zero.

    Parameters
    ----------
    values : sequence of float or None
        At least one, none negative; None where nothing is told, which leaves a gap.
    alt : str
        What the bars show, with the values in words.

    Raises
    ------
    ValueError
        If there is no value, or one is negative.
    """
    heights = [value or 0.0 for value in values]
    if not heights or min(heights) < 0:
        raise ValueError(f"values must be one or more and none negative, got {list(values)}")
    top = max(heights) or 1.0
    step = WIDTH / len(heights)
    drawn = [
        f'<rect opacity="0.7" x="{place * step + 0.12 * step:.1f}" width="{0.76 * step:.1f}"'
        f' y="{HEIGHT - HEIGHT * value / top:.1f}" height="{HEIGHT * value / top:.1f}"/>'
        for place, value in enumerate(heights)
    ]
    return _masked(alt, "".join(drawn))


@lru_cache(maxsize=512)
def _masked(alt: str, body: str) -> str:
    size = f'viewBox="0 0 {WIDTH:g} {HEIGHT:g}" preserveAspectRatio="none"'
    source = quote(f'<svg xmlns="http://www.w3.org/2000/svg" {size}>{body}</svg>')
    mask = f"mask-image:url(data:image/svg+xml,{source})"
    return f'<div class="spark" role="img" aria-label="{escape(alt)}" style="{mask}"></div>'
