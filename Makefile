# superd: build, test and install.  GNU make.
#
#	make			build everything, into build/release
#	make run		build, and serve the sample configuration on the loopback
#	make check		all tests; its parts: check-unit check-services
#				check-xinetd check-e2e
#	make check-asan		all tests under the address and undefined-behaviour sanitizers
#	make check-fork		end-to-end tests with children that are forked
#	make check-valgrind	all tests, unit tests and daemon under valgrind
#	make bench		superd beside the barest server, its peers and itself; figures,
#				no verdict; make bench-quick in under two minutes
#	make lint		sizes, layers, both compilers, shellcheck, cppcheck, manual pages
#	make install		PREFIX=/usr/local SYSCONFDIR=$(PREFIX)/etc DESTDIR=
#
# Variables: V=1 shows the commands; WERROR=1 makes warnings errors; VARIANT= is
# release, debug or asan; ONLY=acl runs the tests with "acl" in their name;
# JOBS=N runs N at once; CC, CPPFLAGS, CFLAGS and LDFLAGS come last and win.
#
# A target that a newcomer types (run, check, lint) sees to its own tools first
# (contrib/build/deps).  `all' and `install' never do: what is installed on a
# machine is not for a package build to decide.

VERSION		= 0.1.0
VARIANT		= release
B		= build/$(VARIANT)

PREFIX		= /usr/local
SYSCONFDIR	= $(if $(filter /usr,$(PREFIX)),/etc,$(PREFIX)/etc)
bindir		= $(PREFIX)/bin
sbindir		= $(PREFIX)/sbin
libexecdir	= $(PREFIX)/libexec
mandir		= $(PREFIX)/share/man
DESTDIR		=

Q		= $(if $(filter-out 0,$(V)),,@)
MAKEFLAGS	+= --no-print-directory

# --- Flags -------------------------------------------------------------------

WARNINGS = -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes \
	-Wmissing-prototypes -Wvla -Wformat=2 -Wpointer-arith -Wcast-qual \
	-Wundef -Wswitch-enum

# Never -Werror by default: a warning of next year's compiler must not stop a
# packager.  It stands outside the stamp below, so that `make check' after `make'
# does not compile everything again.
ERROR	= $(if $(filter 1,$(WERROR)),-Werror)

# Some distributions define _FORTIFY_SOURCE themselves, hence -U first.  Tables for
# unwinding would be a fifth of what is loaded; a debugger has -g's.
FLAGS_release	= -O2 -g -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2 -fstack-protector-strong \
		  -fno-asynchronous-unwind-tables
PIE_release	= -fPIE
LINK_release	= -pie -Wl,-z,relro,-z,now

FLAGS_debug	= -Og -g
FLAGS_asan	= -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined \
	-fno-sanitize-recover=all

ifeq ($(filter release debug asan,$(VARIANT)),)
$(error VARIANT is release, debug or asan, not "$(VARIANT)")
endif

C_FLAGS		= -std=c11 -D_GNU_SOURCE $(WARNINGS) $(FLAGS_$(VARIANT))
L_FLAGS		= $(FLAGS_$(VARIANT)) $(LINK_$(VARIANT))

# What is compiled into superd: where it looks when it is told nothing.
PATHS = -DSUPERD_VERSION='"$(VERSION)"' \
	-DSUPERD_SYSCONFDIR='"$(SYSCONFDIR)"' \
	-DSUPERD_LIBEXECDIR='"$(libexecdir)/superd"'

# -MMD -MP: each object comes with a list of the headers it was made from.
COMPILE	= $(CC) $(C_FLAGS) $(PIE_$(VARIANT)) -MMD -MP $(ERROR) $(CPPFLAGS) $(CFLAGS)
LINK	= $(CC) $(L_FLAGS) $(CFLAGS) $(LDFLAGS)

# Services and test tools start once for each connection, and a static program
# (musl's above all) starts three times as fast.  contrib/build/probe finds out
# what works here; its answer lies in this file, "COMPILER [-static]".
SERVICE_CC	= $$(cat $(B)/probe/service)
SERVICE_COMPILE	= $(SERVICE_CC) $(C_FLAGS) -MMD -MP $(ERROR) $(CPPFLAGS) $(CFLAGS)
TOOL_CC		= $$(cat $(B)/probe/tool)
SERVICE_LINK	= $(SERVICE_CC) $(FLAGS_$(VARIANT)) $(CFLAGS) $(LDFLAGS)

# --- What there is to build ----------------------------------------------------
# Everything is found by its place; a new file needs no line here.

# Programs of their own beside the daemon; every other file of superd/ is its.
superctl_src	= $(wildcard superd/superctl.c)
modules		= $(filter-out superd/main.c $(superctl_src),$(wildcard superd/*.c))
# A service or a client is NAME.c, with NAME_*.c where it has several parts; no
# name of a program has a "_".  io.c and its parts belong to every service.
whole		= $(foreach f,$(1),$(if $(findstring _,$(notdir $(f))),,$(f)))
parts		= $(call obj,$(1).c $(wildcard $(1)_*.c))
services	= $(filter-out services/io.c,$(call whole,$(wildcard services/*.c)))
services_io	= $(wildcard services/io.c services/io_*.c)
clients		= $(call whole,$(wildcard contrib/clients/*.c))
# The converter quotes and knows words as superd does, with superd's own files.
converter	= $(wildcard contrib/xinetd2superd/*.c)
converter_help	= superd/arena.c superd/words.c superd/facility.c
manuals		= $(wildcard superd/*.[1-8] services/*.[1-8] contrib/*/*.[1-8])

unit		= $(wildcard tests/unit/test_*.c)
unit_help	= $(filter-out $(unit),$(wildcard tests/unit/*.c))
e2e		= $(wildcard tests/e2e/e2e_*.c)
e2e_help	= $(filter-out $(e2e),$(wildcard tests/e2e/*.c))
svc		= $(wildcard tests/services/test_*.c)
svc_help	= $(filter-out $(svc),$(wildcard tests/services/*.c))
xinetd		= $(wildcard tests/xinetd/test_*.c)
tools		= $(wildcard tests/tools/*.c)

bench_src	= $(wildcard tests/bench/*.c)
bench_programs	= $(wildcard tests/bench/programs/*.c)

obj		= $(patsubst %.c,$(B)/obj/%.o,$(1))

SUPERD		= $(B)/sbin/superd
SUPERCTL	= $(patsubst superd/%.c,$(B)/bin/%,$(superctl_src))
SERVICES	= $(patsubst services/%.c,$(B)/libexec/superd/%,$(services))
CLIENTS		= $(patsubst contrib/clients/%.c,$(B)/bin/%,$(clients))
CONVERTER	= $(if $(converter),$(B)/bin/xinetd2superd)
TOOLS		= $(patsubst tests/tools/%.c,$(B)/tests/tools/%,$(tools))
UNIT		= $(patsubst %.c,$(B)/%,$(unit))
E2E		= $(patsubst %.c,$(B)/%,$(e2e))
SVC		= $(patsubst %.c,$(B)/%,$(svc))
BENCH		= $(B)/tests/bench/bench
BENCH_PROGRAMS	= $(patsubst %.c,$(B)/%,$(bench_programs)) $(B)/tests/bench/programs/greet-dynamic
XINETD		= $(patsubst %.c,$(B)/%,$(xinetd))

all: $(SUPERD) $(SUPERCTL) $(SERVICES) $(CLIENTS) $(CONVERTER)

# --- Stamps ------------------------------------------------------------------
# A stamp is written only when its text changes, so what depends on it is built
# again when (and only when) it was built with something else.

quote	= '$(subst ','\'',$(1))'
stamp	= $(Q)mkdir -p $(@D); printf '%s\n' $(call quote,$(1)) >$@.new; \
	if cmp -s $@.new $@; then rm -f $@.new; else mv -f $@.new $@; fi

$(B)/stamp/flags: FORCE
	$(call stamp,$(CC) $(C_FLAGS) $(L_FLAGS) $(CPPFLAGS) $(CFLAGS) $(LDFLAGS))
$(B)/stamp/paths: FORCE
	$(call stamp,$(PATHS))

# Asked when they are needed and not when this file is read: on a bare machine
# there may be no compiler yet at that time.  One answer may change later (musl
# was installed), the others are only about how to link.
PROBE = CC=$(call quote,$(CC)) CFLAGS=$(call quote,$(CFLAGS)) \
	CPPFLAGS=$(call quote,$(CPPFLAGS)) LDFLAGS=$(call quote,$(LDFLAGS)) contrib/build/probe

$(B)/probe/%: contrib/build/probe $(B)/stamp/flags
	$(Q)mkdir -p $(@D); $(PROBE) $* >$@.new && mv -f $@.new $@
$(B)/probe/service: FORCE $(B)/stamp/flags
	$(Q)mkdir -p $(@D); $(PROBE) service $(VARIANT) >$@.new || exit 1; \
	if cmp -s $@.new $@; then rm -f $@.new; else mv -f $@.new $@; fi
$(B)/probe/tool: contrib/build/probe
	$(Q)mkdir -p $(@D); $(PROBE) service release >$@.new && mv -f $@.new $@

# --- Rules -------------------------------------------------------------------

MKDIR	= $(Q)mkdir -p $(@D)

$(B)/obj/%.o: %.c $(B)/stamp/flags
	$(MKDIR)
	$(Q)$(COMPILE) -c -o $@ $<

$(B)/obj/superd/%.o: superd/%.c $(B)/stamp/flags $(B)/stamp/paths
	$(MKDIR)
	$(Q)$(COMPILE) $(PATHS) -c -o $@ $<

# The tests include the modules' headers by their bare names, as superd does.
$(B)/obj/tests/unit/%.o: tests/unit/%.c $(B)/stamp/flags $(B)/stamp/paths
	$(MKDIR)
	$(Q)$(COMPILE) $(PATHS) -Isuperd -c -o $@ $<

$(call obj,$(wildcard services/*.c)): $(B)/obj/%.o: %.c $(B)/stamp/flags $(B)/probe/service
	$(MKDIR)
	$(Q)$(SERVICE_COMPILE) -c -o $@ $<

# Never sanitized: a tool may be stopped and killed at will, which a sanitizer's
# own threads do not survive.
$(call obj,$(tools) $(bench_programs)): $(B)/obj/%.o: %.c $(B)/stamp/flags $(B)/probe/tool
	$(MKDIR)
	$(Q)$(TOOL_CC) -std=c11 -D_GNU_SOURCE $(WARNINGS) $(FLAGS_release) -MMD -MP $(ERROR) -c -o $@ $<

# Made anew each time: an archive would keep the member of a file that is gone.
$(B)/libsuperd.a: $(call obj,$(modules)) $(B)/stamp/modules
	$(MKDIR)
	$(Q)rm -f $@; $(AR) rcs $@ $(filter %.o,$^)
$(B)/stamp/modules: FORCE
	$(call stamp,$(modules))

# @FILE: the compiler reads further arguments from FILE.
$(SUPERD): $(call obj,superd/main.c $(modules)) $(B)/stamp/modules $(B)/probe/inih
	$(MKDIR)
	$(Q)$(LINK) -o $@ $(filter %.o,$^) @$(B)/probe/inih

$(SUPERCTL): $(B)/bin/%: $(B)/obj/superd/%.o $(B)/libsuperd.a $(B)/probe/inih
	$(MKDIR)
	$(Q)$(LINK) -o $@ $(filter %.o %.a,$^) @$(B)/probe/inih

# A second expansion, as which parts a program has depends on its name.
.SECONDEXPANSION:
$(CLIENTS): $(B)/bin/%: $$(call parts,contrib/clients/$$*)
	$(MKDIR)
	$(Q)$(LINK) -o $@ $^

$(CONVERTER): $(call obj,$(converter) $(converter_help))
	$(MKDIR)
	$(Q)$(LINK) -o $@ $^

$(SERVICES): $(B)/libexec/superd/%: $$(call parts,services/$$*) $(call obj,$(services_io)) $(B)/probe/service
	$(MKDIR)
	$(Q)$(SERVICE_LINK) -o $@ $(filter %.o,$^)

$(TOOLS): $(B)/tests/tools/%: $(B)/obj/tests/tools/%.o $(B)/probe/tool
	$(MKDIR)
	$(Q)$(TOOL_CC) $(FLAGS_release) -o $@ $(filter %.o,$^)

$(UNIT): $(B)/%: $(B)/obj/%.o $(call obj,$(unit_help)) $(B)/libsuperd.a $(B)/probe/check $(B)/probe/inih
	$(MKDIR)
	$(Q)$(LINK) -o $@ $(filter %.o %.a,$^) @$(B)/probe/check @$(B)/probe/inih

$(BENCH): $(call obj,$(bench_src))
	$(MKDIR)
	$(Q)$(LINK) -o $@ $(filter %.o,$^)

$(patsubst %.c,$(B)/%,$(bench_programs)): $(B)/%: $(B)/obj/%.o $(B)/probe/tool
	$(MKDIR)
	$(Q)$(TOOL_CC) $(FLAGS_release) -o $@ $(filter %.o,$^)

# The same service once more, as most programs are: linked dynamically.
$(B)/tests/bench/programs/greet-dynamic: tests/bench/programs/greet.c $(B)/stamp/flags
	$(MKDIR)
	$(Q)$(CC) -std=c11 -D_GNU_SOURCE $(WARNINGS) $(FLAGS_release) $(PIE_release) $(LINK_release) $(ERROR) -o $@ $<

$(E2E): $(B)/%: $(B)/obj/%.o $(call obj,$(e2e_help)) $(B)/probe/check
	$(MKDIR)
	$(Q)$(LINK) -o $@ $(filter %.o,$^) @$(B)/probe/check

$(SVC): $(B)/%: $(B)/obj/%.o $(call obj,$(svc_help)) $(B)/probe/check
	$(MKDIR)
	$(Q)$(LINK) -o $@ $(filter %.o,$^) @$(B)/probe/check

$(XINETD): $(B)/%: $(B)/obj/%.o $(B)/probe/check
	$(MKDIR)
	$(Q)$(LINK) -o $@ $(filter %.o,$^) @$(B)/probe/check

-include $(patsubst %.o,%.d,$(call obj,$(wildcard superd/*.c services/*.c contrib/*/*.c \
	tests/unit/*.c tests/e2e/*.c tests/services/*.c tests/xinetd/*.c tests/tools/*.c tests/bench/*.c \
	tests/bench/programs/*.c)))

# --- Running and testing -------------------------------------------------------
# The tools come first and the build in a second make, which then finds them.

# All processors, unless -j says otherwise.
PARALLEL = $(if $(filter -j%,$(MAKEFLAGS)),,-j$(shell nproc 2>/dev/null || echo 2))

export CC CFLAGS CPPFLAGS LDFLAGS ONLY JOBS VARIANT

run:
	$(Q)contrib/build/deps run
	$(Q)$(MAKE) $(PARALLEL) all
	$(Q)contrib/build/run $(B)

# Figures, not verdicts.  As root the programs are staged, as for the tests.
# BENCH_PEERS= names folders, with colons between them, where peers lie besides
# PATH; ONLY= is a list of scenarios, BENCH_FLAGS= are flags of bench.c.
bench bench-quick:
	$(Q)contrib/build/deps run
	$(Q)$(MAKE) $(PARALLEL) measured-$@
measured-bench measured-bench-quick: all $(BENCH) $(BENCH_PROGRAMS)
	$(Q)mkdir -p build/bench; stage=$$(contrib/build/stage $(B)) || exit 1; \
	trap 'rm -rf "$$stage"' EXIT; trap 'exit 1' HUP INT TERM; \
	$(BENCH) $(if $(filter %-quick,$@),-q) $(BENCH_FLAGS) -p '$(BENCH_PEERS)' \
	    -o build/bench -s "$$stage" $(ONLY)

check check-unit check-services check-xinetd check-e2e:
	$(Q)contrib/build/deps check
	$(Q)$(MAKE) $(PARALLEL) $(if $(WERROR),,WERROR=1) tested-$@

# Everything that tests need, and no test is run: lint compiles it too.
build-tests: all $(TOOLS) $(UNIT) $(SVC) $(XINETD) $(E2E) $(BENCH) $(BENCH_PROGRAMS)

tested-check: build-tests
	$(Q)tests/run $(B) $(UNIT) $(SVC) $(XINETD) $(E2E)
tested-check-unit: $(SUPERD) $(SERVICES) $(UNIT)
	$(Q)tests/run $(B) $(UNIT)
tested-check-services: $(SERVICES) $(CLIENTS) $(TOOLS) $(SVC)
	$(Q)tests/run $(B) $(SVC)
tested-check-xinetd: $(SUPERD) $(SERVICES) $(CONVERTER) $(XINETD)
	$(Q)tests/run $(B) $(XINETD)
tested-check-e2e: all $(TOOLS) $(E2E)
	$(Q)tests/run $(B) $(E2E)

check-asan:
	$(Q)$(MAKE) VARIANT=asan check

# By the way of making a child that is taken where the fast one cannot be.
check-fork:
	$(Q)SUPERD_FORK=1 $(MAKE) check-e2e

# Unit tests and superd run under valgrind, services do not: a static program's
# malloc is out of its reach.
check-valgrind:
	$(Q)contrib/build/deps valgrind
	$(Q)VALGRIND=1 $(MAKE) VARIANT=debug check

lint:
	$(Q)contrib/build/deps lint
	$(Q)MAKE='$(MAKE)' contrib/build/lint

format:
	$(Q)contrib/build/lint format
format-check:
	$(Q)contrib/build/lint format-check

# FOR=run|check|lint|valgrind
FOR = check
deps:
	$(Q)contrib/build/deps $(FOR)

# --- Installing --------------------------------------------------------------

INSTALL	= install
into	= $(DESTDIR)$(1)

install: all
	$(Q)$(INSTALL) -d '$(call into,$(sbindir))' '$(call into,$(bindir))' \
	    '$(call into,$(libexecdir))/superd' '$(call into,$(SYSCONFDIR))'
	$(Q)$(INSTALL) -m 755 $(SUPERD) '$(call into,$(sbindir))/superd'
	$(Q)for f in $(SUPERCTL) $(CLIENTS) $(CONVERTER); do \
		$(INSTALL) -m 755 $$f '$(call into,$(bindir))'/$${f##*/} || exit 1; done
	$(Q)for f in $(SERVICES); do \
		$(INSTALL) -m 755 $$f '$(call into,$(libexecdir))/superd'/$${f##*/} || exit 1; done
	$(Q)for f in $(manuals); do d='$(call into,$(mandir))'/man$${f##*.}; \
		$(INSTALL) -d "$$d" && $(INSTALL) -m 644 $$f "$$d"/$${f##*/} || exit 1; done
	$(Q)test ! -e etc/superd.ini || test -e '$(call into,$(SYSCONFDIR))/superd.ini' || \
	    $(INSTALL) -m 644 etc/superd.ini '$(call into,$(SYSCONFDIR))/superd.ini'

# superd.ini stays: it is the administrator's now.
uninstall:
	$(Q)rm -f '$(call into,$(sbindir))/superd'
	$(Q)for f in $(notdir $(SUPERCTL) $(CLIENTS) $(CONVERTER)); do \
		rm -f '$(call into,$(bindir))'/$$f; done
	$(Q)for f in $(notdir $(SERVICES)); do rm -f '$(call into,$(libexecdir))/superd'/$$f; done
	$(Q)for f in $(notdir $(manuals)); do rm -f '$(call into,$(mandir))'/man$${f##*.}/$$f; done
	$(Q)rmdir '$(call into,$(libexecdir))/superd' 2>/dev/null || :

# The same commit gives the same bytes: names, times and owners come from it.
dist:
	$(Q)git -c tar.umask=0022 archive --format=tar --prefix=superd-$(VERSION)/ HEAD | \
	    gzip -9n >superd-$(VERSION).tar.gz.new
	$(Q)mv -f superd-$(VERSION).tar.gz.new superd-$(VERSION).tar.gz

clean:
	$(Q)rm -rf build

FORCE:
.PHONY: FORCE all run bench bench-quick check check-unit check-services check-xinetd check-e2e \
	check-asan check-fork \
	check-valgrind build-tests tested-check tested-check-unit tested-check-services \
	tested-check-xinetd tested-check-e2e measured-bench measured-bench-quick \
	lint format format-check deps install uninstall dist clean
.DELETE_ON_ERROR:
# Objects are wanted for the next time, even those that only a rule names.
.SECONDARY:
