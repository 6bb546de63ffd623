"""The contract between agent and user's side: `kubealive.v1`, generated from the .proto files beside it.

Everything that crosses the link is defined here and nowhere else. The generated code is committed;
`make proto` writes it anew and `make proto-check` proves that it is current.
"""

__all__ = ["__version__"]

__version__ = "0.1.0"
