# Everything runs in .venv, which `make` creates and keeps up to date with pyproject.toml.
PYTHON ?= python3
BIN := .venv/bin
export DO_NOT_TRACK := true

.PHONY: help run test format viz mlflow clean
.DEFAULT_GOAL := help

help:  ## list the targets
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 12

.venv/installed: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "mps-study needs Python 3.11 or newer; set PYTHON=..."; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet -e ".[dev]"
	@touch $@

run: .venv/installed  ## run the two embedded studies and say where their reports are
	$(BIN)/kedro run
	$(BIN)/kedro run --env miniature
	@echo
	@echo "Reports: data/base/08_report/report.html"
	@echo "         data/miniature/08_report/report.html"

test: .venv/installed  ## lint, types, import contracts, all tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest -m "not slow"

format: .venv/installed  ## format and mend what ruff can
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

viz: .venv/installed  ## show the pipelines in a browser
	$(BIN)/kedro viz run

mlflow: .venv/installed  ## compare the models in a browser
	$(BIN)/mlflow ui --backend-store-uri sqlite:///mlflow.db

clean:  ## remove every study's data, the MLflow database and caches, but not .venv
	rm -rf data/*/ mlflow.db mlruns mlartifacts .mypy_cache .ruff_cache .pytest_cache
