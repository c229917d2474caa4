# Every verb works on a fresh clone: what it needs is set up first, into .venv.
.DEFAULT_GOAL := help
.PHONY: help setup demo test fast check bench clean lock setup-bench setup-browser screenshots
MAKEFLAGS += --no-print-directory
SHELL := /bin/sh
unexport PYTHONDONTWRITEBYTECODE  # hundreds of processes are started: what is compiled once must not be compiled again

PYTHON ?= python3
BIN := .venv/bin
READY := .venv/ready
ARGS ?=
JOBS ?= auto

help: ## print this help
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-14s %s\n", $$1, $$2}' Makefile

setup: $(READY) ## make .venv with the locked packages and Wufeng in it

$(READY): requirements.lock pyproject.toml tools/setup.sh
	@sh tools/setup.sh "$(PYTHON)" .venv
	@touch $(READY)

demo: $(READY) ## play the story, then keep serving until Ctrl-C (ARGS="--exit" ends)
	@$(BIN)/wufeng demo $(ARGS)

test: $(READY) ## run every test, in parallel, on an embedded PostgreSQL (WUFENG_THOROUGH=1: for a night)
	@$(BIN)/python -m pytest -q -n $(JOBS) --dist worksteal $(ARGS)

fast: $(READY) ## run the rules alone: no database, a few seconds
	@find tests \( -name 'test_*rules.py' -o -name 'test_money.py' -o -name 'test_ids.py' -o -name 'test_clock.py' \
		-o -name 'test_model.py' -o -name 'test_problems.py' \) -exec $(BIN)/python -m pytest -q $(ARGS) {} +

check: $(READY) ## lint, format, types, and which part may import which
	@$(BIN)/python -m ruff check .
	@$(BIN)/python -m ruff format --check --quiet .
	@$(BIN)/python -m mypy --no-error-summary
	@$(BIN)/lint-imports

bench: $(READY) ## measure payments against pgbench on this machine (about 8 minutes)
	@$(BIN)/wufeng bench pay $(ARGS)

screenshots: $(READY) ## picture every page into var/screenshots (after make setup-browser)
	@PYTHONPATH=. $(BIN)/python -m tests.web.screenshots $(ARGS)

clean: ## remove what make made: .venv, caches, the demo's data
	@rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache build dist var
	@find src tests -name __pycache__ -type d -prune -exec rm -rf {} +

lock: $(READY) ## pin the newest packages that pyproject.toml allows
	@$(BIN)/python -m pip install --quiet uv
	@$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --extra dev --generate-hashes \
		--no-emit-index-url --no-annotate --no-header pyproject.toml --output-file requirements.lock

setup-bench: ## install wrk, the load generator of `make bench`, from Debian
	@sh tools/debian.sh wrk

setup-browser: ## install chromium and Chinese fonts, for tests of pages, from Debian
	@sh tools/debian.sh chromium fonts-noto-cjk
	@sh tools/debian.sh chromium-headless-shell || echo "no headless shell here: chromium itself serves, more slowly"
