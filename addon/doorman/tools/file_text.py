"""What a file says: its text, in pages.

Plain text is read here, everything else by a process of its own (readers/), since a
file may be made to fill the memory of who reads it, or to keep it busy for ever.
Nothing is kept: the next page is read anew, as far as it goes.
"""

import json
import logging
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from ..policy.redact_links import withhold_links
from ..policy.refusal import Refusal, _lt

# Letters, and bytes of UTF-8, of one page: languages differ in how many tokens a letter
# is, and AI tools cut replies by those.
MAX_PAGE, MAX_PAGE_BYTES = 30_000, 60_000
# How far into a file pages go, and how much further is read, so that a link which is
# withheld is seen as a whole.
MAX_LETTERS, MARGIN = 2_000_000, 2_000
# Seconds; the process has limits of its own as well.
PATIENCE = 20
READERS = Path(__file__).resolve().parent.parent / "readers"
# Odoo's own libraries, wherever they are; and of its environment, which may hold the
# password of the database, no more than a process needs.
ENVIRONMENT = ("LANG", "PATH", "SYSTEMROOT", "TMPDIR")
START = "import json,runpy,sys; sys.path[:]=json.loads(sys.argv.pop(1)); "
START += "sys.argv.pop(0); runpy.run_path(sys.argv[0], run_name='__main__')"

PLAIN = re.compile(
    r"text/.*|application/(json|xml|csv|x-ndjson|yaml|x-yaml|sql|javascript)|.*\+(xml|json)"
)
OOXML = "application/vnd.openxmlformats-officedocument."
KINDS = {
    "application/pdf": "pdf",
    OOXML + "wordprocessingml.document": "docx",
    OOXML + "spreadsheetml.sheet": "xlsx",
    OOXML + "presentationml.presentation": "pptx",
    "application/vnd.oasis.opendocument.text": "odf",
    "application/vnd.oasis.opendocument.spreadsheet": "odf",
    "application/vnd.oasis.opendocument.presentation": "odf",
    "text/html": "html",
    "application/xhtml+xml": "html",
    "message/rfc822": "eml",
}
# By the name, where a type says no more than that.
VAGUE = ("", "application/octet-stream", "application/zip", "text/plain")
ENDINGS = {
    **dict.fromkeys(("pdf", "docx", "xlsx", "pptx", "html", "eml")),
    **dict.fromkeys(("odt", "ods", "odp"), "odf"),
    "htm": "html",
}
_logger = logging.getLogger(__name__)


# What the readers say of a file that they cannot read.
WHY = {
    "damaged": _lt("It is damaged, or not what its type says."),
    "doctype": _lt("Its XML has a DOCTYPE, which no office program writes."),
    "encoding": _lt("Its XML uses an encoding that office files never use."),
    "locked": _lt("It is locked with a password."),
    "many_files": _lt("It holds too many files."),
    "memory": _lt("It takes too much memory."),
    "nested": _lt("It is nested too deeply."),
    "swells": _lt("It becomes too large when it is unpacked."),
}


class Said(NamedTuple):
    """What was read of a file."""

    text: str
    # Whether it goes on.
    more: bool
    # What was left out, for people to read.
    notes: list


def page(name, kind, content, offset, indexed=""):
    """One page of a file's text.

    :param str name: of the file
    :param str kind: its media type, as Odoo says
    :param content: gives its bytes, called if they are needed
    :param int offset: letters that were told before; 0 for the beginning
    :param str indexed: what Odoo has read out of it for its own search, which tells of
        a kind that is not read here
    :return: ``{text, text_more, text_next, text_notes}``
    :raise Refusal: if it has no text that can be read
    """
    wanted = min(offset + MAX_PAGE, MAX_LETTERS)
    said = _read(name, kind, content, wanted + MARGIN, indexed)
    # From the beginning: what a link is told by may stand on the page before.
    text = withhold_links(said.text.replace("\0", ""))
    if offset and offset >= len(text):
        raise Refusal(
            "offset_too_large",
            _lt(
                "The text has no characters from %(offset)s on: its length is "
                "%(letters)s.",
                letters=len(text),
                offset=offset,
            ),
            _lt("Use next_offset as the offset."),
        )
    told = _in_bytes(text[offset:wanted])
    end = offset + len(told)
    more = said.more or end < len(text)
    if more and end >= MAX_LETTERS:
        more = False
        said.notes.append(
            f"It continues beyond {MAX_LETTERS} characters: use the link for all of it."
        )
    return {
        "text": told,
        "text_more": more,
        "text_next": end if more else 0,
        "text_notes": said.notes,
    }


def _in_bytes(text):
    """As much of a text as one page may have in bytes."""
    return text.encode()[:MAX_PAGE_BYTES].decode(errors="ignore")


def _read(name, kind, content, most, indexed):
    reader = reader_of(name, kind)
    if reader:
        return _apart(reader, content(), most)
    if not PLAIN.fullmatch(kind):
        if indexed:
            note = "It is what Odoo has read out of the file for its own search."
            return Said(indexed[:most], len(indexed) > most, [note])
        raise Refusal(
            "file_not_readable",
            _lt("%(kind)s has no text that can be read here.", kind=kind)
            if kind
            else _lt("This file has no text that can be read here."),
            _lt("Leave text out, and give your user the link."),
        )
    text, notes = decoded(content())
    return Said(text[:most], len(text) > most, notes)


def reader_of(name, kind):
    """:return: what reads a file of this name and type; None for plain text, and for
    what has none"""
    ending = name.rpartition(".")[2].lower()
    if kind in VAGUE and ending in ENDINGS:
        return ENDINGS[ending] or ending
    return KINDS.get(kind)


def decoded(content):
    """Plain text, in whichever way its letters were written down.

    :return: it, and notes
    """
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return content.decode("utf-16", errors="replace"), []
    try:
        return content.decode("utf-8-sig"), []
    except UnicodeDecodeError:
        note = "It is not UTF-8, and was read as Windows-1252."
        return content.decode("cp1252", errors="replace"), [note]


def _apart(reader, content, most):
    """Read a file in a process of its own."""
    paths = [path for path in sys.path if path]
    command = [sys.executable or "python3", "-I", "-c", START]
    command += [json.dumps(paths), str(READERS), reader, str(most)]
    try:
        done = subprocess.run(
            command,
            input=content,
            capture_output=True,
            timeout=PATIENCE,
            check=False,
            env={name: os.environ[name] for name in ENVIRONMENT if name in os.environ},
        )
    except subprocess.TimeoutExpired as exc:
        raise _unreadable(_lt("It takes too long to read.")) from exc
    except OSError as exc:
        _logger.error("Doorman: the process that reads files", exc_info=exc)
        raise _unreadable(
            _lt("Odoo could not start the program that reads it.")
        ) from exc
    try:
        told = json.loads(done.stdout)
    except ValueError as exc:
        # Ended by its limits, or by the library. Nothing of the file is in the log.
        _logger.info("Doorman: reading a %s ended with %s", reader, done.returncode)
        raise _unreadable(_lt("It takes too much time or memory to read.")) from exc
    if told.get("error"):
        raise _unreadable(WHY[told["error"]])
    return Said(told["text"], told["more"], told["notes"])


def _unreadable(why):
    return Refusal(
        "file_not_readable",
        _lt("The text of this file cannot be read. %(why)s", why=why),
        _lt("Leave text out, and give your user the link."),
    )
