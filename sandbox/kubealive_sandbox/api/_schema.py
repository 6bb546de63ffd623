"""The types of the objects, from a table that `sandbox/generate` makes of the Go types of Kubernetes.

The official models weigh 160 MB and know neither which field is unknown nor how a patch merges a list; the table
has both, in the size of a picture. Handlers and store stay without types: only what must know a field asks here.
"""

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from kubealive_sandbox.api._quantity import amount

__all__ = ["Field", "check", "fields_of", "is_atomic", "pruned", "type_of_kind"]


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a type; `type` is a scalar's name, a type's name, or one of them after `list:` or `map:`.

    `keys` are those of a list that apply merges by, `merging` is "set" or "atomic" where the source says so.
    """

    name: str
    type: str
    number: int
    strategy: str = ""
    merge_key: str = ""
    keys: tuple[str, ...] = ()
    merging: str = ""


@cache
def _table() -> dict[str, Any]:
    text = (files("kubealive_sandbox") / "api" / "schema.json").read_text(encoding="utf-8")
    table: dict[str, Any] = json.loads(text)
    return table


@cache
def raw_fields(type_name: str) -> tuple[Field, ...]:
    """The fields as protobuf has them: what JSON inlines is a field without a name here."""
    found = []
    for name, kind, number, *rest in _table()["types"][type_name]["f"]:
        strategy, merge_key, merging = (*rest, "", "", "")[:3]
        keys = tuple(merging) if isinstance(merging, list) else ()
        found.append(Field(name, kind, number, strategy, merge_key, keys, "" if keys else merging))
    return tuple(found)


@cache
def fields_of(type_name: str) -> dict[str, Field]:
    """The fields of a type by their JSON names, inlined ones included."""
    found: dict[str, Field] = {}
    for field in raw_fields(type_name):
        found.update({field.name: field} if field.name else fields_of(field.type))
    return found


def is_atomic(type_name: str) -> bool:
    """Whether apply takes values of this type as one."""
    return bool(_table()["types"].get(type_name, {}).get("atomic"))


def type_of_kind(kind: str) -> str:
    """The type of a kind that the API serves."""
    return str(_table()["kinds"][kind])


_GO = {"string": "string", "int": "int32", "bool": "bool", "float": "float64", "bytes": "[]uint8"}
_PYTHON: dict[str, tuple[type, ...]] = {
    "string": (str,), "time": (str,), "duration": (str,), "bytes": (str,), "bool": (bool,), "int": (int,),
    "float": (int, float), "intorstring": (int, str), "quantity": (int, float, str),
}  # fmt: skip


class MismatchError(ValueError):
    """A value of the wrong type, in the words of Go's decoder."""


def check(type_name: str, value: Any, *, path: str = "") -> list[str]:
    """The paths of fields that the type does not have. Raises MismatchError for a value of the wrong type."""
    unknown: list[str] = []
    known = fields_of(type_name)
    owner = type_name.rpartition(".")[2]
    for name, given in value.items():
        if name not in known:
            unknown.append(f"{path}{name}")
        elif given is not None:
            unknown += _check(known[name].type, given, f"{path}{name}", owner)
    return unknown


def pruned(type_name: str, value: Any) -> Any:
    """The object without the fields that its type does not have."""
    known = fields_of(type_name)
    return {name: _pruned(known[name].type, given) for name, given in value.items() if name in known}


def _pruned(kind: str, value: Any) -> Any:
    if kind.startswith("list:"):
        return [_pruned(kind[5:], one) for one in value]
    return pruned(kind, value) if "." in kind and ":" not in kind and isinstance(value, dict) else value


def _check(kind: str, value: Any, path: str, owner: str) -> list[str]:
    if kind == "any":
        return []
    if kind in _PYTHON:
        if not isinstance(value, _PYTHON[kind]) or (isinstance(value, bool) and kind != "bool"):
            raise _mismatch(value, path, owner, _GO.get(kind, kind))
        if kind == "quantity":
            _quantity(value)
        return []
    if kind.startswith("list:"):
        if not isinstance(value, list):
            raise _mismatch(value, path, owner, "[]" + kind[5:].rpartition("/")[2])
        return [each for at, one in enumerate(value) for each in _check(kind[5:], one, f"{path}[{at}]", owner)]
    if not isinstance(value, dict):
        raise _mismatch(value, path, owner, kind.rpartition("/")[2])
    if kind.startswith("map:"):
        return [each for key, one in value.items() for each in _check(kind[4:], one, f"{path}.{key}", owner)]
    return check(kind, value, path=f"{path}.")


def _quantity(value: Any) -> None:
    try:
        amount(value)
    except ValueError as exc:
        raise MismatchError(str(exc)) from exc


def _mismatch(value: Any, path: str, owner: str, wanted: str) -> MismatchError:
    given = {str: "string", bool: "bool", dict: "object", list: "array"}.get(type(value), "number")
    return MismatchError(f"json: cannot unmarshal {given} into Go struct field {owner}.{path} of type {wanted}")
