"""How many threads the numerical libraries use."""

from __future__ import annotations

import os
import sys

from data.settings import get_settings

_asked = 0
_told = False


def use_threads(threads: int) -> int:
    """Limit ONNX Runtime, PyTorch and OpenCV to a number of threads.

    Parameters
    ----------
    threads : int
        0 for all cores this process may use.

    Returns
    -------
    int
        The number in use.
    """
    global _asked, _told
    import cv2

    _asked, _told = threads, True
    count = threads_in_use()
    if "torch" in sys.modules:  # else :attr:`vision.encoder.backbones.Encoder.module` tells it
        sys.modules["torch"].set_num_threads(count)
    # Scans are small and handled by several Python threads; OpenCV's own would only get in the way.
    cv2.setNumThreads(1)
    return count


def threads_in_use() -> int:
    """The number that :func:`use_threads` was asked for last; all cores by default."""
    return _asked or len(os.sched_getaffinity(0))


def threads_told() -> int:
    """The number in use; a process that was told none uses that of the settings from now on."""
    return threads_in_use() if _told else use_threads(get_settings().threads)
