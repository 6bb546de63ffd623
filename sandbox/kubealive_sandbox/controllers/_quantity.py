"""Quantities: numbers with the suffixes of Kubernetes."""

import re

__all__ = ["amount"]

_UNITS = {
    "": 1.0, "n": 1e-9, "u": 1e-6, "m": 1e-3, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12,
    "Ki": 2.0**10, "Mi": 2.0**20, "Gi": 2.0**30, "Ti": 2.0**40,
}  # fmt: skip


def amount(text: str) -> float:
    """A quantity as a number. Raises ValueError for what is none."""
    match = re.fullmatch(r"([+-]?[\d.]+)([a-zA-Z]*)", str(text))
    if match is None or match[2] not in _UNITS:
        raise ValueError(f"quantity {text!r} cannot be read")
    return float(match[1]) * _UNITS[match[2]]
