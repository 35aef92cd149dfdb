# r2m: Real-aware Residual Model Merging. `make help` lists what can be made.

CC       ?= gcc
PKG_CONFIG ?= pkg-config
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

ROOMS    := analysis/checkpoint analysis merge render tui
SOURCES  := $(wildcard $(addsuffix /*.c,$(ROOMS)))
OBJECTS  := $(SOURCES:%.c=$(BUILD)/%.o)
LIBRARY  := $(filter-out $(BUILD)/tui/main.o,$(OBJECTS)) $(BUILD)/render/font_data.o
TESTS    := $(patsubst tests/%.c,%,$(wildcard $(patsubst %,tests/%/test_*.c,$(ROOMS))))
QUIET    := $(if $(V),,@)

.PHONY: all demo check bench install uninstall deps lint format fuzz screenshots clean help
.DELETE_ON_ERROR:
.SECONDARY:

all: $(BUILD)/r2m

$(BUILD)/r2m: $(OBJECTS) $(BUILD)/render/font_data.o
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

$(BUILD)/tests/%: $(BUILD)/tests/%.o $(BUILD)/tests/support.o $(LIBRARY)
	$(if $(V),,@echo "  LD  $@")
	$(QUIET)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS) $(shell $(PKG_CONFIG) --libs $(TEST_PACKAGES)) -lutil

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)

demo: deps
	$(MAKE) all
	$(BUILD)/r2m samples/demo.json

check: deps
	$(MAKE) all check-programs
	@BUILD=$(BUILD) sh tests/run.sh

check-programs: $(TESTS:%=$(BUILD)/tests/%)

deps:
	@sh tests/deps.sh $(MAKECMDGOALS)

clean:
	rm -rf build build-san build-fuzz
