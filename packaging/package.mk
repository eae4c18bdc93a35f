# Part of ../Makefile: installation, packages and reference pages.
#
## Install and package
##   make install         install under PREFIX (default /usr/local), below DESTDIR if it is set
##   make uninstall       remove exactly what was installed there
##   make deb             libpartnerbooking1, libpartnerbooking-dev, debug symbols, in build/deb
##   make docs            a web site of the pages, beside those of Doxygen and DocC, in build/docs
##   make test-package    test programs that are built against the installed library
##   make test-abi        compare the ABI with Tests/abi
##   make abi-description write additions to the ABI into Tests/abi
.PHONY: install uninstall deb docs test-package test-abi abi-description

TEST_PACKAGES += abidw=abigail-tools man=man-db pkg-config=pkgconf dpkg-gensymbols=dpkg-dev doxygen=doxygen strace=strace \
	chromium=chromium

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
	@: $(call need,python3=python3)
	@$(INSTALL) install
	@echo "Installed under $(DESTDIR)$(PREFIX). Where the loader looks in $(LIBDIR), ldconfig makes it known."

uninstall:
	@$(INSTALL) uninstall

deb: $(BUILT)
	@: $(call need-also,python3=python3 dpkg-gensymbols=dpkg-dev lintian=lintian)
	rm -rf build/deb
	VERSION='$(VERSION)' SONAME='$(SONAME)' packaging/build-debs build/deb
	lintian --fail-on error --allow-root build/deb/*.deb

docs: build-swift-tests $(VENV)/installed
	@: $(call need,doxygen=doxygen)
	@rm -rf build/docs
	@VERSION='$(VERSION)' packaging/build-docs build/docs
	@VERSION='$(VERSION)' $(PYTHON) packaging/site.py build/docs
	@echo "build/docs/index.html links all of it. A web server needs build/docs as its root."

test-package: check-test lib $(VENV)/installed
	$(PYTHON) -m pytest -q Tests/python/test_install.py Tests/python/test_debian.py

test-abi: check-test lib $(VENV)/installed
	$(PYTHON) -m pytest -q Tests/python/test_frozen_abi.py

abi-description: check-test
	python3 Tests/abi/describe.py
