# Sourced by `images` and `load`, which have to agree: which images there are, what builds them, and for which
# kind of cluster.

ROOT=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
TEST_CLUSTER=$ROOT/../shared/cluster/cluster
# As `kubealive up --registry` takes it: another name keeps the images of several checkouts apart on one cluster.
REGISTRY=${REGISTRY:-localhost/kubealive}
AGENT_TAG=$(sed -n 's/^__version__ = "\(.*\)"$/\1/p' "$ROOT/proto/kubealive/__init__.py")
WORKLOAD_TAGS="v1 v2 v3 v4 v5 v-broken"

fail() {
    echo "${0##*/}: $*" >&2
    exit 1
}

has() {
    command -v "$1" >/dev/null 2>&1
}

all_images() {
    echo "$REGISTRY/agent:$AGENT_TAG"
    for tag in $WORKLOAD_TAGS; do echo "$REGISTRY/workload:$tag"; done
}

# The context in use says most; a tool that has a cluster is the next best hint.
detect_cluster() {
    context=$(kubectl config current-context 2>/dev/null || true)
    case $context in
        kind-*) echo kind ;;
        minikube) echo minikube ;;
        *)
            if has kind && [ -n "$(kind get clusters 2>/dev/null)" ]; then echo kind
            elif has minikube && minikube status >/dev/null 2>&1; then echo minikube
            elif has k3s; then echo k3s
            elif [ -x "$TEST_CLUSTER" ]; then echo test
            fi ;;
    esac
}

cluster() {
    chosen=${CLUSTER:-$(detect_cluster)}
    case $chosen in
        kind | minikube | k3s) ;;
        test) [ -x "$TEST_CLUSTER" ] || fail "CLUSTER=test needs $TEST_CLUSTER, which is not here" ;;
        '') fail "no kind, minikube or k3s cluster found: name one with CLUSTER=kind|minikube|k3s|test" ;;
        *) fail "CLUSTER=$chosen is not known: use kind, minikube, k3s or test" ;;
    esac
    echo "$chosen"
}

# docker counts only with its daemon: an installed client alone cannot build.
image_tool() {
    if [ -n "${TOOL:-}" ]; then
        has "$TOOL" || fail "TOOL=$TOOL is not installed"
        echo "$TOOL"
    elif has docker && docker info >/dev/null 2>&1; then echo docker
    elif has podman; then echo podman
    elif has buildah; then echo buildah
    else fail "building images needs docker (running), podman or buildah: install one of them"
    fi
}
