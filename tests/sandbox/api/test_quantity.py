"""Quantities as the real API server reads them; what it said was written down from one."""

import pytest

from kubealive_sandbox.api import amount

_FORM = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
_SUFFIX = "unable to parse quantity's suffix"


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        pytest.param("250m", 0.25, id="thousandths"),
        pytest.param("64Mi", 64 << 20, id="mebibytes"),
        pytest.param("1Pi", 1 << 50, id="pebibytes"),
        pytest.param("1Ei", 1 << 60, id="exbibytes"),
        pytest.param("2P", 2e15, id="peta"),
        pytest.param("1E", 1e18, id="exa, and no exponent"),
        pytest.param("1e9", 1e9, id="exponent"),
        pytest.param("1E3", 1e3, id="exponent in upper case"),
        pytest.param("5e-1", 0.5, id="negative exponent"),
        pytest.param(".5e3", 500, id="no digit before the point"),
        pytest.param("1.", 1, id="no digit after the point"),
        pytest.param("-1", -1, id="negative"),
        pytest.param(" 1Ki", 1024, id="space around"),
        pytest.param("m", 0, id="no digit at all"),
        pytest.param(0.5, 0.5, id="a number"),
        pytest.param("1e400", 2**63, id="more than 64 bits hold"),
    ],
)
def test_a_quantity_is_read(text: object, wanted: float) -> None:
    """All suffixes, and exponents."""
    assert amount(text) == pytest.approx(wanted)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param("", _FORM, id="empty"),
        pytest.param("abc", _FORM, id="a word"),
        pytest.param("12abc", _FORM, id="letters that no suffix has"),
        pytest.param("1.2.3", _FORM, id="two points"),
        pytest.param("1KK", _SUFFIX, id="no such suffix"),
        pytest.param("1ki", _SUFFIX, id="a suffix in the wrong case"),
        pytest.param("1e", _SUFFIX, id="an exponent without digits"),
    ],
)
def test_what_is_no_quantity_is_refused(text: str, words: str) -> None:
    """In the API server's words."""
    with pytest.raises(ValueError) as refused:  # noqa: PT011 - the words are compared whole
        amount(text)

    assert str(refused.value) == words
