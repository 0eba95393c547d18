# Set-up happens once, in .venv, and needs the network; everything after it works without.
.DEFAULT_GOAL := help
SHELL := /bin/sh

VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check
PAGE := src/moothall/web/index.html
PACKAGES := web/node_modules/.ready
SUITE := tests/protocols/mcp/suite
JUDGES := $(SUITE)/node_modules/.ready
NPM := PATH="$(CURDIR)/$(BIN):$$PATH" npm --prefix web --no-fund --no-audit --loglevel=error

.PHONY: help install web demo test test-page suite check chaos bench screenshots lock clean

help: ## show the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

install: $(READY) ## set up .venv

web: $(PAGE) ## build the page into the package

demo: $(READY) $(PAGE) ## negotiate the sample demand, live, and go on serving
	@$(BIN)/moot demo

test: check test-page $(PAGE) $(JUDGES) ## the static checks, then every test
	CHROMIUM="$$($(BIN)/python scripts/chromium.py)" $(BIN)/python -m pytest -n auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder

test-page: $(PAGE) ## the tests of the page that need no browser
	$(NPM) run test

suite: $(JUDGES) ## install the conformance suite and the inspector of MCP, which judge in the tests

check: $(READY) $(PACKAGES) ## ruff, mypy, the import order, and the style of the page
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(NPM) run lint

chaos: $(READY) ## kill -9 the server again and again in mid-negotiation and count what is lost
	$(BIN)/python -m tests.chaos.kill9

bench: $(READY) ## the figures of the README, each beside its baseline
	$(BIN)/python benchmarks/kernel.py
	$(BIN)/python benchmarks/calls.py
	$(BIN)/python benchmarks/identity.py
	$(BIN)/python benchmarks/doors.py
	$(BIN)/python -m benchmarks.mcp_door
	$(BIN)/python -m benchmarks.a2a_door
	$(BIN)/python -m benchmarks.churn
	$(BIN)/python -m benchmarks.hostile
	$(BIN)/python -m benchmarks.policy
	$(BIN)/python -m benchmarks.audit
	$(BIN)/python -m benchmarks.sandbox
	$(BIN)/python -m benchmarks.agora_replay
	$(BIN)/python -m benchmarks.quality --scenarios 200 --seed 1

screenshots: $(READY) $(PAGE) ## take the pictures of the documentation from the real page
	CHROMIUM="$$($(BIN)/python scripts/chromium.py)" $(BIN)/python -m scripts.screenshots

lock: $(READY) ## write requirements.lock anew from pyproject.toml
	$(PIP) install uv
	$(BIN)/uv pip compile pyproject.toml --group dev --universal --python-version 3.11 --generate-hashes \
	  --no-header --no-annotate --no-emit-index-url --upgrade --quiet --output-file requirements.lock

clean: ## remove what the tools leave behind; .venv and the data stay
	rm -rf src/moothall/web web/src/api/schema.d.ts build dist htmlcov .coverage .coverage.* .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find src tests benchmarks scripts -name __pycache__ -type d -prune -exec rm -rf {} +

$(READY): requirements.lock pyproject.toml
	@$(BIN)/python -c '' 2>/dev/null || { \
	  for python in $(PYTHON) python3.11 python3.12 python3.13 python3; do \
	    $$python -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && break; python=; \
	  done; \
	  test -n "$$python" || { \
	    echo "error: no Python 3.11 or newer was found, or it lacks the venv module" >&2; \
	    echo "try: install one (on Debian and Ubuntu with python3-venv), or name it: make PYTHON=/path/to/python3 install" >&2; \
	    exit 1; }; \
	  $$python -m venv --clear $(VENV); }
	$(PIP) install --require-hashes -r requirements.lock
	$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@

$(PACKAGES): web/package-lock.json web/package.json web/.npmrc $(READY)
	$(NPM) ci
	@touch $@

$(JUDGES): $(SUITE)/package-lock.json $(SUITE)/package.json $(READY)
	PATH="$(CURDIR)/$(BIN):$$PATH" npm --prefix $(SUITE) --no-fund --no-audit --loglevel=error --ignore-scripts ci
	@touch $@

$(PAGE): $(PACKAGES) $(shell find web -path web/node_modules -prune -o -type f ! -name schema.d.ts ! -name '*.test.*' -print)
	$(NPM) run --silent build
