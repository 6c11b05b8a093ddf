# What a contributor does, one word each. Works with GNU make >= 3.81 and BSD make; needs Python >= 3.11, and
# Node >= 20 for the web pages.
# PYTHONDONTWRITEBYTECODE is unset everywhere: without compiled files every start costs seconds.

ARGS =
TEST_WORKERS = logical
PY = unset PYTHONDONTWRITEBYTECODE; .venv/bin/python

help: ## print this list
	@sed -n 's/^\([a-z][a-z]*\):.*## \(.*\)$$/  make \1	\2/p' Makefile | expand -t 16

demo: venv pages ## sandbox, server and one user's portfolio, then keeps serving (ARGS=--once ends after printing)
	@unset PYTHONDONTWRITEBYTECODE; .venv/bin/omnifolio demo $(ARGS)

serve: venv pages ## the server (ARGS="--port 8400 …")
	@unset PYTHONDONTWRITEBYTECODE; .venv/bin/omnifolio serve $(ARGS)

test: venv web ## every test but the long ones (ARGS="tests/ledger -k merge")
	@$(PY) -m pytest -q -n $(TEST_WORKERS) --dist worksteal -m "not soak" $(ARGS)

soak: venv web ## the long tests
	@$(PY) -m pytest -q -n $(TEST_WORKERS) --dist worksteal -m soak $(ARGS)

lint: venv web ## format, lint and types
	@$(PY) -m ruff format --check .
	@$(PY) -m ruff check .
	@$(PY) -m mypy
	@cd web && npm run --silent check

format: venv ## write the format and the safe fixes
	@$(PY) -m ruff format .
	@$(PY) -m ruff check --fix .

golden: venv ## rewrite the expected results of golden cases; read the diff as you read code
	@$(PY) -m pytest -q tests/test_golden.py tests/test_golden_files.py tests/test_accounts.py tests/venues/exchanges/test_unified_cases.py tests/catalog/test_proofs.py --update-golden $(ARGS)

ccxt: venv ## compare what the installed ccxt does with what was reviewed (ARGS=--update after a new version)
	@$(PY) -m tools.ccxt_gate $(ARGS)

bench: venv ## measure, print a table and write bench.json (ARGS="ccxt_page_commit")
	@$(PY) -m benchmarks $(ARGS)

wheel: venv web ## build dist/*.whl
	@unset PYTHONDONTWRITEBYTECODE; .venv/bin/uv build --quiet --wheel --no-build-isolation --python .venv/bin/python

lock: venv ## write requirements.lock and tools/uv.lock anew from pyproject.toml
	@tools/lock.sh

web: ## build the web pages into the package (needs Node >= 20)
	@sh tools/web.sh

pages:
	@sh tools/web.sh --if-possible

venv: ## make .venv what requirements.lock says (every other word does it by itself)
	@sh tools/venv.sh

clean: ## remove .venv and everything that was built
	rm -rf .venv web/node_modules src/omnifolio/faces/pages/static dist build bench.json .pytest_cache .mypy_cache .ruff_cache .hypothesis .schemathesis

.PHONY: help demo serve test soak lint format golden ccxt bench wheel lock web pages venv clean
