"""The version of this package, which is the version of the header that it binds."""

__version__ = "0.1.0"
