# Two commands are enough: `make run` and `make test`. `make help` lists the rest.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
OUT ?= out

.PHONY: help run test browser check bench docs pictures manual reconstruct promises sbom audit lock clean
.DEFAULT_GOAL := help

help:  ## list what can be made
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

# pip checks every download against the hashes in the lock file, which is complete: what a package
# asks for is not looked up again, or a newer release than the locked one would stop the install.
$(VENV)/.run: requirements.txt pyproject.toml
	$(PYTHON) -m venv $(VENV)
	@echo "installing the locked packages (about a minute) ..."
	$(PIP) install --require-hashes --no-deps -r requirements.txt
	$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev: $(VENV)/.run requirements-dev.txt
	@echo "installing the locked test packages ..."
	$(PIP) install --require-hashes --no-deps -r requirements-dev.txt
	@touch $@

run: $(VENV)/.run  ## run the night on the sample export in examples/
	$(BIN)/thyrisk nightly --export examples/export --out $(OUT) --as-of 2026-06-30 --no-server

test: $(VENV)/.dev  ## run the whole test suite
	$(BIN)/python -m pytest -n 2

browser:  ## install Debian's Chromium, in which the tests look at the report (root, Debian)
	apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium

check: $(VENV)/.dev  ## lint, format and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(VENV)/.dev  ## measure the night against a plain copy of the same files
	$(BIN)/python -m bench.night

docs: $(VENV)/.run  ## generate the pages in docs/ that are made from the code
	$(BIN)/python -m docs.generate

pictures: $(VENV)/.dev  ## photograph the sample night for the README and the manual (needs Chromium)
	$(BIN)/python docs/picture.py

manual: $(VENV)/.dev  ## build the manual into site/
	$(BIN)/python -m mkdocs build --strict

reconstruct: $(VENV)/.dev  ## from the published tables to the inferred constants: docs/fidelity.md
	$(BIN)/python -c "from models.reconstruction.fidelity import page; print(page(), end='')" > docs/fidelity.md

promises: $(VENV)/.dev  ## the long run behind docs/promises.md: 160 kills, 12,000 hostile inputs
	THYRISK_KILLS=160 $(BIN)/python -m pytest -n 2 tests/flows/test_killed.py
	$(BIN)/python -m tests.flows.intake.fuzzing 1 6000
	$(BIN)/python -m tests.flows.intake.fuzzing 2 6000
	$(BIN)/python -m pytest -n 2 tests/flows/test_privacy.py tests/flows/test_hard_times.py

$(VENV)/.supply: requirements-supply.txt $(VENV)/.run
	$(PIP) install --require-hashes --no-deps -r requirements-supply.txt
	@touch $@

sbom: $(VENV)/.supply  ## write sbom.json: everything that is installed to run thyrisk
	$(BIN)/cyclonedx-py requirements requirements.txt --pyproject pyproject.toml \
	  --output-reproducible --of JSON -o sbom.json

audit: $(VENV)/.supply  ## look the locked packages up in the vulnerability database (needs it reachable)
	$(BIN)/pip-audit --strict --disable-pip -r requirements.txt

lock: $(VENV)/.dev  ## resolve the lock files anew (needs uv)
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	  --no-emit-find-links --no-header --no-annotate pyproject.toml -o requirements.txt
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	  --no-emit-find-links --no-header --no-annotate pyproject.toml --group dev -c requirements.txt -o requirements-dev.txt
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	  --no-emit-find-links --no-header --no-annotate --group supply -o requirements-supply.txt

clean:  ## remove the virtual environment and everything generated
	rm -rf $(VENV) $(OUT) sbom.json site build *.egg-info bench/work
