"""How many threads the numerical libraries use."""

from __future__ import annotations

import os
import sys

_asked = 0


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
    global _asked
    import cv2

    _asked = threads
    count = threads_in_use()
    if "torch" in sys.modules:  # else :attr:`vision.encoder.backbones.Encoder.module` tells it
        sys.modules["torch"].set_num_threads(count)
    # Scans are small and handled by several Python threads; OpenCV's own would only get in the way.
    cv2.setNumThreads(1)
    return count


def threads_in_use() -> int:
    """The number that :func:`use_threads` was asked for last; all cores by default."""
    return _asked or len(os.sched_getaffinity(0))
