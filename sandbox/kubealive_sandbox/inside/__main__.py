"""Runs a module as a pod's program, for interpreters that are started without `site`."""

import runpy
import sys

from kubealive_sandbox.inside import enter

enter()
sys.argv = sys.argv[1:]
runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
