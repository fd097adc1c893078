# SPDX-License-Identifier: GPL-2.0-or-later
#
# The way in: "make help" says what there is.

MAKEFLAGS += --no-print-directory

# Where "make install" puts things
PREFIX ?= /usr/local
DESTDIR ?=
SBIN := $(DESTDIR)$(PREFIX)/sbin
MAN := $(DESTDIR)$(PREFIX)/share/man
UNITS := $(DESTDIR)/usr/lib/systemd/system
RULES := $(DESTDIR)/usr/lib/udev/rules.d
SHARE := $(DESTDIR)/usr/share/adshard
COMPLETIONS := $(DESTDIR)$(PREFIX)/share/bash-completion/completions

# The kernel to build the module for: the running one, unless told
KVER ?= $(shell uname -r)
# The kernels that the project supports and tests, see scripts/kernel
KERNELS := 6.1 6.12

.PHONY: all
all: tools
	@if [ -e /lib/modules/$(KVER)/build ]; then $(MAKE) module; \
	else echo "no headers of $(KVER): the module is not built (try make modules)"; fi

.PHONY: module modules
module:
	@scripts/module-build $(KVER)

modules:
	@set -e; for k in $(KERNELS); do scripts/module-build $$k; done

.PHONY: tools
tools:
	@$(MAKE) -C agent

# The model that is installed, out of the records of a fleet, FLEET=file, up to UNTIL=date: the same
# records give the same bytes. smart.model.txt says which they were.
.PHONY: smart-model
smart-model: tools
	build/agent/bin/adshard-train train --data $(FLEET) $(if $(UNTIL),--until $(UNTIL)) \
		--out agent/train/smart.model

.PHONY: deps
deps:
	@scripts/deps

.PHONY: demo
demo: deps
	@$(MAKE) tools test-programs
	@scripts/module-build $(or $(K),6.12)
	@scripts/demo $(if $(K),-k $(K))

# --- tests -------------------------------------------------------------------------

# T=name and K=kernel narrow it down: make check T=smoke K=6.12
RUN = tests/run $(if $(T),-v -t '$(T)') $(if $(K),-k '$(K)')

.PHONY: check check-long
check: deps
	@$(MAKE) tools test-programs
	@$(RUN)

check-long: deps
	@$(MAKE) tools test-programs
	@$(RUN) -l

.PHONY: check-debug model
check-debug: deps
	@$(MAKE) tools test-programs
	@T='$(T)' tests/check-debug $(K)

# M=pattern: only these, make check-mutations M='07*'
.PHONY: check-mutations
check-mutations: deps
	@$(MAKE) tools test-programs
	@tests/mutations/run $(if $(M),-v '$(M)')
	@$(if $(M),,tests/mutations/plan/run)
model: deps
	@tests/model/run

.PHONY: test-programs
# they are linked with the libraries of the agent
test-programs: tools
	@$(MAKE) -C tests

.PHONY: static
static: deps
	@tests/run -t 'static/*'

# All figures
BENCHES := lanes hotpath copy scale
.PHONY: bench $(BENCHES:%=bench-%)
bench: $(BENCHES:%=bench-%) bench-sim bench-predict

$(BENCHES:%=bench-%): bench-%: deps
	@$(MAKE) tools test-programs
	@tests/bench/$*

# The planner in virtual time, and how long a plan takes. ADSHARD_DATA is a folder of records: with
# it also disks that failed, scored by a model that knows nothing of these months, and loads.
SIM = build/agent/bin/adshard-sim
SCENARIOS = $(filter-out %/fleet.sim %/traces.sim,$(wildcard agent/sim/scenarios/*.sim))
.PHONY: bench-sim
bench-sim: tools
	@$(SIM) bench
	@$(SIM) $(SCENARIOS)
	@if [ -z "$(ADSHARD_DATA)" ]; then \
		echo '# no ADSHARD_DATA: no disks and loads out of records'; \
	else set -e; \
		$(SIM) --load $(ADSHARD_DATA)/cloudphysics_30min agent/sim/scenarios/traces.sim; \
		build/agent/bin/adshard-train train --data $(ADSHARD_DATA)/backblaze_hds/hds.csv.gz \
			--until 2015-09-30 --out build/sim.model; \
		$(SIM) --smart $(ADSHARD_DATA)/backblaze_hds/hds.csv.gz --model build/sim.model \
			--from 2015-10-01 --to 2016-02-29 agent/sim/scenarios/fleet.sim; \
	fi

.PHONY: bench-predict
bench-predict: test-programs
	@build/tests/unit/predict-scale | sed -n 's/^# figure/figure/p'

# F="target..." for some of them, RUNS=n or SECONDS=n for how long; tests/fuzz/fuzz.h says more
.PHONY: fuzz
fuzz: deps
	@tests/fuzz/run $(if $(RUNS),-r $(RUNS)) $(if $(SECONDS),-s $(SECONDS)) $(F)

# Power cuts, see tests/crash/run: TRIALS of them are replayed, with SEED, for kernel K
.PHONY: crash
crash: deps
	@$(MAKE) tools test-programs
	@scripts/module-build $(or $(K),6.12)
	@tests/crash/run $(or $(TRIALS),10000) $(or $(SEED),1) $(or $(K),6.12)

.PHONY: um-kernel debug-kernel
um-kernel:
	@scripts/kernel um

debug-kernel:
	@scripts/kernel debug
	@scripts/kernel kcsan

# --- installation ------------------------------------------------------------------

PROGRAMS = $(notdir $(wildcard build/agent/bin/*))
PAGES = $(basename $(notdir $(wildcard Documentation/man/*.[1-8].rst)))

# The module belongs to a kernel, so it is installed by itself.
.PHONY: install uninstall install-module
install-module: module
	install -D -m 644 build/$(KVER)/dm-adshard.ko $(DESTDIR)/lib/modules/$(KVER)/updates/dm-adshard.ko
	depmod -b $(DESTDIR)/ $(KVER)

install: tools
	install -d $(SBIN)
	$(if $(PROGRAMS),install -m 755 $(PROGRAMS:%=build/agent/bin/%) $(SBIN))
	@if [ -n "$(PAGES)" ] && ! command -v rst2man >/dev/null; then \
		echo "no rst2man (python3-docutils): no manual pages"; \
	else for p in $(PAGES); do \
		install -d $(MAN)/man$${p##*.}; \
		rst2man Documentation/man/$$p.rst $(MAN)/man$${p##*.}/$$p; \
	done; fi
	@for u in $(wildcard scripts/systemd/*.service scripts/systemd/*.timer); do \
		install -D -m 644 $$u $(UNITS)/$${u##*/}; \
		sed -i 's,/usr/sbin/adshard,$(PREFIX)/sbin/adshard,' $(UNITS)/$${u##*/}; \
	done
	install -D -m 644 scripts/udev/64-adshard.rules $(RULES)/64-adshard.rules
	sed -i 's,"adshardctl probe,"$(PREFIX)/sbin/adshardctl probe,' $(RULES)/64-adshard.rules
	install -D -m 644 scripts/completion/adshardctl $(COMPLETIONS)/adshardctl
	install -D -m 644 agent/train/smart.model $(SHARE)/smart.model
	@[ -e $(DESTDIR)/etc/adshard/adshardd.conf ] || \
		install -D -m 644 scripts/systemd/adshardd.conf $(DESTDIR)/etc/adshard/adshardd.conf

uninstall:
	rm -f $(PROGRAMS:%=$(SBIN)/%)
	@for p in $(PAGES); do rm -f $(MAN)/man$${p##*.}/$$p; done
	@for u in $(notdir $(wildcard scripts/systemd/*.service scripts/systemd/*.timer)); do rm -f $(UNITS)/$$u; done
	rm -f $(SHARE)/smart.model $(RULES)/64-adshard.rules $(COMPLETIONS)/adshardctl

# --- housekeeping ------------------------------------------------------------------

.PHONY: clean
clean:
	rm -rf build

.PHONY: help
help:
	@echo 'Building'
	@echo '  all             the tools, and the module for the running kernel if its headers are there'
	@echo '  module          the module; KVER=... for another installed kernel'
	@echo '  modules         the module for both supported kernels ($(KERNELS))'
	@echo '  tools           adshardctl, adshardd and their friends'
	@echo '  deps            install the Debian packages that are missing'
	@echo 'Trying'
	@echo '  demo            see it work, in a virtual machine: disks, a failure foretold, no data lost'
	@echo 'Testing'
	@echo '  check           everything that fits ten minutes; T=name K=6.1|6.12|um for one test'
	@echo '  check-long      everything'
	@echo '  check-debug     every guest test on the kernels with checks (about two hours)'
	@echo '  check-mutations protections taken away one by one; each must make a test fail; M=pattern'
	@echo '  model           model checking of the data path and the lanes'
	@echo '  static          warnings, sparse, checkpatch, semantic patches, ... only'
	@echo '  fuzz            whatever is parsed on the host, under a fuzzer; F=target RUNS=n | SECONDS=n'
	@echo '  bench           all figures; scripts/plot draws some of them'
	@echo '  bench-lanes     counting on many processors, on this machine'
	@echo '  bench-hotpath   instructions per I/O, exact'
	@echo '  bench-copy      how fast data moves, beside pvmove, and what that takes'
	@echo '  bench-scale     pools of up to a million segments'
	@echo '  bench-sim       the planner and its rivals in virtual time; ADSHARD_DATA=folder of records'
	@echo '  bench-predict   scoring a thousand members'
	@echo '  crash           power cuts by the thousand; TRIALS=10000 SEED=1 K=6.12'
	@echo '  um-kernel, debug-kernel   build the kernels with checks (6 and 20 minutes, once)'
	@echo '  smart-model     train the model of failing disks anew; FLEET=records [UNTIL=date]'
	@echo 'Installing'
	@echo '  install, uninstall   tools, manual pages, units; DESTDIR=, PREFIX=[$(PREFIX)]'
	@echo '  install-module  the module; KVER=...'
	@echo '  clean           remove what was built (the kernels stay, in ~/.cache/adshard)'
