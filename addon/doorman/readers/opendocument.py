"""The text of OpenDocument files: writer, calc and impress."""

from package import Package

OFFICE = "{urn:oasis:names:tc:opendocument:xmlns:office:1.0}"
TEXT = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}"
TABLE = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
DRAW = "{urn:oasis:names:tc:opendocument:xmlns:drawing:1.0}"
# A cell, a row or a blank may say that it is there as often as it likes.
MAX_COLUMNS, MAX_SAME_ROWS, MAX_BLANKS = 200, 100, 100
PARAGRAPHS = (TEXT + "p", TEXT + "h")
CELLS = (TABLE + "table-cell", TABLE + "covered-table-cell")


def pieces(content, notes):
    root = Package(content).tree("content.xml")
    body = root.find(OFFICE + "body")
    slides = 0
    for node in (root if body is None else body).iter(
        *PARAGRAPHS, TABLE + "table", TABLE + "table-row", DRAW + "page"
    ):
        if node.tag == DRAW + "page":
            slides += 1
            yield f"[slide {slides}]\n"
        elif node.tag == TABLE + "table":
            if _inside(node, OFFICE + "spreadsheet"):
                yield f"[sheet {node.get(TABLE + 'name') or ''}]\n"
        elif node.tag == TABLE + "table-row":
            if not _inside(node, *CELLS):
                yield from _row(node, notes)
        elif not _inside(node, *CELLS, TEXT + "tracked-changes", *PARAGRAPHS):
            yield text_of(node) + "\n"


def _inside(node, *tags):
    return next(node.iterancestors(*tags), None) is not None


def _row(row, notes):
    cells = []
    for cell in row.iterchildren(*CELLS):
        text = " ".join(" ".join(text_of(p) for p in cell.iter(*PARAGRAPHS)).split())
        often = _times(cell, TABLE + "number-columns-repeated")
        cells += [text] * min(often, MAX_COLUMNS + 1 - len(cells))
    if len(cells) > MAX_COLUMNS and any(cells[MAX_COLUMNS:]):
        _note(notes, f"Only the first {MAX_COLUMNS} columns are read.")
    cells = cells[:MAX_COLUMNS]
    while cells and not cells[-1]:
        cells.pop()
    if not cells:
        return
    often = _times(row, TABLE + "number-rows-repeated")
    if often > MAX_SAME_ROWS:
        _note(notes, f"Of {often} equal rows, {MAX_SAME_ROWS} are told.")
    for _time in range(min(often, MAX_SAME_ROWS)):
        yield "\t".join(cells) + "\n"


def _note(notes, text):
    if text not in notes:
        notes.append(text)


def _times(node, attribute):
    text = node.get(attribute) or "1"
    return max(1, int(text)) if text.isdecimal() and len(text) < 10 else 1


def text_of(paragraph):
    """A paragraph's own text, with what stands for blanks in it."""
    found = [paragraph.text or ""]
    for node in paragraph.iterchildren():
        if node.tag == TEXT + "s":
            found.append(" " * min(_times(node, TEXT + "c"), MAX_BLANKS))
        elif node.tag == TEXT + "tab":
            found.append("\t")
        elif node.tag == TEXT + "line-break":
            found.append("\n")
        elif isinstance(node.tag, str) and node.tag != OFFICE + "annotation":
            found.append(text_of(node))
        found.append(node.tail or "")
    return "".join(found)
