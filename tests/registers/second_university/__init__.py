"""A second university: the files of an office that knows nothing of this product, and the right answers.

``write(folder)`` makes the files, ``truth()`` says what an import of them must have understood. Everything
follows from hand-made tables (``plan``) and a seed; of the project's packages nothing is used.
"""

from __future__ import annotations

from .office import Office, write
from .truth import Truth, truth

__all__ = ["Office", "Truth", "truth", "write"]
