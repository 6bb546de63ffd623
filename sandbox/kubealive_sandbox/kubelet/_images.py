"""Images: a name in a table instead of layers in a registry."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from kubealive_sandbox.places import Places

__all__ = ["Image", "Images", "Lent", "entry_point"]


@dataclass(frozen=True, slots=True)
class Image:
    """What an image would run. `argv` is its entry point.

    `tags` are those that exist, None for all. Values of `env` may hold {tag}, {api} (the API server's URL), and
    {at[PORT]}: HOST:PORT on which what is not Python, and so cannot be led, is found at that port of the pod.
    """

    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    tags: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Lent:
    """A pod's ports, as places of this machine; what is written {at[PORT]} in a variable."""

    places: Places
    address: str

    def __getitem__(self, port: int) -> str:
        return self.places.lend(self.address, port)


class Images:
    """The images that the nodes have, by the last part of their repository's name."""

    def __init__(self, images: Mapping[str, Image]) -> None:
        self._images = dict(images)

    def find(self, reference: str) -> tuple[Image, str] | None:
        """The image and its tag; None for one that is nowhere."""
        name, _, tag = reference.rpartition("/")[2].partition(":")
        tag = tag.partition("@")[0] or "latest"
        image = self._images.get(name)
        if image is None or (image.tags is not None and tag not in image.tags):
            return None
        return image, tag


def entry_point(image: Image, container: Mapping[str, Sequence[str]]) -> list[str]:
    """What is run: the container's command in place of the entry point, its args behind it."""
    return [*(container.get("command") or image.argv), *(container.get("args") or ())]
