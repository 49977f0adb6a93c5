"""The text of a PDF, page by page. The library is the one that Odoo uses."""

import io

from errors import Unreadable

try:
    from pypdf import PdfReader
except ImportError:
    from PyPDF2 import PdfReader  # its name before 3.0

MAX_PAGES = 2_000


def pieces(content, notes):
    reader = PdfReader(io.BytesIO(content), strict=False)
    if reader.is_encrypted and not reader.decrypt(""):
        raise Unreadable("locked")
    pages = reader.pages
    if len(pages) > MAX_PAGES:
        notes.append(f"Only the first {MAX_PAGES} of {len(pages)} pages are read.")
    empty = 0
    for number in range(min(len(pages), MAX_PAGES)):
        # What Odoo prints has tabs for the blanks between words.
        lines = (pages[number].extract_text() or "").splitlines()
        text = "\n".join(" ".join(line.split()) for line in lines).strip()
        if not text:
            empty += 1
            continue
        yield f"[page {number + 1}]\n{text}\n\n"
    if empty:
        notes.append(f"{empty} pages without text, such as scanned ones, are left out.")
