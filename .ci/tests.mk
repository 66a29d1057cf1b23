# The targets that run in the test root (.ci/root.sh): a Debian 13 with everything that they
# use. The Makefile includes this file there; elsewhere it enters the root first.

# The package twice, the second one a later version, and the lab that installs them.
BOX = rm -rf build/lab/deb-$(1) && \
  DEB_VERSION=0.0.1 OUT=build/lab/deb-$(1) systemd/deb/build.sh $(1) && \
  DEB_VERSION=0.0.2 OUT=build/lab/deb-$(1) systemd/deb/build.sh $(1) && \
  go run ./internal/lab/box -arch $(1) -suite $(SUITE) -deb build/lab/deb-$(1)/mimpi-kiosk_0.0.1_$(1).deb -newer build/lab/deb-$(1)/mimpi-kiosk_0.0.2_$(1).deb


##@ Tests, in a Debian 13 of their own

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
	go run ./internal/lab/gpio -presses $(PRESSES) -seed $(SEED)

test-cut: build ## the power of that machine cut at random moments of votes and film, on a card that forgets: CUTS (10) with SEED (1); then without syncs, which must show
	go run ./internal/lab/gpio -cuts $(CUTS) -seed $(SEED)
	go run ./internal/lab/gpio -cuts 2 -seed $(SEED) -no-sync

test-replay: build ## a recorded run of that machine, its power cut after each flush of the card: FLUSHES (0: all) of each life with SEED (1); then without syncs
	go run ./internal/lab/gpio -replay -points $(FLUSHES) -seed $(SEED)
	go run ./internal/lab/gpio -replay -points 10 -seed $(SEED) -no-sync

test-clock: build ## the clock of that machine jumps by years while people press, vote and watch the film; then 1970
	go run ./internal/lab/gpio -clock -seed $(SEED)

test-stick: $(UI) ## the package in a Debian in QEMU, and sticks pulled out of it: PULLS (4) of each kind with SEED (1)
	@rm -rf build/lab/deb-stick && OUT=build/lab/deb-stick systemd/deb/build.sh amd64
	@go run ./internal/lab/stick -deb build/lab/deb-stick/*.deb -pulls $(PULLS) -seed $(SEED)

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

mutants: $(UI) $(FILM) ## random faults in the Go code, which its tests must notice: MUTANTS (60) with SEED (1); PARTS="collect web/signin" for some folders
	go run ./internal/lab/mutants -mutants $(MUTANTS) -seed $(SEED) -packages "$(PARTS)"
