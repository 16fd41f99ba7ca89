# What people type. `make demo` and `make test` need python3 (3.11 or newer, with its venv module) and make.

VENV := .venv
PY := $(VENV)/bin/python
PRODUCT := returnsops connectors reconciliation exceptions_queue
TESTS ?= tests
TEST_POSTGRES_URL ?= postgres://postgres@127.0.0.1:5432/postgres
N ?= 200
# The demo reads no .env and has a database of its own: no real shop, no real data.
DEMO_ENV = ENV_FILE= DEBUG=true DATABASE_URL="$${DEMO_DATABASE_URL:-sqlite:///$(CURDIR)/.demo/demo.sqlite3}"
# Two processes; whoever is done early takes from the other, so that no long file is left to one of them at the end.
# Compiled tests and modules are kept even where the environment says not to: the second run starts ten seconds earlier.
PYTEST = env -u PYTHONDONTWRITEBYTECODE $(PY) -m pytest -n 2 --dist worksteal

.DEFAULT_GOAL := help
.PHONY: help setup setup-dev demo demo-once run test test-postgres browser lint types contracts requirements bench \
        prove ci lock clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-14s %s\n", $$1, $$2 }' Makefile

# --- installing: from the lock files, with hashes, again only when a lock file changed --------------------------------
# What it tells goes to stderr: the stdout of `make demo-once` is one JSON document.

$(PY):
	@python=; for candidate in $(PYTHON) python3 python3.13 python3.12 python3.11; do \
	  if command -v $$candidate >/dev/null 2>&1 && \
	     $$candidate -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then python=$$candidate; break; fi; \
	done; \
	if [ -z "$$python" ]; then \
	  echo "returnsops needs Python 3.11 or newer, and neither python3 nor python3.11 to python3.13 is that on this machine." >&2; exit 1; \
	fi; \
	if ! $$python -c 'import venv, ensurepip' 2>/dev/null; then \
	  echo "Python's venv module is missing: install it (on Debian and Ubuntu: apt-get install python3-venv) and try again." >&2; exit 1; \
	fi; \
	echo "Making $(VENV) with $$($$python --version)" >&2; $$python -m venv $(VENV)

$(VENV)/installed: requirements.lock | $(PY)
	@echo "Installing $$(grep -c '==' requirements.lock) packages from requirements.lock (once, until the lock changes)" >&2
	@$(PY) -m pip install --disable-pip-version-check --require-hashes -r requirements.lock >&2
	@touch $@

$(VENV)/installed-dev: requirements-dev.lock $(VENV)/installed | $(PY)
	@echo "Installing $$(grep -c '==' requirements-dev.lock) packages from requirements-dev.lock (once, until the lock changes)"
	@$(PY) -m pip install --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@touch $@

setup: $(VENV)/installed ## install what is needed to run
setup-dev: $(VENV)/installed-dev ## install what is needed to test and develop

# --- running ----------------------------------------------------------------------------------------------------------

demo: $(VENV)/installed ## a running back office on this machine with simulated shops and a played day of returns
	@$(DEMO_ENV) $(PY) manage.py demo $(if $(PORT),--port $(PORT)) $(if $(FRESH),--fresh)

demo-once: $(VENV)/installed ## play the day, verify, print a JSON summary, exit 0 or 1
	@$(DEMO_ENV) $(PY) manage.py demo --once

run: $(VENV)/installed ## web and worker for real connections (reads .env); Ctrl-C stops both
	@$(PY) deploy/run.py

# --- proving ----------------------------------------------------------------------------------------------------------

test: $(VENV)/installed-dev ## all tests that need no service; says at the end what it left out and why
	@$(PYTEST) $(TESTS)

test-postgres: $(VENV)/installed-dev ## the same tests on PostgreSQL (TEST_POSTGRES_URL)
	@DATABASE_URL="$(TEST_POSTGRES_URL)" TEST_DATABASE_NAME=test_returnsops $(PYTEST) $(TESTS)

browser: $(VENV)/installed-dev ## browser tests, with a Chromium of this machine (CHROMIUM)
	@$(PY) -m pytest --browser $(TESTS)

lint: $(VENV)/installed-dev contracts ## style, format, import contracts
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/ruff format --check .

types: $(VENV)/installed-dev ## mypy, strict
	@$(VENV)/bin/mypy $(PRODUCT) tests deploy

contracts: $(VENV)/installed-dev ## who may import whom
	@PYTHONPATH=. $(VENV)/bin/lint-imports

requirements: $(VENV)/installed-dev ## each row of docs/requirements.csv with its tests
	@$(PY) -m pytest --collect-only -qq --requirements tests

bench: $(VENV)/installed-dev ## measurements (docs/performance.md)
	@$(PY) -m pytest --benchmark -s tests/benchmarks

prove: $(VENV)/installed-dev ## fault schedules and properties, N of each (make prove N=1000)
	@$(PY) -m pytest --prove $(N) tests/faults tests/properties

ci: ## what CI runs
	@.ci/run

# --- looking after the house ------------------------------------------------------------------------------------------

LOCK = $(VENV)/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --no-header \
       --no-emit-index-url --no-emit-find-links pyproject.toml --all-extras

lock: $(VENV)/installed-dev ## write both lock files from pyproject.toml (UPGRADE=--upgrade for newer versions)
	@$(LOCK) $(UPGRADE) --output-file requirements.lock
	@$(LOCK) $(UPGRADE) --group dev --constraint requirements.lock --output-file requirements-dev.lock

clean: ## remove what can be made again; databases of real connections stay
	@rm -rf $(VENV) .demo staticfiles .coverage .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
