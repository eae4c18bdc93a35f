"""Puts the shared object into the package.

It is, in this order: the file that PARTNERBOOKING_LIBRARY names; the one that `make lib` left in
this repository, where that is run if there is none and Swift is at hand; or none, when the system
has libpartnerbooking installed. Else this says what to do.

PARTNERBOOKING_BUNDLED names a folder with the versions and licences of what `make wheel` puts in
beside it.
"""

import ctypes
import functools
import os
import shutil
import subprocess
from pathlib import Path

from setuptools import Distribution, setup
from setuptools.command.bdist_wheel import bdist_wheel
from setuptools.command.build_py import build_py

SONAME = "libpartnerbooking.so.1"
REPOSITORY = Path(__file__).resolve().parents[2]

MISSING = """
The shared object of libpartnerbooking is not there, and cannot be built here: that takes Swift 6.2 or later. Either
  - run `make lib` at the top of the repository, on a machine that has it, and install again,
  - or name the file:  PARTNERBOOKING_LIBRARY=/path/to/libpartnerbooking.so pip install ...
  - or install the library on this system first, and this package will use it.
"""


def shared_object():
    """The file to put in, or None when the system's library is to be used."""
    named = os.environ.get("PARTNERBOOKING_LIBRARY")
    if named:
        return Path(named).resolve(strict=True)
    built = REPOSITORY / "build" / "lib" / SONAME
    if (REPOSITORY / "include" / "partnerbooking.h").exists():
        if not built.exists() and shutil.which("swift") and shutil.which("make"):
            subprocess.run(["make", "-C", str(REPOSITORY), "lib"], check=True)
        if built.exists():
            return built.resolve()
    try:
        ctypes.CDLL(SONAME)
    except OSError:
        raise SystemExit(MISSING) from None
    return None


class BuildWithLibrary(build_py):
    def run(self):
        super().run()
        file = self.distribution.library
        if file is not None:
            # In an editable installation the package is used where it lies.
            package = "partnerbooking" if getattr(self, "editable_mode", False) else f"{self.build_lib}/partnerbooking"
            shutil.copyfile(file, Path(package) / SONAME)
            bundled = os.environ.get("PARTNERBOOKING_BUNDLED")
            if bundled:
                shutil.copytree(bundled, Path(package) / "bundled", dirs_exist_ok=True)


class PlatformWheel(bdist_wheel):
    """Any Python 3, since ctypes binds to none of them; but one kind of machine."""

    def get_tag(self):
        return "py3", "none", super().get_tag()[2]


class WithLibrary(Distribution):
    @functools.cached_property
    def library(self):
        return shared_object()

    def has_ext_modules(self):
        """What makes a wheel one for this kind of machine."""
        return self.library is not None


setup(distclass=WithLibrary, cmdclass={"build_py": BuildWithLibrary, "bdist_wheel": PlatformWheel})
