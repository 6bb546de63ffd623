# kubealive: what there is to do. `make` alone lists it.
#
#   make run     the main job: look at the cluster of your kubeconfig, or at one made of processes here
#   make test    the tests that need no cluster
#   make check   the whole gate: lint, types, imports, contract, tests
#
# Each target makes its own virtual environment, from Python 3.11 or newer and nothing else.

PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
USE    := $(VENV)/.installed
DEV    := $(VENV)/.installed-dev
# In the order that tests/e2e/conftest.py gives the tests.
APART  := --no-loadscope-reorder --timeout 300

# Programs are started by the hundred here, and each would compile all that it loads anew.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help run test check lint types imports proto proto-check images load e2e e2e-sandbox bench clean

help:  ## list the targets
	@sed -n 's/^\([a-z0-9-]*\):.*  ## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 20

# ---------------------------------------------------------------- use

run: $(USE)  ## open the laboratory on the kubeconfig's cluster, or on one made here if there is none
	@$(BIN)/kubealive tui --or-sandbox $(ARGS)

images:  ## build the agent's and the workloads' images (docker, podman or buildah)
	@scripts/images

load:  ## hand the images to kind, minikube, k3s or the test cluster (CLUSTER=...)
	@scripts/load

# ---------------------------------------------------------------- prove

test: $(DEV)  ## unit tests, within three minutes
	@$(BIN)/pytest -q -n 2 --dist loadfile tests

check: lint types imports proto-check test  ## the whole gate

lint: $(DEV)
	@$(BIN)/ruff format --check -q . && $(BIN)/ruff check -q .

types: $(DEV)
	@$(BIN)/mypy

imports: $(DEV)
	@PYTHONPATH=proto:agent:tui:workloads:sandbox $(BIN)/lint-imports

# Two workers, each with a namespace of its own; then, alone, what cuts a machine's power, unless ARGS leave nothing
# of it (pytest's 5).
e2e: $(DEV)  ## end to end on the cluster of KUBECONFIG (ARGS go to pytest)
	@failed=0; \
	$(BIN)/pytest -v -m "e2e and not power" -n 2 --dist loadfile $(APART) tests/e2e $(ARGS) || failed=1; \
	$(BIN)/pytest -v -m "e2e and power" --timeout 300 tests/e2e $(ARGS) || [ $$? = 5 ] || failed=1; \
	exit $$failed

e2e-sandbox: $(DEV)  ## the same end to end, on clusters of processes made for it, several at a time
	@KUBEALIVE_E2E_SANDBOX=1 $(BIN)/pytest -v -m e2e -n 5 $(APART) tests/e2e $(ARGS)

bench: $(DEV)  ## ratios against named peers; fails on the bounds of the README
	@$(BIN)/python -m bench $(ARGS)

# ---------------------------------------------------------------- contract

proto: $(DEV)  ## write the gRPC code anew
	@$(BIN)/python proto/generate

proto-check: $(DEV)  ## prove that the committed gRPC code is current
	@$(BIN)/python proto/generate --check

# ---------------------------------------------------------------- environments

$(BIN)/pip:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "kubealive needs Python 3.11 or newer; this is " + sys.version.split()[0] + ": name another with make PYTHON=...")'
	@echo "making an environment in $(VENV), which takes a minute or two, once"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/pip install -q --upgrade 'pip>=25.1'

$(USE): pyproject.toml | $(BIN)/pip
	@$(BIN)/pip install -q -e '.[tui,sandbox]'
	@touch $@

$(DEV): pyproject.toml | $(BIN)/pip
	@$(BIN)/pip install -q -e '.[agent,tui,sandbox]' --group dev
	@touch $@ $(USE)

clean:  ## remove the virtual environment and caches
	@rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
