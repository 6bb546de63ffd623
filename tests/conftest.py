"""What holds for every test: examples are drawn anew each time, and nothing of them is kept on disk."""

from hypothesis import settings

# No deadline: a busy machine would fail a property for its speed, which `--timeout` bounds already.
settings.register_profile("kubealive", database=None, deadline=None)
settings.load_profile("kubealive")
