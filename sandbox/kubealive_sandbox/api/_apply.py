"""Server-side apply: who owns which field, what a new configuration takes over, and what it lets go.

A field is a path of steps as `metadata.managedFields` writes them (`f:spec`, `k:{"name":"web"}`, `v:"x"`), so
that what is stored can be read by every client. Ownership is kept for whoever names itself a field manager.
"""

import json
from collections.abc import Iterator
from typing import Any

from kubealive_sandbox.api._errors import ApiError
from kubealive_sandbox.api._schema import Field, fields_of, is_atomic, type_of_kind
from kubealive_sandbox.api._store import Object, clone

__all__ = ["apply_patch", "owned_after"]

Path = tuple[str, ...]
_NOT_OWNED = {
    ("f:apiVersion",), ("f:kind",), ("f:metadata", "f:name"), ("f:metadata", "f:namespace"),
    ("f:metadata", "f:uid"),
    ("f:metadata", "f:resourceVersion"), ("f:metadata", "f:generation"), ("f:metadata", "f:creationTimestamp"),
    ("f:metadata", "f:managedFields"), ("f:metadata", "f:generateName"),
}  # fmt: skip
_KEY_DEFAULTS = {"protocol": "TCP"}


def apply_patch(kind: str, live: Object, applied: Object, *, manager: str, force: bool, now: str) -> Object:
    """The object that an apply makes of the live one (an empty one creates). Raises a 409 naming each conflict."""
    type_name = type_of_kind(kind)
    wanted = dict(_values(type_name, applied))
    have = dict(_values(type_name, live))
    entries = _entries(live)
    mine = entries.pop((manager, "Apply", ""), set())
    conflicts = [
        (who, path)
        for who, paths in entries.items()
        for path in sorted(paths & wanted.keys())
        if have.get(path) != wanted[path] and path in have
    ]
    if conflicts and not force:
        raise _conflict(conflicts)
    for who, path in conflicts:
        entries[who].discard(path)
    result = _merge(type_name, clone(live), applied)
    kept = set().union(*entries.values()) if entries else set()
    for path in sorted(mine - wanted.keys() - kept, key=len, reverse=True):
        _drop(result, path)
    entries[manager, "Apply", ""] = set(wanted)
    result.setdefault("metadata", {})["managedFields"] = _written(entries, live, applied["apiVersion"], now)
    return result


def owned_after(kind: str, before: Object, after: Object, *, manager: str, sub: str, now: str) -> list[Object]:
    """The managed fields after an update: whoever changed a field owns it, whoever lost it owns it no more."""
    type_name = type_of_kind(kind)
    was, now_is = dict(_values(type_name, before)), dict(_values(type_name, after))
    changed = {path for path, value in now_is.items() if path not in was or was[path] != value}
    entries = {who: paths & now_is.keys() - changed for who, paths in _entries(before).items()}
    if changed:
        who = (manager, "Update", sub)
        entries[who] = entries.get(who, set()) | changed
    return _written(entries, before, after["apiVersion"], now)


def _values(type_name: str, obj: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Each field that can be owned, with its value."""
    known = fields_of(type_name)
    for name, value in obj.items():
        here = (*path, f"f:{name}")
        if here not in _NOT_OWNED and value is not None:
            field = known.get(name)
            yield from _field_values(field, value, here) if field else iter([(here, value)])


def _field_values(field: Field, value: Any, path: Path) -> Iterator[tuple[Path, Any]]:
    kind = field.type
    if field.merging == "atomic" or (not value and isinstance(value, dict | list)):
        yield path, value
    elif kind.startswith("list:") and field.keys:
        for element in value:
            step = _key(field, element)
            yield (*path, step), None
            yield from _values(kind[5:], element, (*path, step))
    elif kind.startswith("list:") and field.merging == "set":
        for element in value:
            yield (*path, f"v:{json.dumps(element)}"), element
    elif kind.startswith("map:"):
        for name, inner in value.items():
            yield (*path, f"f:{name}"), inner
    elif "." in kind and not kind.startswith("list:") and not is_atomic(kind) and isinstance(value, dict):
        yield from _values(kind, value, path)
    else:
        yield path, value


def _key(field: Field, element: Object) -> str:
    keys = {key: element.get(key, _KEY_DEFAULTS.get(key)) for key in field.keys}
    return f"k:{json.dumps({k: v for k, v in keys.items() if v is not None}, separators=(',', ':'))}"


def _merge(type_name: str, target: Object, applied: Object) -> Object:
    known = fields_of(type_name)
    for name, value in applied.items():
        if value is not None:
            target[name] = _merged(known.get(name), target.get(name), value)
    return target


def _merged(field: Field | None, have: Any, value: Any) -> Any:
    if field is None or have is None or field.merging == "atomic":
        return value
    kind = field.type
    if kind.startswith("list:") and field.keys:
        result = list(have)
        places = {_key(field, element): at for at, element in enumerate(result)}
        for element in value:
            at = places.get(_key(field, element))
            if at is None:
                result.append(element)
            else:
                result[at] = _merge(kind[5:], result[at], element)
        return result
    if kind.startswith("list:") and field.merging == "set":
        return have + [element for element in value if element not in have]
    if kind.startswith("map:"):
        return {**have, **value}
    if "." in kind and not kind.startswith("list:") and not is_atomic(kind):
        return _merge(kind, have, value)
    return value


def _drop(target: Any, path: Path) -> None:
    """Take a field out that nobody owns any more; what it leaves empty stays, but for list elements."""
    for step in path[:-1]:
        target = _into(target, step)
        if target is None:
            return
    last = path[-1]
    if last.startswith("f:") and isinstance(target, dict):
        target.pop(last[2:], None)
    elif isinstance(target, list):
        element = _into(target, last)
        if element is not None:
            target.remove(element)


def _into(target: Any, step: str) -> Any:
    if step.startswith("f:"):
        return target.get(step[2:]) if isinstance(target, dict) else None
    wanted = json.loads(step[2:])
    for element in target if isinstance(target, list) else ():
        if step.startswith("v:"):
            if element == wanted:
                return element
        elif all(element.get(key, _KEY_DEFAULTS.get(key)) == value for key, value in wanted.items()):
            return element
    return None


def _entries(obj: Object) -> dict[tuple[str, str, str], set[Path]]:
    return {
        (each["manager"], each["operation"], each.get("subresource", "")): set(_read(each["fieldsV1"]))
        for each in obj.get("metadata", {}).get("managedFields") or ()
    }


def _read(tree: Object, path: Path = ()) -> Iterator[Path]:
    for step, inner in tree.items():
        if step == ".":
            yield path
        elif inner:
            yield from _read(inner, (*path, step))
        else:
            yield (*path, step)


def _written(
    entries: dict[tuple[str, str, str], set[Path]], before: Object, version: str, now: str
) -> list[Object]:
    """The entries as objects carry them; one that did not change keeps its time."""
    times = {
        (each["manager"], each["operation"], each.get("subresource", "")): (
            set(_read(each["fieldsV1"])),
            each["time"],
        )
        for each in before.get("metadata", {}).get("managedFields") or ()
    }
    listed = []
    for (manager, operation, sub), paths in entries.items():
        if not paths:
            continue
        was, time = times.get((manager, operation, sub), (None, now))
        entry = {
            "manager": manager,
            "operation": operation,
            "apiVersion": version,
            "time": time if was == paths else now,
            "fieldsType": "FieldsV1",
            "fieldsV1": _tree(paths),
        }
        listed.append({**entry, "subresource": sub} if sub else entry)
    return listed


def _tree(paths: set[Path]) -> Object:
    tree: Object = {}
    for path in sorted(paths):
        home = tree
        for step in path[:-1]:
            home = home.setdefault(step, {})
        leaf = home.setdefault(path[-1], {})
        if path[-1].startswith("k:"):
            leaf["."] = {}
    return tree


def _conflict(conflicts: list[tuple[tuple[str, str, str], Path]]) -> ApiError:
    listed = [
        {
            "reason": "FieldManagerConflict",
            "message": f'conflict with "{manager}"' + (f' with subresource "{sub}"' if sub else ""),
            "field": "".join(f".{s[2:]}" if s.startswith("f:") else f"[{_words(s)}]" for s in path),
        }
        for (manager, _, sub), path in conflicts
    ]
    first = listed[0]
    if len(listed) == 1:
        message = f"Apply failed with 1 conflict: {first['message']}: {first['field']}"
    else:
        by = "".join(f"\n- {each['field']}" for each in listed)
        message = f"Apply failed with {len(listed)} conflicts: conflicts with {first['message'][14:]}:{by}"
    return ApiError(409, "Conflict", message, {"causes": listed})


def _words(step: str) -> str:
    found = json.loads(step[2:])
    if step.startswith("v:"):
        return json.dumps(found)
    return ",".join(f"{key}={json.dumps(value)}" for key, value in found.items())
