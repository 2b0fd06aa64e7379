"""Ink on paper: pen trajectories as scans of a form (300 dpi) and as small clean ink images for training."""

import struct
import zlib

import cv2
import numpy as np

FLAWS = ("blank", "cut_off", "low_resolution", "blurred")
"""Ways in which a scan can be bad."""

DISTURBANCES = ("ruled_line", "box_edge", "stamp")
"""Printed matter that can run through a signature."""

_GRAY_STEP = 12
_SUBPIXEL_BITS = 3
_LEVELS = 5


def draw_ink(trajectory, shape, scale, origin, width_factor=1.0):
    """Draw a trajectory as ink.

    Parameters
    ----------
    trajectory : Trajectory
    shape : tuple of int
        Height and width in pixels.
    scale : float
        Pixels per millimetre.
    origin : tuple of float
        Pixel at which the trajectory's (0, 0) lies.
    width_factor : float
        Multiplies the pen's width.

    Returns
    -------
    ndarray of uint8, shape `shape`
        0 on bare paper, up to 255 where the ink is black.
    """
    image = np.zeros(shape, np.uint8)
    points, width, darkness, starts = _segments(trajectory, scale, origin)
    thickness = np.maximum(np.rint(width * width_factor * scale), 1).astype(int)
    tone = np.rint(darkness * 255).astype(int)
    changes = np.flatnonzero((np.diff(thickness) != 0) | (np.diff(tone) != 0) | starts[1:]) + 1
    bounds = np.concatenate([[0], changes, [len(thickness)]])
    for first, last in zip(bounds[:-1], bounds[1:], strict=True):
        end = last + 1 if last < len(thickness) and not starts[last] else last
        run = points[first:end]
        cv2.polylines(
            image, [run], False, int(tone[first]), int(thickness[first]), cv2.LINE_8, _SUBPIXEL_BITS
        )
    return image


def _segments(trajectory, scale, origin):
    """Thin a trajectory to points about a third of a line width apart, with width and darkness at each."""
    pen, down = trajectory.pen, trajectory.down
    path = np.cumsum(
        np.hypot(
            np.diff(trajectory.x, prepend=trajectory.x[0]), np.diff(trajectory.y, prepend=trajectory.y[0])
        )
    )
    bucket = (path / 0.16).astype(int)
    lifted = np.diff(down.astype(np.int8), prepend=0) == 1
    keep = ((np.diff(bucket, prepend=-1) > 0) | lifted) & down
    if not keep.any():
        keep[0] = True
    x, y, speed = trajectory.x[keep], trajectory.y[keep], trajectory.speed[keep]
    starts = np.cumsum(lifted)[keep]
    starts = np.diff(starts, prepend=starts[0]) > 0
    typical = float(np.median(trajectory.speed[down])) + 1e-6 if down.any() else 1.0
    haste = np.clip(speed / typical, 0, 2.2)
    width = pen.width * (1 + 0.45 * pen.pressure * (1 - haste))
    if pen.kind == "fountain":
        direction = np.arctan2(-np.gradient(y), np.gradient(x)) if len(x) > 1 else np.zeros(1)
        width = width * (0.55 + 0.75 * np.abs(np.sin(direction - pen.nib_angle)))
    darkness = np.clip(pen.darkness * (1 + 0.3 * pen.pressure * (1 - haste)), 0.2, 1.0)
    width = np.maximum(np.rint(width / 0.04) * 0.04, 0.12)
    darkness = np.rint(darkness * _LEVELS * 2) / (_LEVELS * 2)
    points = np.stack([x * scale + origin[0], y * scale + origin[1]], axis=1) * (1 << _SUBPIXEL_BITS)
    return np.rint(points).astype(np.int32), width, darkness, starts


def _extent(trajectory):
    """Left, top, width and height of what touches the paper, in millimetres."""
    x, y = trajectory.x[trajectory.down], trajectory.y[trajectory.down]
    if not len(x):
        return 0.0, 0.0, 1.0, 1.0
    return float(x.min()), float(y.min()), max(float(np.ptp(x)), 0.5), max(float(np.ptp(y)), 0.5)


def render_small(trajectory, rng, shape=(96, 144), margin=3):
    """A clean ink image for training: cropped to the ink, aspect kept, ink bright on black.

    Parameters
    ----------
    trajectory : Trajectory
    rng : numpy.random.Generator
        Not every copy has quite the same line width.
    shape : tuple of int
        Height and width in pixels.
    margin : int
        Empty pixels around the ink.

    Returns
    -------
    ndarray of uint8, shape `shape`
    """
    fine = 3
    height, width = shape[0] * fine, shape[1] * fine
    left, top, across, tall = _extent(trajectory)
    scale = min((width - 2 * margin * fine) / across, (height - 2 * margin * fine) / tall)
    origin = (width - across * scale) / 2 - left * scale, (height - tall * scale) / 2 - top * scale
    factor = float(np.exp(rng.normal(0, 0.08)))
    image = draw_ink(trajectory, (height, width), scale, origin, factor)
    return cv2.resize(image, (shape[1], shape[0]), interpolation=cv2.INTER_AREA)


def render_scan(trajectory, rng, shape=(240, 600), dpi=300, flaw=None, disturbance=None):
    """A scan of a signed form.

    Parameters
    ----------
    trajectory : Trajectory
    rng : numpy.random.Generator
        Decides tone, light, noise, skew and place.
    shape : tuple of int
        Height and width in pixels at 300 dpi; other resolutions scale it.
    dpi : int
        75 to 600.
    flaw : str, optional
        One of `FLAWS`.
    disturbance : str, optional
        One of `DISTURBANCES`.

    Returns
    -------
    ndarray of uint8, shape (height, width)
        Gray levels, 255 white.

    Raises
    ------
    ValueError
        When `dpi`, `flaw` or `disturbance` is outside its range.
    """
    if not 75 <= dpi <= 600:
        raise ValueError(f"dpi must be within 75..600, got {dpi}")
    for name, value, allowed in (("flaw", flaw, FLAWS), ("disturbance", disturbance, DISTURBANCES)):
        if value is not None and value not in allowed:
            raise ValueError(f"{name} must be one of {', '.join(allowed)}, got {value!r}")
    height, width = (round(side * dpi / 300) for side in shape)
    ink = np.zeros((height, width), np.uint8)
    if flaw != "blank":
        ink = _place(trajectory, rng, (height, width), dpi / 25.4, cut=flaw == "cut_off")
    if disturbance:
        ink = np.maximum(ink, _PRINTED[disturbance](rng, (height, width)))
    gray = _scan(ink, rng, blur=3.2 if flaw == "blurred" else rng.uniform(0.45, 0.8))
    if flaw == "low_resolution":
        gray = cv2.resize(gray, (width // 5, height // 5), interpolation=cv2.INTER_AREA)
    return gray


def _place(trajectory, rng, shape, scale, cut):
    """Draw the signature skewed, somewhere in the box, at twice the resolution; or run it over the edge."""
    left, top, across, tall = _extent(trajectory)
    height, width = shape[0] * 2, shape[1] * 2
    fit = min(1.0, 0.92 * width / (across * scale * 2), 0.9 * height / (tall * scale * 2))
    scale = scale * 2 * fit
    room_x, room_y = width - across * scale, height - tall * scale
    x, y = room_x * rng.uniform(0.25, 0.75), room_y * rng.uniform(0.25, 0.75)
    if cut:
        x = -across * scale * rng.uniform(0.25, 0.4) if rng.random() < 0.5 else width - across * scale * 0.65
    ink = draw_ink(trajectory, (height, width), scale, (x - left * scale, y - top * scale))
    skew = float(np.clip(rng.normal(0, 1.6), -4, 4))
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), skew, 1.0 if cut else 0.97) * 0.5
    return cv2.warpAffine(ink, turn, (shape[1], shape[0]), flags=cv2.INTER_LINEAR)


def _ruled_line(rng, shape):
    ink = np.zeros(shape, np.uint8)
    y = int(shape[0] * rng.uniform(0.55, 0.8))
    slope = int(rng.normal(0, 3))
    cv2.line(
        ink, (0, y), (shape[1], y + slope), int(rng.uniform(90, 170)), int(rng.integers(1, 4)), cv2.LINE_AA
    )
    return ink


def _box_edge(rng, shape):
    ink = np.zeros(shape, np.uint8)
    inset = int(rng.uniform(4, 12))
    corner = (shape[1] - inset, shape[0] - inset)
    cv2.rectangle(
        ink, (inset, inset), corner, int(rng.uniform(110, 200)), int(rng.integers(1, 4)), cv2.LINE_AA
    )
    return ink


def _stamp(rng, shape):
    ink = np.zeros(shape, np.uint8)
    center = (int(shape[1] * rng.uniform(0.15, 0.45)), int(shape[0] * rng.uniform(0.35, 0.65)))
    radius, tone = int(shape[0] * rng.uniform(0.38, 0.5)), int(rng.uniform(60, 110))
    cv2.circle(ink, center, radius, tone, 4, cv2.LINE_AA)
    cv2.circle(ink, center, int(radius * 0.72), tone, 2, cv2.LINE_AA)
    for angle in np.linspace(0, 2 * np.pi, 18, endpoint=False):
        place = (
            int(center[0] + 0.86 * radius * np.cos(angle)),
            int(center[1] + 0.86 * radius * np.sin(angle)),
        )
        cv2.ellipse(ink, place, (5, 9), np.degrees(angle), 0, 360, tone, 2, cv2.LINE_AA)
    return ink


_PRINTED = {"ruled_line": _ruled_line, "box_edge": _box_edge, "stamp": _stamp}


def _scan(ink, rng, blur):
    """Paper tone, uneven light, sensor noise and a scanner's soft focus, in few gray levels so that files
    stay small."""
    height, width = ink.shape
    paper = rng.uniform(222, 246)
    light = np.linspace(0, rng.normal(0, 6), width, dtype=np.float32)[None, :]
    light = light + np.linspace(0, rng.normal(0, 5), height, dtype=np.float32)[:, None]
    soft = cv2.GaussianBlur(ink, (0, 0), float(blur)).astype(np.float32)
    blackest = rng.uniform(25, 70)
    gray = (paper + light) - soft * ((paper - blackest) / 255)
    grain = rng.integers(0, 256, (height, width), dtype=np.uint8)
    gray += (grain.astype(np.float32) - 127.5) * np.float32(rng.uniform(0.015, 0.04))
    np.clip(gray, 0, 255, out=gray)
    return (np.rint(gray / _GRAY_STEP) * _GRAY_STEP).clip(0, 255).astype(np.uint8)


# Scan noise defeats run lengths; entropy coding alone is twice as fast and gives the smaller file.
_PNG = (
    cv2.IMWRITE_PNG_COMPRESSION, 2,
    cv2.IMWRITE_PNG_FILTER, cv2.IMWRITE_PNG_FILTER_NONE,
    cv2.IMWRITE_PNG_STRATEGY, cv2.IMWRITE_PNG_STRATEGY_HUFFMAN_ONLY,
)  # fmt: skip


def encode_png(gray, dpi=300):
    """Encode gray levels as PNG with its resolution.

    Parameters
    ----------
    gray : ndarray of uint8, shape (height, width)
    dpi : int

    Returns
    -------
    bytes
    """
    done, data = cv2.imencode(".png", gray, _PNG)
    if not done:
        raise ValueError(
            f"gray must be a non-empty uint8 image, got shape {gray.shape} and type {gray.dtype}"
        )
    return _with_resolution(data.tobytes(), dpi)


def _with_resolution(png, dpi):
    """Insert a pHYs chunk (pixels per metre) after the header of a PNG."""
    body = b"pHYs" + struct.pack(">IIB", round(dpi / 0.0254), round(dpi / 0.0254), 1)
    chunk = struct.pack(">I", 9) + body + struct.pack(">I", zlib.crc32(body))
    return png[:33] + chunk + png[33:]
