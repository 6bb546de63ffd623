"""What can be wrong with what others hand to a workload.

WorkloadError
├── ConfigError     the command line, the environment or a port of this process
├── RequestError    bytes on a connection that are no request, with the status that says so
├── FaultError      a fault that was asked for with values it does not take
└── DnsError        an answer of a DNS server that is none, in one word as an rcode is
"""


class WorkloadError(Exception):
    """The base of this package's errors; its text is one sentence for a person."""


class ConfigError(WorkloadError):
    """The program cannot start as it was asked to."""


class FaultError(WorkloadError):
    """A fault was asked for with values that it does not take."""


class RequestError(WorkloadError):
    """The bytes received are no request that is served here; the connection ends after the answer."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


class DnsError(WorkloadError):
    """A DNS server's answer cannot be used, or the question not be put; the text is one word, as an rcode is."""
