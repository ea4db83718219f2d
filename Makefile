# Targets for people; `make` alone tells them. Each sets up what it needs, and only when that changed.

.DEFAULT_GOAL := help
.PHONY: help run test faults check bench demo shell doctor clean install install-dev

PYTHON ?= $(shell for name in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$name -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$name && break; done)
RUNTIME := requirements.txt requirements-embedded.txt
BIN := .venv/bin
# What `check --deploy` reads: production, with services that need not answer.
PRODUCTION := env HAPPENING_ENV=production ALLOWED_HOSTS=example.org SITE_URL=https://example.org \
	SECRET_KEY=$$(head -c 48 /dev/urandom | base64 | tr -d '\n') \
	DATABASE_URL=postgres://happening@127.0.0.1:1/happening REDIS_URL=redis://127.0.0.1:1 \
	AMQP_URL=amqp://127.0.0.1:1// EMAIL_URL=smtp://127.0.0.1:1

help: ## Show this help
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: install ## Serve everything at http://localhost:8000 until Ctrl-C (PORT=9000 for another port)
	@$(BIN)/python -m happening.embedded.run

test: install-dev ## Run all tests but the fault tests (ARGS="-k booking" for some)
	@$(BIN)/python -m pytest -n auto --maxprocesses 4 $(ARGS)

faults: install-dev ## Kill and stall real processes and servers while a crowd books (ARGS="-k redis" for some)
	@$(BIN)/python -m pytest -c tests/faults/pytest.ini --rootdir . tests/faults $(ARGS)

check: install-dev ## Lint, imports, migrations, deployment settings, templates
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/python manage.py makemigrations --check --dry-run
	@echo "manage.py check --deploy, with production's settings"
	@$(PRODUCTION) $(BIN)/python manage.py check --deploy --fail-level WARNING
	$(BIN)/djlint templates --lint --quiet

bench: install-dev ## Measure (ONLY=rush for one section)
	@$(BIN)/python -m benchmarks $(ONLY)

demo: install ## Fill in the demo data
	@$(BIN)/python manage.py demo

shell: install ## Open a Python shell with the models
	@$(BIN)/python manage.py shell

doctor: install ## Tell what is used, what is wrong and how to mend it
	@$(BIN)/python manage.py doctor

clean: ## Remove what can be made again: .venv, caches, the tests' servers. Your data in .data stay
	rm -rf .venv .data/test .pytest_cache .ruff_cache .hypothesis .import_linter_cache staticfiles
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

install:
	@test -n "$(PYTHON)" || { echo "Happening needs Python 3.11 or newer. Install it, or name it: make PYTHON=/path/to/python3"; exit 1; }
	@$(PYTHON) -P happening/embedded/install.py $(RUNTIME)

install-dev: install
	@$(PYTHON) -P happening/embedded/install.py $(RUNTIME) requirements-dev.txt
