# lipweb. `make run` needs Python 3.11 or newer and nothing else.
PYTHON ?= python3
LAUNCH = @$(PYTHON) -m lipweb.launcher

.PHONY: run setup demo bench bench-watermark test check clean

run:    ## everything: environment, queue, database, worker, web, demo production
	$(LAUNCH) run

setup:  ## only the Python environment
	$(LAUNCH) setup

demo:   ## the main job without a browser; fails if any step of it fails
	$(LAUNCH) demo

bench:  ## time and memory of a whole render
	$(LAUNCH) bench

bench-watermark: ## attack the invisible mark; a library beside it. ARGS="--full --out DIR"
	$(LAUNCH) bench-watermark $(ARGS)

test:   ## every test; those that touch the database on PostgreSQL too
	$(LAUNCH) test

check:  ## lint and types
	$(LAUNCH) check

clean:  ## what can be made again; never var/, where your data is
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
