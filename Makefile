# Needs Go and make; the race detector of the tests needs gcc as well.
#
# Two modules: this one, and standalone/ with the embedded Temporal server. Its
# first build takes a few minutes, after that it comes from Go's build cache.
# deploy/composetest/ is a third, for one test.

GO ?= go
CONFIG ?= ./conf
DATA ?= ./data

# Tools are run from the Go module proxy at these versions; nothing is installed.
GOLANGCI_LINT := github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
WORKFLOWCHECK := go.temporal.io/sdk/contrib/tools/workflowcheck@v0.6.0

NODE_RED := bin/node-red/node_modules/.package-lock.json

MODULES := . standalone deploy/composetest

.DEFAULT_GOAL := help
.PHONY: help demo run build standalone test test-root test-standalone test-deploy bench bench-notify bench-pass bench-cost bench-limits bench-fleet bench-day simulate \
        crash reliability soak test-uncached check lint fmt vet workflowcheck golangci tidy generate clean

help: ## what there is to make
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

##  Try it and run it

demo: standalone ## see stock flow from a simulated KROS to a simulated e-shop; Ctrl-C ends it
	@bin/skladom-standalone demo $(ARGS)

run: standalone ## run everything in one process; CONFIG=./conf DATA=./data
	@bin/skladom-standalone run --config $(CONFIG) --data $(DATA) $(ARGS)

##  Build

build: ## bin/skladom, bin/skladom-worker and bin/skladom-sim
	$(GO) build -o bin/skladom ./starter
	$(GO) build -o bin/skladom-worker ./worker
	$(GO) build -o bin/skladom-sim ./testsuite/sim

standalone: ## bin/skladom-standalone
	@test -e bin/skladom-standalone || echo "The first build compiles a Temporal server; that takes a few minutes."
	cd standalone && $(GO) build -o ../bin/skladom-standalone .

generate: ## the client of the e-shop's API, from its description
	$(GO) generate ./...

##  Check

test: test-root test-standalone test-deploy ## all tests, with the race detector

test-root:
	$(GO) test -race -timeout 30m ./...

test-standalone:
	cd standalone && $(GO) test -race -timeout 30m ./...

test-deploy: # docker-compose.yml against its schema; no Docker needed
	cd deploy/composetest && $(GO) test ./...

bench: ## all of bench-*, one table of their ratios, and docs/benchmarks.md; ARGS="-only pass,cost", ARGS=-short; 40 minutes
	$(GO) run ./testsuite/bench/report $(ARGS)

bench-notify: ## how fast the shop follows a notification, and what a storm of them does; 4 minutes
	cd standalone && $(GO) run ./bench/notify $(ARGS)

bench-pass: build $(NODE_RED) ## a whole pass of 100,000 items against a script, Node-RED and the bare requests; 3 minutes
	cd standalone && $(GO) run ./bench/pass $(ARGS)

# The flow in Node-RED is the one side that needs npm and its registry. Without
# them it is left out, and bench-pass says so. npm writes this file last.
$(NODE_RED): standalone/bench/pass/nodered/package.json standalone/bench/pass/nodered/package-lock.json
	@mkdir -p bin/node-red && cp $^ bin/node-red
	@cd bin/node-red && npm ci --engine-strict --omit=optional --ignore-scripts --no-audit --no-fund >&2 || \
		{ rm -rf node_modules; echo "Node-RED was not installed; bench-pass does without it." >&2; }

bench-limits: ## a sweep against the least time that KROS's limits permit; 2 minutes
	$(GO) run ./testsuite/bench/limits $(ARGS)

bench-cost: ## events, bytes and billable actions of a pass, from its histories; 5 minutes
	cd standalone && $(GO) run ./bench/cost $(ARGS)

bench-fleet: build ## 10,000 small shops on one worker: sustained passes, ticks, neighbours, a second worker; 15 minutes
	cd standalone && $(GO) run ./bench/fleet $(ARGS)

bench-day: ## requests to KROS in a day, before and after the filter of changes is proven
	$(GO) test ./activities -run RequestsOfADay -count=1 -v -day 20000 $(ARGS)

simulate: ## pieces sold twice and sales lost under each sold_hold; a minute (docs/selling.md)
	@$(GO) run ./testsuite/selling --seed 1 $(ARGS)

reliability: ## 1,000 sequences of faults, each to end in step; 10 minutes (docs/reliability.md)
	cd standalone && $(GO) test ./faults -run TestFaultMatrix -v -timeout 120m -sequences 1000 -shops 128 $(ARGS)

test-uncached: ## the end-to-end tests with every step of a workflow replayed from its history
	cd standalone && $(GO) test ./e2e -timeout 60m -no-cache

crash: ## kill workers 200 times, the Temporal server 10 times, break the archive 100 times and fill its disk; 12 minutes
	cd standalone && $(GO) test ./crash -v -timeout 40m -kills 200 -rigs 8 -falls 10 -breaks 100 $(ARGS)

soak: ## 500 shops for 20 minutes, a tick each minute: 10 hours of their life, with faults; 35 minutes (docs/reliability.md)
	cd standalone && $(GO) test ./soak -run TestSoak -v -timeout 120m -shops 500 -lasts 20m -every 60s -points 5 $(ARGS)

check: test lint ## everything that CI checks

lint: fmt vet workflowcheck golangci tidy ## all of check but the tests

fmt:
	@unformatted=$$(gofmt -l .); if [ -n "$$unformatted" ]; then echo "gofmt these:"; echo "$$unformatted"; exit 1; fi

vet:
	@for m in $(MODULES); do echo "go vet $$m"; (cd $$m && $(GO) vet ./...) || exit 1; done

workflowcheck: # workflows do nothing that a replay would not repeat
	$(GO) run $(WORKFLOWCHECK) -config .workflowcheck.yaml ./workflows/...

golangci:
	@for m in $(MODULES); do echo "golangci-lint $$m"; (cd $$m && $(GO) run $(GOLANGCI_LINT) run ./...) || exit 1; done

tidy:
	@for m in $(MODULES); do echo "go mod tidy -diff $$m"; (cd $$m && $(GO) mod tidy -diff) || exit 1; done

clean: ## remove what was built
	rm -rf bin
