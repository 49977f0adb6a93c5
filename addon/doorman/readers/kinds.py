"""Which kinds of files have a text that can be read, and by what."""

from importlib import import_module

from errors import Unreadable

# kind -> module and function, imported where it is needed: the libraries are large.
READERS = {
    "pdf": ("pdf", "pieces"),
    "docx": ("office", "docx"),
    "xlsx": ("office", "xlsx"),
    "pptx": ("office", "pptx"),
    "odf": ("opendocument", "pieces"),
    "html": ("markup", "pieces"),
    "eml": ("mail", "pieces"),
}


def read(kind, content, most):
    """Read the text of a file, as far as it is wanted.

    :param str kind: a key of ``READERS``
    :param bytes content: of the file
    :param int most: letters
    :return: ``{text, more, notes}``: whether there is more, and what was left out;
        or ``{error}``, a word of ``WHY`` in tools/file_text.py
    """
    found, length, notes = [], 0, []
    try:
        module, function = READERS[kind]
        for piece in getattr(import_module(module), function)(content, notes):
            found.append(piece)
            length += len(piece)
            if length > most:
                break
    except Unreadable as exc:
        return {"error": str(exc)}
    except MemoryError:
        return {"error": "memory"}
    except RecursionError:
        return {"error": "nested"}
    except Exception:  # noqa: BLE001 whatever a library says of a broken file
        return {"error": "damaged"}
    text = "".join(found)
    # What PDFs hold for letters is not always some.
    text = text.encode("utf-8", "replace").decode()
    return {"text": text[:most], "more": length > most, "notes": notes}
