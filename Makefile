# What can be done with a checkout. `make` alone lists the targets.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
# Two workers, each with one thread: torch's own threads would only get in each other's way.
PYTEST := OMP_NUM_THREADS=1 $(BIN)/pytest -n 2 --dist worksteal

.DEFAULT_GOAL := help
.PHONY: help install demo test check docs corpora corpora-check checkpoints benchmark clean

help:  ## List the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## */\t/' | expand -t 18

# The stamp is written last, so an installation that was cut short is taken up again.
$(INSTALLED): pyproject.toml constraints.txt
	@test -x $(BIN)/pip || { echo "creating $(VENV)"; $(PYTHON) -m venv $(VENV); }
	@echo "installing musegen and its tools into $(VENV)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

install: $(INSTALLED)  ## Create .venv with musegen and the tools for working on it

demo: $(INSTALLED)  ## Train on Bach for three minutes, compose chorales and tunes, draw one
	@mkdir -p demo
	$(BIN)/musegen train lstm bach --minutes 3 --seed 1 -o demo/bach-lstm.safetensors --overwrite
	$(BIN)/musegen sample demo/bach-lstm.safetensors -n 4 --seed 1 -o demo/chorales/ --overwrite
	$(BIN)/musegen sample celtic-lstm -n 4 --seed 1 -o demo/tunes/ --overwrite
	$(BIN)/musegen plot "$$(ls demo/chorales/*.mid | head -n 1)" -o demo/chorale.png --overwrite
	@echo
	@echo "Listen to the chorales and tunes, written by models:"
	@ls demo/chorales/*.mid demo/tunes/*.mid
	@echo "Look at the first chorale: demo/chorale.png"

test: check  ## Everything that must pass: lint, types, tests (creates .venv when missing)
	$(PYTEST) --doctest-modules musegen tests

check: $(INSTALLED)  ## Lint, format and types only
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

docs: $(INSTALLED)  ## Write docs/commands.md anew from the commands' own help
	$(BIN)/python docs/generate.py

corpora: $(INSTALLED)  ## Rebuild corpora/ from its sources
	$(BIN)/python corpora/build.py

corpora-check: $(INSTALLED)  ## Rebuild corpora/ elsewhere and compare the hashes
	$(BIN)/python corpora/build.py --check

checkpoints: $(INSTALLED)  ## Train the shipped models anew
	$(BIN)/python checkpoints/build.py

benchmark: $(INSTALLED)  ## Measure speed, and quality on public data (DATA=FOLDER); the last figures stand in benchmarks/
	$(BIN)/python benchmarks/speed.py
	$(BIN)/python benchmarks/quality.py
	$(BIN)/python benchmarks/steering.py

clean:  ## Remove what was built, but for .venv and the shipped files
	rm -rf build dist demo .coverage .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -path ./$(VENV) -prune -o -name __pycache__ -prune -exec rm -rf {} +
