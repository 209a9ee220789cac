# Every command of the house. `make run` and `make test` set a fresh machine up by themselves.
PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
LOCK := packaging/requirements.lock
READER := packaging/reader.lock
STAMP := $(VENV)/.installed-$(shell sha256sum $(LOCK) $(READER) pyproject.toml | sha256sum | cut -c1-16)
PO := $(wildcard resources/locale/*/LC_MESSAGES/regulars.po)
MO := $(PO:.po=.mo)
# One more than the cores of a small machine: a third of the time of the tests is waiting.
WORKERS ?= 3
# Faults, whole journeys (headless and through the window), processes apart and the bench's smoke: for make check.
SLOW := tests/faults tests/flows tests/bench tests/sim tests/headoffice tests/reports tests/commands tests/ui/flows \
        tests/ui/test_laws.py tests/ui/test_window.py tests/ui/test_mends.py tests/ui/test_exceptions.py \
        tests/ui/test_catalogue.py tests/ui/test_reports.py tests/ui/test_settings_page.py \
        tests/app/test_blind.py tests/app/test_verify.py tests/app/test_verify_audit.py tests/app/test_restore.py tests/app/test_restore_beside.py \
        tests/app/test_apart.py tests/app/test_apart_walk.py tests/app/test_verify_parts.py tests/app/test_verify_sums.py \
        tests/app/test_catalogue_bytes.py tests/app/test_joined.py tests/app/test_joined_faults.py tests/app/test_settling.py tests/app/test_head_office_line.py tests/app/test_programmes_from_above.py tests/app/test_lost_cards.py tests/app/test_staff_from_above.py tests/app/test_newest_side_file.py tests/printing/test_pdf.py tests/domain/test_machine.py tests/domain/test_mutations.py
MEMBERS ?= 5000
SOURCES := app ui db printing headoffice resources tests
WRITTEN := $(SOURCES) packaging
# The tests start hundreds of programs: none of them is to compile what another one has compiled.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: help run headoffice test quick check bench demo-data lock setup format lint types contracts words docs long clean

help:  ## this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 14

setup: $(STAMP) $(MO)  ## system packages, .venv, compiled words

$(STAMP): $(LOCK) $(READER) pyproject.toml packaging/apt.txt packaging/system.sh
	@packaging/system.sh
	@test -x $(PY) || $(PYTHON) -m venv $(VENV)
	@$(PY) -m pip install -q --disable-pip-version-check --require-hashes --only-binary :all: -r $(LOCK)
	@$(PY) -m pip install -q --disable-pip-version-check --require-hashes --only-binary :all: --no-deps \
	    --ignore-requires-python -r $(READER)
	@$(PY) -m pip install -q --disable-pip-version-check --no-deps --no-index --no-build-isolation -e .
	@rm -f $(VENV)/.installed-*
	@touch $@

%.mo: %.po $(STAMP)
	@$(VENV)/bin/pybabel -q compile -i $< -o $@

run: setup  ## open the counter on a demo store (guided tour with pictures where there is no screen)
	@$(PY) -m ui.tour --if-no-screen

headoffice: setup  ## a head office on this machine, with a demo chain of two stores
	@$(PY) -m headoffice serve --data out/headoffice --demo

test: setup  ## the whole test suite
	@$(PY) -m pytest -n $(WORKERS) --dist worksteal tests

quick: setup format-check lint types contracts words  ## what every commit passes, 90 seconds at most
	@$(PY) -m pytest -n $(WORKERS) --dist worksteal tests $(patsubst %,--ignore=%,$(SLOW))

check: setup  ## everything; the tests come last
	@$(MAKE) --no-print-directory --jobs=2 --output-sync=target docs types words contracts lint format-check
	@$(MAKE) --no-print-directory test

format:  ## format the code
	@$(VENV)/bin/ruff format $(WRITTEN)
	@$(VENV)/bin/ruff check --fix -q $(WRITTEN)

.PHONY: format-check
format-check: setup
	@$(VENV)/bin/ruff format --check -q $(WRITTEN)

lint: setup
	@$(VENV)/bin/ruff check -q $(WRITTEN)

types: setup
	@$(VENV)/bin/mypy $(SOURCES)

contracts: setup
	@$(VENV)/bin/lint-imports --no-cache

words: setup  ## the catalogue is complete and up to date
	@$(PY) -m tests.words

docs: setup  ## run the commands that the documents show
	@$(PY) -m tests.docs

bench: setup  ## the figures, into out/bench.json
	@$(PY) -m tests.bench

demo-data: setup  ## a demo store of MEMBERS members in out/
	@$(VENV)/bin/regulars demo-data --members $(MEMBERS) --store out/demo-$(MEMBERS)

long: setup  ## the long run: make long MINUTES=30 SEED=1
	@$(PY) -m tests.long --seed-base $(or $(SEED),1) --minutes $(or $(MINUTES),10)

lock:  ## make the lock anew from requirements.in (needs uv)
	@uv pip compile --universal --generate-hashes --no-header --python-version 3.11 packaging/requirements.in -o $(LOCK)

clean:  ## drop what make has made
	@rm -rf out .mypy_cache .ruff_cache .hypothesis $(MO)
