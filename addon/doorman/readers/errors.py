"""What keeps a file from being read."""


class Unreadable(Exception):
    """A file without a text that can be told, and why, for people to read."""
