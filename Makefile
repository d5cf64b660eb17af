# `make demo` and `make test` are the only set-up commands: each builds .venv in the checkout, from the exact versions
# in constraints.txt, and stamps what it did, so that a second run starts at once.
#
# torch is installed first, by its exact version, so that no later package can choose another build of it. To have the
# CPU build on Linux, add its index: PIP_EXTRA_INDEX_URL=https://download.pytorch.org/whl/cpu make test
PYTHON ?= python3
BIN := .venv/bin
INSTALL := $(BIN)/python -m pip --disable-pip-version-check install -qq --constraint constraints.txt

.PHONY: demo test clean

demo: .venv/core.stamp
	$(BIN)/yinse demo

test: .venv/test.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses 2 --dist loadfile --ignore tests/parity
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest tests/parity

.venv/core.stamp: pyproject.toml constraints.txt
	@echo 'Setting up .venv once: two to four minutes and 2 GB, most of it torch.'
	$(PYTHON) -m venv .venv
	$(INSTALL) torch
	$(INSTALL) hatchling editables
	$(INSTALL) --no-build-isolation --editable .
	touch $@

.venv/test.stamp: .venv/core.stamp
	$(INSTALL) --no-build-isolation --editable '.[dev,train,context]'
	touch $@

clean:
	rm -rf .venv dist .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
