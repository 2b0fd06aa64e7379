"""Piecewise score rules as data: bounds and a formula in ``x`` for each piece."""

from __future__ import annotations

from dataclasses import dataclass

from dashboard.reports.expressions import ExpressionError, evaluate, parse, references, to_excel

BOUNDS = {"gt": ">", "ge": ">=", "lt": "<", "le": "<="}


@dataclass(frozen=True)
class Piece:
    """One piece: it holds where every bound holds; ``value`` is a formula in ``x``."""

    bounds: tuple[tuple[str, float], ...]
    value: str

    def __post_init__(self):
        unknown = [name for name, _ in self.bounds if name not in BOUNDS]
        if unknown or not self.bounds:
            raise ExpressionError(
                f"a score piece needs bounds of {', '.join(BOUNDS)}, got {unknown or 'none'}"
            )
        _only_x(self.value)

    def holds(self, x: float) -> bool:
        """Whether ``x`` lies inside every bound."""
        tests = {"gt": x.__gt__, "ge": x.__ge__, "lt": x.__lt__, "le": x.__le__}
        return all(tests[name](limit) for name, limit in self.bounds)

    def words(self) -> str:
        """The piece as text, e.g. ``3.5 < x ≤ 4.5 → 4``."""
        low = [f"{limit:g} {'<' if name == 'gt' else '≤'} " for name, limit in self.bounds if name[0] == "g"]
        high = [f" {'<' if name == 'lt' else '≤'} {limit:g}" for name, limit in self.bounds if name[0] == "l"]
        return f"{''.join(low)}x{''.join(high)} → {self.value}"


@dataclass(frozen=True)
class ScoreRule:
    """Pieces tried in order, then ``otherwise``; an empty formula: the instrument gives no score there."""

    pieces: tuple[Piece, ...]
    otherwise: str

    def __post_init__(self):
        if self.otherwise:
            _only_x(self.otherwise)

    def score(self, x: float | None) -> float | None:
        """The score of ``x``; ``None`` where there is no ``x``, or the rule gives none.

        Examples
        --------
        >>> rule = ScoreRule((Piece((("ge", 0.5),), "4"),), "1 + 6*x")
        >>> rule.score(0.4)
        3.4000000000000004
        """
        if x is None:
            return None
        formula = next((piece.value for piece in self.pieces if piece.holds(float(x))), self.otherwise)
        return evaluate(parse(formula), lambda name, row: float(x)) if formula else None

    def excel(self, cell: str) -> str:
        """Nested IFs on ``cell``, without ``=``; a dash where the cell holds no number."""
        text = self._formula(self.otherwise, cell)
        for piece in reversed(self.pieces):
            tests = [f"{cell}{BOUNDS[name]}{limit:g}" for name, limit in piece.bounds]
            test = tests[0] if len(tests) == 1 else f"AND({','.join(tests)})"
            text = f"IF({test},{self._formula(piece.value, cell)},{text})"
        return f'IF(ISNUMBER({cell}),{text},"—")'

    def words(self) -> str:
        """The whole rule as text."""
        return "; ".join([*(piece.words() for piece in self.pieces), f"… → {self.otherwise or '—'}"])

    @staticmethod
    def _formula(text: str, cell: str) -> str:
        return to_excel(parse(text), lambda name, row: cell) if text else '"—"'


def _only_x(text: str) -> None:
    others = [name for name, row in references(parse(text)) if (name, row) != ("x", "")]
    if others:
        raise ExpressionError(f"a score formula may only name x, got {others[0]!r} in {text!r}")
