"""What a cluster says while a script runs on it: two of these differ by what their clusters differ in.

    python -m tests.sandbox.record IMAGE > FILE        with KUBECONFIG, and KUBECTL where it is not on the path

IMAGE is the workload's image without its tag. Names that are made up, addresses and UIDs are evened out, and so is
the order within a step: a watch may leave out states in between, and does on every cluster.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import threading
import time
from typing import Any

KUBECTL = os.environ.get("KUBECTL") or shutil.which("kubectl") or "kubectl"
HOME = "kubealive-record"
KINDS = ("deployments", "replicasets", "pods", "services", "endpointslices", "events")
# Longer than a step's last event takes, the grace of a pod included.
QUIET_S = 3.0
WEB = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      automountServiceAccountToken: false
      terminationGracePeriodSeconds: 2
      containers:
      - name: web
        image: IMAGE:v1
        imagePullPolicy: IfNotPresent
        args: [getip]
        ports: [{name: http, containerPort: 8080}]
        readinessProbe: {httpGet: {path: /readyz, port: http}, periodSeconds: 1}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80, targetPort: http}]}
"""
EVEN = (
    (r"\b\d+\.\d+\.\d+\.\d+\b", "IP"),
    (r"\b[0-9a-f]{8}-[0-9a-f-]{27}\b", "UID"),
    (r"web-[a-z0-9]{8,10}-[a-z0-9]{5}\b", "web-SET-POD"),
    (r"web-[a-z0-9]{8,10}\b", "web-SET"),
    (r"web-[a-z0-9]{5}\b", "web-SLICE"),
    (r"node-\d", "NODE"),
)


def even(text: str) -> str:
    """The text without what is made up anew each time."""
    for pattern, word in EVEN:
        text = re.sub(pattern, word, text)
    return text


def kubectl(*words: str, given: str = "") -> str:
    """What kubectl says, in the record's namespace."""
    done = subprocess.run(
        [KUBECTL, "-n", HOME, *words], input=given, text=True, capture_output=True, check=False, timeout=120
    )
    return even((done.stdout + done.stderr).strip())


class Recorder:
    """Watches all kinds, and files what comes under the step that is being made."""

    def __init__(self) -> None:
        self.step = ""
        self.lines: dict[str, set[str]] = {}
        self._watches = [
            subprocess.Popen(
                [KUBECTL, "-n", HOME, "get", kind, "-w", "-o", "json", "--output-watch-events"],
                stdout=subprocess.PIPE, text=True,
            )
            for kind in KINDS
        ]  # fmt: skip
        for watch in self._watches:
            threading.Thread(target=self._read, args=(watch,), daemon=True).start()

    def close(self) -> None:
        """End the watches."""
        for watch in self._watches:
            watch.terminate()
            watch.wait()

    def _read(self, watch: "subprocess.Popen[str]") -> None:
        decoder, rest = json.JSONDecoder(), ""
        for line in watch.stdout or ():
            rest += line
            try:
                event, end = decoder.raw_decode(rest.lstrip())
            except ValueError:
                continue
            rest = rest.lstrip()[end:]
            self.lines.setdefault(self.step, set()).add(even(shown(event["type"], event["object"])))


def shown(kind: str, obj: dict[str, Any]) -> str:
    """An event in a line: what of the object a person would compare."""
    name, status = obj["metadata"]["name"], obj.get("status") or {}
    match obj["kind"]:
        case "Event":
            about = obj["involvedObject"]
            return f"Event {about['kind']} {obj['type']} {obj['reason']}: {obj['message']}"
        case "Pod":
            first = (status.get("containerStatuses") or [{}])[0]
            ((state, inner),) = (first.get("state") or {"none": {}}).items()
            leaving = " leaving" if obj["metadata"].get("deletionTimestamp") else ""
            ready = "ready" if first.get("ready") else "not ready"
            return f"{kind} pod {name}{leaving}: {status.get('phase')}, {state} {inner.get('reason', '')}, {ready}"
        case "Deployment":
            said = [f"{each['type']} {each['status']} {each['reason']}" for each in status.get("conditions") or ()]
            return f"{kind} deployment {name}: {', '.join(sorted(said))}"
        case "EndpointSlice":
            ends = sorted(str(each["conditions"]) for each in obj.get("endpoints") or ())
            return f"{kind} slice: {sorted(set(ends))}"
        case other:
            return f"{kind} {other} {name}"


STEPS: tuple[tuple[str, tuple[tuple[str, ...], ...]], ...] = (
    ("apply", (("apply", "-f", "-"), ("rollout", "status", "deploy/web", "--timeout=60s"))),
    ("scale up", (("scale", "deploy/web", "--replicas=3"), ("rollout", "status", "deploy/web", "--timeout=60s"))),
    (
        "update",
        (("set", "image", "deploy/web", "web=IMAGE:v2"), ("rollout", "status", "deploy/web", "--timeout=60s")),
    ),
    ("undo", (("rollout", "undo", "deploy/web"), ("rollout", "status", "deploy/web", "--timeout=60s"))),
    ("no such image", (("set", "image", "deploy/web", "web=IMAGE:v-missing"),)),
    ("undo again", (("rollout", "undo", "deploy/web"), ("rollout", "history", "deploy/web"))),
    ("scale to none", (("scale", "deploy/web", "--replicas=0"),)),
    ("delete", (("delete", "deploy/web", "service/web"),)),
)


def main(image: str) -> None:
    """Run the script, and print what was said in each step, sorted."""
    kubectl("create", "namespace", HOME)
    recorder = Recorder()
    try:
        time.sleep(1)
        for name, commands in STEPS:
            recorder.step = name
            said = [
                kubectl(*(w.replace("IMAGE", image) for w in each), given=WEB.replace("IMAGE", image))
                for each in commands
            ]
            time.sleep(QUIET_S)
            sys.stdout.write(f"== {name}\n")
            last = [text.splitlines()[-1] for text in said if text]
            lines = ["$ " + each for each in last] + sorted(recorder.lines.get(name, ()))
            sys.stdout.writelines(each.replace(image, "IMAGE") + "\n" for each in lines)
    finally:
        recorder.close()
        kubectl("delete", "namespace", HOME)


if __name__ == "__main__":
    main(sys.argv[1])
