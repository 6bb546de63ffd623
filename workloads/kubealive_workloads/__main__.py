"""Lets `python -m kubealive_workloads NAME` run a program."""

import sys

from kubealive_workloads import main

if __name__ == "__main__":
    sys.exit(main())
