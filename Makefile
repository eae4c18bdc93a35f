# `make help` prints the lines that begin with ##, here and in packaging/package.mk.
#
## First steps
##   make help            print this list
##   make deps            install what the build and the tests need
##   make demo            install that for the build, then play a phone call on the sandbox
##   make call            the same call, and you are the caller
##   make test            install that, then run every test: Swift, C, C++, Python, fuzzing, valgrind
## No other target installs packages on the system. Python packages go into .venv and build/hosts.
##
## Build
##   make lib             build/lib/libpartnerbooking.so
##   make examples        the C examples, in build/examples-c
##   make wheel           the Python package with the library and libcurl inside, in build/wheel
##   make clean           remove what was built
##
## Part of the tests
##   make test-swift      the Swift tests
##   make test-c          the library from C; also test-cpp, test-python, test-fuzz, test-valgrind
##   make test-hosts      the package in agent frameworks and on slim systems; not part of `make test`
##   make asan, tsan      the Swift tests under AddressSanitizer or ThreadSanitizer
##   make fuzz            search for inputs that break a reader, FUZZ_SECONDS for each
##   make lint, format    check or correct the format of Swift files
##
## Run and measure
##   make demo-call       a phone call over SIP: sip_engine, a caller, and what both said
##   make demo-relay      an engine and a platform in two processes, with signed requests
##   make bench           the figures of docs/benchmarks.md
##   make instructions    the instructions of one warm call, by shared object
##   make scanner         the speed of the JSON scanner, beside simdjson and RapidJSON
##   make values          the cost of requests and replies as C++ values, beside nlohmann/json
##   make fleet           the table of docs/fleet.md: 1,000 clients and an outage, on a virtual clock
##
SHELL := /bin/sh
.DELETE_ON_ERROR:
.DEFAULT_GOAL := all
.PHONY: all help deps demo call demo-call demo-relay test lib wheel examples bench instructions scanner values fleet fuzz asan tsan format lint clean \
	check-build check-test build-swift-tests test-swift test-c test-cpp test-python test-fuzz test-valgrind test-hosts

VERSION := $(shell sed -n 's/^.define PBK_VERSION "\(.*\)"/\1/p' include/partnerbooking.h)
SONAME  := libpartnerbooking.so.1
LIB     := build/lib
SHARED  := $(LIB)/libpartnerbooking.so.$(VERSION)
SWIFT_SOURCES := Package.swift $(shell find Sources include -type f ! -name '*.hpp')
VENV    := .venv
PYTHON  := $(VENV)/bin/python

help:
	@sed -n 's/^## \{0,1\}//p' $(MAKEFILE_LIST)

all: lib

# ---- What has to be installed -----------------------------------------------------------------------------------------

BUILD_PACKAGES := cc=gcc curl/curl.h=libcurl4-openssl-dev objcopy=binutils
SIP_PACKAGES   := re/re.h=libre-dev espeak-ng/speak_lib.h=libespeak-ng-dev
# For the tests of ledgers, which start servers of their own. pg_ctlcluster: the server's programs are not in PATH.
STORE_PACKAGES := pg_ctlcluster=postgresql redis-server=redis-server
TEST_PACKAGES  := g++=g++ cmake=cmake valgrind=valgrind nlohmann/json.hpp=nlohmann-json3-dev boost/asio.hpp=libboost-dev \
	libcurl-gnutls.so.4=libcurl3-gnutls locale-gen=locales import:ensurepip=python3-venv $(SIP_PACKAGES) sipp=sip-tester $(STORE_PACKAGES)

# For the libcurl of the wheel.
CURL_PACKAGES  := cmake=cmake dpkg-source=dpkg-dev openssl/ssl.h=libssl-dev nghttp2/nghttp2.h=libnghttp2-dev zlib.h=zlib1g-dev
# For the systems that have Python and nothing else.
HOSTS_PACKAGES := debootstrap=debootstrap
# For the examples ledger_postgres and ledger_redis.
TEST_PACKAGES  += postgresql/libpq-fe.h=libpq-dev hiredis/hiredis.h=libhiredis-dev

FIND_SWIFT = command -v swift >/dev/null || \
	{ echo "Install Swift 6.2 or later: https://www.swift.org/install" >&2; exit 1; }

deps:
	@scripts/install-packages $(BUILD_PACKAGES) $(TEST_PACKAGES) $(CURL_PACKAGES) $(HOSTS_PACKAGES)
	@$(FIND_SWIFT)
	@$(MAKE) --no-print-directory $(VENV)/installed

# Each stops make with one line and exit code 2 when a package is missing: `need` for packages that `make deps` installs.
missing   = $(strip $(shell scripts/install-packages --missing $(1)))
stop      = $(if $(1),$(error Missing: $(1). $(2)))
need      = $(call stop,$(call missing,$(1)),Run `make deps`)
need-also = $(call stop,$(call missing,$(1)),Install with apt-get)

check-build:
	@: $(call need,swift=swift $(BUILD_PACKAGES))

check-test: check-build
	@: $(call need,$(TEST_PACKAGES) $(CURL_PACKAGES))

$(VENV)/installed: Tests/python/requirements.txt
	@: $(call need,import:ensurepip=python3-venv)
	python3 -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --disable-pip-version-check -r $<
	@touch $@

# ---- The shared object ------------------------------------------------------------------------------------------------
# The Swift runtime goes in, so that a C host needs no Swift; only pbk_* comes out. The linker's flags stand here and not in
# Package.swift, so that the package can be used as a dependency.

# The host's crashes are the host's, and nobody asks for the names of characters: csystem.h says more of the symbols that
# are defined here.
# Nothing here looks into its own types by reflection, which would cost 200 kB.
# Exclusivity of access is checked at run time in the tests; in the host's process a check that fails would end the host.
# DWARF 4, also of C: the valgrind of Debian 12 gives up on DWARF 5 of more than one C file.
LINK_FLAGS = -Xcc -gdwarf-4 -Xswiftc -static-stdlib -Xswiftc -Xfrontend -Xswiftc -disable-reflection-metadata -Xswiftc -enforce-exclusivity=unchecked -Xswiftc -use-ld=lld \
	-Xlinker -L$(shell swiftc -print-target-info -static-stdlib | sed -n '/"runtimeLibraryPaths"/{n;s/.*"\(.*\)".*/\1/p;}') \
	-Xlinker --defsym=_swift_installCrashHandler=csystem_install_no_crash_handler \
	-Xlinker --defsym=_swift_stdlib_getScalarName=csystem_no_scalar_name \
	-Xlinker --defsym=_swift_stdlib_getAge=csystem_no_scalar_age \
	-Xlinker --defsym=_swift_stdlib_getGeneralCategory=csystem_no_scalar_category \
	-Xlinker --defsym=_swift_stdlib_getBinaryProperties=csystem_no_scalar_properties \
	-Xlinker --defsym=_swift_stdlib_getScript=csystem_no_scalar_script \
	-Xlinker --defsym=_swift_stdlib_getScriptExtensions=csystem_no_scalar_scripts \
	-Xlinker --defsym=_swift_stdlib_getCaseMapping=csystem_no_scalar_folding \
	-Xlinker --defsym=hypotf=csystem_hypotf \
	-Xlinker --gc-sections -Xlinker --icf=all -Xlinker --version-script=$(CURDIR)/Sources/PartnerBookingABI/exports.map \
	-Xlinker -soname=$(SONAME) -Xlinker -z -Xlinker nodelete -Xlinker -z -Xlinker now -Xlinker -z -Xlinker relro

lib: $(SHARED)

$(SHARED): $(SWIFT_SOURCES) Makefile | check-build
	swift build -c release --product partnerbooking --scratch-path build/swift --disable-local-rpath $(LINK_FLAGS)
	mkdir -p $(LIB)
	cp build/swift/release/libpartnerbooking.so $@.unstripped
	objcopy --only-keep-debug $@.unstripped $@.debug
	strip --strip-unneeded -o $@.stripped $@.unstripped
	cd $(LIB) && objcopy --add-gnu-debuglink=$(notdir $@).debug $(notdir $@).stripped
	rm $@.unstripped
	mv $@.stripped $@
	ln -sf $(notdir $@) $(LIB)/$(SONAME)
	ln -sf $(SONAME) $(LIB)/libpartnerbooking.so

# ---- The Python package -----------------------------------------------------------------------------------------------

# libcurl goes in, so that the package installs where there is none. `make wheel WHEEL_LIBCURL=system` leaves it out: that wheel
# needs the system's. What is built by the other targets uses the system's in any case.
WHEEL_LIBCURL := inside
CURL     := build/curl
# Built again when the distribution has updated what goes in.
CURL_OF  := $(subst :,.,$(shell dpkg-query -W -f '$${Version}_' libcurl4-openssl-dev libssl-dev libnghttp2-dev zlib1g-dev 2>/dev/null))
BUNDLED   = $(if $(filter system,$(WHEEL_LIBCURL)),,$(CURL)/built-of_$(CURL_OF))

$(CURL)/built-of_%: packaging/build-libcurl
	@: $(call need,$(CURL_PACKAGES))
	@rm -f $(CURL)/built-of_*
	packaging/build-libcurl $(CURL)
	@touch $@

wheel: lib $(VENV)/installed $(BUNDLED)
	rm -rf build/wheel bindings/python/build
	$(if $(BUNDLED),PARTNERBOOKING_BUNDLED='$(CURDIR)/$(CURL)/bundled') $(PYTHON) -m pip wheel --quiet --disable-pip-version-check \
		--no-deps --no-build-isolation --wheel-dir build/wheel/untagged ./bindings/python
	PATH="$(CURDIR)/$(VENV)/bin:$$PATH" LD_LIBRARY_PATH='$(CURDIR)/$(CURL)/lib' auditwheel --verbose repair \
		$(if $(BUNDLED),,--exclude libcurl.so.4) --wheel-dir build/wheel \
		build/wheel/untagged/*.whl 2>build/wheel/auditwheel.log || { cat build/wheel/auditwheel.log >&2; exit 1; }
	@ls build/wheel/*.whl

# ---- The main job -----------------------------------------------------------------------------------------------------

examples: lib
	$(MAKE) --no-print-directory -C examples-c

demo:
	@scripts/install-packages $(BUILD_PACKAGES)
	@$(FIND_SWIFT)
	@$(MAKE) --no-print-directory examples
	@build/examples-c/phone_call

call: examples
	@build/examples-c/phone_call --typed

demo-call: examples
	@: $(call need,python3=python3 $(SIP_PACKAGES))
	@$(MAKE) --no-print-directory -C examples-c sip
	@python3 examples-c/sip_caller.py

demo-relay: examples
	@: $(call need,python3=python3)
	@python3 examples-c/demo_relay.py

# ---- Tests ------------------------------------------------------------------------------------------------------------

# The two long builds go side by side.
test: deps
	$(MAKE) --no-print-directory lint
	$(MAKE) --no-print-directory -j 2 lib build-swift-tests
	$(MAKE) --no-print-directory test-swift test-c test-cpp test-python test-fuzz test-valgrind

build-swift-tests: check-build
	swift build --build-tests --quiet

test-swift:
	swift test --quiet --disable-xctest

test-c: lib
	$(MAKE) --no-print-directory -j 2 -C Tests/c all
	$(MAKE) --no-print-directory -C Tests/c check

test-cpp: check-test lib
	$(MAKE) --no-print-directory -j 2 -C Tests/cpp all
	$(MAKE) --no-print-directory -C Tests/cpp check

test-python: check-test lib examples wheel $(VENV)/installed
	$(VENV)/bin/ruff check --quiet --line-length 120 --select E,F,I Tests Benchmarks examples-c packaging scripts bindings/python
	$(MAKE) --no-print-directory -s -C Tests/zones
	$(PYTHON) -m pytest -q -n 4 --dist loadfile --no-loadscope-reorder Tests/python

# Agent frameworks, each in a virtual environment of its own, and systems without libcurl.
test-hosts: wheel
	@: $(call need,$(HOSTS_PACKAGES))
	$(MAKE) --no-print-directory -s -j 2 -C Tests/hosts install
	$(MAKE) --no-print-directory -s -C Tests/hosts check

test-valgrind: check-test lib examples
	$(MAKE) --no-print-directory -j 2 -C Tests/c valgrind
	$(MAKE) --no-print-directory -j 2 -C Tests/cpp valgrind sanitize

# A short look; `make fuzz` takes a longer one.
test-fuzz: check-build
	$(MAKE) -s -j 2 -C Tests/fuzz fuzz FUZZ_SECONDS=3

FUZZ_SECONDS := 60
fuzz: check-build
	$(MAKE) -s -C Tests/fuzz fuzz FUZZ_SECONDS=$(FUZZ_SECONDS)

# Unoptimised: what the optimiser inlines of Swift's collections ThreadSanitizer sees without the reference counts, which are
# in the runtime, and then it reports copy-on-write as a race.
asan: SANITIZER := address
tsan: SANITIZER := thread
asan tsan: check-build
	swift build --build-tests --quiet --sanitize $(SANITIZER) --scratch-path build/$@
	swift test --skip-build --disable-xctest --sanitize $(SANITIZER) --scratch-path build/$@ >build/$@/tests.log 2>&1 || \
		{ cat build/$@/tests.log >&2; exit 1; }
	@grep 'Test run with' build/$@/tests.log

# ---- Figures ----------------------------------------------------------------------------------------------------------

SCANNER_PEERS := c++:simdjson.h=libsimdjson-dev c++:rapidjson/reader.h=rapidjson-dev

bench: lib $(VENV)/installed
	@: $(call need-also,c++=g++ nginx=nginx-light $(SIP_PACKAGES))
	$(VENV)/bin/pip install --quiet --disable-pip-version-check -r Benchmarks/requirements.txt
	$(PYTHON) Benchmarks/run.py

instructions: lib
	@: $(call need,valgrind=valgrind)
	@python3 Benchmarks/instructions.py

scanner: check-build
	@: $(call need-also,c++=g++ $(SCANNER_PEERS))
	@python3 Benchmarks/scanner.py

values: lib
	@: $(call need,c++=g++ nlohmann/json.hpp=nlohmann-json3-dev valgrind=valgrind)
	@python3 Benchmarks/values.py

fleet: build-swift-tests $(VENV)/installed
	$(VENV)/bin/pip install --quiet --disable-pip-version-check -r Benchmarks/requirements.txt
	@$(PYTHON) Benchmarks/fleet.py

# ---- Form -------------------------------------------------------------------------------------------------------------

format:
	swift format --in-place --recursive Package.swift Sources Tests

lint:
	swift format lint --strict --recursive Package.swift Sources Tests

clean:
	rm -rf build .build bindings/python/build bindings/python/*.egg-info

include packaging/package.mk
