# Every target does its own set-up: a virtual environment in .venv, made again when pyproject.toml changes.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
STORE ?= identity_graph.db
PROCESSES ?= 2

# Hundreds of processes import what the first of them compiled, also where the environment says not to keep that.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: demo test nightly check compiled compiled-demo prepared serve neo4j bench readme clean
.DEFAULT_GOAL := demo

demo: $(READY)  ## a small world, end to end, in a temporary store
	@$(BIN)/identity-graph demo

test: prepared compiled check compiled-demo  ## everything that must hold, by PROCESSES processes with a Neo4j each
	$(BIN)/python -m pytest --numprocesses $(PROCESSES) --dist loadfile --no-loadscope-reorder

nightly: export HYPOTHESIS_PROFILE := nightly
nightly: test  ## the same with as many examples, kills and cuts as a night allows

check: $(READY)  ## format, lint, types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

# Else each process of the tests would compile the kernels, all of them the same at the same time, and wait for one of
# them to fetch a Neo4j. Tests themselves say what is missing. The two that compile have few kernels in common, so that
# with two jobs neither waits long for the other.
compiled: $(READY)
	-@$(BIN)/python -c 'from tests.story.slices import run_slice; run_slice(0, examples=4)'

compiled-demo: $(READY)
	-@$(BIN)/identity-graph demo >/dev/null

prepared: $(READY)
ifndef IDENTITY_GRAPH_TEST_NEO4J
	-@$(BIN)/python -m tests.neo4j --prepare
endif

serve: $(READY) $(STORE)  ## GraphQL on http://127.0.0.1:8000/graphql
	$(BIN)/identity-graph serve --open --store sqlite:///$(STORE)

neo4j: $(READY)  ## a Neo4j with GDS to play with, until Ctrl-C; KEEP=folder keeps its data
	@$(BIN)/python -m tests.neo4j $(KEEP)

bench: $(READY)  ## ratios against named peers, in one run
	@$(BIN)/python -m pip install --quiet --group bench
	$(BIN)/python -m bench

readme: $(READY)  ## write the parts of the README that follow from the code, and what its commands print
	$(BIN)/python -m tests.readme_session

clean:  ## the virtual environment and what the tools cached
	rm -rf $(VENV) .cache .mypy_cache .ruff_cache .pytest_cache

# A newcomer has something to look at: the world of the demo, kept.
$(STORE): | $(READY)
	$(BIN)/identity-graph demo --keep $(STORE)

# Modules are compiled by whoever imports them first: most of what is installed nobody imports.
$(READY): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.12")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --no-compile --upgrade "pip>=25.1"
	$(BIN)/python -m pip install --quiet --no-compile --editable . --group dev
	@touch $@
