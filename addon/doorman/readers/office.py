"""The text of Word, Excel and PowerPoint files (OOXML)."""

import datetime
import io
import warnings

from package import Package

W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
A = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
MAX_COLUMNS = 200


# ---- Word ----


def docx(content, notes):
    package = Package(content)
    yield from _blocks(package.tree("word/document.xml"))
    for what in ("footnotes", "endnotes", "header", "footer"):
        for name in package.named(rf"word/{what}\d*\.xml"):
            text = "".join(_blocks(package.tree(name))).strip()
            if text:
                yield f"[{what}]\n{text}\n"


def _blocks(root):
    """Paragraphs line by line, rows of tables with their cells apart."""
    for node in root.iter(W + "p", W + "tr"):
        if node.tag == W + "tr":
            if _within(node, W + "tc") is None:
                cells = [_cell(cell) for cell in node.iterchildren(W + "tc")]
                yield "\t".join(cells) + "\n"
        elif _within(node, W + "tc") is None:
            yield _text(node) + "\n"


def _within(node, tag):
    return next(node.iterancestors(tag), None)


def _cell(cell):
    return " ".join(filter(None, (_text(p).strip() for p in cell.iter(W + "p"))))


def _text(paragraph):
    found = []
    for node in paragraph.iter(W + "t", W + "tab", W + "br", W + "cr"):
        if _within(node, W + "p") is not paragraph:
            continue  # of a text box in it, which is a paragraph of its own
        if node.tag == W + "t":
            found.append(node.text or "")
        else:
            found.append("\t" if node.tag == W + "tab" else "\n")
    return "".join(found)


# ---- PowerPoint ----


def pptx(content, notes):
    package = Package(content)
    for number, name in enumerate(package.named(r"ppt/slides/slide\d+\.xml"), 1):
        yield f"[slide {number}]\n{_drawn(package.tree(name))}\n"
    for name in package.named(r"ppt/notesSlides/notesSlide\d+\.xml"):
        text = _drawn(package.tree(name))
        if text.strip():
            yield f"[notes]\n{text}\n"


def _drawn(root):
    lines = []
    for node in root.iter(A + "p", A + "tr"):
        if node.tag == A + "tr":
            cells = [c.iter(A + "p") for c in node.iterchildren(A + "tc")]
            lines.append("\t".join(" ".join(map(_run, some)) for some in cells))
        elif _within(node, A + "tc") is None:
            lines.append(_run(node))
    return "\n".join(line for line in lines if line.strip()) + "\n"


def _run(paragraph):
    return "".join(
        "\n" if node.tag == A + "br" else node.text or ""
        for node in paragraph.iter(A + "t", A + "br")
    )


# ---- Excel ----


def xlsx(content, notes):
    Package(content)  # looked at, before the library opens it
    from openpyxl import load_workbook

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        book = load_workbook(io.BytesIO(content), read_only=True, data_only=True)
        for sheet in book.worksheets:
            yield f"[sheet {sheet.title}]\n"
            sheet.reset_dimensions()  # what it says of its own size may be made up
            yield from _rows(sheet, notes)


def _rows(sheet, notes):
    for row in sheet.iter_rows(values_only=True):
        cells = [shown(value) for value in row[:MAX_COLUMNS]]
        if len(row) > MAX_COLUMNS:
            note = f"Only the first {MAX_COLUMNS} columns of {sheet.title} are read."
            if note not in notes:
                notes.append(note)
        while cells and not cells[-1]:
            cells.pop()
        if cells:
            yield "\t".join(cells) + "\n"


def shown(value):
    """A cell as a text in one line."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, datetime.datetime) and value.time() == datetime.time():
        value = value.date()
    return " ".join(str(value).split())
