"""The version of this package: that of the header whose functions it binds."""

__version__ = "0.1.0"
