# The commands of the project; `make` alone lists them. Needs GNU make 3.81 or newer.

# Not taken from the environment, where some shells keep the machine's own name in HOST: that
# would open a development site to the network.
HOST = 127.0.0.1
PORT ?= 8000
# A Python of your choice; else the first of these that is 3.11 or newer.
PYTHON ?=
PYTHONS = $(or $(PYTHON),python3.13 python3.12 python3.11 python3.14 python3 python)
# More arguments: make test ARGS="tests/unit -k words", make bench ARGS="prose sse"
ARGS ?=

VENV := .venv
PY := $(VENV)/bin/python
# A module stays in one process, which starts its servers once; the browser tests come last.
AT_ONCE = --numprocesses=auto --dist=loadscope --no-loadscope-reorder
TEMPLATES = $(shell find templates -name '*.html')
# A production's environment, whatever `.env` says; its key lives as long as the command.
PRODUCTION = env DEBUG=off CHAT_DEMO=off ANTHROPIC_API_KEY=none DATABASE_URL=sqlite:///:memory: \
	SECRET_KEY=$$($(PY) -c 'import secrets; print(secrets.token_urlsafe(50))')

.PHONY: help run test coverage faults cluster try-deployment bench bench-docs bench-log bench-render \
	bench-page bench-scaling screenshots lint format lock clean

help:
	@echo 'make run     install and serve the site at http://$(HOST):$(PORT)/ (HOST=... PORT=...)'
	@echo 'make test    run all tests (ARGS="-k stop" for some of them)'
	@echo 'make coverage  run all tests, and print which lines none of them reached'
	@echo 'make faults  run the whole fault suite, and print its table (half an hour)'
	@echo 'make cluster serve the site with three processes, PostgreSQL, Redis and nginx'
	@echo 'make try-deployment  follow docs/deployment.md on an empty Debian 12 (root; ten minutes)'
	@echo 'make bench   measure what the site costs, beside a bare relay and bounds (25 minutes)'
	@echo 'make bench-docs  write what make bench measured into docs/performance.md and docs/scaling.md'
	@echo 'make bench-log   measure what group commit gains, on SQLite and PostgreSQL'
	@echo 'make bench-render  measure what rendering costs while a text grows'
	@echo 'make bench-page  measure what a page costs a browser, beside the budgets for it (six minutes)'
	@echo 'make bench-scaling  measure, simulate and add up what a site of any size takes, and write'
	@echo '             it into docs/scaling.md (five minutes)'
	@echo 'make screenshots  take pictures of every state of the page, and those of README.md'
	@echo 'make lint    run all linters'
	@echo 'make format  format code and templates'
	@echo 'make messages  write the words in chat/locale/ anew from the code (needs GNU gettext)'
	@echo 'make lock    write requirements*.txt anew from requirements*.in'
	@echo 'make clean   remove what the other commands made, but not .env and the database'

run:
	$(call install,requirements.txt)
	@$(PY) -m chatsite.development
	@$(PY) manage.py setup --skip-checks
	@exec $(PY) -u manage.py serve --host $(HOST) --port $(PORT)

test:
	$(call install,requirements-dev.txt)
	@$(PY) -m pytest $(AT_ONCE) $(ARGS)

coverage:
	$(call install,requirements-dev.txt)
	@$(PY) -m pytest $(AT_ONCE) --cov --cov-report=term $(ARGS)

faults:
	$(call install,requirements-dev.txt)
	@$(PY) -m pytest tests/faults -m "long or not long" --numprocesses=2 --dist=worksteal $(ARGS)

cluster:
	$(call install,requirements.txt)
	@exec $(PY) -u -m deploy.cluster --port $(PORT)

try-deployment:
	$(call install,requirements-dev.txt)
	@$(PY) -u -m tests.deployment $(ARGS)

bench:
	$(call install,requirements-dev.txt)
	@$(PY) -m tests.load.bench $(ARGS)

bench-docs:
	$(call install,requirements-dev.txt)
	@$(PY) -m tests.load.performance
	@$(PY) -m tests.load.scaling

bench-log:
	$(call install,requirements-dev.txt)
	@$(PY) -m tests.load.bench_log

bench-render:
	$(call install,requirements-dev.txt)
	@$(PY) -m tests.load.bench_render

bench-page:
	$(call install,requirements-dev.txt)
	@$(PY) -m tests.load.bench_page

bench-scaling:
	$(call install,requirements-dev.txt)
	@$(PY) -m tests.load.scaling $(ARGS)

screenshots:
	$(call install,requirements-dev.txt)
	@$(PY) -m tests.browser.screenshots

lint:
	$(call install,requirements-dev.txt)
	@$(PY) -m ruff format --check --quiet .
	@$(PY) -m ruff check --quiet .
	@$(VENV)/bin/djade --check --target-version 5.2 $(TEMPLATES)
	@$(PRODUCTION) $(PY) -m mypy
	@$(PY) $(VENV)/bin/lint-imports --no-logo
	@$(PRODUCTION) $(PY) manage.py makemigrations --check --dry-run
	@$(PRODUCTION) $(PY) manage.py check --deploy --fail-level WARNING

format:
	$(call install,requirements-dev.txt)
	@$(PY) -m ruff check --fix --quiet .
	@$(PY) -m ruff format .
	@$(VENV)/bin/djade --target-version 5.2 $(TEMPLATES)

.PHONY: messages
messages:
	@msgfmt --version >/dev/null 2>&1 || \
		{ echo 'GNU gettext is missing. On Debian and Ubuntu: apt install gettext' >&2; exit 1; }
	$(call install,requirements-dev.txt)
	@$(PRODUCTION) $(PY) manage.py makemessages
	@for po in chat/locale/*/LC_MESSAGES/django.po; do \
		msgfmt --check-format --statistics --output-file=$${po%.po}.mo $$po || exit 1; \
	done

lock:
	$(call install,requirements-dev.txt)
	@$(PY) -m pip install --quiet --disable-pip-version-check uv==0.13.9
	@$(LOCK) requirements.in --output-file requirements.txt
	@$(LOCK) requirements-dev.in --output-file requirements-dev.txt

clean:
	@rm -rf $(VENV) staticfiles htmlcov test-results .coverage .hypothesis
	@rm -rf tests/programs/node_modules
	@rm -rf .mypy_cache .pytest_cache .ruff_cache .import_linter_cache
	@find chat chatsite tests -name __pycache__ -type d -prune -exec rm -rf {} +

# For the oldest Python that the site runs on: what is pinned for it suits the newer ones too.
LOCK = $(PY) -m uv pip compile --quiet --python-version 3.11 \
	--annotation-style line --custom-compile-command 'make lock'

# Install the packages of file $(1), where that was not done yet. What was installed is kept in
# .venv as a copy of the file, because a checkout gives files new times without any change.
define install
@if ! cmp -s $(1) $(VENV)/$(1) || ! $(PY) -c "" 2>/dev/null; then \
	$(PY) -m pip --version >/dev/null 2>&1 || { $(make_venv); } && \
	echo "Installing $(1); this takes a minute." && \
	$(PY) -m pip install --quiet --disable-pip-version-check -r $(1) && \
	cp $(1) $(VENV)/$(1); \
fi
endef

define make_venv
found=; python=; \
for name in $(PYTHONS); do \
	"$$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 || continue; \
	found=$$name; \
	if "$$name" -c 'import ensurepip, venv' 2>/dev/null; then python=$$name; break; fi; \
done; \
if [ -z "$$found" ]; then \
	echo "Python 3.11 or newer is needed, and none of these is one: $(PYTHONS)." >&2; \
	echo "Install it, or name it: make run PYTHON=/path/to/python3" >&2; \
	exit 1; \
elif [ -z "$$python" ]; then \
	echo "$$found can't make a virtual environment: its modules venv and ensurepip are missing." >&2; \
	echo "On Debian and Ubuntu: apt install python3-venv" >&2; \
	exit 1; \
fi; \
"$$python" -m venv --clear $(VENV)
endef
