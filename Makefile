# `make run` opens the lab, `make batch ARGS="--runs 3"` computes headless, `make test` runs the quick tests,
# `make test-all` every test.
# Everything happens in .venv, made with the first use. An existing PyTorch can be used:
#   make install VENV_FLAGS=--system-site-packages

PYTHON ?= python3
VENV_FLAGS ?=
ARGS ?=
VENV := .venv
BIN := $(VENV)/bin
INPUTS := pyproject.toml constraints.txt

# What Python compiled is kept even where the environment says otherwise: the many processes of the tests would
# compile all of it again, each for itself.
test test-all test-slow: export PYTHONDONTWRITEBYTECODE :=

.PHONY: install run batch test test-all test-cluster test-slow faults fuzz lint format bench clean

install: $(VENV)/.installed

run: install
	$(BIN)/aefit-tui $(ARGS)

batch: install
	@$(BIN)/aefit-tui --batch $(ARGS)

test: $(VENV)/.installed-test
	$(BIN)/python -m pytest -m "not slow" $(ARGS)

test-all: $(VENV)/.installed-test
	$(BIN)/python -m pytest -m "not cluster" $(ARGS)

# Real clusters: Slurm (Debian: apt-get install slurm-wlm munge; as root) and Dask. What is not installed is skipped.
test-cluster: $(VENV)/.installed-dask
	$(BIN)/python -m pytest -n0 -rs -m cluster tests/cluster $(ARGS)

# What `make test` leaves out: real processes, every recorded number, every screen.
test-slow: $(VENV)/.installed-test
	$(BIN)/python -m pytest -m "slow and not cluster" $(ARGS)

# 500 faults (kills, full disks, races, damaged files) and malformed input for every parser; SEED=2 for others.
SEED ?= 1
faults: $(VENV)/.installed-test
	$(BIN)/python -m tests.faults --seed $(SEED) $(ARGS)

fuzz: $(VENV)/.installed-test
	$(BIN)/python -m tests.faults.fuzz --seed $(SEED) $(ARGS)

lint: $(VENV)/.installed-test
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/.installed-test
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# `make bench` measures the neighbour search; `make bench BENCH=attacks` (training, run, scaling, weak_scaling, lab, many, keys) others.
BENCH ?= knn
bench: $(VENV)/.installed-peers
	$(BIN)/python -m benchmarks.$(BENCH) $(ARGS)

clean:
	rm -rf $(VENV)

$(BIN)/python:
	$(PYTHON) -m venv $(VENV_FLAGS) $(VENV) >&2

# What installing says goes to standard error: the results of `make batch` are all that standard output holds.
$(VENV)/.installed: $(INPUTS) | $(BIN)/python
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable . >&2
	@touch $@

$(VENV)/.installed-test: $(INPUTS) | $(BIN)/python
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable ".[test,lint]" >&2
	@touch $(VENV)/.installed $@

$(VENV)/.installed-dask: $(INPUTS) | $(VENV)/.installed-test
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable ".[test,lint,dask]" >&2
	@touch $@

$(VENV)/.installed-peers: $(INPUTS) | $(VENV)/.installed-test
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable ".[test,lint,peers]" >&2
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --no-deps torchattacks >&2
	@touch $@
