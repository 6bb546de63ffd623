"""The API over HTTP: paths and bodies to calls of the core, its answers and refusals to what clients read.

aiohttp carries it because a watch, a WebSocket and the WebSocket's own flow control come with it; routes are our
own, since every path of Kubernetes has the same few shapes. Whoever may connect could run programs as this user,
so the path begins with a secret that only the kubeconfig holds: client-go sends no token to a server without TLS.
"""

import hmac
import json
import logging
from dataclasses import dataclass
from typing import Any

import yaml
from aiohttp import web

from kubealive_sandbox.api import _protobuf, _watch
from kubealive_sandbox.api._core import Api, Writing
from kubealive_sandbox.api._discovery import discover
from kubealive_sandbox.api._errors import ApiError, bad_request, refused, unsupported_media
from kubealive_sandbox.api._metrics import Metrics, measured
from kubealive_sandbox.api._resources import Resource, find
from kubealive_sandbox.api._scale import scale_of, scaled
from kubealive_sandbox.api._store import Object
from kubealive_sandbox.api._streams import Streams
from kubealive_sandbox.api._tables import table

__all__ = ["build_app"]

_log = logging.getLogger(__name__)

# A request of the real server's own limit; whatever is larger is no manifest.
MOST_BODY = 3 << 20
_PATCHES = {
    "application/merge-patch+json": "merge",
    "application/strategic-merge-patch+json": "strategic",
    "application/json-patch+json": "json",
    "application/apply-patch+yaml": "apply",
}


@dataclass(frozen=True, slots=True)
class Asked:
    """What a path means."""

    group: str
    version: str
    namespace: str
    plural: str
    name: str
    sub: str


def _parse(path: str) -> Asked | None:
    parts = path.strip("/").split("/")
    match parts:
        case ["api", version, *rest]:
            group = ""
        case ["apis", group, version, *rest]:
            pass
        case _:
            return None
    namespace = ""
    if len(rest) > 2 and rest[0] == "namespaces" and rest[2] not in {"status", "finalize"}:
        namespace, rest = rest[1], rest[2:]
    plural, name, sub = (*rest, "", "", "")[:3]
    return Asked(group, version, namespace, plural, name, sub) if plural and len(rest) <= 3 else None


def build_app(api: Api, *, secret: str, streams: Streams, metrics: Metrics) -> web.Application:
    """The server's application. Only paths that begin with the secret are answered."""
    handler = _Handler(api, secret, streams, metrics)
    app = web.Application(client_max_size=MOST_BODY)
    app.router.add_route("*", "/{path:.*}", handler.answer)
    return app


class _Handler:
    def __init__(self, api: Api, secret: str, streams: Streams, metrics: Metrics) -> None:
        self._api = api
        self._secret = secret
        self._streams = streams
        self._metrics = metrics

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Answer any request; the root of each, so that a fault in one is a 500 and a line in the log."""
        given, _, path = request.match_info["path"].partition("/")
        if not hmac.compare_digest(given.encode(), self._secret.encode()):
            return web.Response(status=404, text="there is nothing here\n")
        try:
            return await self._answer(request, "/" + path)
        except ApiError as exc:
            return web.json_response(exc.status(), status=exc.code)
        except web.HTTPRequestEntityTooLarge:
            error = ApiError(413, "RequestEntityTooLarge", f"Request entity too large: limit is {MOST_BODY}")
            return web.json_response(error.status(), status=error.code)
        except Exception:  # noqa: BLE001 - the root of each request
            _log.exception("%s %s", request.method, path)
            error = ApiError(500, "InternalError", "the sandbox met something unforeseen, which is in its log")
            return web.json_response(error.status(), status=error.code)

    async def _answer(self, request: web.Request, path: str) -> web.StreamResponse:
        if path in {"/healthz", "/livez", "/readyz"}:
            return web.Response(text="ok")
        if request.method == "GET":
            found = discover(path, request.headers.get("Accept", ""))
            if found is not None:
                return _discovered(found)
        asked = _parse(path)
        if asked is None:
            raise ApiError(404, "NotFound", "the server could not find the requested resource")
        if asked.group == "metrics.k8s.io":
            if request.method != "GET":
                raise _not_allowed()
            selector = request.query.get("labelSelector", "")
            wanted = (asked.plural, asked.namespace, asked.name)
            return web.json_response(measured(self._metrics, *wanted, selector=selector))
        if asked.group == "authorization.k8s.io":
            return web.json_response(_review(await _body(request)), status=201)
        resource = find(asked.group, asked.version, asked.plural)
        if resource is None or bool(asked.namespace) > resource.namespaced:
            raise ApiError(404, "NotFound", "the server could not find the requested resource")
        if asked.sub and asked.sub not in {"status", "finalize"}:
            return await self._subresource(request, resource, asked)
        return await self._object(request, resource, asked)

    async def _object(self, request: web.Request, resource: Resource, asked: Asked) -> web.StreamResponse:
        api, kind, query = self._api, resource.kind, request.query
        sub = "status" if asked.sub == "status" and resource.status else ""
        if request.method == "GET" and query.get("watch", "0") in {"1", "true"}:
            fields = f"metadata.name={asked.name}" if asked.name else query.get("fieldSelector", "")
            return await _watch.watch(request, api, resource, asked.namespace, fields)
        match request.method:
            case "GET" if asked.name:
                return self._show(request, kind, [api.get(resource, asked.namespace, asked.name)], one=True)
            case "GET":
                selectors = {"labels": query.get("labelSelector", ""), "fields": query.get("fieldSelector", "")}
                return self._show(request, kind, api.select(kind, asked.namespace, **selectors), one=False)
            case verb if verb != "GET" and "create" not in resource.verbs:
                raise _not_allowed()
            case "POST" if not asked.name:
                body = _placed(await _body(request), resource, asked)
                writing = _writing(request)
                return _written(api.create(kind, body, writing), writing, status=201)
            case "PUT" if asked.name:
                body = _placed(await _body(request), resource, asked)
                writing = _writing(request)
                return _written(api.update(kind, body, sub=sub, writing=writing), writing)
            case "PATCH" if asked.name:
                how, patch = await _patch(request)
                existed = api.store.get(resource, asked.namespace, asked.name) is not None
                writing = _writing(request)
                place = (kind, asked.namespace, asked.name)
                changed = api.patch(*place, patch, how=how, sub=sub, writing=writing)
                return _written(changed, writing, status=200 if existed else 201)
            case "DELETE":
                return await self._delete(request, resource, asked)
            case _:
                raise _not_allowed()

    async def _delete(self, request: web.Request, resource: Resource, asked: Asked) -> web.StreamResponse:
        options = (await _body(request, empty={})) if request.can_read_body else {}
        for name in ("gracePeriodSeconds", "propagationPolicy", "dryRun"):
            if name in request.query:
                value = request.query[name]
                options[name] = int(value) if name == "gracePeriodSeconds" and value.isdigit() else value
        kind, api = resource.kind, self._api
        if asked.name:
            left = api.delete(kind, asked.namespace, asked.name, options)
            if kind in {"Pod", "Namespace"} or left["metadata"].get("finalizers"):
                return web.json_response(left)
            details = {
                "name": asked.name,
                "group": resource.group,
                "kind": resource.plural,
                "uid": left["metadata"]["uid"],
            }
            return web.json_response(
                {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details}
            )
        query = request.query
        chosen = api.select(
            kind, asked.namespace, labels=query.get("labelSelector", ""), fields=query.get("fieldSelector", "")
        )
        for obj in chosen:
            api.delete(kind, obj["metadata"].get("namespace", ""), obj["metadata"]["name"], options)
        return self._show(request, kind, chosen, one=False)

    async def _subresource(self, request: web.Request, resource: Resource, asked: Asked) -> web.StreamResponse:
        api, kind = self._api, resource.kind
        obj = api.get(resource, asked.namespace, asked.name)
        if asked.sub == "scale" and resource.scale:
            return await self._scale(request, resource, obj)
        if kind == "Pod" and asked.sub == "eviction" and request.method == "POST":
            body = await _body(request)
            api.delete(kind, asked.namespace, asked.name, body.get("deleteOptions"))
            status = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}
            return web.json_response(status, status=201)
        if kind == "Pod":
            return await self._streams.answer(request, obj, asked.sub)
        raise refused(f"{resource.plural}/{asked.sub}")

    async def _scale(self, request: web.Request, resource: Resource, obj: Object) -> web.StreamResponse:
        if request.method == "GET":
            return web.json_response(scale_of(obj))
        if request.method == "PATCH":
            how, patch = await _patch(request)
        elif request.method == "PUT":
            how, patch = "merge", await _body(request)
        else:
            raise _not_allowed()
        writing = _writing(request)
        return web.json_response(scale_of(scaled(self._api, resource, obj, patch, how=how, writing=writing)))

    def _show(self, request: web.Request, kind: str, objects: list[Object], *, one: bool) -> web.Response:
        version = str(self._api.store.version)
        if "as=Table" in request.headers.get("Accept", ""):
            include = request.query.get("includeObject", "Metadata")
            if one:
                version = objects[0]["metadata"]["resourceVersion"]
            shown = table(kind, objects, now=self._api.now(), version=version, include=include)
            return web.json_response(shown)
        if one:
            return web.json_response(objects[0])
        api_version = objects[0]["apiVersion"] if objects else "v1"
        listed = {
            "kind": f"{kind}List",
            "apiVersion": api_version,
            "metadata": {"resourceVersion": version},
            "items": objects,
        }
        return web.json_response(listed)


def _written(obj: Object, writing: Writing, *, status: int = 200) -> web.Response:
    """The answer to a write, with what it warns of."""
    response = web.json_response(obj, status=status)
    for warning in writing.warnings:
        quoted = warning.replace('"', '\\"')
        response.headers.add("Warning", f'299 - "{quoted}"')
    return response


def _not_allowed() -> ApiError:
    return ApiError(405, "MethodNotAllowed", "the server does not allow this method on the requested resource")


def _discovered(found: Object) -> web.Response:
    kind = "application/json"
    if found.get("kind") == "APIGroupDiscoveryList":
        version = str(found["apiVersion"]).rpartition("/")[2]
        kind = f"application/json;g=apidiscovery.k8s.io;v={version};as=APIGroupDiscoveryList"
    return web.Response(body=json.dumps(found).encode(), headers={"Content-Type": kind})


def _review(review: Object) -> Object:
    """Whoever has the address may do everything: there is one user."""
    rules = [{"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}]
    status: Object = {"allowed": True, "reason": "the sandbox has one user, who may do everything"}
    if review.get("kind") == "SelfSubjectRulesReview":
        status = {"resourceRules": rules, "nonResourceRules": [], "incomplete": False}
    return {**review, "status": status}


def _placed(body: Object, resource: Resource, asked: Asked) -> Object:
    """The body with the place that the path says; one that says another place is refused."""
    meta = body.setdefault("metadata", {})
    home = meta.get("namespace")
    if resource.namespaced and home and asked.namespace and home != asked.namespace:
        raise bad_request("the namespace of the provided object does not match the namespace sent on the request")
    if resource.namespaced:
        meta["namespace"] = asked.namespace or home or "default"
    if asked.name and meta.setdefault("name", asked.name) != asked.name:
        raise bad_request(
            f"the name of the object ({meta['name']}) does not match the name on the URL ({asked.name})"
        )
    return body


def _writing(request: web.Request) -> Writing:
    query = request.query
    agent = request.headers.get("User-Agent", "").partition("/")[0]
    return Writing(
        manager=query.get("fieldManager") or ("" if _is_apply(request) else agent),
        strict=query.get("fieldValidation") == "Strict",
        dry_run=query.get("dryRun") == "All",
        force=query.get("force") == "true",
    )


def _is_apply(request: web.Request) -> bool:
    return request.content_type == "application/apply-patch+yaml"


async def _patch(request: web.Request) -> tuple[str, Any]:
    how = _PATCHES.get(request.content_type)
    if how is None:
        raise unsupported_media(request.content_type)
    body = await request.read()
    try:
        return how, yaml.safe_load(body) if how == "apply" else json.loads(body)
    except (ValueError, yaml.YAMLError) as exc:
        raise bad_request(f"error decoding patch: {exc}") from exc


async def _body(request: web.Request, *, empty: Object | None = None) -> Object:
    body = await request.read()
    if not body and empty is not None:
        return empty
    if request.content_type == _protobuf.MEDIA_TYPE:
        return _protobuf.decode(body)
    try:
        found = yaml.safe_load(body) if request.content_type == "application/yaml" else json.loads(body)
    except (ValueError, yaml.YAMLError) as exc:
        raise bad_request(f"the object provided is unrecognized: {exc}") from exc
    if not isinstance(found, dict):
        raise bad_request("the object provided is unrecognized (must be an object)")
    return found
