"""No advised command that takes a namespace is written by hand: a literal cannot know where it will be read."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PARTS = ("agent/kubealive_agent", "tui/kubealive_tui")
SOURCES = sorted(p for part in PARTS for p in (ROOT / part).rglob("*.py") if p.stem.strip("_") != "hints")
# Commands that take a namespace; the others (replay, sandbox, workload) have nothing to do with one.
BY_HAND = re.compile(
    r"kubealive (up|down|reset|tui|status|check|doctor)\b|kubectl (describe|get|logs) (?!namespace)"
)
# What is no advice: what `up` does or did, the name of a suite in a report, and a look at a sandbox's namespaces.
NO_ADVICE = re.compile(r"`kubealive up`(?: does not apply|, so it stays)|^kubealive check$|kubectl get pods -A -w")


def texts(tree: ast.Module) -> Iterator[str]:
    """Every string of a module but its docstrings."""
    said = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in said:
            yield node.value


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_command_with_a_namespace_is_written_by_hand(path: Path) -> None:
    """Each part asks its own `hints` for the command, and tells it the namespace."""
    found = [
        text for text in texts(ast.parse(path.read_text())) if BY_HAND.search(text) and not NO_ADVICE.search(text)
    ]

    assert not found
