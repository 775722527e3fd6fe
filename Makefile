# One command each. `make demo` and `make test` set up what they need themselves.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
export DAGSTER_DISABLE_TELEMETRY := yes
# What pytest makes of the tests' modules is made once, not by every suite.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: setup demo test test-slow test-kills test-browser test-r test-services bench check lock docs dev portal clean

setup: $(VENV)/.compiled

# The stamp is written last, so an interrupted set-up starts again.
$(VENV)/.done: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Muster needs Python 3.11 or newer; name one with: make setup PYTHON=/path/to/python"; exit 1; }
	$(PYTHON) -m venv --clear $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes --no-compile -r requirements.lock
	-$(BIN)/python -m compileall -qq -j 0 -x /tests/ $(VENV)/lib
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

# As pip does with what it installs: where Python may not keep what it has compiled, such as in a
# folder of another account, each command would do it again.
$(VENV)/.compiled: $(VENV)/.done $(shell find assets muster pipelines schemas -name '*.py')
	$(BIN)/python -m compileall -q assets muster pipelines schemas
	@touch $@

demo: setup
	$(BIN)/muster demo

test: setup
	$(BIN)/python -m pytest

# Thorough and long: thousands of broken files, daemons and disasters. They wait a good deal, so one
# more is run than the two cores of a small machine.
test-slow: setup
	$(BIN)/python -m pytest -m slow -n 3 --ignore=tests/survival/test_kills.py

# Kills a refresh at fifty moments and at every stage: minutes, on a machine with nothing else to do.
test-kills: setup
	$(BIN)/python -m pytest -m slow -n 0 tests/survival/test_kills.py

# The pages in a real browser; needs Chromium (Debian package chromium), or MUSTER_CHROMIUM that
# names one. One process owns the browser.
test-browser: setup
	$(BIN)/python -m pytest -m browser -n 0 tests/browser

# What analysts who use R are shown; needs R (Debian package r-base-core).
test-r: setup
	$(BIN)/python -m pytest -m r -n 0 tests/pipelines/test_r.py

# Measures beside what one would use instead, and writes benchmarks/RESULTS.md; docs/cases.md says
# what ROWS=100000000, BODIES=4400 and PARTS="returns bodies" choose.
bench: setup
	$(BIN)/python -m benchmarks.run $(ROWS) $(addprefix --bodies=,$(BODIES)) $(if $(PARTS),--parts $(PARTS))

# The service profile on loopback, with a real PostgreSQL and a real nginx: one process owns them.
test-services: setup
	$(BIN)/python -m pytest -m services -n 0 tests/services

check: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pipelines.docs --check
	$(BIN)/dg check defs

# Writes the pages that are derived from the contracts.
docs: setup
	$(BIN)/python -m pipelines.docs

# The Dagster UI on this machine only, with the runs of the command line in it.
# Beside what is run here stands a demonstration whose window is open today, so that its schedules,
# which start stopped, have something to do once switched on; with a folder of collections of your own in MUSTER_COLLECTIONS it is left out.
dev: setup
	$(BIN)/python -m pipelines.dev

# The drop-off page on this machine only, with made-up accounts of every force and of the desk.
portal: setup
	$(BIN)/python -m pipelines.portal.demo

# Rewrites the lock from pyproject.toml; needs uv and a package index.
lock:
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		--no-strip-extras --extra dev --extra service --custom-compile-command 'make lock' pyproject.toml -o requirements.lock

clean:
	rm -rf $(VENV) build *.egg-info
