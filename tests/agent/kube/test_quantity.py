"""Quantities, exact and rounded up."""

import pytest

from kubealive_agent.kube import quantity_millis, quantity_whole


@pytest.mark.parametrize(
    ("text", "millis", "whole"),
    [
        ("0", 0, 0),
        ("1", 1000, 1),
        ("250m", 250, 1),
        ("1.5", 1500, 2),
        (".5", 500, 1),
        ("12345678n", 13, 1),
        ("1500u", 2, 1),
        ("64Mi", 64 * 1024**2 * 1000, 64 * 1024**2),
        ("1.5Gi", 3 * 1024**3 * 500, 3 * 1024**3 // 2),
        ("1k", 1_000_000, 1000),
        ("1E", 10**21, 10**18),
        ("1e3", 1_000_000, 1000),
        ("12E-1", 1200, 2),
        ("9007199254740993", 9007199254740993000, 9007199254740993),
    ],
)
def test_quantity_is_exact(text: str, millis: int, whole: int) -> None:
    """Suffixes of all three families are read without a float in between."""
    assert (quantity_millis(text), quantity_whole(text)) == (millis, whole)


@pytest.mark.parametrize("text", ["", "m", "1Q", "1 Gi", "1mi", "0x10", "1e9999", "\N{ARABIC-INDIC DIGIT ONE}"])
def test_what_is_no_quantity_is_refused(text: str) -> None:
    """Anything else is a ValueError that quotes the text."""
    with pytest.raises(ValueError, match="is no Kubernetes quantity"):
        quantity_millis(text)
