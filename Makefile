# Two commands from nothing: `make publish` and `make test`. Needed: Python 3.11 or newer, make, a package index.

PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3; do \
	$$p -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && echo $$p && break; done)
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt

# One more than there are processors: many tests wait for a server, a browser or a disk.
PROCESSES = $$($(BIN)/python -c 'import os; print((os.cpu_count() or 1) + 1)')

.PHONY: publish test coverage test-clocks lint schema bench clean

publish: .venv/ready-to-publish   ## set up, then publish the sample site
	$(BIN)/feeds publish
	@echo 'Look at public/feeds/index.html, at public/newsletters/ and, with a mail program, at .feeds/outbox/.'

test: .venv/ready-to-test         ## set up, then every check and test
	$(MAKE) --no-print-directory lint
	$(BIN)/pytest --numprocesses $(PROCESSES) --dist loadfile

coverage: .venv/ready-to-test     ## all tests, with the lines that they do not reach: takes twice as long
	$(BIN)/pytest --numprocesses $(PROCESSES) --dist loadfile --cov --cov-report=term

test-clocks: .venv/ready-to-test  ## the tests under other dates and time zones, and on a busy machine: hours, for the night
	bash .ci/clocks $(CLOCKS)

lint: .venv/ready-to-test         ## every check
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

schema: .venv/ready-to-test       ## write the tables of a new store, after a new migration
	$(BIN)/python -m tests.edges.store.fresh_schema

bench: .venv/ready-to-bench       ## measure beside Hugo; --write in OPTIONS puts it into bench/README.md
	$(BIN)/python bench/run.py $(OPTIONS)

clean:                            ## delete the virtual environment and what the sample site has published
	rm -rf .venv .clocks public .feeds

.venv/bin/python:
	@test -n '$(PYTHON)' || { echo 'Feeds needs Python 3.11 or newer with venv; make PYTHON=/path/to/python names one.'; exit 1; }
	$(PYTHON) -m venv .venv

.venv/ready-to-publish: pyproject.toml constraints.txt | .venv/bin/python
	$(PIP) --editable .
	$(BIN)/python -m compileall -q feeds   # some machines are told never to write bytecode, and compile at every start
	@touch $@

.venv/ready-to-bench: .venv/ready-to-publish
	$(PIP) 'pip>=25.1'
	$(PIP) --group bench
	@touch $@

.venv/ready-to-test: .venv/ready-to-publish
	$(PIP) 'pip>=25.1'
	$(PIP) --group test --group lint
	@touch $@
