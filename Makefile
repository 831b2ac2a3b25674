# Everything one does with the course. `make` alone lists the targets.
# Needs Python 3.10 or later and make; each target creates the virtual environment it needs and keeps it up to date.

PYTHON ?= python3
BOOK_FLAGS ?=
PYTEST_FLAGS ?=
NOTEBOOKS ?=
NO_LIMIT ?=
PORT ?= 8000

BOOK_ENV := .venv-book
ENV := .venv
BOOK_READY := $(BOOK_ENV)/.ready
READY := $(ENV)/.ready
OLDEST_ENV := .venv-oldest
OLDEST_READY := $(OLDEST_ENV)/.ready
SITE := _build/html/index.html
PIP_FLAGS := --quiet --disable-pip-version-check --constraint constraints.txt

# The tests of convutils, and the examples in its docstrings.
UNIT_TESTS := convutils tests/package
# The other notebooks show error messages of torch, which have changed since.
OLDEST_NOTEBOOKS := $(wildcard chapters/0[1-4]_*.ipynb exercises/0[1345]_*.ipynb)
OLDEST_TOOLS := pytest pytest-xdist hypothesis nbval ipykernel pandas requests  # the last two for d2l

# A page is built again when its own source changed, but not when one of these did: then all of them are.
SITE_WIDE := _config.yml _toc.yml $(wildcard workshop/*.py workshop/site/*.py workshop/site/*.js _static/* _templates/* _templates/*/* convutils/*.py) package-lock.json pyproject.toml

export PYTHONDONTWRITEBYTECODE := 1
export NO_COLOR := 1
.DEFAULT_GOAL := help
.PHONY: help book zip pdf test test-long test-oldest mutants audit run lab serve measure lint pictures clean constraints \
    python-version

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

book: $(BOOK_READY) _build/site-wide ## build the site from the stored outputs into _build/html
	@$(BOOK_ENV)/bin/jupyter-book build . $(BOOK_FLAGS) > _build/book.log 2>&1 || { cat _build/book.log; exit 1; }
	@sed 's/\x1b\[[0-9;]*m//g' _build/book.log | grep -E 'WARNING|ERROR' || true
	@echo "The book is built. Open _build/html/index.html in a browser, or run: make serve"

zip: book ## pack the site into one file to download, _build/*.zip
	@$(BOOK_ENV)/bin/python -m workshop.zip

pdf: $(READY) book ## print the whole book into _build/*.pdf (needs Chromium)
	@$(ENV)/bin/python -m workshop.pdf

test: $(READY) book ## run every notebook and compare its outputs, then the unit and browser tests
	@$(ENV)/bin/python -m workshop.chromium
	$(ENV)/bin/python -m pytest $(PYTEST_FLAGS)

test-long: $(READY) ## more than 10 000 random examples, then every notebook ten times under other conditions (hours)
	HYPOTHESIS_PROFILE=long $(ENV)/bin/python -m pytest $(PYTEST_FLAGS) $(UNIT_TESTS)
	$(ENV)/bin/python -m workshop.portability $(NOTEBOOKS)

test-oldest: $(OLDEST_READY) ## the unit tests and some notebooks on the oldest versions the package claims (5 GB more)
	$(OLDEST_ENV)/bin/python -m pytest --texts-only $(PYTEST_FLAGS) $(UNIT_TESTS) $(OLDEST_NOTEBOOKS)

mutants: $(READY) ## change convutils in every small way and count the changes that no test notices (an hour or more)
	$(ENV)/bin/python -m pip install $(PIP_FLAGS) mutmut==3.8.1
	HYPOTHESIS_PROFILE=mutants OMP_NUM_THREADS=1 $(ENV)/bin/mutmut run
	$(ENV)/bin/mutmut results

audit: | python-version ## look up the pinned packages in the database of known vulnerabilities (needs the network)
	@test -x _build/audit/bin/pip-audit || $(PYTHON) -m venv _build/audit
	@_build/audit/bin/python -m pip install --quiet --disable-pip-version-check pip-audit==2.10.1
	_build/audit/bin/pip-audit --requirement constraints.txt --no-deps --disable-pip --strict

run: $(READY) ## run the notebooks and store their outputs (NOTEBOOKS="chapters/06_lenet.ipynb" for some)
	$(ENV)/bin/python -m workshop.notebooks $(if $(NO_LIMIT),--no-limit) $(NOTEBOOKS)

lab: $(READY) ## open the notebooks in JupyterLab
	$(ENV)/bin/jupyter lab --LabApp.default_url=/lab/tree/chapters/01_dense_to_convolution.ipynb

serve: book ## show the site at http://localhost:8000 (PORT=8080 for another)
	$(BOOK_ENV)/bin/python -m http.server --bind 127.0.0.1 --directory _build/html $(PORT)

measure: $(READY) book ## measure how heavy the pages are, and write the table that the book shows
	$(ENV)/bin/python -m workshop.measure

pictures: $(READY) ## draw the pictures of the landing page and of the preview of a link anew
	$(ENV)/bin/python -m workshop.pictures

lint: $(READY) ## check the style of the code and the form of the notebooks
	$(ENV)/bin/ruff check .
	$(ENV)/bin/ruff format --check .
	$(ENV)/bin/python -m workshop.notebooks --check

clean: ## remove what was built and the virtual environments
	rm -rf _build $(ENV) $(BOOK_ENV) $(OLDEST_ENV) mutants node_modules .pytest_cache .ruff_cache .hypothesis *.egg-info

constraints: $(READY) ## fix the versions of all dependencies anew
	$(ENV)/bin/python -m pip install --quiet --disable-pip-version-check uv==0.13.8
	@mkdir -p _build && grep '^#' constraints.txt > _build/constraints.txt
	$(ENV)/bin/uv pip compile --quiet --universal --python-version 3.10 \
	    --no-emit-index-url --no-header --no-annotate requirements.txt >> _build/constraints.txt
	@mv _build/constraints.txt constraints.txt

python-version:
	@command -v $(PYTHON) > /dev/null || { echo "Python 3.10 or later is needed; $(PYTHON) was not found (set PYTHON=...)"; exit 1; }
	@$(PYTHON) -c 'import sys; v = sys.version_info; v >= (3, 10) or sys.exit("Python 3.10 or later is needed; $(PYTHON) is %d.%d (set PYTHON=...)" % v[:2])'

$(BOOK_READY): requirements-book.txt constraints.txt | python-version
	@echo "Preparing $(BOOK_ENV) …"
	@test -x $(BOOK_ENV)/bin/python || $(PYTHON) -m venv $(BOOK_ENV)
	@$(BOOK_ENV)/bin/python -m pip install $(PIP_FLAGS) -r requirements-book.txt
	@touch $@

$(READY): requirements.txt requirements-book.txt constraints.txt pyproject.toml | python-version
	@echo "Preparing $(ENV) (about 6 GB with torch; some minutes) …"
	@test -x $(ENV)/bin/python || $(PYTHON) -m venv $(ENV)
	@$(ENV)/bin/python -m pip install $(PIP_FLAGS) -r requirements.txt
	@$(ENV)/bin/python -m pip install $(PIP_FLAGS) --no-deps --editable .
	@touch $@

$(OLDEST_READY): constraints-oldest.txt pyproject.toml | python-version
	@echo "Preparing $(OLDEST_ENV) (about 5 GB with torch; some minutes) …"
	@test -x $(OLDEST_ENV)/bin/python || $(PYTHON) -m venv $(OLDEST_ENV)
	@$(OLDEST_ENV)/bin/python -m pip install --quiet --disable-pip-version-check --constraint constraints-oldest.txt \
	    --editable . $(OLDEST_TOOLS)
	@$(OLDEST_ENV)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps d2l==0.17.0
	@touch $@

_build/site-wide: $(SITE_WIDE)
	@rm -rf _build/html _build/.doctrees _build/jupyter_execute
	@mkdir -p _build
	@touch $@
