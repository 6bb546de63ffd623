"""What an API server refuses, and in which words: the same on every cluster that the laboratory runs on."""

import re
import subprocess
from collections.abc import Iterator

import pytest

from tests.e2e.harness import KUBECTL, kubectl

pytestmark = pytest.mark.e2e

HOME = "kubealive-refusals"
WEB = f"""
apiVersion: apps/v1
kind: Deployment
metadata: {{name: web, namespace: {HOME}}}
spec:
  replicas: 0
  selector: {{matchLabels: {{app: web}}}}
  template:
    metadata: {{labels: {{app: web}}}}
    spec: {{containers: [{{name: web, image: "localhost/none:v1"}}]}}
"""
DECODED = (
    'Error from server (BadRequest): error when creating "STDIN": Deployment in version "v1" cannot be handled '
    "as a Deployment: "
)
PATCH = ("patch", "deploy", "web", "--type=merge", "-p")


@pytest.fixture(scope="module", autouse=True)
def home() -> Iterator[None]:
    """A namespace with one Deployment of no pods."""
    kubectl("create", "namespace", HOME)
    subprocess.run(
        [KUBECTL, "create", "-f", "-"], input=WEB, text=True, check=True, capture_output=True, timeout=30
    )
    yield
    kubectl("delete", "namespace", HOME)


def other(old: str, new: str) -> str:
    """The Deployment under another name, with something changed."""
    assert old in WEB
    return WEB.replace("name: web, namespace", "name: web2, namespace").replace(old, new)


@pytest.mark.parametrize(
    ("words", "given", "said"),
    [
        pytest.param(
            ("create", "-f", "-"), WEB,
            'Error from server (AlreadyExists): error when creating "STDIN": '
            'deployments.apps "web" already exists',
            id="exists",
        ),
        pytest.param(
            ("create", "-f", "-"), other("replicas: 0", "replicas: two"),
            DECODED
            + "json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32",
            id="a wrong type",
        ),
        pytest.param(
            ("create", "-f", "-"), other("replicas:", "replcas:"),
            DECODED + 'strict decoding error: unknown field "spec.replcas"',
            id="an unknown field",
        ),
        pytest.param(
            ("apply", "--server-side", "-f", "-"), WEB.replace("replicas:", "replcas:"),
            f"Error from server: failed to create typed patch object ({HOME}/web; apps/v1, Kind=Deployment): "
            ".spec.replcas: field not declared in schema",
            id="an unknown field, applied",
        ),
        pytest.param(
            ("create", "-f", "-"), other("matchLabels: {app: web}", "matchLabels: {app: x}"),
            'The Deployment "web2" is invalid: spec.template.metadata.labels: Invalid value: {"app":"web"}: '
            "`selector` does not match template `labels`",
            id="a selector of others",
        ),
        pytest.param(
            ("get", "pod", "nope"), "", 'Error from server (NotFound): pods "nope" not found', id="missing"
        ),
        pytest.param(
            (*PATCH, '{"metadata":{"resourceVersion":"1"},"spec":{"paused":true}}'), "",
            'Error from server (Conflict): Operation cannot be fulfilled on deployments.apps "web": '
            "the object has been modified; please apply your changes to the latest version and try again",
            id="an old version",
        ),
        pytest.param(
            (*PATCH, '{"spec":{"replcas":1}}'), "",
            'Warning: unknown field "spec.replcas"\ndeployment.apps/web patched (no change)',
            id="an unknown field, patched",
        ),
        pytest.param(
            ("patch", "deploy", "web", "--type=json", "-p", '[{"op":"remove","path":"/spec/nope"}]'), "",
            "The request is invalid: the server rejected our request due to an error in our request",
            id="a JSON patch that does not fit",
        ),
        pytest.param(
            ("scale", "deploy/web", "--replicas=2", "--resource-version=1"), "",
            "error: Expected resource version to be 1, was N", id="scaled, an old version",
        ),
    ],
)  # fmt: skip
def test_it_is_refused_in_these_words(words: tuple[str, ...], given: str, said: str) -> None:
    """Reason and sentence, as kubectl shows them."""
    done = subprocess.run(
        [KUBECTL, "-n", HOME, *words], input=given, text=True, capture_output=True, check=False, timeout=30
    )
    told = (done.stderr + done.stdout).strip()

    assert re.sub(r"was \d+", "was N", told) == said
