"""What kubealive costs, as ratios to named peers in the same run, and the bounds that it has promised to keep.

`python -m bench [NAME...]`: each public module here is one bench, its docstring is the reason for it, and its
`run` yields what it found. Modules with an underscore are what the benches share.
"""

from bench._figures import Figure, Finding, Skipped
from bench._options import Options

__all__ = ["Figure", "Finding", "Options", "Skipped"]
