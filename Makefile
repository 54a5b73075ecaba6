# Two commands do everything on a fresh machine with Python 3.11+, make and git:
#   make demo   the story of a nomination, on the embedded sandbox
#   make test   the tests
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP_FLAGS := --quiet --disable-pip-version-check
export PYTHONUTF8 := 1
# Without byte code each run would rewrite and compile all tests again, for each worker.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: picture bench bless chaos check clean coverage demo help image imports install install-dev lint lock quick \
  sandbox site test types

help: ## show the commands
	@grep -E '^[a-z]+:.*##' Makefile | sed -E 's/:.*## /\t/'

$(BIN)/pip:
	$(PYTHON) -m venv $(VENV)

$(VENV)/demo.stamp: pyproject.toml | $(BIN)/pip
	$(BIN)/pip install $(PIP_FLAGS) -e '.[sandbox]'
	touch $@

# The lock names every package: pip must not look for newer ones, as some versions of it do.
$(VENV)/dev.stamp: pyproject.toml requirements-dev.txt | $(BIN)/pip
	$(BIN)/pip install $(PIP_FLAGS) --no-deps --require-hashes -r requirements-dev.txt
	$(BIN)/pip install $(PIP_FLAGS) --no-deps -e .
	$(BIN)/pip check
	touch $@ $(VENV)/demo.stamp

install: $(VENV)/demo.stamp ## make the command .venv/bin/nomination-bot, with the stand-in GitLab

install-dev: $(VENV)/dev.stamp

demo: $(VENV)/demo.stamp ## tell the story of a nomination on the sandbox
	$(BIN)/nomination-bot demo

sandbox: $(VENV)/demo.stamp ## serve the stand-in GitLab with its pages
	$(BIN)/nomination-bot sandbox

quick: $(VENV)/dev.stamp ## check what changed: format, style, types, and tests of the rooms touched
	$(BIN)/python .ci/quick.py

bless: $(VENV)/dev.stamp ## write all expected and generated files anew; then read the difference
	$(BIN)/pytest -q --bless

# Most machines of CI have two cores. A third worker works where tests wait, a seventh of their time;
# where all are run and counted, it would not make up for what it takes to begin.
PYTEST := $(BIN)/pytest --dist worksteal
test: $(VENV)/dev.stamp ## run the tests; of costly ones one case, or a sample
	$(PYTEST) -n 3

# By these names slipcover's own command tells its workers what to count; it would count the process
# that only leads them, too, and rewriting all of bot/ takes each ten seconds. What only type
# checkers read, and what only a process of its own runs, is all that is left out.
COUNT := SLIPCOVER_ENABLED=1 SLIPCOVER_BRANCH=1 SLIPCOVER_SOURCE=bot \
  SLIPCOVER_EXCLUDE_LINES='^if (TYPE_CHECKING|__name__ == "__main__"):'
coverage: $(VENV)/dev.stamp ## run all cases of all tests, which must reach every branch of every room
	$(COUNT) $(PYTEST) -n 2 -q --every
	$(BIN)/python .ci/covered.py .coverage.json

STORIES ?= 300
SEED ?= 1
WORKERS ?= 2
chaos: $(VENV)/dev.stamp ## tell 300 random stories with faults and races, and check each
	$(BIN)/python -m tests.chaos --stories $(STORIES) --seed $(SEED) --workers $(WORKERS)

lint: $(VENV)/dev.stamp
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: $(VENV)/dev.stamp
	$(BIN)/mypy

imports: $(VENV)/dev.stamp
	$(BIN)/lint-imports
	$(BIN)/python .ci/rooms.py --check

check: lint types imports test ## all that the project asks of a change

COMPILE := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
  --no-emit-index-url --no-emit-find-links
LOCK := $(COMPILE) pyproject.toml

# Without the bot's own packages, which these tools do not need.
ALONE := sh -c 'sed -n "/^$$2 = \[/,/^]/s/^ *\"\([^\"]*\)\".*/\1/p" pyproject.toml | \
  $(COMPILE) - -o "$$4"' alone

lock: ## write the hashes of all dependencies anew; needs uv
	$(LOCK) --extra build -o requirements.txt
	$(LOCK) --extra dev --extra build --extra sandbox -o requirements-dev.txt
	$(ALONE) --extra docs -o requirements-docs.txt
	$(ALONE) --extra release -o requirements-release.txt

picture: $(VENV)/dev.stamp ## draw the rooms and their imports anew
	$(BIN)/python .ci/rooms.py

image: $(VENV)/dev.stamp ## build the image on a stand-in for its base, and try it; needs root and buildah
	bash .ci/image

$(VENV)/docs/stamp: requirements-docs.txt | $(BIN)/pip
	$(PYTHON) -m venv --without-pip $(VENV)/docs
	$(BIN)/pip --python $(VENV)/docs/bin/python install $(PIP_FLAGS) --no-deps --require-hashes -r requirements-docs.txt
	touch $@

SITE ?= public/docs
site: $(VENV)/docs/stamp ## build the pages; a link that leads nowhere fails
	NO_MKDOCS_2_WARNING=1 $(VENV)/docs/bin/mkdocs build --strict --site-dir "$(CURDIR)/$(SITE)"

bench: $(VENV)/dev.stamp ## measure what an event costs, beside Danger JS where npm is there
	! command -v npm >/dev/null || npm install --loglevel=error --no-audit --no-fund --prefix .cache/bench danger@14.0.7
	$(BIN)/python -m tests.bench $$(test -d .cache/bench/node_modules && echo --danger .cache/bench)

clean: ## remove what the commands above made
	rm -rf $(VENV) dist public .cache/bench .coverage* .mypy_cache .pytest_cache .ruff_cache .hypothesis
