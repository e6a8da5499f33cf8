# Everything runs in .venv, which `make` creates and keeps up to date with pyproject.toml.
PYTHON ?= python3
BIN := .venv/bin
export DO_NOT_TRACK := true

.PHONY: help run test export-check format benchmark benchmark-gpu benchmark-cluster dist torture torture-cluster docs viz mlflow clean
.DEFAULT_GOAL := help

help:  ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 16

.venv/installed: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "mps-study needs Python 3.11 or newer; set PYTHON=..."; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@echo "Installing into .venv what pyproject.toml names: 7.5 GB, most of it torch and CUDA's libraries; minutes, and nothing is printed meanwhile"
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
	$(BIN)/pytest -m "not slow and not gpu" -n 2 --dist loadfile

export-check: .venv/installed  ## export each of the paper's 15 models with random weights (half an hour, 14 GB), and write docs/export.md
	$(BIN)/python -m mps_study.models.export.export_check conf/base/parameters_models.yml docs/export.md --compared conf/paper/parameters.yml

format: .venv/installed  ## format and mend what ruff can
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

benchmarks/.rex/installed:
	$(PYTHON) -m venv benchmarks/.rex
	benchmarks/.rex/bin/python -m pip install --quiet rex-xai==0.4.1 onnxruntime
	@touch $@

# The section `downstream`, alone, makes its study up: no images, no rex-xai, no exported model.
DOWNSTREAM := $(filter downstream,$(ARGUMENTS))
benchmark: .venv/installed $(if $(DOWNSTREAM),,benchmarks/.rex/installed)  ## measure search and engine beside rex-xai: make benchmark IMAGES=FOLDER
	@test -n "$(IMAGES)$(DOWNSTREAM)" || { echo "say which images: make benchmark IMAGES=FOLDER (one sub-folder a class)"; exit 1; }
	test -n "$(DOWNSTREAM)" || test -f data/base/04_models/efficientnet_lite2.json || $(BIN)/kedro run --pipelines model_export
	$(BIN)/python benchmarks/run.py $(if $(IMAGES),--images $(IMAGES)) $(ARGUMENTS)

benchmark-gpu: .venv/installed  ## measure what a CUDA device does: make benchmark-gpu IMAGES=FOLDER
	@test -n "$(IMAGES)" || { echo "say which images: make benchmark-gpu IMAGES=FOLDER"; exit 1; }
	test -f data/base/04_models/efficientnet_lite0.json || $(BIN)/kedro run --pipelines model_export --params model=efficientnet_lite0
	$(BIN)/pytest -q -m gpu
	$(BIN)/python benchmarks/gpu.py --images $(IMAGES) $(ARGUMENTS)

dist: .venv/installed  ## build wheel and sdist into dist/, and check them
	rm -rf dist
	$(BIN)/python -m build --outdir dist
	$(BIN)/twine check --strict dist/*
	ls -l dist

torture: .venv/installed  ## kill studies, fill their disk, start them twice, and compare what is left (twenty minutes)
	$(BIN)/python torture/run.py $(ARGUMENTS)

benchmark-cluster: .venv/installed  ## measure what a cluster costs and gives: make benchmark-cluster IMAGES=FOLDER
	@test -n "$(IMAGES)" || { echo "say which images: make benchmark-cluster IMAGES=FOLDER (one sub-folder a class)"; exit 1; }
	test -f data/base/04_models/efficientnet_lite0.json || $(BIN)/kedro run --pipelines model_export --params model=efficientnet_lite0
	$(BIN)/python benchmarks/cluster.py --images $(IMAGES) $(ARGUMENTS)

torture-cluster: .venv/installed  ## search in every way there is, kill workers, schedulers and clients: make torture-cluster [IMAGES=FOLDER]
	$(BIN)/python torture/cluster.py $(if $(IMAGES),--images $(IMAGES),--miniature) $(ARGUMENTS)

docs: .venv/installed  ## build the documentation into site/
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet
	@echo "Documentation: site/index.html"

viz: .venv/installed  ## show the pipelines in a browser
	@echo "One box a pipeline: http://127.0.0.1:4141/?types=nodes (tick Datasets for all that goes between them)"
	$(BIN)/kedro viz run --no-browser

mlflow: .venv/installed  ## compare the models in a browser
	$(BIN)/mlflow ui --backend-store-uri '$(or $(MLFLOW_TRACKING_URI),sqlite:///mlflow.db)'

clean:  ## remove every study's data, the MLflow database and caches, but not .venv
	rm -rf data/*/ mlflow.db mlruns mlartifacts site .mypy_cache .ruff_cache .pytest_cache
