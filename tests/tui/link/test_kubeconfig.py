"""Which kubeconfig and context count, and what is said where none does."""

import os
from pathlib import Path
from typing import Any

import pytest
import yaml

from kubealive_tui.errors import UsageError
from kubealive_tui.link import LinkOptions
from kubealive_tui.link._kubeconfig import Kubeconfig


def written(path: Path, current: str = "", **contexts: str) -> Path:
    """A kubeconfig with these contexts, each with its user; an empty `current` is left out."""
    known: dict[str, Any] = {
        "contexts": [{"name": n, "context": {"cluster": f"c-{n}", "user": u}} for n, u in contexts.items()],
        "users": [{"name": u, "user": {"token": f"token of {u} in {path.name}"}} for u in contexts.values()],
    }
    path.write_text(yaml.safe_dump({**known, **({"current-context": current} if current else {})}))
    return path


def find(options: LinkOptions, *paths: Path) -> Kubeconfig:
    return Kubeconfig.find(options, {"KUBECONFIG": os.pathsep.join(map(str, paths))})


def test_the_current_context_counts(tmp_path: Path) -> None:
    """Without `--context`, it is the kubeconfig's own choice."""
    found = find(LinkOptions(), written(tmp_path / "a", "lab", lab="ann", prod="bob"))
    assert (found.context, found.cluster, found.user) == ("lab", "c-lab", "ann")
    assert found.folder == tmp_path


def test_a_named_context_counts_more(tmp_path: Path) -> None:
    """`--context` wins."""
    found = find(LinkOptions(context="prod"), written(tmp_path / "a", "lab", lab="ann", prod="bob"))
    assert (found.context, found.user) == ("prod", "bob")


def test_of_several_files_the_first_counts(tmp_path: Path) -> None:
    """As with kubectl: current context, contexts and users of the first file that names them."""
    first = written(tmp_path / "a", lab="ann")
    second = written(tmp_path / "b", "lab", lab="bob", other="ann")
    third = written(tmp_path / "c", "other", other="eve")
    found = find(LinkOptions(), first, tmp_path / "missing", second, third)
    assert (found.context, found.user) == ("lab", "ann")
    assert found.credentials["token"] == "token of ann in a"


def test_the_flag_counts_more_than_the_environment(tmp_path: Path) -> None:
    """`--kubeconfig` replaces KUBECONFIG's list."""
    options = LinkOptions(kubeconfig=str(written(tmp_path / "b", "mine", mine="bob")))
    assert find(options, written(tmp_path / "a", "lab", lab="ann")).context == "mine"


def test_no_kubeconfig_says_where_was_looked(tmp_path: Path) -> None:
    """The places are named, and what to do, with a cluster and without."""
    with pytest.raises(UsageError, match=r"looked for .*none.*pass --kubeconfig FILE.*`kubealive tui --sandbox`"):
        find(LinkOptions(), tmp_path / "none")


def test_no_such_context_lists_those_there_are(tmp_path: Path) -> None:
    """A typing error is mended from the sentence alone."""
    with pytest.raises(UsageError, match=r"no context 'lob' in .*; there are: lab, prod"):
        find(LinkOptions(context="lob"), written(tmp_path / "a", "lab", prod="bob", lab="ann"))


def test_no_current_context_asks_for_one(tmp_path: Path) -> None:
    """Several contexts and no choice is a question, not a guess."""
    with pytest.raises(UsageError, match=r"has no current context; pass --context NAME \(there are: lab\)"):
        find(LinkOptions(), written(tmp_path / "a", lab="ann"))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "there is none in it"),
        ("a: [", "is not YAML"),
        ("just words", "is not a kubeconfig"),
        ("contexts: {a: b}", "is not a kubeconfig"),
        ("contexts: [1, 2]", "is not a kubeconfig"),
        ("\x00", "is not YAML"),
    ],
    ids=["empty", "broken", "text", "map", "numbers", "binary"],
)
def test_what_is_no_kubeconfig_is_told(tmp_path: Path, text: str, sentence: str) -> None:
    """The file and what is wrong with it."""
    path = tmp_path / "config"
    path.write_text(text)
    with pytest.raises(UsageError, match=sentence) as caught:
        find(LinkOptions(), path)
    assert str(path) in str(caught.value)
