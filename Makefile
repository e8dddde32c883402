# Everything is one word. `make demo` and `make test` set up what they need.
.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c

VENV := .venv
BIN := $(VENV)/bin
PYTHON ?= $(shell command -v python3.11 || command -v python3)
UV_VERSION := 0.13.9
export PYTHONPATH := include:.
export DO_NOT_TRACK := true
export MLFLOW_DISABLE_TELEMETRY := true
export GX_ANALYTICS_ENABLED := false

.PHONY: help setup setup-dev demo demo-check stop check lint test lock lint-monitors clean docs laws bench bench-quick bench-detection bench-field bench-gateway

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 22

$(BIN)/uv:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' || { echo "Vigil needs Python 3.11; found $$($(PYTHON) --version). Install it, or run: make PYTHON=/path/to/python3.11 $(MAKECMDGOALS)"; exit 1; }
	@echo "setting up $(VENV) ..."
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)

$(VENV)/.ready: requirements.txt pyproject.toml | $(BIN)/uv
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements.txt
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.dev-ready: $(VENV)/.ready requirements-dev.txt
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements-dev.txt
	@touch $@

setup: $(VENV)/.ready  ## install the full lock into .venv
setup-dev: $(VENV)/.dev-ready  ## the same, with test tools

demo: setup  ## play the first nights on this machine, and stay up (Ctrl-C or `make stop` ends it); PORTFOLIO=all: a bank's six models
	@$(BIN)/python -m demo play $(if $(PORTFOLIO),--portfolio $(PORTFOLIO))

demo-check: setup  ## the same without staying up: asserts the story from the outside
	@$(BIN)/python -m demo check

stop: setup  ## stop what `make demo` started, and nothing else
	@$(BIN)/python -m demo stop

lint: setup-dev  ## style, types, import contracts
	@$(BIN)/ruff check include dags plugins demo examples tests docs/reference benchmarks
	@$(BIN)/ruff format --check include dags plugins demo examples tests docs/reference benchmarks
	@$(BIN)/mypy
	@$(BIN)/lint-imports

check: lint lint-monitors  ## lint, types, fast tests: under two minutes
	@$(BIN)/python -m pytest -m "not slow and not airflow and not browser" -n 2

test: check  ## everything: the slow tests, and one full demo-check
	@$(BIN)/python -m pytest -m "slow or airflow or browser" -n 2 --dist loadfile
	@$(MAKE) --no-print-directory demo-check

laws: setup-dev  ## the laws with examples that were never drawn before; SEED=n repeats a run
	@$(BIN)/python -m pytest tests/laws -n 2 --hypothesis-profile=search $(if $(SEED),--hypothesis-seed=$(SEED))

bench: setup  ## the engine beside its peers, in environments that it builds: writes benchmarks/results/engine.json
	@PYTHONPATH=include:.:benchmarks $(BIN)/python benchmarks/engine.py

bench-quick: setup  ## the same with a twentieth of the rows and one run; keeps nothing
	@PYTHONPATH=include:.:benchmarks $(BIN)/python benchmarks/engine.py --quick

bench-detection: setup  ## Vigil beside other tools' rules on nights of which everything is known; FULL=1: more than 5,000 of them
	@PYTHONPATH=include:.:benchmarks $(BIN)/python benchmarks/detection.py $(if $(FULL),,--no-keep)

bench-field: setup  ## real rows through `vigil init` with the usual answers, judged in every way there is; FULL=1: all of it
	@OPENBLAS_NUM_THREADS=1 PYTHONPATH=include:.:benchmarks $(BIN)/python benchmarks/field.py $(if $(FULL),,--no-keep)

bench-gateway: setup  ## the gateway beside `mlflow models serve`, measured in one run (installs wrk where it may)
	@command -v wrk >/dev/null || apt-get install -y -qq wrk >/dev/null 2>&1 || true
	@$(BIN)/python benchmarks/gateway.py

docs: setup  ## write docs/reference/ from the code
	@$(BIN)/python docs/reference/generate.py

lint-monitors: setup  ## check every file in monitors/
	@$(BIN)/vigil lint

lock: | $(BIN)/uv  ## compile requirements*.in to the full locks
	@$(BIN)/uv pip compile --quiet --generate-hashes --python-version 3.11 requirements.in -o requirements.txt
	@$(BIN)/uv pip compile --quiet --generate-hashes --python-version 3.11 requirements-dev.in -o requirements-dev.txt

clean: stop  ## remove what the demo and the tests wrote (not .venv)
	@rm -rf .demo .vigil .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
