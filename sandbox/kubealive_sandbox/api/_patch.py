"""The three patches that clients send: JSON patch, merge patch, and Kubernetes' strategic merge patch.

Strategic merge needs the schema: which lists merge, and by which key. No library has it for Python.
"""

from typing import Any

from kubealive_sandbox.api._errors import ApiError, bad_request
from kubealive_sandbox.api._schema import Field, fields_of, type_of_kind
from kubealive_sandbox.api._store import Object, clone

__all__ = ["json_patch", "merge_patch", "strategic_patch"]

_ORDER, _DELETE, _RETAIN, _DIRECTIVE = "$setElementOrder/", "$deleteFromPrimitiveList/", "$retainKeys", "$patch"


def merge_patch(target: Any, patch: Any) -> Any:
    """RFC 7386: objects merge, null deletes, everything else replaces."""
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = merge_patch(result.get(name), value)
    return result


def json_patch(target: Object, operations: Any) -> Object:
    """RFC 6902. Raises ApiError where an operation does not fit the object."""
    if not isinstance(operations, list):
        raise bad_request("error decoding patch: a JSON patch is a list of operations")
    result = clone(target)
    for one in operations:
        try:
            _operate(result, one)
        except (KeyError, IndexError, ValueError, TypeError) as exc:
            # The real server does not say which operation did not fit, or why.
            words = "the server rejected our request due to an error in our request"
            raise ApiError(422, "Invalid", words) from exc
    return result


def _operate(result: Object, one: dict[str, Any]) -> None:
    operation, parts = one["op"], _pointer(one["path"])
    if operation == "test":
        if _look(result, parts) != one.get("value"):
            raise ValueError("the test failed")
        return
    if operation in {"move", "copy"}:
        source = _pointer(one["from"])
        value = _look(result, source)
        if operation == "move":
            _remove(result, source)
        _add(result, parts, value)
    elif operation == "remove":
        _remove(result, parts)
    elif operation == "replace":
        _look(result, parts)
        _remove(result, parts)
        _add(result, parts, one["value"])
    elif operation == "add":
        _add(result, parts, one["value"])
    else:
        raise ValueError(f"unknown operation {operation!r}")


def _pointer(path: str) -> list[str]:
    return [part.replace("~1", "/").replace("~0", "~") for part in path.split("/")[1:]]


def _look(target: Any, parts: list[str]) -> Any:
    for part in parts:
        target = target[int(part)] if isinstance(target, list) else target[part]
    return target


def _remove(target: Any, parts: list[str]) -> None:
    home = _look(target, parts[:-1])
    del home[int(parts[-1]) if isinstance(home, list) else parts[-1]]


def _add(target: Any, parts: list[str], value: Any) -> None:
    home, last = _look(target, parts[:-1]), parts[-1]
    if isinstance(home, list):
        home.insert(len(home) if last == "-" else int(last), value)
    else:
        home[last] = value


def strategic_patch(kind: str, target: Object, patch: Object) -> Object:
    """Kubernetes' own: lists of objects merge by key where the type says so, with its `$` directives."""
    return _merge_object(type_of_kind(kind), clone(target), patch)


def _merge_object(type_name: str, target: Object, patch: Object) -> Object:
    directive = patch.get(_DIRECTIVE)
    if directive == "replace":
        return {name: value for name, value in patch.items() if name != _DIRECTIVE}
    known = fields_of(type_name) if "." in type_name else {}
    if _RETAIN in patch:
        target = {name: value for name, value in target.items() if name in patch[_RETAIN]}
    for name, value in patch.items():
        if name.startswith("$"):
            continue
        if value is None:
            target.pop(name, None)
        else:
            target[name] = _merge(known.get(name), target.get(name), value)
    for name, order in patch.items():
        if name.startswith(_ORDER) and (listed := name.removeprefix(_ORDER)) in target:
            target[listed] = _ordered(known.get(listed), target[listed], order)
        elif name.startswith(_DELETE) and (listed := name.removeprefix(_DELETE)) in target:
            target[listed] = [each for each in target[listed] if each not in order]
    return target


def _merge(field: Field | None, have: Any, value: Any) -> Any:
    if isinstance(value, dict) and (field is None or not field.type.startswith("map:")):
        inner = field.type if field else ""
        return _merge_object(inner, have if isinstance(have, dict) else {}, value)
    if isinstance(value, dict):
        return merge_patch(have, value)
    if isinstance(value, list) and field and "merge" in field.strategy.split(",") and isinstance(have, list):
        return _merge_list(field, have, value)
    if isinstance(value, list) and field and "merge" in field.strategy:
        return _merge_list(field, [], value)
    return value


def _merge_list(field: Field, have: list[Any], patch: list[Any]) -> list[Any]:
    element, key = field.type.removeprefix("list:"), field.merge_key
    if not key:
        return have + [value for value in patch if value not in have]
    if any(value.get(_DIRECTIVE) == "replace" for value in patch):
        return [value for value in patch if value.get(_DIRECTIVE) != "replace"]
    result = list(have)
    for value in patch:
        at = next((n for n, each in enumerate(result) if each.get(key) == value.get(key)), None)
        if value.get(_DIRECTIVE) == "delete":
            if at is not None:
                del result[at]
        elif at is None:
            result.append(_merge_object(element, {}, value))
        else:
            result[at] = _merge_object(element, result[at], value)
    return result


def _ordered(field: Field | None, have: list[Any], order: list[Any]) -> list[Any]:
    """Put elements into the wanted order; those that it does not name keep their places behind it."""
    key = field.merge_key if field else ""
    wanted = [each.get(key) if isinstance(each, dict) else each for each in order]

    def place(element: Any) -> int:
        name = element.get(key) if isinstance(element, dict) else element
        return wanted.index(name) if name in wanted else len(wanted)

    return sorted(have, key=place)
