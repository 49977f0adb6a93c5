"""What keeps a file from being read."""


class Unreadable(Exception):
    """A file without a text that can be told, and why: by a word for which Odoo's side
    has a sentence (tools/file_text.py). There is no translation in this process."""
