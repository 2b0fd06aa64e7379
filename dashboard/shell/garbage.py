"""Libraries and models stay for the life of the process; the garbage collector need not look at them again.

Streamlit collects garbage after every run of the script. With torch and pandas imported that walks over
everything they hold, and delays the page.
"""

from __future__ import annotations

import gc


def settle() -> None:
    """Take all that is alive now out of later collections; call it after something large was loaded."""
    gc.collect()
    gc.freeze()
