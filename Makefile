# Two commands are enough: `make run` and `make test`. `make help` lists the rest.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
OUT ?= out

.PHONY: help run test check bench docs reconstruct lock clean
.DEFAULT_GOAL := help

help:  ## list what can be made
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

# pip checks every download against the hashes in the lock file.
$(VENV)/.run: requirements.txt pyproject.toml
	$(PYTHON) -m venv $(VENV)
	@echo "installing the locked packages (about a minute) ..."
	$(PIP) install --require-hashes -r requirements.txt
	$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev: $(VENV)/.run requirements-dev.txt
	@echo "installing the locked test packages ..."
	$(PIP) install --require-hashes -r requirements-dev.txt
	@touch $@

run: $(VENV)/.run  ## run the night on the sample export in examples/
	$(BIN)/thyrisk nightly --export examples/export --out $(OUT) --as-of 2026-06-30 --no-server

test: $(VENV)/.dev  ## run the whole test suite
	$(BIN)/python -m pytest -n 2

check: $(VENV)/.dev  ## lint, format and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(VENV)/.dev  ## measure the night against a plain copy of the same files
	$(BIN)/python -m bench.night

docs: $(VENV)/.run  ## generate the pages in docs/ that are made from the models
	$(BIN)/python docs/generate.py

reconstruct: $(VENV)/.dev  ## from the published tables to the inferred constants: docs/fidelity.md
	$(BIN)/python -c "from models.reconstruction.fidelity import page; print(page(), end='')" > docs/fidelity.md

lock: $(VENV)/.dev  ## resolve the lock files anew (needs uv)
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	  --no-emit-find-links --no-header --no-annotate pyproject.toml -o requirements.txt
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	  --no-emit-find-links --no-header --no-annotate pyproject.toml --group dev -c requirements.txt -o requirements-dev.txt

clean:  ## remove the virtual environment and everything generated
	rm -rf $(VENV) $(OUT) build *.egg-info bench/work
