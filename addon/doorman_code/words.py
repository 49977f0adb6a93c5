"""Marks what is said here for translation, among the terms of this addon."""

from odoo.tools import LazyTranslate

_lt = LazyTranslate(__name__, default_lang="en_US")
