# Everything a developer does with deixis. `make help` lists it. All of it happens in .venv.

SHELL := /bin/bash
VENV := .venv
FLOOR := .venv-floor
BIN := $(VENV)/bin
PYTEST := $(BIN)/python -m pytest

# The first interpreter that really runs, is new enough, and can make environments; override with make PYTHON=...
CANDIDATES := python3 python3.13 python3.12 python3.11 python
FITS = -c "import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))"
PYTHON ?= $(shell for name in $(CANDIDATES); do $$name $(FITS) >/dev/null 2>&1 && echo $$name && break; done)

.PHONY: help demo test test-slow test-floor check format docs examples bench wheel clean
.DEFAULT_GOAL := help

help: ## list what can be made
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

demo: $(VENV)/.core ## set up, ground phrases in an example image, and say where the pictures are
	$(BIN)/deixis demo

test: $(VENV)/.dev ## set up and run all tests but those of minutes
	$(PYTEST)

test-slow: $(VENV)/.dev ## run the tests of minutes
	$(PYTEST) -m slow

test-floor: $(FLOOR)/.dev ## run the suites over models on the oldest libraries that deixis admits
	$(FLOOR)/bin/python -m pytest tests/conformance/test_models.py tests/golden tests/unit/models

check: $(VENV)/.dev ## format, lint, types, import contracts, size of files and functions
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python tools/shape.py --gate deixis=src/deixis:tests

format: $(VENV)/.dev ## put the code into the house's format, and mend what the linter can
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

docs: $(VENV)/.dev ## write docs/cli.md anew from the command line itself
	$(BIN)/python tools/cli_reference.py > docs/cli.md.part
	mv docs/cli.md.part docs/cli.md

examples: $(VENV)/.dev ## draw the files in examples/ anew
	$(BIN)/python tools/make_examples.py examples

bench: $(VENV)/.dev ## measure what it costs on this machine, into benchmarks/results (more than an hour on two cores)
	$(BIN)/python benchmarks/procedure.py -o benchmarks/results/procedure.json
	$(BIN)/python benchmarks/procedure.py --model monai --steps 20 --phrases 1 16 --recipes paper fast instant --runs 1 \
	  -o benchmarks/results/procedure_monai.json
	$(BIN)/python benchmarks/scaling.py -o benchmarks/results/scaling.json
	$(BIN)/python benchmarks/roofline.py -o benchmarks/results/roofline.json
	$(BIN)/python benchmarks/roofline.py --model monai -o benchmarks/results/roofline_monai.json
	$(BIN)/python benchmarks/latency.py -o benchmarks/results/latency.json
	$(BIN)/python benchmarks/cohort_costs.py -o benchmarks/results/cohort_costs.json
	$(BIN)/python benchmarks/cohort.py -o benchmarks/results/cohort.json
	$(BIN)/python benchmarks/gpu.py

wheel: $(VENV)/.dev ## build the package into dist/
	rm -rf dist
	$(BIN)/python -m build --wheel --outdir dist .

clean: ## remove the environment, builds and caches
	rm -rf $(VENV) $(FLOOR) dist build .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# An environment is made once, and brought up to date when what it is made from has changed.
$(VENV)/.made:
	@if [ -z "$(PYTHON)" ]; then \
	  echo "deixis needs Python 3.11 or newer that can make environments (on Debian: apt-get install python3-venv)."; \
	  echo "None of these is one: $(CANDIDATES). Install it, or say which: make PYTHON=/path/to/python3"; exit 1; fi
	$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.core: $(VENV)/.made pyproject.toml constraints.txt
	@echo "Installing deixis into $(VENV): some minutes the first time."
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e .
	@touch $@

$(VENV)/.dev: $(VENV)/.core
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

$(FLOOR)/.dev: pyproject.toml constraints-floor.txt
	$(PYTHON) -m venv $(FLOOR)
	$(FLOOR)/bin/python -m pip install --quiet --disable-pip-version-check -c constraints-floor.txt \
	  -e '.[monai,pixart]' beartype hypothesis peft pytest pytest-timeout
	@touch $@
