# Two commands from nothing: `make publish` and `make test`. Needed: Python 3.11 or newer, make, a package index.

PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && echo $$p && break; done)
VENV := .venv
BIN := $(VENV)/bin

.PHONY: publish test lint bench clean

publish: $(VENV)/publish    ## set up, then publish the sample site
	$(BIN)/feeds publish
	@echo 'Look at public/feeds/index.html, public/newsletters/ and outbox/.'

test: $(VENV)/test          ## set up, then every check and test
	$(BIN)/lint-imports --no-cache
	$(BIN)/ruff check --no-cache
	$(BIN)/mypy
	$(BIN)/pytest --cov --cov-report=term

lint: $(VENV)/test          ## checks only
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV)/test         ## measure; the table goes to bench/README.md
	$(BIN)/python bench/publish.py

clean:
	rm -rf $(VENV) public outbox feeds.db .feeds-cache

$(VENV)/bin/python:
	@test -n '$(PYTHON)' || { echo 'feeds needs Python 3.11 or newer; none was found. PYTHON=/path/to/python3.11 make …'; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/publish: pyproject.toml $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

$(VENV)/test: $(VENV)/publish pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check 'pip>=25.1'
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --group test --group lint
	@touch $@
