"""Every field of a password stands in a form.

Outside of one Streamlit keeps what was typed to itself when the focus goes from the field to its own eye.
"""

from __future__ import annotations

import ast
from pathlib import Path

DASHBOARD = Path(__file__).resolve().parents[3] / "dashboard"


def fields(tree: ast.AST) -> list[ast.Call]:
    """Calls that draw a field of a password."""
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    words = {call: {word.arg: ast.unparse(word.value) for word in call.keywords} for call in calls}
    return [call for call in calls if words[call].get("type") == "'password'"]


def in_forms(tree: ast.AST) -> list[ast.Call]:
    """Those of them that stand in a form."""
    blocks = [node for node in ast.walk(tree) if isinstance(node, ast.With)]
    forms = [one for one in blocks if ast.unparse(one.items[0].context_expr).startswith("st.form(")]
    return [call for one in forms for call in fields(one)]


def test_every_field_of_a_password_stands_in_a_form():
    trees = {path: ast.parse(path.read_text(encoding="utf-8")) for path in sorted(DASHBOARD.rglob("*.py"))}
    assert sum(len(fields(tree)) for tree in trees.values()) >= 5
    outside = [path.name for path, tree in trees.items() if len(in_forms(tree)) < len(fields(tree))]
    assert outside == []


def test_a_field_outside_of_a_form_is_found():
    tree = ast.parse("with st.form('a'):\n    pass\nst.text_input('x', type='password')")
    assert (len(fields(tree)), in_forms(tree)) == (1, [])
