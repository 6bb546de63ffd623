"""Quantities: numbers with the suffixes and exponents of Kubernetes."""

import re

__all__ = ["amount"]

_UNITS = {
    "": 1.0, "n": 1e-9, "u": 1e-6, "m": 1e-3, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "P": 1e15, "E": 1e18,
    "Ki": 2.0**10, "Mi": 2.0**20, "Gi": 2.0**30, "Ti": 2.0**40, "Pi": 2.0**50, "Ei": 2.0**60,
}  # fmt: skip
_FORM = re.compile(r"([+-]?)([0-9]*)(?:\.([0-9]*))?([eEinumkKMGTP]*[-+]?[0-9]*)")
_EXPONENT = re.compile(r"[eE]([+-]?[0-9]+)")
# Kubernetes calculates with 64 bits, and what is more than they hold counts as the most.
_MOST = 2.0**63


def amount(quantity: object) -> float:
    """A quantity as a number, of text or of a bare number. Raises ValueError, in the API server's words."""
    text = str(quantity).strip()
    match = _FORM.fullmatch(text)
    if not text or match is None:
        words = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
        raise ValueError(words)
    sign, whole, part, suffix = match.groups()
    exponent = _EXPONENT.fullmatch(suffix)
    if exponent is None and suffix not in _UNITS:
        raise ValueError("unable to parse quantity's suffix")
    # Without a digit it is nothing, as there.
    number = float(f"{sign}{whole or 0}.{part or 0}e{exponent[1] if exponent else 0}")
    return max(-_MOST, min(_MOST, number if exponent else number * _UNITS[suffix]))
