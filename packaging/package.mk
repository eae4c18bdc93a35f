# Part of ../Makefile: what others build upon.
#
#     make install             under PREFIX, /usr/local unless it says otherwise; below DESTDIR if there is one
#     make uninstall           removes exactly what was installed there
#     make deb                 build/deb: libpartnerbooking1, libpartnerbooking-dev and the debug symbols, passed by lintian
#     make docs                build/docs: the C ABI by Doxygen, the Swift API by DocC
#     make test-package        programs that are built against what was installed
#     make test-abi            the ABI is as Tests/abi has it
#     make abi-description     takes additions to the ABI over into Tests/abi
.PHONY: install uninstall deb docs test-package test-abi abi-description

TEST_PACKAGES += abidw=abigail-tools man=man-db pkg-config=pkgconf dpkg-gensymbols=dpkg-dev doxygen=doxygen strace=strace

PREFIX     ?= /usr/local
DESTDIR    ?=
LIBDIR     ?= $(PREFIX)/lib
INCLUDEDIR ?= $(PREFIX)/include
MANDIR     ?= $(PREFIX)/share/man
DOCDIR     ?= $(PREFIX)/share/doc/partnerbooking

INSTALL = VERSION='$(VERSION)' SONAME='$(SONAME)' DESTDIR='$(DESTDIR)' PREFIX='$(PREFIX)' LIBDIR='$(LIBDIR)' \
	INCLUDEDIR='$(INCLUDEDIR)' MANDIR='$(MANDIR)' DOCDIR='$(DOCDIR)' packaging/install

# `sudo` may hide the Swift of whoever has built the library. Then what is built is installed as it is.
BUILT = $(if $(shell command -v swift),lib,$(if $(wildcard $(SHARED)),,lib))

install: $(BUILT)
	@.ci/install-packages python3=python3
	@$(INSTALL) install
	@echo "Installed under $(DESTDIR)$(PREFIX). Where the loader looks in $(LIBDIR), ldconfig makes it known."

uninstall:
	@$(INSTALL) uninstall

deb: $(BUILT)
	@.ci/install-packages python3=python3 dpkg-gensymbols=dpkg-dev lintian=lintian
	rm -rf build/deb
	VERSION='$(VERSION)' SONAME='$(SONAME)' packaging/build-debs build/deb
	lintian --fail-on error --allow-root build/deb/*.deb

docs: build-swift-tests
	@.ci/install-packages doxygen=doxygen
	@VERSION='$(VERSION)' packaging/build-docs build/docs
	@echo "build/docs/html/index.html, and build/docs/PartnerBooking.doccarchive for a web server"

test-package: lib setup-test
	$(PYTHON) -m pytest -q Tests/python/test_install.py Tests/python/test_debian.py

test-abi: lib setup-test
	$(PYTHON) -m pytest -q Tests/python/test_frozen_abi.py

abi-description: setup-test
	python3 Tests/abi/describe.py
