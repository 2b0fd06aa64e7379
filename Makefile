# Tepat: `make help` lists what there is. Every target works on a fresh clone.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
PYTHON ?= python3
VENV ?= .venv
PORT ?= 8501
STUDENTS ?= 800
SEED ?= 1
DATA ?=
TORCH ?=
TESTS ?= tests
WORKERS ?= 2
OWN ?=
PY := $(VENV)/bin/python
PIP := $(PY) -m pip --disable-pip-version-check -q
TORCH_CPU_INDEX := https://download.pytorch.org/whl/cpu
export PYTHONUNBUFFERED := 1
ifneq ($(OWN),)  # the institution's own store lies apart from the demo
export TEPAT_FOLDER ?= $(CURDIR)/var/own
endif

.DEFAULT_GOAL := help
.PHONY: help run setup setup-dev system test lint lock audit mutate demo real bench docs clean

help:  ## show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

run: setup  ## serve the app (PORT=8501), with a demo where there is no store; OWN=1: your own store in var/own
	@if [ -n "$(OWN)" ]; then $(PY) -m data init --ask; \
	elif [ -z "$${DATABASE_URL:-}" ] && ! $(PY) -m data status --ready; then $(MAKE) --no-print-directory demo; fi
	$(PY) -m dashboard serve --port $(PORT)

setup: $(VENV)/.installed  ## virtual environment and requirements (TORCH=cpu: PyTorch's small CPU wheels)

$(VENV)/.installed: requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed")'
	@test -x $(PY) || $(PYTHON) -m venv $(VENV)
	@echo "Installing the requirements; PyTorch alone is several gigabytes on Linux unless TORCH=cpu is given …"
	@if [ "$(TORCH)" = cpu ]; then \
	  $(PIP) install --index-url $(TORCH_CPU_INDEX) $$(grep -E '^torch(vision)?[>=]' requirements.txt); fi
	@$(PIP) install -r requirements.txt
	@touch $@

setup-dev: setup $(VENV)/.installed-dev

$(VENV)/.installed-dev: requirements-dev.txt $(VENV)/.installed
	@$(PIP) install -r requirements-dev.txt
	@touch $@

system:  ## Debian packages that the tests need: chromium, PostgreSQL, LibreOffice Calc, poppler, nginx, logrotate
	@bash tests/system-packages.sh

test: setup-dev system  ## install what the tests need, check errors and types, run all tests (TESTS=path for a part)
	$(PY) -m ruff check .
	$(VENV)/bin/basedpyright
	OMP_NUM_THREADS=1 $(PY) -m pytest -n $(WORKERS) --dist loadfile $(TESTS)

lint: setup-dev  ## ruff: errors and formatting; basedpyright: the types of data/ and fusion/
	$(PY) -m ruff check . && $(PY) -m ruff format --check .
	$(VENV)/bin/basedpyright

lock: setup-dev  ## write requirements.lock: every package that requirements.txt leads to, with its hashes
	@$(VENV)/bin/uv pip compile -q --universal --generate-hashes --python-version 3.11 --no-emit-index-url \
	  --no-header -o requirements.lock requirements.txt

audit: setup-dev  ## known vulnerabilities of requirements.lock (asks the network), licences of what is installed
	$(PY) tests/supply_chain.py

mutate: setup-dev  ## change the code that guards people's data in every way; list what no test notices (MODULES="scoping access")
	$(PY) tests/mutation.py $(MODULES)

demo: setup  ## synthetic university: records, signatures, model, scores, days of work (STUDENTS=800 SEED=1)
	$(PY) -m data demo --students $(STUDENTS) --seed $(SEED)
	$(PY) -m vision embed
	$(PY) -m fusion train --serve || test $$? = 3  # 3: too few students to learn from; the pages say what is missing
	$(PY) -m dashboard demo-work

real: setup  ## the main job on real public data: make real DATA=folder (see docs/real-data.md)
	@test -n "$(DATA)" || { echo "say where the data lies: make real DATA=folder"; exit 2; }
	$(PY) -m data real --data "$(DATA)" --folder var/real
	TEPAT_FOLDER=var/real $(PY) -m vision embed
	TEPAT_FOLDER=var/real $(PY) -m fusion train --serve --one-cohort
	TEPAT_FOLDER=var/real $(PY) -m fusion compare

bench: setup-dev  ## list the benchmarks; each prints its figures and can write JSON
	$(PY) -m benchmarks --help

docs: setup-dev system  ## remake the screenshots of README and docs from a demo of their own in var/demo
	@export TEPAT_FOLDER=var/demo DATABASE_URL=; \
	if ! $(PY) -m data status --ready; then $(MAKE) --no-print-directory demo; fi; \
	$(PY) docs/screenshots.py

clean:  ## remove the virtual environment and caches; the store in var/ stays
	rm -rf $(VENV) .pytest_cache .ruff_cache .hypothesis
