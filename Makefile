# Everything a newcomer types. `make help` lists it.

PYTHON ?= $(firstword $(foreach name,python3.11 python3.12 python3.13 python3,$(shell command -v $(name) 2>/dev/null)))
UI_PORT ?=
comma := ,

VENV := .venv
BIN := $(VENV)/bin
SOURCES := airflow_provider_ocr benchmarks demo dags tests

.DEFAULT_GOAL := help
.PHONY: help demo ui test test-long coverage check format clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(VENV)/installed-server ## recognise the sample scans with a real Airflow and a real OCR server
	@$(BIN)/python -m demo

ui: $(VENV)/installed-server ## the same, then leave everything running to look at (UI_PORT=28080 names the port)
	@$(BIN)/python -m demo --keep-running $(if $(UI_PORT),--ui-port $(UI_PORT))

test: $(VENV)/installed-dev ## run the tests, the ones with a real Airflow included
	@$(BIN)/python -m pytest -m "not long" --numprocesses 2 --dist loadfile --no-loadscope-reorder $(PYTEST_ARGS)

test-long: $(VENV)/installed-dev ## run the tests that take minutes: many kills, many pages
	@$(BIN)/python -m pytest -m long $(PYTEST_ARGS)

coverage: $(VENV)/installed-dev ## how much of protocol/ and client/ their unit tests run: 98 % of lines and branches
	@$(BIN)/coverage run -m pytest -q tests/unit/protocol tests/unit/client $(PYTEST_ARGS)
	@$(BIN)/coverage report

check: $(VENV)/installed-dev ## format, lint, types, import directions
	$(BIN)/ruff format --check $(SOURCES)
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/mypy
	$(BIN)/lint-imports --verbose > $(VENV)/lint-imports.log 2>&1 || { cat $(VENV)/lint-imports.log; exit 1; }

format: $(VENV)/installed-dev ## format the code, and mend what the linter can mend by itself
	$(BIN)/ruff check --fix $(SOURCES)
	$(BIN)/ruff format $(SOURCES)

clean: ## remove the environment and everything that runs have left
	rm -rf $(VENV) demo/state demo/results .pytest_cache .mypy_cache .ruff_cache .hypothesis

$(VENV)/installed-server: pyproject.toml constraints.txt | $(BIN)/python
	@$(call install,.[server])
	@touch $@

$(VENV)/installed-dev: pyproject.toml constraints.txt | $(BIN)/python
	@$(call install,.[server$(comma)dev])
	@touch $@ $(VENV)/installed-server

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed, and no python3 was found."; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	    echo "Python 3.11 or newer is needed; $(PYTHON) is $$($(PYTHON) -V). Name another one: make PYTHON=/path/to/python"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { \
	    rm -rf $(VENV); echo "No virtual environment could be made. On Debian: apt install python3-venv"; exit 1; }

# $(1): what pip is to install, with extras
define install
echo "Installing into $(VENV), about a minute the first time ..."; \
$(BIN)/pip install --disable-pip-version-check --editable "$(1)" --constraint constraints.txt > $(VENV)/install.log 2>&1 || { \
    tail -n 15 $(VENV)/install.log; echo "The installation failed; all of its log is in $(VENV)/install.log"; exit 1; }
endef
