# SPDX-License-Identifier: GPL-2.0
#
# Doors for people. What gets built is in Kbuild and tools/Makefile.

KDIR ?= /lib/modules/$(shell uname -r)/build
# Which kernels guest tests run on: stock, debug or both, or those of another
# release, such as stock-6.12; which tests.
K ?= both
T ?=
DESTDIR ?=
PREFIX ?= /usr/local

DEMO_MACHINE := --nvme 2G,mssrl=65535,mcl=4294967295,msrc=255 --nvme 2G --memory 2048

all: ## modules for KDIR (default: the running kernel's), tools
	@qemu/build --no-tests "$(KDIR)"

demo: K = stock
demo: deps ## the main job, end to end, in a guest on the stock kernel; K=stock-7.3 on another
	@kernel=$$(qemu/kernel $(K)) && qemu/demo.sh list | \
		qemu/vm run --kernel "$$kernel" $(DEMO_MACHINE) -- qemu/demo.sh

test: deps ## everything; the last line is the verdict
	@qemu/test

test-all: deps ## each test in its long form on every kernel; hours, and goes on where it was stopped
	@qemu/test-all $(foreach t,$(T),'$(t)')

kunit: deps ## KUnit suites, on the debug kernel
	@qemu/guest-tests --kernel debug --kunit none

guest-tests: deps ## guest tests; T='bypassio-*' chooses some, K=stock|debug|both|stock-6.12 ...
	@qemu/guest-tests --kernel $(K) $(foreach t,$(T),'$(t)')

check: deps ## static checks
	@qemu/check

mutate: deps ## does each test notice the fault that it is there for; hours
	@qemu/mutate

checklist: ## which cases of the last run looked at which line of the specification's checklist
	@qemu/checklist

bench: ## side-by-side figures and charts into build/bench, and README's summary
	@qemu/deps gnuplot-nox
	@bench/run

soak: deps ## the long tests
	@qemu/soak

deps: ## the Debian packages that are missing
	@qemu/deps

# All modules but the one that only the guest tests know what to do with. Debian's
# header packages have neither a key to sign modules with nor the System.map without
# which the kernel's own modules_install does not run depmod.
install: all ## modules, tools and library, for KDIR's kernel
	@src="$$(dirname "$$(qemu/build --no-tests "$(KDIR)")")/src" && \
	grep -v /bpio-flt-test "$$src/modules.order" >"$$src/modules.install" && \
	$(MAKE) -s -C "$(KDIR)" M="$$src" MODORDER="$$src/modules.install" \
		$(if $(DESTDIR),INSTALL_MOD_PATH="$(DESTDIR)") \
		$(if $(wildcard $(KDIR)/certs/signing_key.*),,CONFIG_MODULE_SIG_ALL=) \
		INSTALL_MOD_DIR=updates modules_install 2>build/install.log || \
		{ cat build/install.log >&2; exit 1; }
	@sed '/Skipping depmod/d' build/install.log >&2
	@$(MAKE) -s -C tools O="$(CURDIR)/build/tools" DESTDIR="$(DESTDIR)" \
		PREFIX="$(PREFIX)" install
	@release=$$(sed -n 's/^#define UTS_RELEASE "\(.*\)"$$/\1/p' \
		"$(KDIR)/include/generated/utsrelease.h") && \
	if [ "$(DESTDIR)" ]; then \
		echo "installed below $(DESTDIR); where it gets to: depmod $$release"; \
	else \
		PATH="$$PATH:/sbin:/usr/sbin" depmod "$$release" && \
		echo "installed for Linux $$release; next: modprobe -a dm-bpio bpiofs"; \
	fi

clean: ## what was built here; built kernels stay in ~/.cache/dm-bpio
	rm -rf build

help: ## this
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 16

.PHONY: all demo test test-all kunit guest-tests check mutate checklist bench soak deps install clean help
