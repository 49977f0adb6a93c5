"""Schemathesis, with the arguments of this script."""

from schemathesis.cli import schemathesis

schemathesis()
