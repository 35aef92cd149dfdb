# r2m: Real-aware Residual Model Merging. `make help` lists what can be made.

CC       ?= gcc
CXX_FUZZ ?= clang
PKG_CONFIG ?= pkg-config
PYTHON   ?= /usr/bin/python3
PREFIX   ?= /usr/local
BUILD    ?= build$(if $(SAN),/san)$(if $(MPI),/mpi)
FONTS    ?= /usr/share/fonts/truetype/dejavu
JOBS     ?= $(shell nproc 2>/dev/null || echo 1)
QUIET    := $(if $(V),,@)

# Debian and Ubuntu packages: to build, to test, to lint, to fuzz, for pictures; DEB_MPI for MPI=1.
DEB_MPI   := libopenmpi-dev openmpi-bin
DEB_BUILD := $(if $(MPI),$(DEB_MPI)) gcc pkg-config libncurses-dev libopenblas-dev liblapacke-dev libpng-dev libcjson-dev \
             libcairo2-dev libfreetype-dev libssl-dev libpcre2-dev zlib1g-dev libdeflate-dev libyaml-dev libsixel-dev libsqlite3-dev fonts-dejavu-core
DEB_TEST  := $(DEB_BUILD) libcmocka-dev libvterm-dev python3 python3-numpy valgrind tmux mandoc \
             libxml2-utils poppler-utils pngcheck tidy libsixel-bin
DEB_PEERS := $(DEB_BUILD) python3-venv
DEB_LINT  := $(DEB_BUILD) clang-tidy clang-format cppcheck
DEB_FUZZ  := $(DEB_BUILD) clang libclang-rt-dev
DEB_SHOTS := $(DEB_BUILD) python3 tmux librsvg2-bin

# pkg-config is asked once, when something is compiled (a fresh machine has no pkg-config yet).
PACKAGES  := ncursesw openblas lapacke libpng libcjson cairo freetype2 libcrypto libpcre2-8 zlib libdeflate \
             libsixel sqlite3 yaml-0.1 $(if $(MPI),ompi-c)
PC_CFLAGS = $(eval PC_CFLAGS := $(shell $(PKG_CONFIG) --cflags $(PACKAGES)))$(PC_CFLAGS)
PC_LIBS   = $(eval PC_LIBS := $(shell $(PKG_CONFIG) --libs $(PACKAGES)))$(PC_LIBS)
TEST_LIBS = $(eval TEST_LIBS := $(shell $(PKG_CONFIG) --libs cmocka vterm) -lutil)$(TEST_LIBS)

CFLAGS   ?= -O3 -g
WARNINGS := -Wall -Wextra -Wshadow -Wconversion $(if $(WERROR),-Werror)
SANITIZE = $(if $(SAN),-fsanitize=address$(comma)undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
comma    := ,
COMPILE  = $(CC) -std=c17 -pthread -I. -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 $(CPPFLAGS) $(PC_CFLAGS) \
           $(CFLAGS) $(WARNINGS) $(SANITIZE)
LINK     = $(CC) -pthread $(CFLAGS) $(SANITIZE) $(LDFLAGS)

# Rooms from the bottom up; each may use only those before it: the tests of a room are linked with
# nothing above it.
ROOMS    := analysis/support analysis/checkpoint analysis merge render tui
# Folders inside a room; what stands in them belongs to the room.
FOLDERS  := analysis/cache analysis/checkpoint/torch analysis/checkpoint/lora merge/adapters merge/config merge/evaluation merge/exchange merge/methods merge/sweep render/figures render/report tui/terminal tui/screen tui/command
# MPI=1: the ranks of a run are those of MPI, else there is one.
LEFT_OUT := analysis/support/ranks_$(if $(MPI),serial,mpi).c
sources  = $(filter-out $(LEFT_OUT),$(wildcard $(1)/*.c $(1)/*.S $(foreach f,$(FOLDERS),$(if $(filter $(1)/,$(dir $(f))),$(f)/*.c))))
archive  = $(BUILD)/lib/$(subst /,-,$(1)).a
reverse  = $(if $(1),$(call reverse,$(wordlist 2,99,$(1))) $(firstword $(1)))
ARCHIVES := $(foreach room,$(ROOMS),$(call archive,$(room)))
TESTS    := $(patsubst %.c,$(BUILD)/%,$(wildcard $(ROOMS:%=tests/%/test_*.c)))
BENCHES  := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/bench/*.c))
FUZZERS  := $(patsubst tests/fuzz/%.c,build/fuzz/%,$(wildcard tests/fuzz/fuzz_*.c))
C_FILES  := $(wildcard $(ROOMS:%=%/*.[ch]) $(FOLDERS:%=%/*.[ch]) $(ROOMS:%=tests/%/*.[ch]) tests/*.[ch] tests/bench/*.c tests/fuzz/*.c)

.PHONY: all programs demo check check-interop samples-table check-mpi bench fuzz soak screenshots lint format install uninstall deps deps-% clean help
.DELETE_ON_ERROR:
.SECONDARY:

all: $(BUILD)/r2m

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /make \1	/p' Makefile | expand -t 20

demo: deps ## install what is missing, build, open the screen on samples/
	@$(MAKE) -j$(JOBS) all
	@$(BUILD)/r2m samples/demo.json

check: deps-test ## install what is missing, run every test (SAN=1: with sanitizers)
	@$(MAKE) -j$(JOBS) programs
	@$(PYTHON) tests/run.py $(BUILD)

check-interop: deps-peers ## read what torch, safetensors and peft write, let them read ours, compare with mergekit
	@$(MAKE) -j$(JOBS) all
	@sh tests/interop/venv.sh build/interop
	@sh tests/interop/run.sh build/interop $(BUILD)/r2m

samples-table: deps-peers ## train and merge the samples with three seeds and measure them (an hour), into samples/TABLE.md
	@$(MAKE) -j$(JOBS) all
	@sh tests/interop/venv.sh build/interop
	@build/interop/bin/python samples/table.py --cache build/samples --r2m $(BUILD)/r2m >build/samples-table.md
	@mv build/samples-table.md samples/TABLE.md

check-mpi: deps-mpi ## build with MPI=1 (build/mpi/r2m) and compare ranks under mpirun with one process
	@$(MAKE) -j$(JOBS) MPI=1 all
	@$(PYTHON) tests/run.py build/mpi tests/mpi

bench: deps-test ## measure speed and memory on generated checkpoints (ONLY=pattern, RECORD=1, PEERS=python with torch)
	@$(MAKE) -j$(JOBS) programs
	@$(PYTHON) tests/bench/bench.py $(BUILD) $(if $(ONLY),--only "$(ONLY)") $(if $(RECORD),--record)

fuzz: deps-fuzz ## run every fuzz target for SECONDS (default 30)
	@$(MAKE) -j$(JOBS) $(FUZZERS)
	@for f in $(notdir $(FUZZERS)); do sh tests/fuzz/run.sh build/fuzz/$$f $(or $(SECONDS),30) || exit 1; done

soak: deps-test ## press random keys for SECONDS (default 600; SAN=1: with sanitizers; SEED=N)
	@$(MAKE) -j$(JOBS) $(BUILD)/r2m
	@$(PYTHON) tests/tui/soak.py $(BUILD)/r2m --seconds $(or $(SECONDS),600) $(if $(SEED),--seed $(SEED))

screenshots: deps-shots ## pictures of the real screen for the README
	@$(MAKE) -j$(JOBS) all
	@$(call screenshot,screenshot,Down Down Down + + + + + e)
	@$(call screenshot,screen-specialists,2)
	@$(call screenshot,screen-map,3)
	@$(call screenshot,screen-plan,4)
	@$(call screenshot,screen-export,5)

# $(call screenshot,NAME,KEYS): man/NAME.png
screenshot = $(PYTHON) tests/tui/screenshot.py build/$1.svg 120x34 "$2" -- $(BUILD)/r2m samples/demo.json && \
	rsvg-convert build/$1.svg -o man/$1.png

lint: deps-lint ## clang-format, cppcheck, clang-tidy
	@clang-format --dry-run -Werror $(C_FILES)
	@cppcheck --quiet --std=c11 --error-exitcode=1 --inline-suppr --enable=warning,performance,portability \
	    --suppress=missingIncludeSystem -I. $(ROOMS)
	@printf '%s\n' $(filter %.c,$(foreach room,$(ROOMS),$(call sources,$(room)))) | xargs -P$(JOBS) -n4 sh -c \
	    'clang-tidy --quiet "$$@" -- -std=c17 -I. -D_GNU_SOURCE $(PC_CFLAGS) 2>/dev/null' sh
	@echo "lint: clean"

format: ## rewrite the sources in the project's style
	clang-format -i $(C_FILES)

install: all ## into PREFIX (default /usr/local), below DESTDIR
	install -D $(BUILD)/r2m $(DESTDIR)$(PREFIX)/bin/r2m
	install -D -m 644 man/r2m.1 $(DESTDIR)$(PREFIX)/share/man/man1/r2m.1
	install -D -m 644 man/r2m-config.5 $(DESTDIR)$(PREFIX)/share/man/man5/r2m-config.5
	$(foreach c,$(COMPLETIONS),$(call install_completion,$(subst :, ,$(c))))

uninstall: ## remove what install put there
	cd $(DESTDIR)$(PREFIX) && rm -f bin/r2m share/man/man1/r2m.1 share/man/man5/r2m-config.5 \
	    $(foreach c,$(COMPLETIONS),share/$(lastword $(subst :, ,$(c))))

clean: ## remove everything built
	rm -rf build

# SHELL:FILE below share/
COMPLETIONS := bash:bash-completion/completions/r2m zsh:zsh/site-functions/_r2m fish:fish/vendor_completions.d/r2m.fish
define install_completion
install -d $(dir $(DESTDIR)$(PREFIX)/share/$(lastword $(1)))
	$(BUILD)/r2m --completion $(firstword $(1)) > $(DESTDIR)$(PREFIX)/share/$(lastword $(1))
	
endef

deps: ## packages needed to build (apt-get; elsewhere their names)
	@sh tests/deps.sh $(DEB_BUILD)
deps-test:
	@sh tests/deps.sh $(DEB_TEST)
deps-peers:
	@sh tests/deps.sh $(DEB_PEERS)
deps-lint:
	@sh tests/deps.sh $(DEB_LINT)
deps-fuzz:
	@sh tests/deps.sh $(DEB_FUZZ)
deps-mpi:
	@sh tests/deps.sh $(DEB_BUILD) $(DEB_MPI) python3 python3-numpy
deps-shots:
	@sh tests/deps.sh $(DEB_SHOTS)

programs: all $(TESTS) $(BENCHES)

$(BUILD)/r2m: $(call reverse,$(ARCHIVES))
	@echo "  LD  $@"
	$(QUIET)$(LINK) -o $@ $^ $(PC_LIBS) -lm

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	@echo "  CC  $<"
	$(QUIET)$(COMPILE) -MMD -MP -c -o $@ $<

# The DejaVu faces become part of the program: figures need no installed font.
$(BUILD)/render/font_data.o: render/font_data.S
	@mkdir -p $(@D)
	$(QUIET)$(CC) -Wa,-I$(FONTS) -c -o $@ $<

# One archive a room; the tests of a room see it and the rooms below.
define room_rules
$(call archive,$(1)): $(patsubst %,$(BUILD)/%.o,$(basename $(call sources,$(1))))
	@mkdir -p $$(@D)
	$$(QUIET)rm -f $$@ && $$(AR) rcs $$@ $$^
$(patsubst %.c,$(BUILD)/%,$(wildcard tests/$(1)/test_*.c)): $(BUILD)/%: $(BUILD)/%.o $(BUILD)/lib/tests.a $(call reverse,$(2) $(call archive,$(1)))
	@echo "  LD  $$@"
	$$(QUIET)$$(LINK) -o $$@ -Wl,--start-group $$^ -Wl,--end-group $$(TEST_LIBS) $$(PC_LIBS) -lm
endef
below :=
$(foreach room,$(ROOMS),$(eval $(call room_rules,$(room),$(below)))$(eval below += $(call archive,$(room))))

# What tests share; a test takes only the parts it uses.
$(BUILD)/lib/tests.a: $(patsubst %.c,$(BUILD)/%.o,$(wildcard tests/*.c))
	@mkdir -p $(@D)
	$(QUIET)rm -f $@ && $(AR) rcs $@ $^

$(BENCHES): $(BUILD)/%: $(BUILD)/%.o $(BUILD)/lib/tests.a $(call reverse,$(filter-out %tui.a,$(ARCHIVES)))
	$(QUIET)$(LINK) -o $@ -Wl,--start-group $^ -Wl,--end-group $(PC_LIBS) -lm

build/fuzz/%: tests/fuzz/%.c tests/support.c tests/torch_archive.c $(foreach room,$(filter analysis% merge,$(ROOMS)),$(call sources,$(room))) $(filter %.h,$(C_FILES))
	@mkdir -p $(@D)
	@echo "  FUZZ $@"
	$(QUIET)$(CXX_FUZZ) -std=c17 -pthread -I. -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 $(PC_CFLAGS) -O1 -g \
	    -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=undefined -o $@ $(filter %.c,$^) $(PC_LIBS) -lm

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
