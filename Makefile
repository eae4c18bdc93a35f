# make demo    the main job on the embedded sandbox, from a fresh machine
# make demo-relay           an engine and a platform in two processes, signed requests between them
# make test    every test, in Swift, C, C++ and Python
# make lib     build/lib/libpartnerbooking.so
# make wheel   the Python package with the library inside, in build/wheel
# make bench   the figures of the README
# make instructions         what one warm call costs in instructions, by shared object
# make scanner the speed of the JSON scanner, beside simdjson and RapidJSON
# make fleet   a thousand clients and an outage, under a virtual clock: the table of docs/fleet.md
# make fuzz    looks for inputs that break a reader, for FUZZ_SECONDS each
# make asan, make tsan      the Swift tests under a sanitizer
# make format, make lint    by .swift-format
# make docs    the reference pages, in build/docs
# make install, uninstall, deb       packaging/package.mk says more
SHELL := /bin/sh
.DELETE_ON_ERROR:
.PHONY: all demo demo-relay test lib wheel bench instructions scanner asan tsan format lint clean setup setup-test \
        build-swift-tests test-swift test-c test-cpp test-python test-fuzz test-valgrind fleet fuzz examples size

VERSION := $(shell sed -n 's/^.define PBK_VERSION "\(.*\)"/\1/p' include/partnerbooking.h)
SONAME  := libpartnerbooking.so.1
LIB     := build/lib
SHARED  := $(LIB)/libpartnerbooking.so.$(VERSION)
SWIFT_SOURCES := Package.swift $(shell find Sources include -type f ! -name '*.hpp')
VENV    := .venv
PYTHON  := $(VENV)/bin/python

all: lib

# ---- What has to be installed -----------------------------------------------------------------------------------------

BUILD_PACKAGES := cc=gcc curl/curl.h=libcurl4-openssl-dev objcopy=binutils
TEST_PACKAGES  := g++=g++ cmake=cmake valgrind=valgrind nlohmann/json.hpp=nlohmann-json3-dev \
	libcurl-gnutls.so.4=libcurl3-gnutls locale-gen=locales

setup:
	@command -v swift >/dev/null || { echo "Please install Swift 6.2 or later: https://www.swift.org/install" >&2; exit 1; }
	@.ci/install-packages $(BUILD_PACKAGES)

setup-test: setup $(VENV)/installed
	@.ci/install-packages $(TEST_PACKAGES)

$(VENV)/installed: Tests/python/requirements.txt
	@python3 -c 'import ensurepip, venv' 2>/dev/null || .ci/install-packages no-such-command=python3-venv
	python3 -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --disable-pip-version-check -r $<
	@touch $@

# ---- The shared object ------------------------------------------------------------------------------------------------
# The Swift runtime goes in, so that a C host needs no Swift; only pbk_* comes out. The linker's flags stand here and not in
# Package.swift, so that the package can be used as a dependency.

# The host's crashes are the host's: csystem.h says more of the symbol that is defined here.
# Exclusivity of access is checked at run time in the tests; in the host's process a check that fails would end the host.
LINK_FLAGS = -Xswiftc -static-stdlib -Xswiftc -enforce-exclusivity=unchecked -Xswiftc -use-ld=lld \
	-Xlinker -L$(shell swiftc -print-target-info -static-stdlib | sed -n '/"runtimeLibraryPaths"/{n;s/.*"\(.*\)".*/\1/p;}') \
	-Xlinker --defsym=_swift_installCrashHandler=csystem_install_no_crash_handler \
	-Xlinker --gc-sections -Xlinker --version-script=$(CURDIR)/Sources/PartnerBookingABI/exports.map \
	-Xlinker -soname=$(SONAME) -Xlinker -z -Xlinker nodelete -Xlinker -z -Xlinker now -Xlinker -z -Xlinker relro

lib: $(SHARED)

$(SHARED): $(SWIFT_SOURCES) Makefile | setup
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

# libcurl stays the system's: it brings the distribution's certificates and its security updates, and a copy would bring neither.
wheel: lib $(VENV)/installed
	rm -rf build/wheel bindings/python/build
	$(PYTHON) -m pip wheel --quiet --disable-pip-version-check --no-deps --no-build-isolation \
		--wheel-dir build/wheel/untagged ./bindings/python
	PATH="$(CURDIR)/$(VENV)/bin:$$PATH" auditwheel --verbose repair --exclude libcurl.so.4 --wheel-dir build/wheel \
		build/wheel/untagged/*.whl 2>build/wheel/auditwheel.log || { cat build/wheel/auditwheel.log >&2; exit 1; }
	@ls build/wheel/*.whl

# ---- The main job -----------------------------------------------------------------------------------------------------

examples: lib
	$(MAKE) --no-print-directory -C examples-c

demo: examples
	@build/examples-c/book_appointment

demo-relay: examples
	@.ci/install-packages python3=python3
	@python3 examples-c/demo_relay.py

# ---- Tests ------------------------------------------------------------------------------------------------------------

# The two long builds go side by side.
test: setup-test
	$(MAKE) --no-print-directory lint
	$(MAKE) --no-print-directory -j 2 lib build-swift-tests
	$(MAKE) --no-print-directory test-swift test-c test-cpp test-python test-fuzz test-valgrind

build-swift-tests:
	swift build --build-tests --quiet

test-swift:
	swift test --quiet --disable-xctest

test-c: lib
	$(MAKE) --no-print-directory -j 2 -C Tests/c all
	$(MAKE) --no-print-directory -C Tests/c check

test-cpp: lib
	$(MAKE) --no-print-directory -j 2 -C Tests/cpp all
	$(MAKE) --no-print-directory -C Tests/cpp check

test-python: lib examples wheel $(VENV)/installed
	$(VENV)/bin/ruff check --quiet --line-length 120 --select E,F,I Tests Benchmarks examples-c packaging bindings/python
	$(PYTHON) -m pytest -q -n 2 --dist loadfile --no-loadscope-reorder Tests/python

test-valgrind: lib examples
	$(MAKE) --no-print-directory -j 2 -C Tests/c valgrind
	$(MAKE) --no-print-directory -j 2 -C Tests/cpp valgrind

# A short look; `make fuzz` takes a longer one.
test-fuzz: setup
	$(MAKE) -s -j 2 -C Tests/fuzz fuzz FUZZ_SECONDS=3

FUZZ_SECONDS := 60
fuzz: setup
	$(MAKE) -s -C Tests/fuzz fuzz FUZZ_SECONDS=$(FUZZ_SECONDS)

# Unoptimised: what the optimiser inlines of Swift's collections ThreadSanitizer sees without the reference counts, which are
# in the runtime, and then it reports copy-on-write as a race.
asan: SANITIZER := address
tsan: SANITIZER := thread
asan tsan: setup
	swift build --build-tests --quiet --sanitize $(SANITIZER) --scratch-path build/$@
	swift test --skip-build --disable-xctest --sanitize $(SANITIZER) --scratch-path build/$@ >build/$@/tests.log 2>&1 || \
		{ cat build/$@/tests.log >&2; exit 1; }
	@grep 'Test run with' build/$@/tests.log

# ---- Figures ----------------------------------------------------------------------------------------------------------

SCANNER_PEERS := simdjson.h=libsimdjson-dev rapidjson/reader.h=rapidjson-dev

bench: lib $(VENV)/installed
	@CC="c++ -x c++" .ci/install-packages c++=g++ nginx=nginx-light $(SCANNER_PEERS)
	$(VENV)/bin/pip install --quiet --disable-pip-version-check -r Benchmarks/requirements.txt
	$(PYTHON) Benchmarks/run.py

instructions: lib
	@.ci/install-packages cc=gcc valgrind=valgrind
	@python3 Benchmarks/instructions.py

# The headers of both are C++.
scanner: setup
	@CC="c++ -x c++" .ci/install-packages c++=g++ $(SCANNER_PEERS)
	@python3 Benchmarks/scanner.py

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
