# Every target sets the environment up first; a finished one is reused at once.
python := .venv/bin/python
pytest := $(python) -m pytest -n logical --maxprocesses 8 --dist loadfile

.PHONY: help setup demo test test-all lint clean
.DEFAULT_GOAL := help

help: ## say what there is to make
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## make .venv: a Python 3.10 and the pinned packages
	@sh scripts/setup.sh

demo: setup ## search, train, map and simulate on embedded data; the report is in runs/demo
	.venv/bin/neurocomp search --hw loihi2 --out runs/demo

test: lint ## style, types and the tests that are fast
	$(pytest)

test-all: lint ## the slow tests too
	$(pytest) -m ''

lint: setup ## style and types
	$(python) -m ruff check --quiet .
	$(python) -m ruff format --check --quiet .
	$(python) -m mypy

clean: ## remove what was built; .venv and runs stay
	rm -rf build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis lightning_logs
	find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +
