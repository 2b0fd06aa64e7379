"""The house keeps its one law: a package imports only from packages to its left, libraries stay at home."""

from __future__ import annotations

import ast
import re
from importlib import import_module
from pathlib import Path

import pytest

from dashboard.shell.session_keys import Key

ROOT = Path(__file__).resolve().parent.parent
ORDER = ("data", "vision", "fusion", "dashboard")
HOMES = {
    "sqlalchemy": ("data/",),
    "alembic": ("data/",),
    "dask": ("data/engine/spread.py",),
    "distributed": ("data/engine/spread.py",),
    "requests": ("data/feeder/",),
    "torch": ("vision/",),
    "torchvision": ("vision/",),
    "captum": ("vision/",),
    "xgboost": ("fusion/",),
    "shap": ("tests/",),  # and benchmarks: a reference to compare with
    "faiss": ("tests/",),  # the same
    "optuna": ("fusion/",),
    "fairlearn": ("fusion/",),
    "sklearn": ("vision/", "fusion/"),
    "plotly": ("dashboard/charts/",),
    "fastapi": ("dashboard/shell/service/",),
    "prometheus_client": ("dashboard/shell/service/",),
    "streamlit": (
        "streamlit_app.py",
        "dashboard/shell/auditing.py",
        "dashboard/shell/caches.py",
        "dashboard/shell/current_session.py",
        "dashboard/shell/server.py",
        "dashboard/shell/stores.py",
        "dashboard/shell/tab_binding.py",
        "dashboard/pages/",
        "dashboard/components/",
        *(f"dashboard/{path.parent.name}/view/" for path in sorted((ROOT / "dashboard").glob("*/view"))),
    ),
}
SESSION = "st.session_state"
FORBIDDEN_MODULES = {"pickle", "cPickle", "dill", "shelve", "marshal"}
FILES = [path for package in (*ORDER, "benchmarks") for path in sorted((ROOT / package).rglob("*.py"))]
FILES.append(ROOT / "streamlit_app.py")


def imported_modules(tree: ast.AST) -> list[tuple[str, int]]:
    """Everything a syntax tree imports absolutely, by its dotted name, with its line, wherever it stands."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [(alias.name, node.lineno) for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            found += [(f"{node.module}.{alias.name}", node.lineno) for alias in node.names]
    return found


def breaches(relative: str, source: str) -> list[str]:
    """What a file at ``relative`` imports against the law, one sentence each."""
    top = relative.split("/")[0]
    said = []
    for module, line in imported_modules(ast.parse(source)):
        root = module.split(".")[0]
        if top in ORDER and root in ORDER and ORDER.index(root) > ORDER.index(top):
            said.append(f"{relative}:{line}: {top} imports {root}, which stands to its right")
        if root in HOMES and top != "benchmarks" and not relative.startswith(HOMES[root]):
            said.append(f"{relative}:{line}: {root} belongs in {', '.join(HOMES[root])}")
        if root in FORBIDDEN_MODULES and module != "pickle.UnpicklingError":  # an exception to catch
            said.append(f"{relative}:{line}: {root} can run code on load")
    return said


def test_every_package_imports_only_from_its_left_and_libraries_stay_home():
    said = [
        line
        for path in FILES
        for line in breaches(path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8"))
    ]
    assert said == []


@pytest.mark.parametrize(
    ("relative", "source"),
    [
        ("data/store.py", "from fusion import model"),
        ("vision/encoder/embed.py", "def f():\n    import dashboard.access"),
        ("fusion/model/risk_model.py", "import torch.nn as nn"),
        ("dashboard/pages/overview_page.py", "import plotly.express as px"),
        ("dashboard/cases/caseload.py", "import streamlit as st"),
        ("data/store.py", "import pickle"),
        ("data/store.py", "from pickle import loads"),
        ("fusion/service/scoring.py", "def f():\n    from distributed import Client"),
    ],
)
def test_a_planted_breach_is_caught(relative, source):
    assert len(breaches(relative, source)) == 1


@pytest.mark.parametrize(
    ("relative", "source"),
    [
        ("fusion/pipeline.py", "from data import queries\nfrom vision import embed"),
        ("dashboard/charts/risk.py", "import plotly.graph_objects as go"),
        ("dashboard/cases/view/caseload_table.py", "import streamlit as st"),
        ("vision/verification/verify.py", "from . import metrics\nimport sklearn.svm"),
    ],
)
def test_a_lawful_import_is_not_a_breach(relative, source):
    assert breaches(relative, source) == []


def test_no_file_that_ships_loads_weights_in_a_way_that_can_run_code():
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "torch.load":
                names = {keyword.arg: ast.unparse(keyword.value) for keyword in node.keywords}
                assert names.get("weights_only") == "True", f"{path}:{node.lineno}"


PATH = re.compile(r"`((?:data|vision|fusion|dashboard|tests|docs|benchmarks)/[\w./-]*)`")


@pytest.mark.parametrize("page", ["docs/architecture.md", "CONTRIBUTING.md"])
def test_every_path_that_the_map_names_is_there(page):
    named = PATH.findall((ROOT / page).read_text(encoding="utf-8"))
    assert len(named) > 5
    assert [path for path in named if not (ROOT / path).exists()] == []


def test_the_rooms_are_few_enough_to_be_seen_at_once():
    for package, most in (("data", 25), ("vision", 14), ("fusion", 14), ("dashboard", 17)):
        shown = [path for path in (ROOT / package).iterdir() if path.name != "__pycache__"]
        assert len(shown) <= most, sorted(path.name for path in shown)


def imports_by_module() -> dict[str, set[str]]:
    """Module of the packages → the modules that it imports, wherever in the file."""
    modules = {".".join(path.relative_to(ROOT).with_suffix("").parts): path for path in FILES}
    modules = {name: path for name, path in modules.items() if name.split(".")[0] in ORDER}
    found = {}
    for name, path in modules.items():
        named = {one for one, _ in imported_modules(ast.parse(path.read_text(encoding="utf-8")))}
        parents = {one.rpartition(".")[0] for one in named}
        found[name] = ((named | parents) & modules.keys()) - {name}
    return found


def circles(graph: dict[str, set[str]]) -> list[str]:
    """What is left of a graph once every module has been taken away that imports nothing left: its circles,
    and what leads to one."""
    left = dict(graph)
    while free := [name for name, wanted in left.items() if not wanted & left.keys()]:
        for name in free:
            del left[name]
    return sorted(left)


def test_no_two_modules_import_each_other_by_any_way_round():
    assert circles(imports_by_module()) == []
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": set()}) == ["a", "b", "c"]


def fixed_keys(source: str) -> list[str]:
    """The texts, typed where they are used, under which a file reaches into the session, in their order."""
    texts = []
    for node in ast.walk(ast.parse(source)):
        asked = []
        if isinstance(node, ast.Subscript) and ast.unparse(node.value) == SESSION:
            asked = [node.slice]
        elif isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[0] == SESSION:
            asked = node.args[:1]
        elif isinstance(node, ast.Compare) and [ast.unparse(side) for side in node.comparators] == [SESSION]:
            asked = [node.left]
        texts += [key.value for key in asked if isinstance(key, ast.Constant)]
    return texts


def test_what_the_session_keeps_under_a_fixed_name_stands_in_one_list():
    typed = """
st.session_state["a"] = st.session_state.get("b")
if "c" not in st.session_state and Key.PLAN in st.session_state:
    st.session_state.pop(f"steps-{name}")
"""
    assert sorted(fixed_keys(typed)) == ["a", "b", "c"]
    sources = {
        path: path.read_text(encoding="utf-8") for path in FILES if path.is_relative_to(ROOT / "dashboard")
    }
    assert {path: keys for path, text in sources.items() if (keys := fixed_keys(text))} == {}
    used = set(re.findall(r"\bKey\.([A-Z_]+)", "\n".join(sources.values())))
    assert used == {key.name for key in Key}


@pytest.mark.parametrize("package", ["vision", "fusion"])
def test_no_two_rooms_lean_on_each_other(package):
    graph: dict[str, set[str]] = {}
    for module, wanted in imports_by_module().items():
        if module.startswith(f"{package}."):
            wanted_rooms = {name.split(".")[1] for name in wanted if name.startswith(f"{package}.")}
            graph.setdefault(module.split(".")[1], set()).update(wanted_rooms)
    assert len(graph) > 5
    assert circles({room: wanted - {room} for room, wanted in graph.items()}) == []


def test_reports_lean_on_no_other_room_of_the_dashboard():
    leaning = [
        f"{path.relative_to(ROOT).as_posix()}:{line}: {module}"
        for path in sorted((ROOT / "dashboard/reports").rglob("*.py"))
        for module, line in imported_modules(ast.parse(path.read_text(encoding="utf-8")))
        if module.startswith("dashboard.") and not module.startswith("dashboard.reports.")
    ]
    assert leaning == []


@pytest.mark.parametrize("package", ORDER)
def test_the_tests_of_a_package_stand_in_its_rooms(package):
    rooms = {path.name for path in (ROOT / package).iterdir() if path.is_dir()}
    folders = {
        path.parent.relative_to(ROOT / "tests" / package)
        for path in (ROOT / "tests" / package).rglob("test_*.py")
    }
    assert {folder.as_posix() for folder in folders} - rooms <= {"."}
    if package in ("data", "dashboard"):
        assert not list((ROOT / "tests" / package).glob("test_*.py"))


def test_every_file_that_is_mutated_and_every_test_that_must_notice_is_there():
    named = re.findall(
        r"[\w/]+\.py", (ROOT / "tests/mutation.py").read_text(encoding="utf-8").split("MODULES = ")[1]
    )
    assert len(named) > 10
    assert [path for path in named if not (ROOT / path).exists()] == []


REFERENCE = re.compile(r":(?:mod|func|class|data|meth|attr):`~?((?:data|vision|fusion|dashboard)(?:\.\w+)+)`")


def is_there(dotted: str) -> bool:
    """Whether a dotted name leads to a module, or to what one holds."""
    parts = dotted.split(".")
    for cut in range(len(parts), 0, -1):
        if not (
            ROOT.joinpath(*parts[:cut]).is_dir() or ROOT.joinpath(*parts[:cut]).with_suffix(".py").exists()
        ):
            continue
        held = import_module(".".join(parts[:cut]))
        for name in parts[cut:]:
            fields = getattr(held, "__dataclass_fields__", {})
            if not hasattr(held, name):
                return name in fields
            held = getattr(held, name)
        return True
    return False


def test_every_module_that_a_docstring_names_is_there():
    named = {name for path in FILES for name in REFERENCE.findall(path.read_text(encoding="utf-8"))}
    assert len(named) > 100
    assert sorted(name for name in named if not is_there(name)) == []
    assert not is_there("data.jobs.nowhere") and not is_there("nobody.home")
