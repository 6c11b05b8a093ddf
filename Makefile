# What a contributor does, one word each. Works with GNU make >= 3.81 and BSD make; needs Python >= 3.11 and nothing else.
# PYTHONDONTWRITEBYTECODE is unset everywhere: without compiled files every start costs seconds.

ARGS =
TEST_WORKERS = logical
PY = unset PYTHONDONTWRITEBYTECODE; .venv/bin/python

help: ## print this list
	@sed -n 's/^\([a-z][a-z]*\):.*## \(.*\)$$/  make \1	\2/p' Makefile | expand -t 16

demo: venv ## sandbox, server and one user's portfolio, then keeps serving (ARGS=--once ends after printing)
	@unset PYTHONDONTWRITEBYTECODE; .venv/bin/omnifolio demo $(ARGS)

serve: venv ## the server (ARGS="--port 8400 …")
	@unset PYTHONDONTWRITEBYTECODE; .venv/bin/omnifolio serve $(ARGS)

test: venv ## every test but the long ones (ARGS="tests/ledger -k merge")
	@$(PY) -m pytest -q -n $(TEST_WORKERS) --dist worksteal -m "not soak" $(ARGS)

soak: venv ## the long tests
	@$(PY) -m pytest -q -n $(TEST_WORKERS) --dist worksteal -m soak $(ARGS)

lint: venv ## format, lint and types
	@$(PY) -m ruff format --check .
	@$(PY) -m ruff check .
	@$(PY) -m mypy

format: venv ## write the format and the safe fixes
	@$(PY) -m ruff format .
	@$(PY) -m ruff check --fix .

golden: venv ## rewrite the expected results of golden cases; read the diff as you read code
	@$(PY) -m pytest -q tests/test_golden.py tests/test_golden_files.py tests/test_accounts.py tests/venues/exchanges/test_unified_cases.py tests/catalog/test_proofs.py --update-golden $(ARGS)

api: venv ## write what is made from the API's description: the lists in docs, the models of both clients
	@$(PY) -m tools.api_docs
	@$(PY) -m tools.python_sdk
	@$(PY) -m tools.typescript_models

ccxt: venv ## compare what the installed ccxt does with what was reviewed (ARGS=--update after a new version)
	@$(PY) -m tools.ccxt_gate $(ARGS)

bench: venv ## measure, print a table and write bench.json (ARGS="ccxt_page_commit")
	@$(PY) -m benchmarks $(ARGS)

wheel: venv ## build dist/*.whl
	@unset PYTHONDONTWRITEBYTECODE; .venv/bin/uv build --quiet --wheel --no-build-isolation --python .venv/bin/python

lock: venv ## write requirements.lock and tools/uv.lock anew from pyproject.toml
	@tools/lock.sh

venv: ## make .venv what requirements.lock says (every other word does it by itself)
	@sh tools/venv.sh

clean: ## remove .venv and everything that was built
	rm -rf .venv dist build bench.json .pytest_cache .mypy_cache .ruff_cache .hypothesis .schemathesis

.PHONY: help demo serve test soak lint format golden api ccxt bench wheel lock venv clean
