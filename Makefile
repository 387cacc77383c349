# Raceway: build, run, test. `make help` lists the targets.
#
# The two that do everything from nothing: `make run` and `make test`.

.DEFAULT_GOAL := all
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules

PG_CONFIG ?= pg_config
CXX       ?= g++
BUILD     := build
ifeq ($(origin CXX),default)
CXX := g++
endif
# As many jobs as cores, unless the caller chose.
ifeq ($(filter -j%,$(MAKEFLAGS)),)
MAKEFLAGS += -j$(shell nproc)
endif

VERSION := $(shell sed -n "s/^default_version *= *'\(.*\)'/\1/p" extension/raceway.control)

WARNINGS := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wnon-virtual-dtor -Werror
CXXFLAGS ?= -O2 -g
RACEWAY_CXXFLAGS := -std=c++20 $(WARNINGS) -fno-omit-frame-pointer -pthread
INCLUDES := -Iextension/src -Iserver/src
DEFINES  := -DRACEWAY_VERSION='"$(VERSION)"' -DSPDLOG_SHARED_LIB -DSPDLOG_COMPILED_LIB -DSPDLOG_FMT_EXTERNAL \
            -DCPPHTTPLIB_OPENSSL_SUPPORT -DCPPHTTPLIB_ZLIB_SUPPORT -DCPPHTTPLIB_BROTLI_SUPPORT
PG_INCLUDE = -isystem /usr/include/postgresql
LIBS := -lsimdjson -lpcre2-8 -lcpp-httplib -lprometheus-cpp-core -ltomlplusplus -lspdlog -lfmt -lpq -lssl -lcrypto -lz -pthread

CORE_SOURCES   := $(wildcard extension/src/causality/*.cpp extension/src/wire/*.cpp)
SERVER_SOURCES := $(wildcard server/src/*/*.cpp) server/src/serve.cpp
UNIT_SOURCES   := $(wildcard tests/unit/*.cpp)

objects = $(patsubst %.cpp,$(BUILD)/obj/%.o,$(1))
CORE_OBJECTS   := $(call objects,$(CORE_SOURCES))
SERVER_OBJECTS := $(call objects,$(SERVER_SOURCES)) $(BUILD)/obj/portable_sql.o
UNIT_OBJECTS   := $(call objects,$(UNIT_SOURCES))
ALL_OBJECTS    := $(CORE_OBJECTS) $(SERVER_OBJECTS) $(UNIT_OBJECTS) $(BUILD)/obj/server/src/main.o

##@ Everyday
.PHONY: run
run: packages-build ## Serve on 127.0.0.1:8080, in memory, nothing kept
	@$(MAKE) --no-print-directory $(BUILD)/raceway
	@exec $(BUILD)/raceway serve

.PHONY: test
test: ## Every test, from nothing: installs, builds, runs
	@tests/run

.PHONY: all
all: packages-build packages-postgres ## Build build/raceway and the extension
	@$(MAKE) --no-print-directory $(BUILD)/raceway extension

.PHONY: install
install: all ## Install the extension into the PostgreSQL that PG_CONFIG names
	@$(MAKE) --no-print-directory -C extension install PG_CONFIG='$(PG_CONFIG)'

##@ Packages
.PHONY: deb
deb: packages-build packages-postgres packages-packaging ## Debian packages of server and extension, into build/deb/
	@$(MAKE) --no-print-directory $(BUILD)/raceway extension
	@server/packaging/build-deb

.PHONY: deb-test
deb-test: deb packages-test packages-packaging-test ## Install them in a clean Debian, as root; downloads it
	@tests/run packages

##@ Checks
.PHONY: installcheck
installcheck: ## pg_regress against a running PostgreSQL with the extension installed
	@$(MAKE) --no-print-directory -C extension installcheck PG_CONFIG='$(PG_CONFIG)'

.PHONY: bench
bench: packages-build packages-postgres packages-test packages-bench ## Figures, each a ratio to a baseline of the same run
	@tests/bench/run

.PHONY: soak
soak: ## What takes long: crashes of retention, import and snapshots, 50 of each; memory at its limit
	@tests/soak/run

.PHONY: lint
lint: packages-build packages-postgres packages-test packages-lint ## clang-format, clang-tidy and the checks of layering
	@tests/lint

##@ Building blocks
.PHONY: extension
extension:
	@$(MAKE) --no-print-directory -C extension PG_CONFIG='$(PG_CONFIG)'

.PHONY: unit
unit: $(BUILD)/unit_tests ## Build the unit tests

.PHONY: packages-%
packages-%:
	@.ci/install-packages $*

$(BUILD)/raceway: $(CORE_OBJECTS) $(SERVER_OBJECTS) $(BUILD)/obj/server/src/main.o
	@echo "  link     $@"
	@$(CXX) $(CXXFLAGS) -o $@ $^ $(LDFLAGS) $(LIBS)

$(BUILD)/unit_tests: $(CORE_OBJECTS) $(SERVER_OBJECTS) $(UNIT_OBJECTS)
	@echo "  link     $@"
	@$(CXX) $(CXXFLAGS) -o $@ $^ $(LDFLAGS) -lgtest -lgtest_main -lgmock -lrapidcheck $(LIBS)

# The tests themselves are compiled fast rather than well: what they test is what runs.
$(UNIT_OBJECTS): CXXFLAGS := -O0 -g1

# The pure libraries are compiled without PostgreSQL on the include path: a header of its would not be found.
$(BUILD)/obj/extension/%.o: extension/%.cpp $(BUILD)/flags
	@mkdir -p '$(@D)'; echo "  compile  $<"
	@$(CXX) $(RACEWAY_CXXFLAGS) $(CXXFLAGS) -Iextension/src $(DEFINES) -MMD -MP -c -o $@ $<

$(BUILD)/obj/%.o: %.cpp $(BUILD)/flags
	@mkdir -p '$(@D)'; echo "  compile  $<"
	@$(CXX) $(RACEWAY_CXXFLAGS) $(CXXFLAGS) $(INCLUDES) $(PG_INCLUDE) $(DEFINES) -MMD -MP -c -o $@ $<

# The portable edition as one file, and as what pg_tle takes; the server holds the first.
PORTABLE := $(BUILD)/raceway-portable.sql
PORTABLE_SOURCES := $(wildcard sql/*.sql sql/portable/*)

.PHONY: portable
portable: $(PORTABLE) $(BUILD)/raceway-pg_tle.sql

$(PORTABLE): $(PORTABLE_SOURCES) extension/raceway.control
	@mkdir -p '$(@D)'; echo "  join     $@"
	@sql/portable/join '$(VERSION)' > $@

$(BUILD)/raceway-pg_tle.sql: $(PORTABLE_SOURCES) extension/raceway.control
	@mkdir -p '$(@D)'; echo "  join     $@"
	@sql/portable/join '$(VERSION)' pg_tle > $@

$(BUILD)/portable_sql.cpp: $(PORTABLE)
	@{ echo '#include "storage/portable_sql.hpp"'; echo 'namespace raceway::server::storage {'; \
	   printf 'const std::string_view portable_sql = R"portable('; cat $<; echo ')portable";'; \
	   echo "const std::string_view portable_build = \"$$(sql/portable/join build)\";"; echo '}'; } > $@

$(BUILD)/obj/portable_sql.o: $(BUILD)/portable_sql.cpp server/src/storage/portable_sql.hpp $(BUILD)/flags
	@mkdir -p '$(@D)'; echo "  compile  $<"
	@$(CXX) $(RACEWAY_CXXFLAGS) $(CXXFLAGS) $(INCLUDES) $(DEFINES) -c -o $@ $<

# Changed only when the flags change, so that other flags build anew and equal flags build nothing.
FLAGS_LINE := $(CXX) $(RACEWAY_CXXFLAGS) $(CXXFLAGS) $(DEFINES)
$(BUILD)/flags: FORCE
	@mkdir -p $(BUILD); printf '%s\n' $(foreach word,$(FLAGS_LINE),'$(subst ','\'',$(word))') | cmp -s - $@ \
	  || printf '%s\n' $(foreach word,$(FLAGS_LINE),'$(subst ','\'',$(word))') > $@

.PHONY: FORCE
FORCE:

-include $(ALL_OBJECTS:.o=.d)

.PHONY: clean
clean: ## Remove what was built
	@rm -rf $(BUILD)
	@find extension -name '*.o' -delete -o -name '*.d' -delete -o -name '*.bc' -delete
	@rm -f extension/raceway.so extension/raceway--*.sql

.PHONY: help
help: ## This list
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n%s\n", substr($$0, 5)} /^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' Makefile
