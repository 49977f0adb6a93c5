"""Files: what a record's are, and what one says.

Bytes never go through a model: each answer tells of a file, and the gateway hands its
link out (gateway/files.py). Here is what may be had, asked for twice:
when a link is made, and when it is followed.
"""

import base64
import binascii

from odoo.tools.mimetypes import guess_mimetype

from ..policy import closed_fields, inherited_models
from ..policy.redact_links import withhold_links
from ..policy.refusal import Refusal, _lt
from ..policy.shared import MAX_FILE
from ..policy.suggestions import near_hint
from . import file_text, row_counts
from .arguments import number, one_record, only
from .operations import TAKE, operation

MAX_FILES = 50
# What Odoo has for the index of a file that it reads nothing out of.
FAMILIES = ("image", "application", "audio", "video")


@operation(
    "get_attachment",
    tool="get_attachment",
    reads=True,
    reads_also="ir.attachment",
    file=TAKE,
    rows=row_counts.files,
)
def get_attachment(call):
    """One file of a record: an attachment, or a binary field. Without a name for it,
    the record's attachments.

    :return: ``{files, more}``; or ``{file: {name, type, size}}``, with a page of its
        text if asked for (``file_text.page``); or ``{file, url}`` for one that is a
        link only
    """
    guard, model, kwargs = call.guard, call.model, call.kwargs
    only(kwargs, "attachment", "field", "text", "offset")
    offset = number(kwargs, "offset", 0, file_text.MAX_LETTERS, minimum=0)
    record = one_record(call)
    if kwargs.get("attachment") is None and not kwargs.get("field"):
        if kwargs.get("text"):
            raise Refusal(
                "argument_missing", _lt("Which file? Specify its attachment_id.")
            )
        if not inherited_models.is_file(guard.env, model._name):
            return _list(guard, record)
    found = _found(guard, record, kwargs)
    told = {"file": {name: found[name] for name in ("name", "type", "size")}}
    if found.get("url"):
        return told | {"url": withhold_links(found["url"])}
    if kwargs.get("text"):
        told.update(_text(found, offset))
    return told


def content_of(call):
    """The bytes of the file that ``get_attachment`` told of.

    :param call: as it was then
    :return: ``{name, type, size, content}``
    """
    found = _found(call.guard, one_record(call), call.kwargs)
    if found["size"] > MAX_FILE:
        raise too_large(found["size"])
    return found | {"content": found["content"]()}


def _list(guard, record):
    # Those that its user may read: the search asks for each.
    files = guard.env["ir.attachment"].search(
        [
            ("res_model", "=", record._name),
            ("res_id", "=", record.id),
            ("res_field", "=", False),
        ],
        order="id desc",
        limit=MAX_FILES + 1,
    )
    return {
        "files": [
            {"id": f.id, "name": f.name, "type": f.mimetype, "size": f.file_size}
            for f in files[:MAX_FILES]
        ],
        "more": len(files) > MAX_FILES,
    }


def _found(guard, record, kwargs):
    """:return: ``{name, type, size, content}``, the last a function; or with ``url``"""
    wanted, field = kwargs.get("attachment"), kwargs.get("field")
    if wanted is not None and field:
        raise Refusal("two_files", _lt("Specify attachment_id or field, not both."))
    if field:
        if inherited_models.is_file(guard.env, record._name):
            # Its own bytes by another name: the rules of the file hold for them too.
            _attachment(guard, _behind(record))
        return _field(guard, record, field)
    if wanted is None:
        file = _behind(record)
    else:
        number(kwargs, "attachment", None, 2**31 - 1)
        file = guard.env["ir.attachment"].search(
            [
                ("id", "=", wanted),
                ("res_model", "=", record._name),
                ("res_id", "=", record.id),
                ("res_field", "=", False),
            ]
        )
        if not file:
            raise Refusal(
                "unknown_file",
                _lt("This record has no file with the id %(id)s.", id=wanted),
                _lt("Leave attachment_id out to see the files it has."),
            )
    return _attachment(guard, file)


def _behind(record):
    """The attachment that a record is: itself, or a product's document's."""
    while record._name != "ir.attachment":  # by delegation
        record = record[next(iter(record._inherits.values()))]
    return record


def _attachment(guard, file):
    # Followed to what it hangs on, now: it may have been pointed elsewhere.
    guard.records(guard.env["ir.attachment"], file.ids)
    file.check_access("read")
    if file.res_field and closed_fields.is_withheld(file.res_field):
        raise Refusal("file_withheld", _lt("This file is withheld from AI tools."))
    told = {"name": file.name or "file", "type": file.mimetype or ""}
    if file.type == "url":
        return told | {"size": 0, "url": file.url or ""}
    return told | {
        "size": file.file_size,
        "indexed": file.index_content or "",
        "content": lambda: file.with_context(bin_size=False).raw or b"",
    }


def _field(guard, record, name):
    field = guard.field(record, name)
    if field.type not in ("binary", "image"):
        raise Refusal(
            "not_a_file_field",
            _lt("%(model)s.%(field)s is not a file.", model=record._name, field=name),
            near_hint(
                name, [n for n, f in record._fields.items() if f.type == "binary"]
            ),
        )
    try:
        value = record.with_context(bin_size=False).read([name])[0][name]
        content = base64.b64decode(value or b"")
    except (ValueError, binascii.Error) as exc:
        raise Refusal("no_file", _lt("%(field)s holds no file.", field=name)) from exc
    if not content:
        raise Refusal(
            "unknown_file",
            _lt(
                "%(model)s %(id)s has nothing in %(field)s.",
                model=record._name,
                id=record.id,
                field=name,
            ),
        )
    kind = guess_mimetype(content)
    extension = _extension_of(kind)
    return {
        "name": f"{record._name}-{record.id}-{name}{extension}".replace("/", "_"),
        "type": kind,
        "size": len(content),
        "content": lambda: content,
    }


def _extension_of(kind):
    known = {"image/jpeg": ".jpg", "image/svg+xml": ".svg", "text/plain": ".txt"}
    family, _, name = kind.partition("/")
    if kind in known:
        return known[kind]
    return f".{name}" if family == "image" or name in ("pdf", "zip") else ""


def _text(found, offset):
    if found["size"] > MAX_FILE:
        raise too_large(found["size"])
    indexed = found.get("indexed", "")
    return file_text.page(
        found["name"],
        found["type"],
        found["content"],
        offset,
        "" if indexed in FAMILIES else indexed,
    )


def too_large(size):
    return Refusal(
        "file_too_large",
        _lt(
            "The file has %(bytes)s bytes, more than the limit of %(most)s.",
            bytes=size,
            most=MAX_FILE,
        ),
        _lt("A person has to download it in Odoo."),
    )
