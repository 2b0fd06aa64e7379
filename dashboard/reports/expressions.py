"""A small formula language for rule profiles: parsed once, evaluated here, and written as a live Excel
formula.

Grammar (no names of Python are reachable, nothing is executed)::

    sum        = product (("+" | "-") product)*
    product    = unary (("*" | "/") unary)*
    unary      = "-" unary | number | call | reference | "(" sum ")"
    call       = ("sum" | "sumproduct" | "min" | "max" | "mean") "(" sum ("," sum)* ")"
    reference  = name | name "[" row "]"

A reference stands for one cell or for a list of cells; what it means is the business of the resolver that the
caller passes. ``None`` is "no number here" (an empty denominator, a missing entry): it is skipped by the
functions and makes every other operation ``None``, as the dash does in the written formula.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

FUNCTIONS = ("sum", "sumproduct", "min", "max", "mean")
IN_EXCEL = {"mean": "AVERAGE"}
TOKEN = re.compile(
    r"\s*(?:(?P<number>\d+(?:\.\d+)?)|(?P<name>[A-Za-z_][A-Za-z_0-9]*)(?:\[(?P<row>[^\]]+)\])?|(?P<sign>[-+*/(),]))"
)


class ExpressionError(ValueError):
    """A formula that breaks the grammar or names something unknown."""


@dataclass(frozen=True)
class Node:
    """A node of the syntax tree: ``kind`` is number, ref, neg, call or one of ``+ - * /``."""

    kind: str
    value: float = 0.0
    name: str = ""
    row: str = ""
    parts: tuple[Node, ...] = ()


@lru_cache(maxsize=4096)
def parse(text: str) -> Node:
    """Parse a formula.

    Raises
    ------
    ExpressionError
        With the formula and the place where it breaks.
    """
    tokens = _tokens(text)
    node, rest = _sum(tokens, 0, text)
    if rest != len(tokens):
        raise ExpressionError(f"formula {text!r}: unexpected {tokens[rest][1]!r}")
    return node


def _tokens(text: str) -> list[tuple[str, str, str]]:
    tokens, place = [], 0
    stripped = text.rstrip()
    while place < len(stripped):
        match = TOKEN.match(stripped, place)
        if match is None:
            raise ExpressionError(f"formula {text!r}: unexpected {stripped[place:].strip()[:1]!r}")
        kind = match.lastgroup if match.lastgroup != "row" else "name"
        tokens.append((kind, match[kind], match["row"] or ""))
        place = match.end()
    return tokens


def _peek(tokens, at: int) -> str:
    return tokens[at][1] if at < len(tokens) and tokens[at][0] == "sign" else ""


def _sum(tokens, at: int, text: str) -> tuple[Node, int]:
    node, at = _product(tokens, at, text)
    while _peek(tokens, at) in ("+", "-"):
        right, after = _product(tokens, at + 1, text)
        node, at = Node(tokens[at][1], parts=(node, right)), after
    return node, at


def _product(tokens, at: int, text: str) -> tuple[Node, int]:
    node, at = _unary(tokens, at, text)
    while _peek(tokens, at) in ("*", "/"):
        right, after = _unary(tokens, at + 1, text)
        node, at = Node(tokens[at][1], parts=(node, right)), after
    return node, at


def _unary(tokens, at: int, text: str) -> tuple[Node, int]:
    if at >= len(tokens):
        raise ExpressionError(f"formula {text!r}: ends too early")
    kind, word, row = tokens[at]
    if kind == "number":
        return Node("number", value=float(word)), at + 1
    if kind == "name":
        if _peek(tokens, at + 1) == "(" and not row:
            return _call(tokens, at, text)
        return Node("ref", name=word, row=row), at + 1
    if word == "-":
        node, after = _unary(tokens, at + 1, text)
        return Node("neg", parts=(node,)), after
    if word == "(":
        node, after = _sum(tokens, at + 1, text)
        return node, _closing(tokens, after, text)
    raise ExpressionError(f"formula {text!r}: unexpected {word!r}")


def _call(tokens, at: int, text: str) -> tuple[Node, int]:
    name = tokens[at][1]
    if name not in FUNCTIONS:
        raise ExpressionError(
            f"formula {text!r}: function must be one of {', '.join(FUNCTIONS)}, got {name!r}"
        )
    parts, at = [], at + 1
    while True:
        node, at = _sum(tokens, at + 1, text)
        parts.append(node)
        if _peek(tokens, at) != ",":
            break
    return Node("call", name=name, parts=tuple(parts)), _closing(tokens, at, text)


def _closing(tokens, at: int, text: str) -> int:
    if _peek(tokens, at) != ")":
        raise ExpressionError(f"formula {text!r}: a bracket is not closed")
    return at + 1


def references(node: Node) -> tuple[tuple[str, str], ...]:
    """Every ``(name, row)`` that a formula reads, in reading order, once each."""
    if node.kind == "ref":
        return ((node.name, node.row),)
    return tuple(dict.fromkeys(ref for part in node.parts for ref in references(part)))


Value = float | None | list[float | None]


def evaluate(node: Node, resolve: Callable[[str, str], Value]) -> float | None:
    """The number that a formula gives, or ``None`` where there is none (also for a division by zero).

    Parameters
    ----------
    node : Node
        From :func:`parse`.
    resolve : callable
        ``(name, row) -> number, None, or list of these``.
    """
    value = _value(node, resolve)
    if isinstance(value, list):
        raise ExpressionError("a formula must give one number; wrap the list in sum()")
    return value


def _value(node: Node, resolve) -> Value:
    if node.kind == "number":
        return node.value
    if node.kind == "ref":
        return resolve(node.name, node.row)
    parts = [_value(part, resolve) for part in node.parts]
    if node.kind == "call":
        return _apply(node.name, parts)
    if any(isinstance(part, list) for part in parts):
        raise ExpressionError(f"a list of cells stands beside {node.kind!r}; wrap it in sum()")
    if any(part is None for part in parts):
        return None
    if node.kind == "neg":
        return -parts[0]
    left, right = parts
    if node.kind == "/":
        return left / right if right else None
    return left + right if node.kind == "+" else left - right if node.kind == "-" else left * right


def _apply(name: str, parts: list[Value]) -> float | None:
    lists = [part if isinstance(part, list) else [part] for part in parts]
    if name == "sumproduct":
        if len({len(part) for part in lists}) != 1:
            raise ExpressionError("sumproduct needs lists of one length")
        total = 0.0
        for factors in zip(*lists, strict=True):
            product = 1.0
            for factor in factors:
                product *= factor or 0.0
            total += product
        return total
    numbers = [number for part in lists for number in part if number is not None]
    if name == "sum":
        return sum(numbers)
    if name == "mean":
        return sum(numbers) / len(numbers) if numbers else None
    return (min if name == "min" else max)(numbers) if numbers else None


def to_excel(node: Node, address: Callable[[str, str], str]) -> str:
    """The formula in Excel's words, without ``=``; ``address`` gives a cell or a range for each reference."""
    if node.kind == "number":
        return f"{node.value:g}"
    if node.kind == "ref":
        return address(node.name, node.row)
    parts = [to_excel(part, address) for part in node.parts]
    if node.kind == "neg":
        return f"-({parts[0]})"
    if node.kind == "call":
        return f"{IN_EXCEL.get(node.name, node.name.upper())}({','.join(parts)})"
    left = f"({parts[0]})" if node.kind in "*/" and node.parts[0].kind in "+-" else parts[0]
    wrapped = node.parts[1].kind in "+-*/" and (node.kind in "*/" or node.parts[1].kind in "+-")
    right = f"({parts[1]})" if wrapped else parts[1]
    return f"{left}{node.kind}{right}"


def plain_references(node: Node) -> tuple[tuple[str, str], ...]:
    """References that stand outside the functions: each must be a number, or there is no result."""
    if node.kind == "ref":
        return ((node.name, node.row),)
    if node.kind == "call":
        return ()
    return tuple(dict.fromkeys(ref for part in node.parts for ref in plain_references(part)))
