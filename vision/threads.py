"""How many threads the numerical libraries use."""

from __future__ import annotations

import os


def use_threads(threads: int) -> int:
    """Limit PyTorch and OpenCV to a number of threads.

    Parameters
    ----------
    threads : int
        0 for all cores this process may use.

    Returns
    -------
    int
        The number in use.
    """
    import cv2
    import torch

    count = threads or len(os.sched_getaffinity(0))
    torch.set_num_threads(count)
    # Scans are small and handled by several Python threads; OpenCV's own would only get in the way.
    cv2.setNumThreads(1)
    return count
