"""Flags and their environment: what is understood, and the sentence for what is not."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from kubealive_agent._errors import ConfigError
from kubealive_agent.config import DOWNWARD, Listen, parse


def test_defaults(tmp_path: Path) -> None:
    """In a pod nothing needs to be said: the namespace comes from the service account."""
    file = tmp_path / "namespace"
    file.write_text("kubealive\n")
    config = parse([], {"POD_NAME": "p", "NODE_NAME": "n"}, namespace_file=file)

    assert (config.namespace, config.pod_name, config.node_name) == ("kubealive", "p", "n")
    assert (config.grpc, config.health) == (Listen("127.0.0.1", 50051), Listen("0.0.0.0", 8080))  # noqa: S104
    assert (config.fault_port, config.api, config.log_level) == (8081, "", "info")


def test_flags_win_over_the_environment() -> None:
    """Each flag has a variable that gives its default."""
    config = parse(
        ["--namespace", "flag", "--grpc", "[::1]:5"],
        {"KUBEALIVE_NAMESPACE": "variable", "KUBEALIVE_FAULT_PORT": "99", "FAULT_TOKEN": " t \n"},
    )

    assert (config.namespace, config.grpc) == ("flag", Listen("::1", 5))
    assert (config.fault_port, config.fault_token) == (99, "t")


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["--grpc", "0.0.0.0:50051"], "--grpc 0.0.0.0:50051 is refused"),
        (["--grpc", "example.org:1"], "loopback only"),
        (["--grpc", "50051"], "'50051' is not HOST:PORT"),
        (["--health", "127.0.0.1:port"], "--health: 'port' is not a port"),
        (["--fault-port", "70000"], "'70000' is not a port"),
        (["--log-level", "loud"], "'loud' is not a level; choose one of debug, info"),
        (["--unknown"], "unrecognized arguments: --unknown; see --help"),
        (["--name", "x"], "--help"),
    ],
    ids=["any address", "a name", "no host", "port word", "port number", "level", "unknown", "abbreviation"],
)
def test_bad_values(argv: list[str], words: str) -> None:
    """Each bad value is one sentence that names it and what is allowed."""
    with pytest.raises(ConfigError) as caught:
        parse(["--namespace", "n", *argv], {})

    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_outside_a_pod_the_namespace_has_to_be_named(tmp_path: Path) -> None:
    """Without a service account the sentence says which flag is needed."""
    with pytest.raises(ConfigError, match="name one with --namespace"):
        parse([], {}, namespace_file=tmp_path / "missing")


def test_what_the_downward_api_told_is_kept_by_variable() -> None:
    """Variables of the manifest are taken as they are; those that are absent or empty are not in it."""
    config = parse(["--namespace", "n"], {"POD_IP": "10.1.2.3", "CPU_REQUEST": "50", "POD_UID": "", "HOME": "/"})

    assert config.downward == {"POD_IP": "10.1.2.3", "CPU_REQUEST": "50"}


def test_the_downward_api_tells_what_is_asked_for() -> None:
    """Every variable that the agent tells of is set in its Deployment."""
    manifest = Path(__file__).parents[2] / "manifests" / "agent" / "deployment.yaml"
    container = yaml.safe_load(manifest.read_text())["spec"]["template"]["spec"]["containers"][0]

    assert {variable["name"] for variable in container["env"]} >= set(DOWNWARD)


def test_the_fault_token_is_where_the_manifest_mounts_it() -> None:
    """The default path and the agent's Deployment agree."""
    manifest = Path(__file__).parents[2] / "manifests" / "agent" / "deployment.yaml"
    container = yaml.safe_load(manifest.read_text())["spec"]["template"]["spec"]["containers"][0]
    mounts = {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]}

    assert parse(["--namespace", "n"], {}).fault_token_file == Path(mounts["faults"]) / "token"
