# Everything that one does here. `make` alone prints it.
.DEFAULT_GOAL := help
SHELL := /bin/sh
PYTHON ?= python3
BIN := .venv/bin
T ?= tests/unit tests/component tests/issuer tests/contract
export PYTHONPATH := .:libs/contracts

PROTOS := $(shell find protos -name '*.proto')
RUN := .venv/.carehub-run
DEV := .venv/.carehub-dev
CONTRACTS := libs/contracts/contracts.binpb
WEB := gateway/web/dist/index.html
NPM := gateway/web/node_modules/.package-lock.json

##@ Start here
run: $(RUN) $(CONTRACTS) $(WEB) ## run CareHub on this machine
	@$(BIN)/carehub up $(ARGS)

setup: $(DEV) $(CONTRACTS) ## install what development needs

##@ Before a commit
format: $(DEV) ## rewrite the code the way the checks want it
	@$(BIN)/ruff check --fix-only --quiet .
	@$(BIN)/ruff format --quiet .
	@cd protos && ../$(BIN)/buf format -w .

lint: setup $(NPM) ## format, types, imports, contracts, the console's sources
	@echo "ruff"; $(BIN)/ruff check --quiet . && $(BIN)/ruff format --check --quiet .
	@echo "mypy"; $(BIN)/mypy --no-error-summary services libs gateway
	@echo "import-linter"; $(BIN)/lint-imports --no-cache > .venv/import-linter.log || { cat .venv/import-linter.log; exit 1; }
	@echo "buf"; $(BIN)/buf lint $(CONTRACTS) --config protos/buf.yaml && cd protos && ../$(BIN)/buf format -d --exit-code . > /dev/null
	@echo "web"; cd gateway/web && npm run --silent lint

check: lint ## everything that needs no database: lint, the layout, charts and snapshots
	@$(BIN)/python -m pytest tests/contract

test: setup ## unit, component and contract tests, and the stories; T=tests/unit/tasking narrows
	@$(BIN)/python -m pytest $(T) $(if $(filter-out command line,$(origin T)),tests/e2e)

test-again: setup ## what failed in the last `make test`, and only that, until the first that fails again
	@$(BIN)/python -m pytest --last-failed --last-failed-no-failures none --exitfirst

e2e: setup ## the stories, through MLLP and the gateway, in both ways of running
	@$(BIN)/python -m pytest tests/e2e

test-web: $(NPM) ## unit tests of the console
	@cd gateway/web && npm test --silent

test-browser: setup $(WEB) ## the console in a real browser, against a real hub
	@sh tests/browser/chromium.sh && cd gateway/web && npm run --silent test:browser

test-keycloak: setup ## sign-in against a real Keycloak, which the tests start: needs Maven and a JDK
	@CAREHUB_TEST_ISSUER=keycloak $(BIN)/python -m pytest tests/issuer -o timeout=1200

test-image: setup ## the image, built and run as the charts say: needs root on Debian, and tools that it names
	@sh tests/image/build.sh .venv/image
	@test ! -f .venv/image || unshare --net --mount --propagation private $(BIN)/python -m pytest -s tests/image -o timeout=1200

test-alerts: setup ## the alerts, by promtool: each fires when it must and is silent when it must not
	@sh tests/alerts/promtool.sh && $(BIN)/python -m pytest tests/contract/test_alerts.py

test-matrix: setup ## every cell of the authorization matrix (hours); `make test` has a covering subset
	@CAREHUB_MATRIX=all $(BIN)/python -m pytest -s tests/unit/identity/test_authorization_matrix.py \
		$(wildcard tests/component/spine/test_authorization_matrix_*.py) -o timeout=7200

test-mutation: setup ## what decides on access with one line changed, many times: each must be noticed; ARGS=words narrow
	@$(BIN)/python -u -m tests.mutation $(ARGS)

test-discharges: setup ## a thousand simulated discharges with every outcome and many faults; `make test` has a few
	@CAREHUB_DISCHARGES=$${CAREHUB_DISCHARGES:-1000} $(BIN)/python -m pytest -s tests/e2e/test_thousand_discharges.py

test-faults: setup ## PostgreSQL killed 20 times and the broker's store deleted 5 times, under load; `make test` has a few
	@CAREHUB_POSTGRES_KILLS=$${CAREHUB_POSTGRES_KILLS:-20} CAREHUB_STORE_LOSSES=$${CAREHUB_STORE_LOSSES:-5} \
		CAREHUB_RESTORES=$${CAREHUB_RESTORES:-20} $(BIN)/python -m pytest -s tests/e2e/test_faults.py \
		tests/component/backup -o timeout=3600

test-rolling: setup ## two hundred processes replaced under load, a release and its rollback: no request fails
	@CAREHUB_ROLLS=$${CAREHUB_ROLLS:-200} $(BIN)/python -m pytest -s tests/e2e/test_rolling.py

bench: setup ## the figures of the design, each beside what it is compared with; ARGS=--quick
	@$(BIN)/python -m tests.performance $(ARGS)

##@ Contracts
protos: ## regenerate libs/contracts from protos
	@sh protos/generate.sh

openapi: setup ## rewrite the committed OpenAPI document from the contracts
	@$(BIN)/python -m gateway.api.openapi

observability: setup ## rewrite the alerts and dashboards that charts ship
	@$(BIN)/python -m libs.observability

graph: setup ## rewrite who calls and hears whom in docs/architecture.md
	@$(BIN)/python -m tests.contract.graph

##@ Upkeep
locks: $(DEV) ## resolve the dependencies anew into the two locks
	@$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header --no-annotate \
		--extra local --extra keycloak pyproject.toml -o requirements.lock
	@$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header --no-annotate \
		--extra local --extra keycloak --extra dev -c requirements.lock pyproject.toml -o requirements-dev.lock

clean: ## forget what was made here, but not the data in .carehub
	@rm -rf .venv libs/contracts .pytest_cache .mypy_cache .ruff_cache .hypothesis

help: ## show this
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n%s\n", substr($$0, 5)} /^[a-z0-9-]+:.*## / {printf "  make %-15s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "CareHub needs Python 3.11 or later; try: make PYTHON=python3.12"; exit 1; }
	@echo "Making a virtual environment in .venv"
	@$(PYTHON) -m venv .venv || { echo "python3 has no venv module; on Debian: apt-get install python3-venv"; exit 1; }

$(RUN): requirements.lock pyproject.toml | .venv/bin/python
	@echo "Installing what CareHub runs on (a minute, the first time)"
	@test -f $(DEV) || $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $(RUN)

$(DEV): requirements-dev.lock pyproject.toml | .venv/bin/python
	@echo "Installing what development needs (a minute, the first time)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@test -f libs/contracts/carehub/options/v1/options_pb2.pyi || rm -f $(CONTRACTS)  # `make run` had nothing to make types with
	@touch $(DEV) $(RUN)

$(CONTRACTS): $(PROTOS) protos/generate.sh | $(RUN)
	@echo "Generating the contracts"
	@sh protos/generate.sh

$(NPM): gateway/web/package-lock.json
	@node -e 'const [major, minor] = process.versions.node.split("."); process.exit(major * 100 + +minor < 2019 ? 1 : 0)' || { echo "The console needs Node 20.19 or later"; exit 1; }
	@echo "Installing what the console is built with"
	@cd gateway/web && npm install --no-save --silent --no-audit --no-fund  # not `ci`: the lock has no entries for other systems

$(WEB): $(NPM) gateway/api/openapi.json $(shell find gateway/web/src gateway/web/public gateway/web/index.html gateway/web/my.html -type f 2>/dev/null)
	@echo "Building the console"
	@cd gateway/web && npm run --silent build > ../../.venv/web-build.log 2>&1 || { cat ../../.venv/web-build.log; exit 1; }

.PHONY: run setup format lint check test test-again test-web test-browser test-keycloak test-image test-alerts test-matrix test-mutation test-discharges test-faults test-rolling bench e2e protos openapi observability graph locks clean help
