"""Which kubeconfig, which context, whose credentials.

The official client reads them again for what it needs. Here the choice is made as kubectl makes it (the first
file that names a context counts), and what is wrong is said in one sentence.
"""

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from kubealive_tui.errors import UsageError
from kubealive_tui.hints import DEFAULT_NAMESPACE, own_command

__all__ = ["Kubeconfig", "LinkOptions", "Where", "terminal_is_free"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkOptions:
    """How to find the cluster and the agent; empty means kubectl's own default.

    `agent` is HOST:PORT of an agent that is reached without a cluster: inside its network, or by a tunnel.
    `folder` is where the link's own files are to lie, a private folder each; empty for that of temporary files.
    """

    kubeconfig: str = ""
    context: str = ""
    namespace: str = DEFAULT_NAMESPACE
    impersonate: str = ""
    agent: str = ""
    folder: str = ""


@dataclass(frozen=True, slots=True)
class Where:
    """What the link leads to, in the words of the kubeconfig; `server` is the API's URL."""

    context: str
    namespace: str
    cluster: str = ""
    user: str = ""
    server: str = ""


@dataclass(frozen=True, slots=True)
class Kubeconfig:
    """The files that count, the context chosen in them, and its user's entry.

    `folder` is that of the file with the user, to which a plugin's command may be relative.
    """

    paths: tuple[Path, ...]
    context: str
    cluster: str
    user: str
    credentials: Mapping[str, Any]
    folder: Path

    @classmethod
    def find(cls, options: LinkOptions, environment: Mapping[str, str] | None = None) -> "Kubeconfig":
        """Read the kubeconfig as kubectl would: `--kubeconfig`, else KUBECONFIG's list, else ~/.kube/config.

        Raises UsageError where no file is found, one cannot be read, or the context is not in them.
        """
        wanted = _paths(options, os.environ if environment is None else environment)
        read = [(path, _read(path)) for path in wanted if path.exists()]
        if not read:
            looked = ", ".join(map(str, wanted))
            raise UsageError(
                f"no kubeconfig found (looked for {looked}); pass --kubeconfig FILE, or set KUBECONFIG; "
                f"without a cluster `{own_command('tui', '--sandbox', namespace=options.namespace)}` makes one"
            )
        paths = [path for path, _ in read]
        contexts = _entries(read, "contexts", "context")
        currents = (str(known["current-context"]) for _, known in read if known.get("current-context"))
        context = options.context or next(currents, "")
        if context not in contexts:
            raise _no_context(context, sorted(contexts), paths)
        chosen = contexts[context][1]
        user = str(chosen.get("user", ""))
        path, credentials = _entries(read, "users", "user").get(user, (paths[0], {}))
        filled = tuple(path for path, known in read if known)
        return cls(filled, context, str(chosen.get("cluster", "")), user, credentials, path.parent.absolute())


def _entries(
    read: Sequence[tuple[Path, dict[str, Any]]], plural: str, singular: str
) -> dict[str, tuple[Path, dict[str, Any]]]:
    """Named entries of all files; as with kubectl, the first of a name counts."""
    found: dict[str, tuple[Path, dict[str, Any]]] = {}
    for path, known in read:
        for entry in known.get(plural) or ():
            found.setdefault(str(entry.get("name")), (path, entry.get(singular) or {}))
    return found


def _paths(options: LinkOptions, environment: Mapping[str, str]) -> list[Path]:
    if options.kubeconfig:
        return [Path(options.kubeconfig).expanduser()]
    listed = [Path(part).expanduser() for part in environment.get("KUBECONFIG", "").split(os.pathsep) if part]
    return listed or [Path("~/.kube/config").expanduser()]


def _read(path: Path) -> dict[str, Any]:
    try:
        known = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as exc:
        raise UsageError(f"cannot read kubeconfig {path}: {exc.strerror}; pass another with --kubeconfig") from exc
    except (yaml.YAMLError, UnicodeDecodeError) as exc:
        place = getattr(exc, "problem_mark", None)
        line = f" (line {place.line + 1})" if place else ""
        raise UsageError(
            f"kubeconfig {path} is not YAML{line}; mend it, or pass another with --kubeconfig"
        ) from exc
    if known is None:
        return {}
    if not isinstance(known, dict) or not all(_is_list_of_maps(known.get(name)) for name in ("contexts", "users")):
        raise UsageError(f"{path} is not a kubeconfig; pass another with --kubeconfig")
    return known


def _is_list_of_maps(value: object) -> bool:
    return value is None or (isinstance(value, list) and all(isinstance(entry, dict) for entry in value))


def _no_context(name: str, known: list[str], paths: list[Path]) -> UsageError:
    where = ", ".join(map(str, paths))
    there = f"there are: {', '.join(known)}" if known else "there is none in it"
    if not name:
        return UsageError(f"kubeconfig {where} has no current context; pass --context NAME ({there})")
    return UsageError(f"no context {name!r} in kubeconfig {where}; {there}")


def terminal_is_free() -> bool:
    """Whether a credential plugin may ask a person: there is one, and no screen is drawn yet."""
    return sys.stdin is not None and sys.stdin.isatty() and sys.stderr.isatty()
