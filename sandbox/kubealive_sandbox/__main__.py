"""Runs `kubealive_sandbox` as a program of its own."""

import sys

from kubealive_sandbox.cli import main

sys.exit(main())
