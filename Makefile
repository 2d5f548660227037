# Everything a person does here, from a fresh clone. Needs Python >= 3.11 and, for the tests, Chromium.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Another package index or cache is set up through pip's own configuration.
PIP_INSTALL := $(BIN)/pip install --quiet --disable-pip-version-check
# Where real processes are started: one more run of a test that failed, and the summary names it. See docs/decisions.md.
RERUN := --reruns 1

.DEFAULT_GOAL := help
.PHONY: help demo lab install dev test test-unit test-service test-jupyter test-browser lint bench screenshots build clean

help: ## what there is
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

demo: install ## deploy the quickstart notebook's apps, from here, without a browser
	@$(BIN)/python notebooks/run.py notebooks/quickstart.ipynb

lab: install ## open JupyterLab on the quickstart notebook
	$(BIN)/jupyter lab notebooks/quickstart.ipynb

install: $(VENV)/.installed ## a .venv with GoFastAPI and JupyterLab

dev: $(VENV)/.installed-dev ## the same with what tests and checks need

# The service's tests wait more than they compute, so the others run beside them; each suite's output in one piece.
test: lint ## all the tests
	$(MAKE) --no-print-directory --jobs=2 --keep-going --output-sync=target test-service test-unit test-jupyter test-browser

test-unit:
	$(BIN)/pytest tests/unit -p no:playwright -n 2

# Three at a time, each module in one process.
test-service:
	$(BIN)/pytest tests/service -p no:playwright $(RERUN) -n 3 --dist loadfile

# pytest-jupyter and pytest-playwright cannot share a process.
test-jupyter:
	$(BIN)/pytest tests/jupyter $(RERUN) -p pytest_jupyter.jupyter_server -p no:asyncio -p no:playwright

test-browser:
	$(BIN)/pytest tests/browser $(RERUN) -p no:pytest_jupyter.jupyter_server

lint: dev ## style and types
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

bench: dev ## the figures, as ratios against peers in the same run
	$(BIN)/python -m benchmarks

screenshots: dev ## the pictures in docs/images
	$(BIN)/python tests/browser/screenshots.py

build: dev ## wheel and sdist in dist/
	$(BIN)/python -m build

clean: ## remove what make made (not your apps and data)
	rm -rf $(VENV) dist build .mypy_cache .ruff_cache .pytest_cache

$(VENV)/.installed: pyproject.toml gofastapi_ext/_version.py $(wildcard jupyter-config/*/*)
	@echo "Setting up $(VENV) (a minute or so, once) ..."
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	@test -x $(BIN)/pip || $(PYTHON) -m venv $(VENV)
	@$(PIP_INSTALL) --editable '.[lab]'
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed
	@$(PIP_INSTALL) --editable '.[dev]'
	@touch $@
