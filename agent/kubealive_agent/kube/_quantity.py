"""Kubernetes quantities ("250m", "64Mi", "12345678n") as whole numbers, exact and rounded up as kubectl does."""

import re
from decimal import ROUND_CEILING, Decimal
from functools import lru_cache

_FORM = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+))(?:([numkMGTPE]|[KMGTPE]i)|[eE]([+-]?\d{1,3}))?", re.ASCII)

_FACTOR = {
    "n": Decimal("1e-9"),
    "u": Decimal("1e-6"),
    "m": Decimal("1e-3"),
    **{suffix: Decimal(1000) ** power for power, suffix in enumerate("kMGTPE", start=1)},
    **{f"{suffix}i": Decimal(1024) ** power for power, suffix in enumerate("KMGTPE", start=1)},
}

# A namespace has few different requests and limits, while measured usage never repeats for long.
_REMEMBERED = 256


def quantity_millis(text: str) -> int:
    """Thousandths of the unit: "250m" is 250. Raises ValueError for what is no quantity."""
    return _rounded(text, 1000)


def quantity_whole(text: str) -> int:
    """Whole units: "1Ki" is 1024. Raises ValueError for what is no quantity."""
    return _rounded(text, 1)


@lru_cache(maxsize=_REMEMBERED)
def _rounded(text: str, scale: int) -> int:
    form = _FORM.fullmatch(text)
    if not form:
        raise ValueError(f"{text!r} is no Kubernetes quantity")
    number, suffix, exponent = form.groups()
    value = Decimal(number) * scale
    if suffix:
        value *= _FACTOR[suffix]
    elif exponent:
        value = value.scaleb(int(exponent))
    return int(value.to_integral_value(ROUND_CEILING))
