# Raceway: build, run, test. `make help` lists the targets.
#
# The two that do everything from nothing: `make run` and `make test`.

.DEFAULT_GOAL := all
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules

# Asked for when it is needed: the packages may have to be installed first.
ifndef PG_CONFIG
PG_CONFIG = $(shell extension/which-pg_config)
endif
CXX       ?= g++
BUILD     := build
ifeq ($(origin CXX),default)
CXX := g++
endif
# As many jobs as cores, unless the caller chose; a make within this one shares its jobs.
ifeq ($(MAKELEVEL)$(filter -j%,$(MAKEFLAGS)),0)
MAKEFLAGS += -j$(shell nproc)
endif

VERSION := $(shell sed -n "s/^default_version *= *'\(.*\)'/\1/p" extension/raceway.control)

WARNINGS := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wnon-virtual-dtor -Werror
# Lines for backtraces; what else debuggers want is a quarter of the time of the compiler: CXXFLAGS='-O2 -g' asks for it.
CXXFLAGS ?= -O2 -g1
RACEWAY_CXXFLAGS := -std=c++20 $(WARNINGS) -fno-omit-frame-pointer -pthread
INCLUDES := -Iextension/src -Iserver/src
# How the libraries were built is for their packages to say. Where they are not installed yet, nothing is compiled either.
PACKAGES := simdjson libpcre2-8 cpp-httplib prometheus-cpp-core tomlplusplus spdlog fmt libpq openssl zlib
packaged  = $(shell pkg-config $(1) $(PACKAGES) 2>/dev/null)
LIBRARY_FLAGS := $(patsubst -I%,-isystem %,$(call packaged,--cflags))
DEFINES  := -DRACEWAY_VERSION='"$(VERSION)"' $(filter -D%,$(LIBRARY_FLAGS))
LIBRARY_INCLUDES := $(filter-out -D%,$(LIBRARY_FLAGS))
LIBS     := $(call packaged,--libs) -pthread

CORE_SOURCES   := $(wildcard extension/src/causality/*.cpp extension/src/wire/*.cpp)
SERVER_SOURCES := $(wildcard server/src/*/*.cpp) server/src/command_line.cpp server/src/serve.cpp
UNIT_SOURCES   := $(wildcard tests/unit/*.cpp)

# Sources that need the same headers and templates are compiled as one unit: it takes a third of the time, since each of
# them alone spends most of it on what its neighbours need too. So within a group the names in anonymous namespaces must
# differ, which the compiler sees to; what is in no group is compiled alone. tests/lint still reads every file by itself.
in = $(wildcard $(addprefix $(1)/,$(addsuffix .cpp,$(2))))
COMMANDS := $(wildcard server/src/*/command_line.cpp) server/src/command_line.cpp
CLIENTS  := server/src/moving/http_client.cpp server/src/status/ask.cpp
# The longest first, lest one core ends alone.
SERVER_GROUPS := commands clients memory moving postgres http analysis races status doctor observability config serving
GROUP_commands      := $(COMMANDS)
GROUP_clients       := $(CLIENTS)
GROUP_memory        := $(call in,server/src/memory,*)
GROUP_postgres      := $(filter-out $(COMMANDS),$(call in,server/src/postgres,*))
GROUP_http          := $(call in,server/src/http,*)
GROUP_analysis      := $(call in,server/src/analysis,*)
GROUP_races         := $(filter-out $(COMMANDS),$(call in,server/src/races,*))
GROUP_moving        := $(filter-out $(COMMANDS) $(CLIENTS) %/output.cpp,$(call in,server/src/moving,*))
GROUP_status        := $(filter-out $(COMMANDS) $(CLIENTS),$(call in,server/src/status,*))
GROUP_doctor        := $(call in,server/src/doctor,doctor examination report)
GROUP_config        := $(filter-out $(COMMANDS) %/load.cpp,$(call in,server/src/config,*))
GROUP_observability := $(call in,server/src/observability,*)
GROUP_serving       := $(call in,server/src/ingest,*) $(call in,server/src/storage,*) $(call in,server/src/web,*) server/src/serve.cpp
UNIT_GROUPS := unit_wire unit_moving unit_memory unit_config unit_http unit_json unit_order unit_races
GROUP_unit_wire   := $(filter-out %/wire_json_reader_test.cpp %/wire_json_scanner_test.cpp %/wire_event_layouts_test.cpp,$(call in,tests/unit,wire_*))
GROUP_unit_json   := $(call in,tests/unit,wire_json_scanner_test wire_event_layouts_test)
GROUP_unit_memory := $(filter-out %/memory_storage_test.cpp,$(call in,tests/unit,memory_*))
GROUP_unit_moving := $(call in,tests/unit,moving_*)
GROUP_unit_http   := $(call in,tests/unit,http_*)
GROUP_unit_config := $(call in,tests/unit,config_* observability_figures_test observability_logging_test terminal_test)
GROUP_unit_races  := $(call in,tests/unit,happened_before_* races_* critical_path_* audit_trail_test calls_test)
GROUP_unit_order  := $(call in,tests/unit,causal_order_test digraph_test batching_ingestor_test storage_*)

objects = $(patsubst %.cpp,$(BUILD)/obj/%.o,$(1))
# grouped GROUPS,SOURCES: the object of each group, then those of the sources that are in none.
grouped = $(1:%=$(BUILD)/obj/joined/%.o) $(call objects,$(filter-out $(foreach group,$(1),$(GROUP_$(group))),$(2)))
CORE_OBJECTS   := $(call objects,$(CORE_SOURCES))
SERVER_OBJECTS := $(call grouped,$(SERVER_GROUPS),$(SERVER_SOURCES)) $(BUILD)/obj/portable_sql.o $(BUILD)/obj/web_assets.o
UNIT_OBJECTS   := $(call grouped,$(UNIT_GROUPS),$(UNIT_SOURCES))
ALL_OBJECTS    := $(CORE_OBJECTS) $(SERVER_OBJECTS) $(UNIT_OBJECTS) $(BUILD)/obj/server/src/main.o

# What a target needs from Debian it asks for in one call: two of apt at a time would wait for each other.
install_packages := @.ci/install-packages
# Two makes at once in one checkout, `make run` and `make test` say, build one after the other.
alone := @mkdir -p $(BUILD) && flock $(BUILD)/lock

##@ Everyday
.PHONY: run
run: ## Serve on 127.0.0.1:8080, in memory, nothing kept
	$(install_packages) build
	$(alone) $(MAKE) --no-print-directory $(BUILD)/raceway
	@exec $(BUILD)/raceway serve

.PHONY: test
test: ## Every test, from nothing: installs, builds, runs
	@tests/run

.PHONY: all
all: ## Build build/raceway and the extension
	$(install_packages) build postgres
	$(alone) $(MAKE) --no-print-directory $(BUILD)/raceway extension

.PHONY: install
install: all ## Install the extension into the PostgreSQL that PG_CONFIG names
	@$(MAKE) --no-print-directory -C extension install PG_CONFIG='$(PG_CONFIG)'

##@ Packages
.PHONY: deb
deb: ## Debian packages of server and extension, into build/deb/
	$(install_packages) build postgres packaging
	$(alone) $(MAKE) --no-print-directory $(BUILD)/raceway extension
	@server/packaging/build-deb

.PHONY: deb-test
deb-test: ## Install them in a clean Debian, as root; downloads it
	$(install_packages) build postgres packaging packaging-test test
	@$(MAKE) --no-print-directory deb
	@tests/run packages

##@ Checks
.PHONY: installcheck
installcheck: ## pg_regress against a running PostgreSQL with the extension installed
	@$(MAKE) --no-print-directory -C extension installcheck PG_CONFIG='$(PG_CONFIG)'

.PHONY: bench
bench: ## Figures, each a ratio to a baseline of the same run
	@tests/bench/run

.PHONY: soak
soak: ## What takes long: crashes of retention, import and snapshots, 50 of each; memory at its limit
	@tests/soak/run

.PHONY: lint
lint: ## clang-format, clang-tidy and the checks of layering
	$(install_packages) build postgres test lint
	@tests/lint

##@ Building blocks
.PHONY: extension
extension:
	@$(MAKE) --no-print-directory -C extension PG_CONFIG='$(PG_CONFIG)'

.PHONY: unit
unit: $(BUILD)/unit_tests ## Build the unit tests

$(BUILD)/raceway: $(SERVER_OBJECTS) $(CORE_OBJECTS) $(BUILD)/obj/server/src/main.o
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

define compile
@mkdir -p '$(@D)'; echo "  compile  $<"
@$(CXX) $(RACEWAY_CXXFLAGS) $(CXXFLAGS) -iquote . $(INCLUDES) $(LIBRARY_INCLUDES) $(DEFINES) -MMD -MP -c -o $@ $<
endef
$(BUILD)/obj/%.o: %.cpp $(BUILD)/flags
	$(compile)
$(BUILD)/obj/joined/%.o: $(BUILD)/joined/%.cpp $(BUILD)/flags
	$(compile)

# Changed only when a group has other members than before.
JOINED := $(patsubst %,$(BUILD)/joined/%.cpp,$(SERVER_GROUPS) $(UNIT_GROUPS))
$(JOINED): $(BUILD)/joined/%.cpp: FORCE
	@mkdir -p '$(@D)'; printf '#include "%s"\n' $(GROUP_$*) | cmp -s - $@ || printf '#include "%s"\n' $(GROUP_$*) > $@

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
	@{ echo '#include "postgres/portable_sql.hpp"'; echo 'namespace raceway::server::postgres {'; \
	   printf 'const std::string_view portable_sql = R"portable('; cat $<; echo ')portable";'; \
	   echo "const std::string_view portable_build = \"$$(sql/portable/join build)\";"; echo '}'; } > $@

$(BUILD)/obj/portable_sql.o: $(BUILD)/portable_sql.cpp server/src/postgres/portable_sql.hpp $(BUILD)/flags
	$(compile)

# The page, bundled and compressed; the server holds it. WEB=0 builds a server without.
WEB ?= 1
WEB_SOURCES := $(wildcard server/web/* server/web/src/* server/web/src/*/* server/web/src/*/*/*)

.PHONY: web
web: $(BUILD)/web/assets.S ## Bundle the page into build/web/, to see whether it can be

# Changed only when it is wanted and was not, or the other way round.
$(BUILD)/web-wanted: FORCE
	@mkdir -p $(BUILD); echo '$(WEB)' | cmp -s - $@ || echo '$(WEB)' > $@

$(BUILD)/web/assets.S: $(WEB_SOURCES) $(BUILD)/web-wanted
	@echo "  bundle   $@"
	@server/web/bundle $(BUILD)/web $(if $(filter 0,$(WEB)),--none)

$(BUILD)/obj/web_assets.o: $(BUILD)/web/assets.S
	@mkdir -p '$(@D)'
	@$(CXX) -c -o $@ $<

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
	@rm -f extension/flags extension/raceway.so extension/raceway--*.sql

.PHONY: help
help: ## This list
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n%s\n", substr($$0, 5)} /^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' Makefile
