# Everything runs in .venv, with the versions that were tested (constraints.txt).
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
INSTALL := $(PIP) install --constraint constraints.txt --editable

.PHONY: run test test-slow lint docs bench clean

run: $(VENV)/run.done  ## simulate a month of WST and draw its report
	$(BIN)/wstdes run baseline $(ARGS)

test: $(VENV)/test.done  ## run the tests
	$(BIN)/python -m pytest -n 2 --dist loadfile -m "not slow" $(ARGS)

test-slow: $(VENV)/test.done  ## run the tests that take longer than a minute
	$(BIN)/python -m pytest -m slow $(ARGS)

lint: $(VENV)/lint.done  ## style, types, import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

docs: $(VENV)/test.done  ## run every example of the documentation, and remake the reference pages
	$(BIN)/python docs/make_reference.py
	$(BIN)/python -m pytest tests/docs $(ARGS)

bench: $(VENV)/run.done  ## print how fast and how large things are
	$(BIN)/python analysis/bench.py $(ARGS)

clean:  ## remove what was installed and made, but not runs/
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache

$(VENV)/python.done:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "wstdes needs Python 3.11 or newer; say which with: make PYTHON=python3.12"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/run.done: $(VENV)/python.done setup.cfg constraints.txt
	@echo "Installing wstdes and what it needs into $(VENV) (once) ..."
	$(INSTALL) '.[gaia]'
	@touch $@

$(VENV)/test.done: $(VENV)/python.done setup.cfg constraints.txt
	@echo "Installing what the tests need into $(VENV) (once) ..."
	$(INSTALL) '.[gaia,query,test]'
	@touch $@ $(VENV)/run.done

$(VENV)/lint.done: $(VENV)/python.done setup.cfg constraints.txt
	@echo "Installing what the checks need into $(VENV) (once) ..."
	$(INSTALL) '.[gaia,query,test,lint]'
	@touch $@ $(VENV)/test.done $(VENV)/run.done
