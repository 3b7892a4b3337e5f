# Every target has a `##` line; `make` alone lists them.
.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help run demo test check fmt lock bench approve mail-report bench-guide bench-send chaos \
  chaos-mutants fuzz

BIN := .venv/bin

help:
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: ## install what is missing, then start Funnel here: one command, no other servers
	@scripts/install run
	@exec $(BIN)/funnel up

demo: ## the same product with invented people and a clock that runs fast
	@scripts/install run
	@exec $(BIN)/funnel demo

test: ## run every test, on real Postgres, Redis, Chromium and SpamAssassin
	@scripts/install test
	@TMPDIR="$$(scripts/scratch)" $(BIN)/pytest --numprocesses=$$(($$(nproc) + 1)) --maxprocesses=4 --dist=worksteal

check: ## read the code without running it: format, lint, types, import rules, templates
	@scripts/install check
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/djlint --lint --quiet templates/web templates/rehearsal blueprint/document

fmt: ## put the code into the house's format
	@scripts/install check
	$(BIN)/ruff check --fix --quiet .
	$(BIN)/ruff format .

lock: ## choose the newest versions of all dependencies again, with their hashes
	@scripts/lock

bench: ## measure ratios on this machine; prints one JSON line a benchmark
	@scripts/install test
	@set -e; for each in bench/*.py; do PYTHONPATH=. $(BIN)/python "$$each"; done

bench-guide: ## measure the guide alone, from confirm to a stored PDF; takes some minutes
	@scripts/install test
	@PYTHONPATH=. $(BIN)/python bench/guide.py

bench-send: ## measure from a due row to the accepted mail, with Celery on Postgres; takes some minutes
	@scripts/install test
	@PYTHONPATH=. $(BIN)/python bench/send.py

approve: ## keep the guide and the mails as they look today as the pictures that tests compare with
	@scripts/install test
	$(BIN)/python -m tests.blueprint.renew
	$(BIN)/python -m tests.mails.renew

mail-report: ## put every mail we ship on one page, with its scores and pictures; fails where one is red
	@scripts/install test
	@$(BIN)/python -m tests.mails.report

SEEDS ?= 3
MODE ?= all
chaos: ## break everything while mail goes out, and check that none is lost or doubled (SEEDS=20)
	@scripts/install test
	@$(BIN)/python -m tests.chaos --seeds $(SEEDS) --mode $(MODE)

chaos-mutants: ## switch off one protection at a time: each must be noticed; takes a quarter hour
	@scripts/install test
	@$(BIN)/python -m tests.chaos.hunt

HISTORIES ?= 10000
fuzz: ## let a crowd do anything in any order, and machines post anything (HISTORIES=500 SEED=1)
	@scripts/install test
	@$(BIN)/python -m tests.fuzz --histories $(HISTORIES) $(if $(SEED),--seed $(SEED))
