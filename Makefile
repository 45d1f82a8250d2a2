# make run   sets up what is missing, builds, and runs the whole pipeline on this machine
# make test  sets up and runs every test

SHELL := /bin/bash
.DEFAULT_GOAL := help

ROOT := $(CURDIR)
CONFIGURATION ?= release
SWIFT_FLAGS := -c $(CONFIGURATION) -Xlinker -rpath -Xlinker $(ROOT)/.deps/lib
export PKG_CONFIG_PATH := $(ROOT)/.deps/pkgconfig:$(PKG_CONFIG_PATH)

# What `make run` and `make bench` pass on, for example: make run ARGS="--for 60s --rate 500"
ARGS ?=

.PHONY: help setup build run test bench glue-package docs check format clean distclean

help: ## what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## install what is missing
	@scripts/bootstrap

build: setup ## build the command: bin/medallion
	@echo "build: compiling (the first time takes some minutes)" >&2
	@swift build $(SWIFT_FLAGS) --product medallion
	@mkdir -p bin && ln -sfn "$$(swift build $(SWIFT_FLAGS) --show-bin-path)/medallion" bin/medallion

run: build ## run the whole pipeline and open its dashboard; in ./lake, until Ctrl-C   (ARGS="--for 60s")
	@bin/medallion run --open $(ARGS)

test: setup ## run every test, Swift and dbt
	@scripts/test

bench: build ## measure bronze beside its peers, and refreshes of gold   (ARGS="--help")
	@Benchmarks/setup
	@Benchmarks/.venv/bin/python -m Benchmarks $(ARGS)
	@[ -n "$(ARGS)" ] || .venv/bin/python -m Benchmarks.dbt_refresh

glue-package: ## pack the Glue job for S3: dist/medallion_glue.zip   (docs/glue.md)
	@rm -rf dist/glue dist/medallion_glue.zip && mkdir -p dist/glue/medallion_glue
	@cp glue/medallion_glue/*.py contract/purchase_event.schema.json dist/glue/medallion_glue/
	@cd dist/glue && python3 -m zipfile -c ../medallion_glue.zip medallion_glue
	@rm -rf dist/glue

docs: setup ## describe every model and column: dbt/target/static_index.html
	@mkdir -p dbt/target/profiles && cp dbt/profiles.yml.example dbt/target/profiles/profiles.yml
	@cd dbt && MEDALLION_WAREHOUSE=target/docs.duckdb ../.venv/bin/dbt docs generate --static \
		--profiles-dir target/profiles

check: setup ## formats, lints and types
	@scripts/check

format: ## rewrite the sources in the house's format
	@swift format --in-place --recursive Package.swift Sources Tests
	@.venv/bin/ruff format bi dbt glue scripts Tests Benchmarks
	@.venv/bin/ruff check --fix bi dbt glue scripts Tests Benchmarks

clean: ## remove what a build made
	@rm -rf .build bin dist dbt/target dbt/logs

distclean: clean ## remove what the set-up made, too
	@rm -rf .deps .venv Tests/infra/.venv Benchmarks/.venv Benchmarks/data dbt/profiles.yml
