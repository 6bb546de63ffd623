"""Logging in: tokens, plugins that fail aloud and are renewed, and impersonation."""

import json
import stat
import sys
from pathlib import Path
from typing import Any

import pytest
from kubernetes.aio.client import Configuration

from kubealive_tui.errors import LinkError
from kubealive_tui.link import DeniedError, Kubeconfig, LinkOptions, open_link
from kubealive_tui.link import _plugin as plugin_module
from kubealive_tui.link._credentials import Credentials
from kubealive_tui.link._plugin import run_plugin
from tests.tui.link.fakes import FakeApi

API = "client.authentication.k8s.io/v1"


def plugin(folder: Path, body: str) -> dict[str, Any]:
    """An exec entry whose program is this Python text."""
    path = folder / "plugin"
    path.write_text(f"#!{sys.executable}\nimport json, os, sys\n{body}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return {"command": "./plugin", "apiVersion": API, "env": [{"name": "LAB", "value": "x"}]}


def prints(**status: Any) -> str:
    return f"print({json.dumps({'apiVersion': API, 'kind': 'ExecCredential', 'status': status})!r})"


async def test_a_token_is_sent(api: FakeApi, tmp_path: Path) -> None:
    """The kubeconfig's token opens the API; where we are is told in its words."""
    api.token = "t-0"
    async with open_link(LinkOptions(kubeconfig=api.kubeconfig(tmp_path), namespace="n")) as link:
        await link.admit()
        assert (link.where.context, link.where.cluster, link.where.user) == ("lab", "c", "ann")
        assert (link.where.namespace, link.where.server) == ("n", api.url)


async def test_impersonation_goes_with_every_request(api: FakeApi, tmp_path: Path) -> None:
    """`--as` is a header on reviews and on the port-forward, and is who we are."""
    options = LinkOptions(kubeconfig=api.kubeconfig(tmp_path), impersonate="jane")
    async with open_link(options) as link:
        await link.admit()
        assert link.where.user == "jane"
    assert {headers.get("Impersonate-User") for _, headers in api.requests} == {"jane"}


async def test_expired_credentials_are_told(api: FakeApi, tmp_path: Path) -> None:
    """A 401 is a sentence that says to log in."""
    api.token = "another"
    async with open_link(LinkOptions(kubeconfig=api.kubeconfig(tmp_path))) as link:
        with pytest.raises(DeniedError, match="credentials are missing or expired; log in again"):
            await link.admit()


async def test_an_api_that_does_not_answer_is_told(tmp_path: Path) -> None:
    """Unreachable is told with the server's address."""
    api = FakeApi()
    api.url = "http://127.0.0.1:9"
    async with open_link(LinkOptions(kubeconfig=api.kubeconfig(tmp_path))) as link:
        with pytest.raises(LinkError, match=r"http://127.0.0.1:9 cannot be reached"):
            await link.admit()


async def test_missing_rights_are_named(api: FakeApi, tmp_path: Path) -> None:
    """Each verb, the resource, the namespace and who can grant it."""
    api.denied = {"get pods portforward", "create pods portforward"}
    async with open_link(LinkOptions(kubeconfig=api.kubeconfig(tmp_path), namespace="class")) as link:
        with pytest.raises(DeniedError) as caught:
            await link.admit()
    assert "you may not get and create pods/portforward in namespace class" in str(caught.value)
    assert "`kubectl auth can-i get pods/portforward -n class` then says yes" in str(caught.value)


async def test_a_plugins_token_is_sent_and_kept(api: FakeApi, tmp_path: Path) -> None:
    """A command with a path is the kubeconfig folder's; without an end it is asked once."""
    api.token = "from-plugin-x"
    counted = tmp_path / "count"
    body = f"open({str(counted)!r}, 'a').write('.')\n" + prints(token="from-plugin-x")
    async with open_link(
        LinkOptions(kubeconfig=api.kubeconfig(tmp_path, {"exec": plugin(tmp_path, body)}))
    ) as link:
        await link.admit()
        await link.api.request("GET", "/api/v1/namespaces/n/pods")
    assert counted.read_text() == "."


async def test_a_plugins_key_lies_in_a_private_folder_and_goes_with_the_link(api: FakeApi, tmp_path: Path) -> None:
    """TLS takes it from a file alone; the folder is locked, so that a later program can tell that it is left."""
    body = prints(clientCertificateData="CERT", clientKeyData="KEY")
    options = LinkOptions(
        kubeconfig=api.kubeconfig(tmp_path, {"exec": plugin(tmp_path, body)}), folder=str(tmp_path / "links")
    )
    (tmp_path / "links").mkdir()
    credentials = Credentials(Kubeconfig.find(options), parent=options.folder)
    await credentials.load(Configuration())
    (folder,) = (tmp_path / "links").iterdir()
    assert {path.name for path in folder.iterdir()} == {"certificate", "key", "in-use"}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    credentials.close()
    assert not folder.exists()


async def test_a_plugins_token_is_renewed_before_it_ends(api: FakeApi, tmp_path: Path) -> None:
    """A token that is about to end is replaced by the next request."""
    counted = tmp_path / "count"
    body = (
        f"open({str(counted)!r}, 'a').write('.')\n"
        f"token = 't-' + str(len(open({str(counted)!r}).read()))\n"
        f"status = {{'token': token, 'expirationTimestamp': '2020-01-01T00:00:00Z'}}\n"
        f"print(json.dumps({{'apiVersion': {API!r}, 'kind': 'ExecCredential', 'status': status}}))"
    )
    api.token = "t-2"
    async with open_link(
        LinkOptions(kubeconfig=api.kubeconfig(tmp_path, {"exec": plugin(tmp_path, body)}))
    ) as link:
        await link.api.request("GET", "/api/v1/namespaces/n/pods")
    assert counted.read_text() == ".."


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ("sys.stderr.write('Opening\\nsession expired\\n'); sys.exit(3)", "ended with code 3: session expired"),
        ("print('hello')", "printed no ExecCredential"),
        (prints().replace("/v1", "/v1beta1"), "speaks client.authentication.k8s.io/v1beta1"),
        (prints(), "gave neither a token nor a certificate"),
        ("assert not sys.stdin.read(); sys.exit(1)", "ended with code 1"),
    ],
    ids=["fails", "nonsense", "version", "nothing", "reads"],
)
async def test_a_plugin_that_fails_is_told(api: FakeApi, tmp_path: Path, body: str, sentence: str) -> None:
    """The plugin's name, what it said last, and nothing is sent to the cluster."""
    config = api.kubeconfig(tmp_path, {"exec": plugin(tmp_path, body)})
    with pytest.raises(DeniedError, match=sentence):
        async with open_link(LinkOptions(kubeconfig=config)):
            pass
    assert api.requests == []


async def test_a_plugin_that_is_missing_is_told(api: FakeApi, tmp_path: Path) -> None:
    """With the kubeconfig's own hint of how to install it."""
    spec = {"command": "kubealive-no-such-plugin", "apiVersion": API, "installHint": "Get it\nfrom the shop"}
    config = api.kubeconfig(tmp_path, {"exec": spec})
    with pytest.raises(DeniedError, match=r"'kubealive-no-such-plugin' cannot run: .*; Get it from the shop"):
        async with open_link(LinkOptions(kubeconfig=config)):
            pass


async def test_a_plugin_that_hangs_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It does not hold up the link, and no process is left."""
    monkeypatch.setattr(plugin_module, "SILENT_S", 0.3)
    spec = plugin(tmp_path, "import time; time.sleep(60)")
    with pytest.raises(DeniedError, match="did not answer in"):
        await run_plugin(spec, folder=tmp_path, interactive=False)


@pytest.mark.parametrize(
    "user",
    [{"client-certificate": "/no/such/file"}, {"tokenFile": "/no/such/file"}, {"auth-provider": {"name": "oidc"}}],
    ids=["certificate", "token file", "oidc"],
)
async def test_a_context_that_cannot_be_used_is_told(api: FakeApi, tmp_path: Path, user: dict[str, Any]) -> None:
    """Whatever the client stumbles over names the context and the file."""
    api.url = "https://127.0.0.1:1"
    config = api.kubeconfig(tmp_path, user)
    with pytest.raises(LinkError, match=f"context 'lab' in {config} cannot be used"):
        async with open_link(LinkOptions(kubeconfig=config)):
            pass
