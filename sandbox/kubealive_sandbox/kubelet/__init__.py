"""The kubelets: pods as processes of this machine, on nodes that are names."""

from kubealive_sandbox.kubelet._doors import Doors
from kubealive_sandbox.kubelet._images import Image, Images
from kubealive_sandbox.kubelet._inside import Inside
from kubealive_sandbox.kubelet._pod import Host
from kubealive_sandbox.kubelet._reaping import Reaper
from kubealive_sandbox.kubelet.node import Node, recorder
from kubealive_sandbox.kubelet.usage import Usage

__all__ = ["Doors", "Host", "Image", "Images", "Inside", "Node", "Reaper", "Usage", "recorder"]
