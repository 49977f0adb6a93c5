"""What tests take from Odoo that also run without it."""

import unittest

try:
    from odoo.tests import BaseCase, tagged
except ImportError:
    BaseCase = unittest.TestCase

    def tagged(*_tags):
        return lambda cls: cls


__all__ = ["BaseCase", "tagged"]
