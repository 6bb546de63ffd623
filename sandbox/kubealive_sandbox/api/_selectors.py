"""Label and field selectors, in the syntax of query parameters and in the one of objects."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from kubealive_sandbox.api._errors import bad_request

__all__ = ["field_selector", "label_selector", "matches"]

Match = Callable[[Mapping[str, Any]], bool]
_SET = re.compile(r"^(\S+)\s+(in|notin)\s+\(([^)]*)\)$")
_SPLIT = re.compile(r",(?![^(]*\))")


def matches(selector: Mapping[str, Any] | None, labels: Mapping[str, str] | None) -> bool:
    """Whether labels satisfy a LabelSelector object; none at all selects nothing, an empty one everything."""
    if selector is None:
        return False
    have = labels or {}
    if any(have.get(key) != value for key, value in (selector.get("matchLabels") or {}).items()):
        return False
    return all(_holds(one, have) for one in selector.get("matchExpressions") or ())


def _holds(expression: Mapping[str, Any], have: Mapping[str, str]) -> bool:
    key, values = expression["key"], expression.get("values") or ()
    match expression["operator"]:
        case "In":
            return have.get(key) in values
        case "NotIn":
            return have.get(key) not in values
        case "Exists":
            return key in have
        case _:
            return key not in have


def label_selector(text: str) -> Match:
    """The test that a labelSelector parameter means."""
    tests = [_label_test(part.strip()) for part in _SPLIT.split(text) if part.strip()]
    return lambda obj: all(test(obj["metadata"].get("labels") or {}) for test in tests)


def _label_test(part: str) -> Callable[[Mapping[str, str]], bool]:
    if found := _SET.match(part):
        key, operator, listed = found.groups()
        values = {value.strip() for value in listed.split(",")}
        return (
            (lambda have: have.get(key) in values)
            if operator == "in"
            else (lambda have: have.get(key) not in values)
        )
    if "!=" in part:
        key, value = (side.strip() for side in part.split("!=", 1))
        return lambda have: have.get(key) != value
    if "=" in part:
        key, value = (side.strip() for side in part.replace("==", "=").split("=", 1))
        return lambda have: have.get(key) == value
    if part.startswith("!"):
        return lambda have: part[1:].strip() not in have
    return lambda have: part in have


def field_selector(text: str) -> Match:
    """The test that a fieldSelector parameter means; a missing field is the empty string."""
    tests: list[tuple[list[str], bool, str]] = []
    for part in filter(None, text.split(",")):
        path, sign, value = re.split(r"(!=|==|=)", part, maxsplit=1) if "=" in part else (part, "", "")
        if not sign:
            raise bad_request(f"invalid field selector: {part!r}")
        tests.append((path.split("."), sign != "!=", value))
    return lambda obj: all((_look(obj, path) == value) == same for path, same, value in tests)


def _look(obj: Mapping[str, Any], path: list[str]) -> str:
    found: Any = obj
    for step in path:
        found = found.get(step) if isinstance(found, dict) else None
    if isinstance(found, bool):
        return str(found).lower()
    return "" if found is None else str(found)
