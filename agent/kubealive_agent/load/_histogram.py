"""Log-linear latency buckets: fixed, so that counts of any bin, load or agent add up exactly.

The layout is the contract's (`LatencyBucket`): below 128 us a bucket is one microsecond wide, from there each
octave has 128 buckets. Half a bucket is at most 0.4 % of the value it stands for.
"""

import math
from collections.abc import Iterable
from typing import Final

_OCTAVE_BITS: Final = 7
_PER_OCTAVE: Final = 1 << _OCTAVE_BITS


def bucket_of(us: int) -> int:
    """Number of the bucket that holds `us` microseconds; negative values count as 0."""
    if us < _PER_OCTAVE:
        return max(us, 0)
    shift = us.bit_length() - _OCTAVE_BITS - 1
    return (shift << _OCTAVE_BITS) + (us >> shift)


def value_of(bucket: int) -> int:
    """Microseconds at the middle of a bucket, the inverse of `bucket_of` within 0.4 %."""
    if bucket < 2 * _PER_OCTAVE:
        return bucket
    shift = (bucket >> _OCTAVE_BITS) - 1
    low = (bucket - (shift << _OCTAVE_BITS)) << shift
    return low + (1 << shift >> 1)


def quantile(counts: Iterable[tuple[int, int]], share: float) -> int | None:
    """Microseconds below or at which `share` (0 to 1) of the counted values lie; None without values.

    `counts` holds (bucket, count) in any order; a bucket may come more than once, so that the histograms of
    several bins are merged by chaining them.
    """
    ordered = sorted(counts)
    total = sum(count for _, count in ordered)
    if not total:
        return None
    rank = math.ceil(share * total)
    for bucket, count in ordered:
        rank -= count
        if rank <= 0:
            return value_of(bucket)
    return value_of(ordered[-1][0])
