# r2m: Real-aware Residual Model Merging. `make help` lists what can be made.

CC       ?= gcc
PKG_CONFIG ?= pkg-config
PYTHON   ?= /usr/bin/python3
PREFIX   ?= /usr/local
BUILD    ?= build$(if $(SAN),-san)
FONTS    ?= /usr/share/fonts/truetype/dejavu

PACKAGES := ncursesw openblas lapacke libpng libcjson cairo freetype2 libcrypto
TEST_PACKAGES := cmocka vterm
CPPFLAGS += -I. -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64
CFLAGS   ?= -O3 -g
CFLAGS   += -std=c17 -pthread -Wall -Wextra -Wshadow -Wconversion
LDLIBS   = $(shell $(PKG_CONFIG) --libs $(PACKAGES)) -lm
ifdef SAN
CFLAGS   += -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
LDFLAGS  += -fsanitize=address,undefined
endif
CPPFLAGS += $(shell $(PKG_CONFIG) --cflags $(PACKAGES))

# Rooms from the bottom up; each may use only those before it, and the tests of a room are linked
# with nothing above it.
ROOMS    := analysis/support analysis/checkpoint analysis merge render tui
SOURCES  := $(wildcard $(addsuffix /*.c,$(ROOMS)))
TESTS    := $(patsubst %.c,$(BUILD)/%,$(wildcard $(ROOMS:%=tests/%/test_*.c)))
LIBS     := $(foreach room,$(ROOMS),$(BUILD)/lib/$(subst /,-,$(room)).a)
QUIET    := $(if $(V),,@)

.PHONY: all demo check bench install uninstall deps lint format fuzz screenshots clean help
.DELETE_ON_ERROR:
.SECONDARY:

all: $(BUILD)/r2m

reverse  = $(if $(1),$(call reverse,$(wordlist 2,99,$(1))) $(firstword $(1)))

$(BUILD)/r2m: $(call reverse,$(LIBS))
	$(if $(V),,@echo "  LD  $@")
	$(QUIET)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS)

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	$(if $(V),,@echo "  CC  $<")
	$(QUIET)$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

# The DejaVu faces become part of the program: figures need no installed font.
$(BUILD)/render/font_data.o: render/font_data.S
	@mkdir -p $(@D)
	$(QUIET)$(CC) -Wa,-I$(FONTS) -c -o $@ $<

# One archive a room, one rule for the tests of each room.
define room_rules
$(BUILD)/lib/$(subst /,-,$(1)).a: $(patsubst %.c,$(BUILD)/%.o,$(wildcard $(1)/*.c)) $(if $(filter render,$(1)),$(BUILD)/render/font_data.o)
	@mkdir -p $$(@D)
	$$(QUIET)rm -f $$@ && $$(AR) rcs $$@ $$^

$(patsubst %.c,$(BUILD)/%,$(wildcard tests/$(1)/test_*.c)): $(BUILD)/%: $(BUILD)/%.o $(BUILD)/tests/support.o $(call reverse,$(2) $(BUILD)/lib/$(subst /,-,$(1)).a)
	$(if $(V),,@echo "  LD  $$@")
	$$(QUIET)$$(CC) $$(CFLAGS) $$(LDFLAGS) -o $$@ $$^ $$(shell $$(PKG_CONFIG) --libs $$(TEST_PACKAGES)) $$(LDLIBS) -lutil
endef
below    :=
$(foreach room,$(ROOMS),$(eval $(call room_rules,$(room),$(below)))$(eval below += $(BUILD)/lib/$(subst /,-,$(room)).a))

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)

demo: deps
	$(MAKE) all
	$(BUILD)/r2m samples/demo.json

check: deps
	$(MAKE) all check-programs
	@$(PYTHON) tests/run.py $(BUILD)

check-programs: $(TESTS)

deps:
	@sh tests/deps.sh $(MAKECMDGOALS)

clean:
	rm -rf build build-san build-fuzz
