# Each target is a line or two that anybody may type. What they have in common stands in .venv, which `install` makes.
.DEFAULT_GOAL := help
COMPILE := UV_SYSTEM_CERTS=1 .venv/bin/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --python-version 3.11

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' Makefile

install: ## make .venv with the command .venv/bin/coldfleet
	@scripts/install
	@scripts/console

install-dev: ## ... and with everything for testing and changing it
	@scripts/install --dev
	@scripts/console

console: install ## build what browsers load, when a page or a script has changed
	@scripts/console

services: ## see to PostgreSQL and Mosquitto for the tests
	@scripts/services

demo: install ## the whole chain before your eyes (ARGS=--once: to its end, and check it)
	@.venv/bin/coldfleet demo $(ARGS)

test: ## everything that must hold; a few minutes
	@scripts/steps install-dev services lint layers types+tests

test-long: install-dev services ## what takes longer
	.venv/bin/pytest -m long

tests: install-dev services ## the tests alone
	.venv/bin/pytest -n logical --dist worksteal -m "not long"

fmt: install-dev ## lay the code out
	.venv/bin/ruff check --fix --exit-zero --quiet
	.venv/bin/ruff format

lint: install-dev ## ruff: rules and layout; shellcheck
	.venv/bin/ruff check
	.venv/bin/ruff format --check
	.venv/bin/shellcheck scripts/* .ci/run

types: install-dev ## mypy, strict
	.venv/bin/mypy

layers: install-dev ## import-linter: imports go down the house
	.venv/bin/lint-imports --no-logo

sizes: install-dev ## the size ratchet (also one of the tests)
	.venv/bin/pytest tests/architecture/test_sizes.py

snapshots: install-dev ## write the contract snapshots anew; read the diff before you commit it
	COLDFLEET_WRITE_SNAPSHOTS=1 .venv/bin/pytest tests/contracts

bench: install ## measure (ARGS=... goes to `coldfleet bench`)
	@.venv/bin/coldfleet bench $(ARGS)

screenshots: install-dev services ## the pictures in docs/screenshots, from the demo's own data
	.venv/bin/python -m tests.screenshots docs/screenshots

openapi: install ## print the OpenAPI document
	@.venv/bin/coldfleet cloud openapi

lock: install ## resolve requirements/*.lock anew (ARGS=--upgrade for newer versions)
	$(COMPILE) $(ARGS) --extra all pyproject.toml -o requirements/app.lock
	$(COMPILE) $(ARGS) --extra all --extra dev -c requirements/app.lock pyproject.toml -o requirements/dev.lock
	$(COMPILE) $(ARGS) -c requirements/dev.lock requirements/install.in -o requirements/install.lock
	$(COMPILE) $(ARGS) requirements/node.in -o requirements/node.lock

clean: ## take away .venv and all caches (not var/, your data)
	rm -rf .venv cloud_api/console/static cloud_api/console/browser/node_modules dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -prune -exec rm -rf {} +

.PHONY: bench console help install install-dev services demo test test-long tests fmt lint types layers sizes snapshots screenshots openapi lock clean
