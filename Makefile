.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# uv where it is on the PATH, else the standard library's venv and pip: the same locked files either way.
UV := $(shell command -v uv 2>/dev/null)
export DO_NOT_TRACK := 1
export DBT_SEND_ANONYMOUS_USAGE_STATS := false
# pip makes no bytecode here (`--no-compile`): where this is set, as in many containers, each process would compile what it
# imports again: dbt's 1,500 files take 1.6 seconds more.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help setup setup-dev demo dev test test-all test-night test-spark pytest-all test-unit lint lint-changed lint-python lint-sql lint-sql-changed format bench docs generate audit lock clean

help: ## Show this help
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

setup: $(VENV)/.runtime ## Create .venv with what running needs

setup-dev: $(VENV)/.dev ## Create .venv with what developing and testing need

$(BIN)/python:
ifdef UV
	$(UV) venv --quiet --seed --python $(PYTHON) $(VENV)
else
	$(PYTHON) -m venv $(VENV)
endif

# Says what the next minutes are for: pip says nothing until it is done.
installing = echo "Installing the $$(grep -c '==' $(1)) packages of $(1) in $(VENV)/: some minutes the first time ..."

# The lock holds the whole closure, build back end included, so nothing is resolved here; `pip check` says so if a
# Python version wants more. Bytecode is made of what is imported, when it is: half a minute less.
$(VENV)/.runtime: requirements.lock pyproject.toml | $(BIN)/python
	@$(call installing,requirements.lock)
ifdef UV
	VIRTUAL_ENV=$(VENV) $(UV) pip install --quiet -r requirements.lock
	VIRTUAL_ENV=$(VENV) $(UV) pip install --quiet --no-deps --no-build-isolation -e .
else
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile --no-deps --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
endif
	@$(BIN)/python -m pip --disable-pip-version-check check >/dev/null || $(BIN)/python -m pip check
	@touch $@

$(VENV)/.dev: requirements-dev.lock $(VENV)/.runtime
	@$(call installing,requirements-dev.lock)
ifdef UV
	VIRTUAL_ENV=$(VENV) $(UV) pip install --quiet -r requirements-dev.lock
else
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile --no-deps --require-hashes -r requirements-dev.lock
endif
	@touch $@

demo: setup ## From nothing to a queryable warehouse, on a local ION
	@$(BIN)/ion-pipeline demo
	@umask 077; DAGSTER_HOME=$(CURDIR)/.dagster $(BIN)/python -m ion_pipeline.defs.record

dev: setup ## Dagster's UI: the asset graph, runs and schedules
	@$(BIN)/python -m ion_pipeline.defs.home .dagster
	@echo "The graph, in some seconds: http://127.0.0.1:3000/asset-groups"
	@umask 077; export DAGSTER_HOME=$(CURDIR)/.dagster; $(BIN)/python -m ion_pipeline.defs.orphans && $(BIN)/dagster dev -w workspace.yaml

SQL := dbt_project/models dbt_project/tests
# The templater expands macros as dbt does and wants to know where dbt may write; no database is opened.
SQLFLUFF := mkdir -p .cache/lint && ION_WAREHOUSE_PATH=.cache/lint/none.duckdb DBT_TARGET_PATH=$(CURDIR)/.cache/lint/target \
	DBT_LOG_PATH=$(CURDIR)/.cache/lint/logs $(BIN)/python -m tests.lint_sql
lint: setup-dev ## ruff, mypy, import-linter and sqlfluff
	@$(MAKE) --no-print-directory --jobs 2 lint-python lint-sql

lint-changed: setup-dev ## As lint, but sqlfluff for SQL files that differ from main alone: it takes half a second a file
	@$(MAKE) --no-print-directory --jobs 2 lint-python lint-sql-changed

lint-python: setup-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

lint-sql: setup-dev
	$(SQLFLUFF) lint --processes 2 $(SQL)

# Without git, and after a change of macros or rules, which may concern any model: all of them.
lint-sql-changed: setup-dev
	@files="$(SQL)"; \
	if base=$$(git merge-base HEAD origin/main 2>/dev/null || git merge-base HEAD main 2>/dev/null); then \
	  changed=$$(git diff --name-only --diff-filter=d $$base -- dbt_project .sqlfluff && \
	    git ls-files --others --exclude-standard -- dbt_project); \
	  grep -qE '^(\.sqlfluff|dbt_project/(macros/.*|[^/]*))$$' <<<"$$changed" || \
	    files=$$(grep -E '^dbt_project/(models|tests)/.*\.sql$$' <<<"$$changed" || true); \
	fi; \
	if [ -n "$$files" ]; then $(SQLFLUFF) lint --processes 2 $$files; fi

format: setup-dev ## Format Python and SQL
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(SQLFLUFF) fix --processes 2 $(SQL)

# A file's tests stay together, for what they share is made once for each worker; those that take long come first.
# Three workers for two cores: a fifth of the time, a worker waits for another process. Unit tests wait for none.
PYTEST = $(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder --max-worker-restart 1
WORKERS := 3

test-unit: WORKERS := 2
test-unit: setup-dev ## Unit, contract and architecture tests without the long ones: about a minute on two cores
	$(PYTEST) -m "not slow and not exhaustive" tests/unit tests/contract tests/architecture

test: lint-changed ## Lint, types and most tests: some minutes on two cores
	$(PYTEST) -m "not exhaustive"

# Lint takes what the tests leave of two cores, which wait for other processes now and then; a finding of it fails the run
# after the tests.
test-all: setup-dev ## What CI runs: as test, and kills, faults, and repeats with other seeds, versions and servers
	@$(MAKE) --no-print-directory --jobs 3 pytest-all lint-python lint-sql

pytest-all: setup-dev
	ION_TEST_EXAMPLES=all $(PYTEST)

# Not a part of CI: it takes a night.
test-night: setup-dev ## Random changes, loads and inputs for some hours: tables by affected rows against all rows, 500 times
	ION_TEST_EXAMPLES=night $(PYTEST) tests/integration/test_affected_rows.py tests/integration/test_interleavings.py tests/unit

# Spark has a Java virtual machine and its own copy of the client's module, hence an environment of its own.
SPARK := .cache/spark
SPARK_TOOLS := execnet hypothesis iniconfig pluggy pytest pytest-xdist setuptools sortedcontainers syrupy wheel
$(SPARK)/.ready: requirements.lock docs/deploy/spark.lock Makefile | $(BIN)/python
	@java -version >/dev/null 2>&1 || { apt-get update -qq && apt-get install -y -qq --no-install-recommends openjdk-17-jre-headless; } || \
	  { echo "Spark needs Java 17: install it (Debian: openjdk-17-jre-headless), then run again." >&2; exit 1; }
	$(PYTHON) -m venv $(SPARK)
	$(SPARK)/bin/python docs/deploy/lock_extras.py $(SPARK_TOOLS) >$(SPARK)/tools.lock
	$(SPARK)/bin/python -m pip install --quiet --disable-pip-version-check --no-compile --no-deps --require-hashes \
	  -r requirements.lock -r $(SPARK)/tools.lock
	$(SPARK)/bin/python -m pip install --quiet --disable-pip-version-check --no-compile --no-deps --require-hashes \
	  --no-build-isolation -r docs/deploy/spark.lock
	@touch $@

# All tests share one build on Spark, so they are in one worker. Not in this process: DuckDB's bindings would have the
# last word after pytest's.
test-spark: $(SPARK)/.ready ## The same models on Apache Spark: all tables and data tests compared with DuckDB's
	SPARK_CONF_DIR=$(CURDIR)/tests/spark/conf PYTHONPATH=$(CURDIR) $(SPARK)/bin/python -m pytest -n 1 -o faulthandler_timeout=1800 tests/spark

bench: setup-dev ## Measure; figures go to benchmarks/README.md
	$(BIN)/python -m benchmarks

docs: setup-dev ## Write the generated references in docs/ (CLI, settings, data dictionary) and dbt's page, docs/dbt/
	$(BIN)/python docs/generate.py
	$(BIN)/python docs/dbt_docs.py

generate: docs ## Write everything that is generated: docs, dbt's sources, the analysts' macros, the graph's snapshot
	$(BIN)/python -m tests.contract.dbt_sources
	$(BIN)/python -m tests.contract.analyst_macros
	$(BIN)/python -m pytest -q --snapshot-update tests/test_definitions.py

# In an environment of its own: what looks for holes is no part of what is shipped. Where the service answers but does not
# know a package, pip-audit alone would call that a success; --strict does not.
AUDIT := .cache/audit
$(AUDIT)/bin/pip-audit: | $(BIN)/python
	$(BIN)/python -m venv $(AUDIT)
	$(AUDIT)/bin/python -m pip install --quiet --disable-pip-version-check pip-audit==2.10.1

audit: $(AUDIT)/bin/pip-audit ## Look the locked packages up in the advisory database; needs the internet
	@for lock in requirements.lock docs/deploy/{postgres,delta,mcp,object-store,spark}.lock; do \
	  echo "$$lock:"; \
	  if $(AUDIT)/bin/pip-audit --strict --require-hashes --disable-pip --progress-spinner off -r $$lock >$(AUDIT)/said 2>&1; \
	  then cat $(AUDIT)/said; \
	  elif grep -qE "could not be audited|ConnectionError|ConnectTimeout|ServiceError|NameResolutionError" $(AUDIT)/said; then \
	    tail -n 1 $(AUDIT)/said; \
	    echo "Nothing was audited: the advisory service cannot be reached from here. Run make audit where it can." >&2; exit 2; \
	  else cat $(AUDIT)/said; echo "The packages above have known holes: raise their pins and run make lock." >&2; exit 1; fi; \
	done

PIP_COMPILE := $(BIN)/pip-compile --quiet --strip-extras --generate-hashes --allow-unsafe --no-header --no-annotate \
	--no-emit-index-url --no-emit-trusted-host --no-emit-find-links --all-build-deps
lock: setup-dev ## Pin exact versions with hashes
	$(PIP_COMPILE) --extra dev --output-file requirements-dev.lock pyproject.toml
	$(PIP_COMPILE) -c requirements-dev.lock --output-file requirements.lock pyproject.toml
	$(filter-out --all-build-deps,$(PIP_COMPILE)) -c requirements.lock --output-file docs/deploy/pyspark.lock docs/deploy/pyspark.in
	$(BIN)/python docs/deploy/lock_extras.py

clean: ## Remove what setup, demo and tests have made
	rm -rf $(VENV) .cache .dagster .hypothesis .mypy_cache .pytest_cache .ruff_cache data/embedded
