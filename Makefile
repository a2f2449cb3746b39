# `make` alone says what there is. Everything works on a fresh clone.
SLIPSTREAM := .build/release/slipstream
SOURCES := $(wildcard Sources Tests Fuzz chaos) Package.swift
BENCHES ?= engine ingest latency fanout restart membership

.DEFAULT_GOAL := help
.PHONY: help setup build test chaos demo format lint bench fuzz clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

setup: ## install the missing Debian packages (scripts/setup.sh)
	@scripts/setup.sh

build: setup ## build slipstream and slipstream-chaos for release; they need no Swift where they run
	swift build -c release --static-swift-stdlib

test: setup ## run all tests; SANITIZE=thread or SANITIZE=address, FILTER=LapTimeTests
	TSAN_OPTIONS=suppressions=$(CURDIR)/Tests/thread-sanitizer.supp \
	swift test --no-parallel $(if $(SANITIZE),--sanitize=$(SANITIZE)) $(if $(FILTER),--filter $(FILTER))

chaos: build ## break a cluster and check what it promised; SCENARIO=all, REPORT=chaos.html
	.build/release/slipstream-chaos run $(or $(SCENARIO),all) $(if $(REPORT),--report $(REPORT))

demo: build ## a node, a simulated race, a live table and the dashboard; DURATION=30 ends it after 30 s
	$(SLIPSTREAM) demo $(if $(DURATION),--duration $(DURATION))

format: ## lay out all Swift files
	swift format -i -r $(SOURCES)

lint: ## say what `make format` would change or cannot
	swift format lint --strict -r $(SOURCES)

bench: build ## measure; BENCHES="engine latency" for some of it
	@for name in $(BENCHES); do $(SLIPSTREAM) bench $$name --json || exit 1; done

fuzz: setup ## feed the decoders random bytes; SECONDS_EACH=60 per target
	scripts/fuzz.sh $(SECONDS_EACH)

clean: ## remove what was built
	swift package clean
