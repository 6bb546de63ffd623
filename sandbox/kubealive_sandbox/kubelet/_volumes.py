"""Volumes as folders below the sandbox's own: what a pod mounts, it finds there by its mounts."""

import shutil
from collections.abc import Iterator
from pathlib import Path

from kubealive_sandbox.api import Api, Object
from kubealive_sandbox.kubelet._environment import ConfigError, contents, field_value, resource_value

__all__ = ["Volumes"]

_ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount"
_PROJECTED = ("secret", "configMap", "downwardAPI", "projected")


class Volumes:
    """The files of one pod. `root` is the sandbox's folder; claims outlive pods there."""

    def __init__(self, api: Api, pod: Object, *, root: Path, resolv_conf: str) -> None:
        self._api = api
        self._home: Path = root / "pods" / pod["metadata"]["uid"]
        self._claims = root / "claims"
        self._resolv_conf = resolv_conf
        self._written: dict[Path, bytes] = {}

    @property
    def home(self) -> Path:
        """The pod's own folder."""
        return self._home

    def prepare(self, pod: Object) -> None:
        """Make every volume. Raises ConfigError for what one needs and is not there."""
        (self._home / "etc").mkdir(parents=True, exist_ok=True)
        self._write(self._home / "etc" / "resolv.conf", self._resolv_conf.encode())
        account = self._home / "account"
        account.mkdir(exist_ok=True)
        self._write(account / "namespace", pod["metadata"]["namespace"].encode())
        for volume in pod["spec"].get("volumes") or ():
            if claim := volume.get("persistentVolumeClaim"):
                self._claim(pod, claim["claimName"]).mkdir(parents=True, exist_ok=True)
            else:
                (self._home / "volumes" / volume["name"]).mkdir(parents=True, exist_ok=True)
        self.refresh(pod)

    def refresh(self, pod: Object) -> None:
        """Write anew what comes from objects and has changed."""
        for volume in pod["spec"].get("volumes") or ():
            if any(volume.get(kind) for kind in _PROJECTED):
                folder = self._home / "volumes" / volume["name"]
                for name, data in self._files(pod, volume):
                    self._write(folder / name, data)

    def mounts(self, pod: Object, container: Object) -> list[tuple[str, str]]:
        """Pairs of the path inside the container and the one outside."""
        sources = {each["name"]: each for each in pod["spec"].get("volumes") or ()}
        found = [("/etc/resolv.conf", str(self._home / "etc" / "resolv.conf"))]
        if pod["spec"].get("automountServiceAccountToken", True):
            found.append((_ACCOUNT, str(self._home / "account")))
        for mount in container.get("volumeMounts") or ():
            claim = sources[mount["name"]].get("persistentVolumeClaim")
            folder = self._claim(pod, claim["claimName"]) if claim else self._home / "volumes" / mount["name"]
            if mount.get("subPath"):
                folder = folder / mount["subPath"]
            found.append((mount["mountPath"].rstrip("/"), str(folder)))
        return found

    def remove(self) -> None:
        """Remove the pod's folder; claims stay."""
        shutil.rmtree(self._home, ignore_errors=True)

    def _claim(self, pod: Object, name: str) -> Path:
        claim = self._api.find("PersistentVolumeClaim", pod["metadata"]["namespace"], name)
        if claim is None:
            raise ConfigError(f'persistentvolumeclaim "{name}" not found')
        return self._claims / str(claim["metadata"]["uid"])

    def _files(self, pod: Object, volume: Object) -> Iterator[tuple[str, bytes]]:
        for source in (volume.get("projected") or {}).get("sources") or (volume,):
            for kind, name in (("secret", "Secret"), ("configMap", "ConfigMap")):
                if reference := source.get(kind):
                    yield from self._data(pod, name, reference)
            for item in (source.get("downwardAPI") or {}).get("items") or ():
                if "fieldRef" in item:
                    yield item["path"], field_value(pod, item["fieldRef"]["fieldPath"]).encode()
                else:
                    named = item["resourceFieldRef"].get("containerName")
                    owner = next(each for each in pod["spec"]["containers"] if named in {None, each["name"]})
                    yield item["path"], resource_value(owner, item["resourceFieldRef"]).encode()

    def _data(self, pod: Object, kind: str, reference: Object) -> Iterator[tuple[str, bytes]]:
        name = reference.get("secretName") or reference.get("name", "")
        obj = self._api.find(kind, pod["metadata"]["namespace"], name)
        if obj is None:
            if not reference.get("optional"):
                raise ConfigError(f'{kind.lower()} "{name}" not found')
            return
        data = contents(obj)
        if not reference.get("items"):
            yield from data.items()
        for item in reference.get("items") or ():
            if item["key"] in data:
                yield item["path"], data[item["key"]]

    def _write(self, path: Path, data: bytes) -> None:
        """Write a file so that a reader sees the old one or the new one."""
        if self._written.get(path) == data:
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = path.with_name(f".{path.name}.new")
        beside.write_bytes(data)
        beside.replace(path)
        self._written[path] = data
