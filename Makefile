# Postern's tasks. The comment after ## is the help of the target.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ARGS ?=
PEERS := build/peers
COMPILE := $(BIN)/pip-compile --quiet --generate-hashes --strip-extras --no-header \
	--no-emit-index-url --no-emit-find-links --no-emit-trusted-host
# What requirements-misp.txt leaves out, since requirements-dev.txt has it, in a version that fits the tests.
SHARED := pycountry pymisp stix2 stix2-patterns requests setuptools python-dateutil deprecated wrapt simplejson six \
	pytz tzdata antlr4-python3-runtime certifi charset-normalizer idna urllib3

export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PYTHONUNBUFFERED := 1

.PHONY: help
help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: demo
demo: $(VENV)/.service ## Set up and run a demonstration with three organisations (ARGS="--port 8080")
	@$(BIN)/python -m app.demo $(ARGS)

.PHONY: test
test: $(VENV)/.tests browser node java servers ## Install what the tests need and run them all (ARGS="-k word")
	@$(BIN)/python -m tests.functional.oidc.running
	@PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest -n 3 --dist loadfile $(ARGS)

.PHONY: mutate
mutate: $(VENV)/.tests ## Put faults into the code and see that the tests notice (ARGS="app/sharing")
	@nice -n 10 $(BIN)/python -m tests.mutation $(ARGS)

.PHONY: attack
attack: $(VENV)/.tests ## Attack a real server and show that nothing is won (ARGS="--backend postgresql")
	@$(BIN)/python -m tests.attack $(ARGS)

.PHONY: fuzz
fuzz: $(VENV)/.tests ## Fuzz the parsers and the interface (ARGS="--minutes 120 --backend postgresql")
	@nice -n 10 $(BIN)/python -W ignore -m tests.fuzz $(ARGS)

.PHONY: lint
lint: $(VENV)/.tests ## Check style, types, the floors of the house and the pinned requirements
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/python -m tests.check_pins

.PHONY: sbom
sbom: $(VENV)/.tests ## Write what the service consists of, as CycloneDX, to build/sbom.json
	@$(BIN)/python -m tests.supply_chain sbom $(ARGS)

.PHONY: audit
audit: $(VENV)/.tests ## Check the pins, the SBOM and known findings (ARGS="--report FILE" of pip-audit)
	@$(BIN)/python -m tests.supply_chain audit $(ARGS)

.PHONY: format
format: $(VENV)/.tests ## Format the code
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

.PHONY: service
service: $(VENV)/.service ## Install the service and the postern command into .venv
	@# The units see a read-only file system: what is not compiled here is compiled at each start.
	@$(BIN)/python -m compileall -q app migrations postern wsgi.py

.PHONY: modules
modules: node ## Build the pages' cryptography anew from its sources and pinned packages
	@cd app/web/modules && npm ci --silent --ignore-scripts && node build.mjs

.PHONY: node
node: ## Install Node.js for building and testing the pages' modules, when there is none
	@tests/install-node

.PHONY: java
java: ## Install a Java runtime for Spark in the tests of screening, when there is none
	@tests/install-java

.PHONY: servers
servers: ## Install nginx, systemd-analyze, Prometheus and age for the tests of deployment, where missing
	@tests/install-servers

.PHONY: browser
browser: ## Install the browser that the tests of pages drive, when there is none
	@tests/functional/install-browser

.PHONY: docs
docs: $(VENV)/.docs ## Build the documentation as a site into build/site; a dead link ends it
	@$(BIN)/sphinx-build -q -W --keep-going -c docs/site -b html docs build/site
	@echo "The site is in build/site/index.html"

.PHONY: bench-matching
bench-matching: $(VENV)/.bench ## Precision and recall of matching beside its peers (ARGS="--data FILE")
	@$(BIN)/python -m bench.matching $(ARGS)

.PHONY: fit-matching
fit-matching: $(VENV)/.bench ## Learn the weights of matching again from the training half
	@$(BIN)/python -m bench.fit_matching $(ARGS)

.PHONY: bench-evaluate
bench-evaluate: $(VENV)/.tests ## Blind evaluations per second beside bare libsodium
	@$(BIN)/python -m bench.evaluate $(ARGS)

.PHONY: bench-submit
bench-submit: $(VENV)/.tests ## Indicators submitted per second beside a bare COPY or executemany
	@$(BIN)/python -m bench.submit $(ARGS)

.PHONY: bench-sealing
bench-sealing: $(VENV)/.tests ## Rows that a client prepares per second, with and without sealing
	@$(BIN)/python -m bench.sealing $(ARGS)

.PHONY: bench-pages
bench-pages: $(VENV)/.tests browser ## Weight and first paint of each page, and cryptography in one, in a real browser
	@$(BIN)/python -m bench.pages $(ARGS)

.PHONY: bench-jobs
bench-jobs: $(VENV)/.tests browser ## Clicks, keystrokes and seconds of each job in the pages, as a person does them
	@$(BIN)/python -m bench.jobs $(ARGS)

.PHONY: bench-lookup
bench-lookup: $(VENV)/.tests ## Latency of a lookup beside a bare index lookup
	@$(BIN)/python -m bench.lookup $(ARGS)

.PHONY: bench-load
bench-load: $(VENV)/.tests ## Lookups and submits over HTTP on large tables beside bare SQL (ARGS="--sizes 1000000 --directory /srv")
	@$(BIN)/python -m bench.load $(ARGS)

.PHONY: soak
soak: $(VENV)/.tests ## A day of mixed requests in minutes: memory, files and connections of all processes (ARGS="--minutes 5")
	@$(BIN)/python -m bench.soak $(ARGS)

.PHONY: bench-row-security
bench-row-security: $(VENV)/.tests ## What row-level security adds to a lookup and an evaluation
	@$(BIN)/python -m bench.row_security $(ARGS)

.PHONY: bench-replica
bench-replica: $(VENV)/.tests ## Lookups that match on a replica beside the same on the primary alone, and what each server works
	@$(BIN)/python -m bench.replica $(ARGS)

.PHONY: bench-metrics
bench-metrics: $(VENV)/.tests ## What metrics and the log's line of each request cost
	@$(BIN)/python -m bench.metrics $(ARGS)

.PHONY: bench-policy
bench-policy: $(VENV)/.tests ## What policies add to a lookup, what a decision costs, and trying a change
	@$(BIN)/python -m bench.policy $(ARGS)

.PHONY: bench-watches
bench-watches: $(VENV)/.tests ## Submissions per second while nothing, 10,000 and 1,000,000 values are watched for
	@$(BIN)/python -m bench.watches $(ARGS)

.PHONY: bench-screen
bench-screen: $(VENV)/.bench ## Rows screened per second beside a bare scan and peers (ARGS="--rows 10000000 --spark 1 2")
	@$(BIN)/python -m bench.screen $(ARGS)

.PHONY: bench-detection
bench-detection: $(VENV)/.bench ## What is found of campaigns whose kinds the rules do not know (ARGS="--rows 1000000")
	@$(BIN)/python -m bench.detection $(ARGS)

.PHONY: bench-barriers
bench-barriers: $(VENV)/.tests ## What the barrier methods find of what was planted, and their false alarms (ARGS="--years 300")
	@$(BIN)/python -m bench.barriers $(ARGS)

.PHONY: bench-board
bench-board: $(VENV)/.tests ## Answers of the board over 1,000,000 indicators, kept and anew (ARGS="--indicators 100000")
	@$(BIN)/python -m bench.board $(ARGS)

.PHONY: bench-token-screening
bench-token-screening: $(VENV)/.bench ## What screening against a token filter evaluates, sends and takes (ARGS="--every")
	@$(BIN)/python -m bench.token_screening $(ARGS)

.PHONY: bench-exchange-memory
bench-exchange-memory: $(VENV)/.tests ## Memory of the web processes while a very large collection leaves (ARGS="--objects 1000000")
	@$(BIN)/python -m bench.exchange_memory $(ARGS)

.PHONY: bench-taxii
bench-taxii: $(VENV)/.tests $(PEERS)/opentaxii/.installed $(PEERS)/medallion/.installed ## TAXII 2.1 beside OpenTAXII and medallion (ARGS="--sizes 1000")
	@$(BIN)/python -m bench.taxii $(ARGS)

.PHONY: bench-peers
bench-peers: $(VENV)/.tests $(PEERS)/opentaxii/.installed $(PEERS)/medallion/.installed ## The same, and the platform's own interface beside them (ARGS="--sizes 1000")
	@$(BIN)/python -m bench.peers $(ARGS)

.PHONY: bench-backup
bench-backup: $(VENV)/.tests ## A backup and a restore beside bare pg_dump and pg_restore (ARGS="--indicators 200000")
	@$(BIN)/python -m bench.backup $(ARGS)

.PHONY: bench-audit
bench-audit: $(VENV)/.tests ## What the audit log costs: rates, latency, bytes, proofs (ARGS="--entries 100000")
	@$(BIN)/python -m bench.audit $(ARGS)

.PHONY: kill-nine
kill-nine: $(VENV)/.tests ## Kill the log's processes and its database under load (ARGS="--rounds 200")
	@$(BIN)/python -m tests.functional.kill_nine $(ARGS)

.PHONY: bench-retention
bench-retention: $(VENV)/.tests ## Indicators erased per second beside ingest and a bare DELETE (ARGS="--size 1000000")
	@$(BIN)/python -m bench.retention $(ARGS)

.PHONY: kill-worker
kill-worker: $(VENV)/.tests ## Kill the worker under load and see what arrived (ARGS="--kills 100")
	@$(BIN)/python -m tests.functional.kill_worker $(ARGS)

.PHONY: faults
faults: $(VENV)/.tests ## Put faults into a whole platform under load and check what is left (ARGS="--rounds 20")
	@nice -n 10 $(BIN)/python -m tests.faults $(ARGS)

.PHONY: upgrade-trial
upgrade-trial: $(VENV)/.tests ## Upgrade the schema beneath the release before while it serves (ARGS="--backend sqlite")
	@$(BIN)/python -m tests.old_code $(ARGS)

.PHONY: translations
translations: $(VENV)/.service ## Collect messages and compile the catalogues of all languages
	@$(BIN)/pybabel -q extract -F app/web/translations/babel.cfg -k KnownAct:2 --no-location --sort-output \
		-o $(VENV)/messages.pot app
	@$(BIN)/pybabel -q update -w 100 -i $(VENV)/messages.pot -d app/web/translations --no-fuzzy-matching --ignore-obsolete
	@$(BIN)/pybabel -q compile -d app/web/translations

.PHONY: lock
lock: $(VENV)/.python ## Pin the requirements again, by hash, from the short requirements*.in
	@$(BIN)/pip install --quiet pip-tools
	@$(COMPILE) --allow-unsafe $(ARGS) requirements.in -o requirements.txt
	@$(COMPILE) --allow-unsafe $(ARGS) requirements-dev.in -o requirements-dev.txt
	@$(COMPILE) --allow-unsafe $(ARGS) requirements-docs.in -o requirements-docs.txt
	@$(COMPILE) --allow-unsafe $(ARGS) requirements-bench.in -o requirements-bench.txt
	@$(COMPILE) --allow-unsafe $(ARGS) requirements-mutation.in -o requirements-mutation.txt
	@$(COMPILE) $(addprefix --unsafe-package=,$(SHARED)) $(ARGS) requirements-misp.in -o requirements-misp.txt

.PHONY: clean
clean: ## Remove the virtual environment, caches and the demonstration
	@rm -rf $(VENV) var build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis

$(VENV)/.python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Postern needs Python 3.11 or newer; set PYTHON=python3.11 or similar." >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.service: $(VENV)/.python requirements.txt pyproject.toml
	@echo "Installing the service into $(VENV) ..."
	@$(BIN)/pip install --quiet --require-hashes -r requirements.txt
	@$(BIN)/pip install --quiet --no-deps -e .
	@touch $@

$(VENV)/.tests: $(VENV)/.service requirements-dev.txt requirements-misp.txt requirements-mutation.txt
	@echo "Installing what the tests need into $(VENV) ..."
	@$(BIN)/pip install --quiet --require-hashes -r requirements-dev.txt
	@$(BIN)/pip install --quiet --require-hashes --no-deps -r requirements-misp.txt
	@$(BIN)/pip install --quiet --require-hashes -r requirements-mutation.txt
	@touch $@

$(PEERS)/%/.installed: bench/peers/%.txt $(VENV)/.python
	@echo "Installing $* into an environment of its own, $(PEERS)/$* ..."
	@rm -rf $(PEERS)/$*
	@$(PYTHON) -m venv $(PEERS)/$*
	@$(PEERS)/$*/bin/pip install --quiet --require-hashes -r bench/peers/$*.txt
	@touch $@

$(VENV)/.docs: $(VENV)/.tests requirements-docs.txt
	@echo "Installing what builds the documentation into $(VENV) ..."
	@$(BIN)/pip install --quiet --require-hashes -r requirements-docs.txt
	@touch $@

$(VENV)/.bench: $(VENV)/.tests requirements-bench.txt
	@echo "Installing the peers of the benchmarks into $(VENV) ..."
	@$(BIN)/pip install --quiet --require-hashes -r requirements-bench.txt
	@touch $@
