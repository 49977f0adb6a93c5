"""Office files are ZIP archives of XML: what of one may be opened at all."""

import io
import re
import zipfile

from errors import Unreadable
from lxml import etree

# Files in an archive, and bytes that all of its XML may have once it is unpacked.
MAX_MEMBERS, MAX_XML = 10_000, 64 * 1024 * 1024
ENCODING = re.compile(rb"""^\s*<\?xml[^>]*?encoding\s*=\s*["']([\w.-]+)["']""")
ENCODINGS = (b"utf-8", b"utf-16", b"us-ascii")


class Package:
    """An archive whose XML was looked at before any of it is read by a library."""

    def __init__(self, content):
        try:
            self.archive = zipfile.ZipFile(io.BytesIO(content))
        except zipfile.BadZipFile as exc:
            raise Unreadable("damaged") from exc
        members = self.archive.infolist()
        if len(members) > MAX_MEMBERS:
            raise Unreadable("many_files")
        # As they say. Python reads no more of a member than that.
        xml = [m for m in members if m.filename.endswith((".xml", ".rels"))]
        if sum(m.file_size for m in xml) > MAX_XML:
            raise Unreadable("swells")
        if any(m.flag_bits & 1 for m in members):
            raise Unreadable("locked")
        self.names = [m.filename for m in members]
        for member in xml:
            self._check(member)

    def _check(self, member):
        """No office program writes a DOCTYPE: who does wants to define entities."""
        data = self.archive.read(member)
        encoding = ENCODING.match(data[:200])
        if encoding and encoding[1].lower() not in ENCODINGS:
            raise Unreadable("encoding")
        if b"<!DOCTYPE" in (plain := data.replace(b"\0", b"")) or b"<!ENTITY" in plain:
            raise Unreadable("doctype")

    def named(self, pattern):
        """The names that match, by the number in them."""
        found = [name for name in self.names if re.fullmatch(pattern, name)]
        return sorted(set(found), key=lambda n: (int(*re.findall(r"\d+", n) or "0"), n))

    def tree(self, name):
        """:return: the root of one XML file"""
        try:
            data = self.archive.read(name)
        except KeyError as exc:
            raise Unreadable("damaged") from exc
        parser = etree.XMLParser(
            resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False
        )
        return etree.fromstring(data, parser)
