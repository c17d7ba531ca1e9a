# Two commands are enough: `make run` and `make test`. `make help` lists the rest.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
OUT ?= out

.PHONY: help run test coverage mutants browser check bench docs pictures manual reconstruct promises \
  release sbom audit lock clean
.DEFAULT_GOAL := help

help:  ## list what can be made
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

# pip checks every download against the hashes in the lock file, which is complete: what a package
# asks for is not looked up again, or a newer release than the locked one would stop the install.
$(VENV)/.run: requirements.txt requirements-build.txt requirements-validation.txt pyproject.toml
	$(PYTHON) -m venv $(VENV)
	@echo "installing the locked packages (about a minute) ..."
	$(PIP) install --require-hashes --no-deps -r requirements.txt -r requirements-build.txt
	$(PIP) install --require-hashes --no-deps -r requirements-validation.txt
	$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

# One of them comes as source: built apart, it would fetch a setuptools that no hash has checked.
$(VENV)/.dev: $(VENV)/.run requirements-dev.txt
	@echo "installing the locked test packages ..."
	$(PIP) install --require-hashes --no-deps --no-build-isolation --use-pep517 -r requirements-dev.txt
	@touch $@

run: $(VENV)/.run  ## run twenty nights of a synthetic registry, to look at
	$(BIN)/thyrisk demo --out $(OUT)

test: $(VENV)/.dev  ## run the whole test suite
	$(BIN)/python -m pytest -n 2 --dist worksteal

coverage: $(VENV)/.dev  ## branches of schemas, transforms and models that their own tests take
	$(BIN)/python -m pytest tests/schemas tests/transforms tests/models schemas transforms models \
	  --cov --cov-report=term:skip-covered

mutants: $(VENV)/.dev  ## damage schemas, transforms and models, see which tests notice; SAMPLE=200 for some
	$(BIN)/python -m tests.mutants $(if $(SAMPLE),--sample $(SAMPLE))

browser:  ## install Debian's Chromium, in which the tests look at the report (root, Debian)
	apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium

check: $(VENV)/.dev  ## lint, format and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

$(VENV)/.bench: requirements-bench.txt $(VENV)/.dev
	$(PIP) install --require-hashes --no-deps -r requirements-bench.txt
	@touch $@

bench: $(VENV)/.bench  ## measure the night against a plain copy of the same files
	$(BIN)/python -m bench.night

docs: $(VENV)/.run  ## generate the pages in docs/ that are made from the code
	$(BIN)/python -m docs.generate

pictures: $(VENV)/.dev  ## photograph the showcase for the README and the manual (needs Chromium)
	$(BIN)/python -m docs.picture

manual: $(VENV)/.dev  ## build the manual into site/
	$(BIN)/python -m mkdocs build --strict

reconstruct: $(VENV)/.dev  ## from the published tables to the inferred constants: docs/fidelity.md
	$(BIN)/python -c "from models.reconstruction.fidelity import page; print(page(), end='')" > docs/fidelity.md

promises: $(VENV)/.dev  ## the long run behind docs/promises.md: 160 kills, 25 under Prefect, 12,000 hostile inputs, 20,000 damages
	THYRISK_KILLS=160 THYRISK_PREFECT_KILLS=25 $(BIN)/python -m pytest -n 2 tests/flows/test_killed.py \
	  tests/flows/test_names_that_tell.py
	THYRISK_POLLUTED="patients diagnoses surgeries i131_treatments labs imaging metastases events" \
	  $(BIN)/python -m pytest -n 2 tests/flows/intake/test_pollution.py
	$(BIN)/python -m tests.flows.intake.fuzzing 1 6000
	$(BIN)/python -m tests.flows.intake.fuzzing 2 6000
	$(BIN)/python -m tests.law 20000
	$(BIN)/python -m pytest -n 2 tests/flows/test_privacy.py tests/flows/test_hard_times.py
	THYRISK_EXAMPLES=300 $(BIN)/python -m pytest -n 2 tests/models tests/transforms tests/law

$(VENV)/.supply: requirements-supply.txt $(VENV)/.run
	$(PIP) install --require-hashes --no-deps -r requirements-supply.txt
	@touch $@

sbom: $(VENV)/.supply  ## write sbom.json: everything that is installed to run thyrisk
	$(BIN)/cyclonedx-py requirements requirements.txt --pyproject pyproject.toml \
	  --output-reproducible --of JSON -o sbom.json

audit: $(VENV)/.supply  ## look the locked packages up in the vulnerability database (needs it reachable)
	$(BIN)/pip-audit --strict --disable-pip -r requirements.txt

# The version stands in pyproject.toml and nowhere else. A build folder left from before would put
# files into the wheel that are no longer there.
release: $(VENV)/.run  ## build the wheel of VERSION=x.y.z from what is committed, show the words of its tag
	@grep -qE '^[0-9]+\.[0-9]+\.[0-9]+$$' <<< "$(VERSION)" || \
	  { echo "release: say which, as make release VERSION=1.2.3"; exit 1; }
	@test -z "$$(git status --porcelain)" || { echo "release: there are changes, commit them first"; exit 1; }
	@grep -qxE '## $(subst .,\.,$(VERSION)) \([0-9]{4}-[0-9]{2}-[0-9]{2}\)' CHANGELOG.md || \
	  { echo "release: CHANGELOG.md has no '## $(VERSION) (YYYY-MM-DD)'"; exit 1; }
	@sed -i 's/^version = ".*"/version = "$(VERSION)"/' pyproject.toml
	@rm -rf build dist && mkdir dist
	@$(PIP) wheel --no-deps --no-build-isolation --wheel-dir dist .
	@{ echo "thyrisk $(VERSION)"; awk '/^## /{ours = $$2 == "$(VERSION)"; next} ours' CHANGELOG.md; } > dist/tag.txt
	@cat dist/tag.txt; ls dist/*.whl
	@echo "next: git commit -am 'thyrisk $(VERSION)'; git tag -a v$(VERSION) -F dist/tag.txt"

LOCK := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
  --no-emit-index-url --no-emit-find-links --no-header --no-annotate
lock:  ## resolve the lock files anew (needs uv)
	$(LOCK) pyproject.toml -o requirements.txt
	$(LOCK) --group build -o requirements-build.txt
	$(LOCK) pyproject.toml --group dev -c requirements.txt -c requirements-build.txt -o requirements-dev.txt
	echo scipy | $(LOCK) - -c requirements-dev.txt -o requirements-validation.txt
	$(LOCK) --group bench -c requirements-dev.txt -o requirements-bench.txt
	$(LOCK) --group supply -o requirements-supply.txt

clean:  ## remove the virtual environment and everything generated
	rm -rf $(VENV) $(OUT) sbom.json site build dist mutants *.egg-info bench/work .coverage
