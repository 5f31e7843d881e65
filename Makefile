# SPDX-License-Identifier: GPL-2.0-or-later
#
# rblk: the kernel module, the daemon and the command.
#
#   make                 module (running kernel, or KVER=...), daemon, command
#   make modules-all     module for each Debian kernel found here
#   make demo            PostgreSQL fails over by itself, nothing committed is lost
#   make check-fast      everything that can be checked without a guest
#   make check           check-fast and the guest tests on each kernel
#   make check-long      the other guest tests, and a million simulated schedules
#   make check-debug     the guest tests on a kernel with KASAN, lockdep, ...
#   make bench           measure, against the raw device and DRBD
#   make bench-failover  measure failovers, and whether two nodes ever serve
#   make vm-shell        a shell in a guest that has rblk
#   make install         module, daemon, command (DESTDIR=, PREFIX=)
#   make dkms-install    let DKMS build the module for every kernel
#
# KVER= chooses the kernel, KDIR= its build tree when it is elsewhere.

VERSION := $(shell cat VERSION)
PREFIX  ?= /usr/local
DESTDIR ?=
export PREFIX DESTDIR

# Debian's kernels that have headers here, the newest of each series.
newest   = $(shell ls -d /lib/modules/$(1)*/build 2>/dev/null | \
	     sort -V | tail -n 1 | cut -d/ -f4)
KERNELS := $(call newest,6.1.) $(call newest,6.12.)

RUNNING := $(shell uname -r)
ifeq ($(origin KVER),undefined)
ifneq ($(wildcard /lib/modules/$(RUNNING)/build/Makefile),)
KVER := $(RUNNING)
else
KVER := $(lastword $(KERNELS))
KVER_IS_GUESSED := yes
endif
endif
KDIR ?= /lib/modules/$(KVER)/build

# Kbuild writes beside the sources, so each kernel gets its own copy of them.
# Kbuild and make compare times, which rsync keeps: only what changed is built.
KOUT    ?= build/$(KVER)
mirror   = rsync -am --delete --exclude='*.mod.c' --include='*/' \
	   --include='Kbuild*' --include=VERSION --include='*.[chS]' --exclude='*' \
	   Kbuild VERSION kmod $(1)/

all: modules daemon

modules:
ifdef KVER_IS_GUESSED
	@echo "no headers for the running kernel $(RUNNING):" \
	      "building for $(or $(KVER),nothing). KVER= chooses another." >&2
endif
	@test -e $(KDIR)/Makefile || { \
		echo "no kernel headers in $(KDIR); install them" \
		     "(scripts/deps, or linux-headers-$(KVER))" >&2; exit 1; }
	@mkdir -p $(KOUT)
	@$(call mirror,$(KOUT))
	$(MAKE) -C $(KDIR) M=$(CURDIR)/$(KOUT) modules

modules-all:
	@test -n "$(strip $(KERNELS))" || \
		{ echo "no kernel headers here; run scripts/deps" >&2; exit 1; }
	+@set -e; for k in $(KERNELS); do $(MAKE) --no-print-directory modules KVER=$$k; done

daemon:
	$(MAKE) -C userspace all

deps:
	@scripts/deps

# Guests run the kernel that the user named, or choose for themselves: what
# this make saw when it began may be less than what "deps" has installed.
chosen = $(if $(filter command environment,$(origin KVER)),--kver $(KVER))

# for scripts
print-kernels:
	@echo $(KERNELS)

check-fast: deps
	scripts/check

# one part failing does not keep the other from being told
check: deps
	@rc=0; scripts/check || rc=1; \
	tests/vm/run || rc=1; exit $$rc

check-long: deps
	@rc=0; $(MAKE) -C tests/sim check-long || rc=1; \
	tests/vm/run --long || rc=1; exit $$rc

check-debug: deps
	@rc=0; tests/vm/run --debug-kernel || rc=1; \
	tests/vm/run --debug-kernel --long || rc=1; exit $$rc

demo: deps
	scripts/demo $(chosen)

bench: deps
	scripts/bench

bench-failover: deps
	scripts/bench-failover

vm-shell: deps
	tests/vm/run --shell $(chosen)

MODDIR = $(DESTDIR)/lib/modules/$(KVER)/updates

# depmod and a running system belong to a real root only.
install: modules daemon
	install -D -m 644 $(KOUT)/rblk.ko $(MODDIR)/rblk.ko
	$(if $(DESTDIR),,depmod $(KVER))
	$(MAKE) -C userspace install

uninstall:
	rm -f $(MODDIR)/rblk.ko
	$(if $(DESTDIR),,depmod $(KVER))
	$(MAKE) -C userspace uninstall

DKMS_SRC = $(DESTDIR)/usr/src/rblk-$(VERSION)

dkms-install:
	@mkdir -p $(DKMS_SRC)
	$(call mirror,$(DKMS_SRC))
	install -m 644 dkms.conf $(DKMS_SRC)/
	$(if $(DESTDIR),,dkms install --force rblk/$(VERSION) $(if $(filter-out $(RUNNING),$(KVER)),-k $(KVER)))

dkms-uninstall:
	$(if $(DESTDIR),,dkms remove rblk/$(VERSION) --all)
	rm -rf $(DKMS_SRC)

clean:
	rm -rf build
	$(MAKE) -C userspace clean
	$(MAKE) -C tests/unit clean

.PHONY: all modules modules-all print-kernels daemon deps check-fast check check-long check-debug demo \
	bench bench-failover vm-shell install uninstall dkms-install dkms-uninstall clean
