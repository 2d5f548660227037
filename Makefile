# Everything a person does here, from a fresh clone. Needs Python >= 3.11 and, for the tests, Chromium.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Another package index or cache is set up through pip's own configuration.
PIP_INSTALL := $(BIN)/pip install --quiet --disable-pip-version-check
# Where real processes are started: one more run of a test that failed, and the summary names it. See docs/decisions.md.
RERUN := --reruns 1
# `make front` has built the front end, or said why not; pip is not to build it once more.
PIP_EDITABLE = rm -rf $(INSTALLED_FRONT) && mkdir -p $(FRONT) && HATCH_JUPYTER_BUILDER_SKIP_NPM=1 $(PIP_INSTALL) --editable

.DEFAULT_GOAL := help
.PHONY: help demo lab install dev test test-front test-unit test-service test-jupyter test-browser lint bench screenshots \
	front types build clean

# The JupyterLab front end, built from labextension/ with NPM: Node of this machine, or one from PyPI in the .venv.
FRONT := gofastapi_ext/labextension
FRONT_SOURCES := $(shell find labextension/src labextension/style labextension/schema -type f ! -name '*.test.ts*') \
	labextension/tsconfig.json
NPM := labextension/npm
INSTALLED_FRONT := $(VENV)/share/jupyter/labextensions/gofastapi

help: ## what there is
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

demo: install ## deploy the quickstart notebook's apps, from here, without a browser
	@$(BIN)/python notebooks/run.py notebooks/quickstart.ipynb

lab: install ## open JupyterLab on the quickstart notebook
	$(BIN)/jupyter lab notebooks/quickstart.ipynb

install: $(VENV)/.installed front ## a .venv with GoFastAPI and JupyterLab

dev: $(VENV)/.installed-dev front ## the same with what tests and checks need

# Without Node one line says so, and everything else works.
front: $(VENV)/.installed ## build the JupyterLab front end, where its sources changed
	@if $(NPM) --version >/dev/null; then $(MAKE) --no-print-directory $(VENV)/.front; fi

# The service's tests wait more than they compute, so the others run beside them; each suite's output in one piece.
test: dev ## lint and all the tests
	$(MAKE) --no-print-directory --jobs=2 --keep-going --output-sync=target \
		test-service lint test-front test-unit test-jupyter test-browser

test-front: labextension/node_modules/.installed
	$(NPM) test --silent

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
	$(NPM) run lint --silent

# Before the front end is built: what it does not know of the API yet, it may use already.
types: $(VENV)/.installed-dev labextension/node_modules/.installed ## the front end's types from the API's OpenAPI document, and its help from the magics
	@$(BIN)/python labextension/openapi.py labextension/openapi.json
	@$(NPM) run types --silent
	@$(BIN)/python labextension/magics.py labextension/src/notebook/magics.json

bench: dev ## the figures, as ratios against peers in the same run
	$(BIN)/python -m benchmarks

screenshots: dev ## the pictures in docs/images
	$(BIN)/python tests/browser/screenshots.py

build: dev ## wheel and sdist in dist/
	$(BIN)/python -m build

clean: ## remove what make made (not your apps and data)
	rm -rf $(VENV) dist build .mypy_cache .ruff_cache .pytest_cache $(FRONT) labextension/lib labextension/node_modules

INSTALLED_FROM := pyproject.toml gofastapi_ext/_version.py $(wildcard jupyter-config/*/*)

define pip_install
	@echo "Setting up $(VENV) (a minute or so, once) ..."
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	@test -x $(BIN)/pip || $(PYTHON) -m venv $(VENV)
	@$(PIP_EDITABLE) '.[$(1)]'
endef

$(VENV)/.installed: $(INSTALLED_FROM)
	$(call pip_install,lab)
	@touch $@

# It has all that the other has: a fresh clone is set up once.
$(VENV)/.installed-dev: $(INSTALLED_FROM)
	$(call pip_install,dev)
	@touch $(VENV)/.installed $@

labextension/node_modules/.installed: labextension/package.json labextension/package-lock.json labextension/.npmrc
	@echo "Fetching what the JupyterLab front end is built with (half a minute, once) ..."
	@$(NPM) ci --silent
	@touch $@

$(FRONT)/package.json: labextension/node_modules/.installed $(FRONT_SOURCES)
	@rm -rf $(FRONT) && mkdir -p $(FRONT)
	@$(NPM) run build --silent >labextension/build.log 2>&1 || { cat labextension/build.log; rm -rf $(FRONT); exit 1; }
	@touch $@

# A link, so that the next build is what JupyterLab shows.
$(VENV)/.front: $(FRONT)/package.json $(VENV)/.installed $(wildcard $(VENV)/.installed-dev)
	@rm -rf $(INSTALLED_FRONT) && mkdir -p $(dir $(INSTALLED_FRONT))
	@ln -s $(CURDIR)/$(FRONT) $(INSTALLED_FRONT)
	@touch $@
