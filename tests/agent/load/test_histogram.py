"""Latency buckets."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubealive_agent.load import bucket_of, quantile, value_of

LATENCIES = st.integers(min_value=0, max_value=3_600_000_000)


@given(us=LATENCIES)
def test_value_is_known_to_half_a_percent(us: int) -> None:
    """A value read back from its bucket is off by at most 0.4 %."""
    assert abs(value_of(bucket_of(us)) - us) <= us * 0.004


@given(a=LATENCIES, b=LATENCIES)
def test_buckets_keep_order(a: int, b: int) -> None:
    """A larger latency is never in a lower bucket."""
    assert (bucket_of(a) <= bucket_of(b)) or a > b


@given(bucket=st.integers(min_value=0, max_value=4_000))
def test_value_lies_in_its_bucket(bucket: int) -> None:
    """The value of a bucket belongs to that bucket."""
    assert bucket_of(value_of(bucket)) == bucket


@pytest.mark.parametrize(
    ("us", "bucket"),
    [(-5, 0), (0, 0), (127, 127), (128, 128), (255, 255), (256, 256), (257, 256), (258, 257), (512, 384)],
    ids=["negative", "zero", "last-linear", "first-octave", "octave-end", "second", "shared", "next", "third"],
)
def test_layout_is_the_contract(us: int, bucket: int) -> None:
    """Below 128 us a bucket is a microsecond wide; each octave from there has 128."""
    assert bucket_of(us) == bucket


@pytest.mark.parametrize(
    ("counts", "share", "expected"),
    [
        ([], 0.5, None),
        ([(7, 1)], 0.0, 7),
        ([(7, 1)], 1.0, 7),
        ([(1, 50), (9, 50)], 0.5, 1),
        ([(1, 50), (9, 50)], 0.51, 9),
        ([(9, 1), (1, 1), (9, 1)], 0.34, 9),
    ],
    ids=["nothing", "lowest", "highest", "half", "just-over-half", "unsorted-and-repeated"],
)
def test_quantile(counts: list[tuple[int, int]], share: float, expected: int | None) -> None:
    """A quantile is the value below or at which that share lies."""
    assert quantile(counts, share) == expected


@given(parts=st.lists(st.lists(LATENCIES, max_size=20), min_size=1, max_size=5))
def test_merging_is_exact(parts: list[list[int]]) -> None:
    """Chained histograms have the quantiles of the histogram of all values."""
    whole = [(bucket_of(us), 1) for part in parts for us in part]
    merged = [(bucket, 1) for part in parts for bucket in sorted(bucket_of(us) for us in part)]
    assert quantile(merged, 0.9) == quantile(whole, 0.9)
