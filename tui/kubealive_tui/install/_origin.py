"""Where an install's images came from, written on the agent's Deployment for `reset` to go by.

Its own image is no word on that: somebody may have put another one in its place, which is what `reset` undoes.
"""

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import replace
from typing import Any

from kubealive_tui.hints import own_command

from ._errors import PreflightError
from ._kinds import AGENT, INSTALLED_IMAGE
from ._manifests import AGENT_FOLDER, Manifest, Wanted


def with_origin(manifest: Manifest) -> Manifest:
    """The agent's Deployment with its image written beside it; any other object as it is."""
    if manifest.kind.name != "Deployment" or manifest.name != AGENT:
        return manifest
    body = deepcopy(manifest.body)
    body["metadata"].setdefault("annotations", {})[INSTALLED_IMAGE] = _image(body)
    return replace(manifest, body=body)


def from_origin(wanted: Wanted, agent: Mapping[str, Any]) -> Wanted:
    """The same with registry and tag of the install that this agent is of.

    One that `up` did not install has nothing written on it, and its image is believed, as long as it can be one of
    ours; raises PreflightError where it cannot.
    """
    image = (agent["metadata"].get("annotations") or {}).get(INSTALLED_IMAGE) or _image(agent)
    repository, _, tag = image.rpartition(":")
    registry, _, name = repository.rpartition("/")
    if name != AGENT_FOLDER:
        up = own_command("up", "--registry", "PREFIX", namespace=wanted.namespace)
        raise PreflightError(
            f"deployment/{AGENT} has image {image}, which is not kubealive's, so that nothing tells where the "
            f"install's images are: `{up}` puts it back"
        )
    return replace(wanted, registry=registry, tag=tag)


def _image(deployment: Mapping[str, Any]) -> str:
    return str(deployment["spec"]["template"]["spec"]["containers"][0]["image"])
