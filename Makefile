# The two commands of the README are `make run` and `make test`; each sets up what it needs.
PYTHON ?= python3
BIN := .venv/bin
TSC := npx --yes -p typescript@5 tsc -p jsconfig.json
PRETTIER := npx --yes prettier@3 --log-level warn --check "static/**/*.{js,css}" "tests/unit/*.js"

.PHONY: run test test-browsers check bench load soak fuzz docs wheel

run: .venv/run
	$(BIN)/gruscope

test: .venv/test
	$(BIN)/python tests/support/chromium.py
	$(BIN)/python -m tests.support.redis_server
	$(BIN)/python -m tests.support.nginx_server
	$(BIN)/pytest -n 2 --dist worksteal

# The main jobs in Firefox and WebKitGTK too; one that cannot be had here is skipped.
test-browsers: .venv/test
	$(BIN)/python tests/browsers/install.py
	$(BIN)/pytest -p no:playwright -rs tests/browsers

check: .venv/check
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m tests.words
	@if command -v npx >/dev/null; then echo '$(PRETTIER)' && $(PRETTIER) && echo "$(TSC)" && $(TSC) && $(BIN)/python -m tests.unit; \
	else echo "no node here: the JavaScript's types and modules were not checked"; fi

bench: .venv/bench
	$(BIN)/python tests/support/chromium.py
	$(BIN)/python -m benchmarks

# A class of 300 and of 1,000, and what may befall it: twenty minutes. PARTS=growth HOURS=2: two hours more.
load: .venv/bench
	$(BIN)/python -m benchmarks.load $(PARTS) $(if $(HOURS),--hours $(HOURS))

# Whether the server grows: distinct requests of every kind for an hour, or MINUTES=20.
soak: .venv/bench
	$(BIN)/python -m benchmarks.soak $(if $(MINUTES),--minutes $(MINUTES))

# Odd requests to every route, COUNT of them: none may be answered with a server's error.
COUNT ?= 100000
fuzz: .venv/bench
	$(BIN)/python -m benchmarks.fuzz_routes --count $(COUNT)

# Into dist, with Plotly's smaller script.
wheel: .venv/run
	$(BIN)/python -m app.plotly_bundle
	$(BIN)/pip wheel --quiet --no-deps --wheel-dir dist .

# Into build/docs. The demos come last: MkDocs empties the folder.
docs: .venv/docs
	$(BIN)/python -m mkdocs build --strict
	$(BIN)/gruscope export --site build/docs/demos docs/demos.toml

# A file in the environment says which of the project's extras are in it.
.venv/run: pyproject.toml app/plotly_bundle.py
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check -e .
	@if command -v npm >/dev/null; then $(BIN)/python -m app.plotly_bundle || true; fi
	touch $@

.venv/test .venv/check .venv/bench .venv/docs: .venv/%: pyproject.toml .venv/run
	$(BIN)/pip install --quiet --disable-pip-version-check -e '.[$*]'
	touch $@
