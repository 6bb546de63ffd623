"""What the package offers."""

from kubealive_agent import load


def test_every_name_is_there() -> None:
    """Each exported name can be had, and no other."""
    assert all(getattr(load, name) is not None for name in load.__all__)
    assert not hasattr(load, "nonsense")
