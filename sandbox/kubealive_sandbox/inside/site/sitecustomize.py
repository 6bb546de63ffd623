"""Python runs this at its start where the sandbox has put it on the path: the process becomes a pod's."""

from kubealive_sandbox.inside import enter

enter()
