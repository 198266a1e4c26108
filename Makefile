# What can be done from a checkout. `make compare` and `make test` need nothing but Python 3.11 or newer.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile --constraint constraints.txt
EXPERIMENT ?= scenarios/experiments/policy_comparison.toml
FLAGS ?=
PARALLEL := -n auto

# Compiled files are kept, in the environment and the checkout, whatever the shell asks for: hundreds of commands start in the tests.
unexport PYTHONDONTWRITEBYTECODE

.DELETE_ON_ERROR:
.PHONY: help compare install format lint check test nightly bench baseline tables gallery clean

help:  ## list the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 12

compare: $(BIN)/abm  ## install what a run needs, then run the shipped comparison of policies
	$(BIN)/abm compare $(EXPERIMENT) $(FLAGS)

install: $(VENV)/installed-tests  ## install the package with all that its tests need

format: install  ## format the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lint: install
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy --strict sim
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/lint-imports

check: lint  ## format, lint, types, layers and the quick tests
	$(BIN)/pytest -m "not slow and not nightly" $(PARALLEL) $(FLAGS)

test: lint  ## all that CI runs: as check, with the slow tests
	$(BIN)/pytest -m "not nightly" $(PARALLEL) $(FLAGS)

nightly: install  ## the long statistical runs, with fresh seeds
	$(BIN)/pytest -m nightly $(PARALLEL) -s $(FLAGS)

bench: install  ## time against peers and floors: about 20 minutes of a quiet machine; FLAGS='--quick --only whole'
	$(BIN)/python tests/benchmarks/run.py $(FLAGS)

baseline: install  ## write the baseline numbers anew, after a change that is meant to move results
	$(BIN)/python tests/baseline/test_baseline.py

tables: install  ## make the tables of MODEL.md and README.md anew from the code and results/reference
	$(BIN)/python -m sim.tables MODEL.md README.md

gallery: install  ## draw every committed figure from its table, say which differ; FLAGS=--check writes nothing, --run makes the runs too
	$(BIN)/python tests/gallery/rebuild.py $(FLAGS)

clean:  ## remove the environment, caches and results that are not committed
	rm -rf $(VENV) .venv-* build *.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find results -mindepth 1 -maxdepth 1 ! -name reference -exec rm -rf {} + 2>/dev/null || true

$(VENV)/created:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.12 ...")'
	@echo "Making an environment in $(VENV)"
	@$(PYTHON) -m venv $(VENV)
	@touch $@

$(BIN)/abm: $(VENV)/created pyproject.toml constraints.txt
	@echo "Installing abm and what it runs on (about a minute the first time)"
	@$(PIP) --editable .
	@touch $@

$(VENV)/installed-tests: $(VENV)/created pyproject.toml constraints.txt
	@echo "Installing abm with its tests (about a minute the first time)"
	@$(PIP) --editable '.[test]'
	@touch $@ $(BIN)/abm
