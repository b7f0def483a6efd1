# Everything a person or CI runs. Ports: AIRFLOW_PORT, SANDBOX_PORT; Python: PYTHON=python3.12.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?= python3
AIRFLOW_PORT ?= 8080
SANDBOX_PORT ?= 4566
STATE ?= .state
ROWS ?= 1000000
ROUNDS ?= 3
BIN := .venv/bin
# Bytecode is worth having here: without it every task process compiles Airflow anew.
export PYTHONDONTWRITEBYTECODE :=
export PYTHONPATH := plugins:.
export AIRFLOW_PORT SANDBOX_PORT STATE

.PHONY: help
help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-14s %s\n", $$1, $$2}'

.PHONY: install
install: .venv/.installed .venv/.native ## install the locked environment into .venv (all other targets do it when needed)

.venv/.installed: requirements.lock
	@$(PYTHON) tools/install.py
	@touch $@

.venv/.native: .venv/.installed native/pyproject.toml $(wildcard native/*.c native/*.h)
	@$(BIN)/python -m tools.native
	@touch $@

.PHONY: native
native: .venv/.installed ## build the compiled package again, which makes nights faster (`make install` does it)
	@$(BIN)/python -m tools.native

.PHONY: spark
spark: install ## install the Sparks of the two current AWS Glue versions into .spark (tests and benchmarks use them)
	@$(BIN)/python -m tools.spark

.PHONY: clients
clients: install ## install the AWS CLI and the AWS SDK for pandas into .clients (tests run them; `make test` does it)
	@$(BIN)/python -m tools.clients

.PHONY: demo
demo: install ## seven nights and a week, end to end, on the local AWS; checks every result against the truth
	@$(BIN)/python -m tools.demo

.PHONY: up
up: install ## start the local AWS and Airflow with the example, and leave the UI open
	@$(BIN)/python -m tools.up

.PHONY: down
down: ## stop what `make up` started (CLEAN=1 also deletes its data)
	@test ! -x $(BIN)/python || $(BIN)/python -m tools.down $(if $(CLEAN),--clean)

.PHONY: test
test: check spark clients ## all checks and all tests
	@$(BIN)/python -m pytest

.PHONY: check
check: install ## lint, types, config files, docker-compose.yaml
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/python -m tools.validate

.PHONY: bench-prepare
bench-prepare: install ## speed and memory against hand-written code of other tools (ROWS, ROUNDS)
	@$(BIN)/python -m bench.prepare --rows $(ROWS) --rounds $(ROUNDS) --folder $(STATE)/bench

.PHONY: format
format: install ## format the code and mend what can be mended
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

.PHONY: bench-attacks
bench-attacks: install ## 20,000 generated attacks on the analysis rules; fails on a leak (QUERIES=n)
	@$(BIN)/python -m bench.attacks --queries $(or $(QUERIES),20000)

.PHONY: bench-waiting
bench-waiting: install ## what 100 waiting queries cost: slots, the triggerer's memory, calls per hour
	@$(BIN)/python -m bench.waiting

.PHONY: bench-verdict
bench-verdict: install ## how long a verdict takes: the corpus, and texts up to 100 KB
	@$(BIN)/python -m bench.verdict

.PHONY: bench-api
bench-api: install ## how long calls and cancels of the local clean room take, and whether 500 collaborations slow them down
	@$(BIN)/python -m bench.api

.PHONY: bench-join
bench-join: install ## the engine beside plain DuckDB: 10 M x 10 M rows joined and aggregated; fails over 1.3 (JOIN_ROWS, ROUNDS)
	@$(BIN)/python -m bench.join --rows $(or $(JOIN_ROWS),10000000) --rounds $(ROUNDS)

.PHONY: lock
lock: install ## resolve the dependencies anew into requirements.lock
	@$(BIN)/uv pip compile --universal --python-version 3.11 --no-annotate --no-header --all-extras --upgrade pyproject.toml -o requirements.lock

.PHONY: clean
clean: down ## delete the local data and the environment
	@rm -rf $(STATE) .venv .spark .clients
