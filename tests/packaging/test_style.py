"""The house rules that a machine can hold: sizes, exports, what an import loads."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MOST_LINES = 400
MOST_FUNCTION_LINES = 40

PACKAGES = (
    "agent/kubealive_agent",
    "tui/kubealive_tui",
    "workloads/kubealive_workloads",
    "sandbox/kubealive_sandbox",
)
SOURCES = sorted(p for package in PACKAGES for p in (ROOT / package).rglob("*.py"))


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", SOURCES, ids=named)
def test_a_module_is_short_and_says_why_it_exists(path: Path) -> None:
    """Files stay under 400 lines, functions under 40, and a docstring opens each."""
    text = path.read_text()
    tree = ast.parse(text)
    long = [
        f"{node.name}: {node.end_lineno - node.lineno + 1}"
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.end_lineno is not None
        and node.end_lineno - node.lineno + 1 > MOST_FUNCTION_LINES
    ]

    assert len(text.splitlines()) <= MOST_LINES
    assert not long
    assert ast.get_docstring(tree)


@pytest.mark.parametrize("path", SOURCES, ids=named)
def test_exports_are_sorted_and_there(path: Path) -> None:
    """`__all__` is sorted as ruff sorts it, without a double, and names only what the module has."""
    tree = ast.parse(path.read_text())
    exports = [
        ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "__all__"
    ]
    for names in exports:
        assert len(names) == len(set(names))
        bound = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
        bound |= {
            n.name for n in tree.body if isinstance(n, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        }
        bound |= {
            a.asname or a.name
            for n in ast.walk(tree)
            if isinstance(n, ast.Import | ast.ImportFrom)
            for a in n.names
        }
        lazy = any(isinstance(n, ast.FunctionDef) and n.name == "__getattr__" for n in tree.body)
        assert lazy or set(names) <= bound


@pytest.mark.parametrize(
    ("module", "absent"),
    [
        pytest.param(
            "kubealive_agent.app", {"textual", "rich", "kubernetes", "aiohttp", "yaml", "dns"}, id="agent"
        ),
        pytest.param("kubealive_agent.load.__main__", {"grpc", "asyncio", "google"}, id="load engine"),
        pytest.param("kubealive_workloads", {"asyncio", "grpc", "http.server", "kubealive"}, id="workloads"),
        pytest.param("kubealive_tui.store", {"textual", "rich", "grpc", "google", "kubernetes"}, id="store"),
        pytest.param(
            "kubealive_tui.experiments", {"textual", "rich", "grpc", "google", "kubernetes"}, id="experiments"
        ),
        pytest.param("kubealive_tui.commands", {"textual", "rich", "grpc", "google", "kubernetes"}, id="commands"),
        pytest.param("kubealive_tui.cli", {"textual", "grpc", "kubernetes"}, id="command line"),
    ],
)
def test_an_import_loads_only_what_its_part_may(module: str, absent: set[str]) -> None:
    """Importing a part loads none of the heavy packages that belong to another."""
    code = f"import sys; __import__({module!r}); print(*sorted(m for m in {sorted(absent)!r} if m in sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=30)

    assert done.stdout.split() == []


def test_imports_go_one_way() -> None:
    """The import contract of pyproject.toml holds, with no exception."""
    done = subprocess.run(
        [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip

    assert done.returncode == 0, done.stdout


LABS = ROOT / "tui/kubealive_tui/experiments"


@pytest.mark.parametrize("path", sorted(LABS.rglob("*.py")), ids=lambda path: str(path.relative_to(LABS)))
def test_no_experiment_knows_another(path: Path) -> None:
    """What two of them need is shared and private; nobody but its own package imports an experiment's parts."""
    own = path.relative_to(LABS).parts[0].removesuffix(".py")
    modules = [n.module or "" for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, ast.ImportFrom)]
    imported = {name.split(".")[2] for name in modules if name.startswith("kubealive_tui.experiments.")}

    assert {name for name in imported if not name.startswith("_")} <= {own}
