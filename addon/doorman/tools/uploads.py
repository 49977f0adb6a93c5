"""A file for a record: sent along with the call if it is small, else by a link of its
own. It becomes an attachment of the record, or the value of one of its binary fields.
"""

import base64
import binascii
import hashlib
import re

from odoo.fields import Image
from odoo.tools.mimetypes import guess_mimetype

from ..policy import inherited_models, ledger, shared, writable_fields
from ..policy.plain_text import plain, plain_file_name
from ..policy.refusal import Refusal, _lt
from ..policy.shared import MAX_FILE, MAX_INLINE
from .arguments import number, only, text
from .changed_records import announce, records_to_change, settle
from .operations import PUT, operation
from .preview import named

SHA256 = re.compile(r"[0-9a-f]{64}")
# What Odoo and browsers show as a picture and do not run: no SVG.
PICTURES = ("png", "jpeg", "gif", "webp", "bmp", "tiff")


def _summary(words, call):
    name, field = plain(file_name(call), 60), call.kwargs.get("field")
    if field:
        return words.env._(
            "Put the file “%(name)s” into %(field)s of %(what)s",
            name=name,
            field=call.describer.label(call.model, field),
            what=words.what,
        )
    return words.env._(
        "Attach the file “%(name)s” to %(what)s", name=name, what=words.what
    )


def _arguments(call):
    """What was requested, without the bytes."""
    told = _told(call, file_name(call), _inline(call.kwargs))
    return call.describer.tree(told)


@operation(
    "request_upload",
    tool="request_upload",
    reads=False,
    dry_run=True,
    summary=_summary,
    arguments=_arguments,
    file=PUT,
    holds_file="raw",
)
def request_upload(call):
    """One file for one record: ``raw``, in base64; without it, room for one that comes
    by a link.

    :return: ``{upload: {name, size, sha256}}``, or the answer of ``attach``
    """
    kwargs = call.kwargs
    only(kwargs, "name", "size", "sha256", "field", "raw")
    record = _target(call)
    name = file_name(call)
    size = number(kwargs, "size", None, MAX_FILE)
    digest = text(kwargs, "sha256", 64).lower()
    if digest and not SHA256.fullmatch(digest):
        raise Refusal(
            "malformed_arguments", _lt("sha256 must be 64 hexadecimal digits.")
        )
    content = _inline(kwargs)
    upload = {"name": name, "size": size or 0, "sha256": digest}
    if content is not None:
        check_came(upload, content)
        _check_content(call, content)
    if call.describer:
        return named(record)
    if call.dry_run:
        [change] = named(record)["changes"]
        return {"changes": [change | {"after": _told(call, name, content)}]}
    announce(record)
    if content is not None:
        return attach(call, content)
    if not kwargs.get("field"):
        announce(call.env["ir.attachment"])
    elif noted := ledger.of(call.env.cr):
        # What it takes to write the field is needed now, not only once the file comes.
        noted.asked_to_write(record, {kwargs["field"]})
    return {"upload": upload}


def _told(call, name, content):
    """A file in a few words: never what is in it."""
    kwargs = call.kwargs
    told = {"new_file": name}
    if kwargs.get("field"):
        told["field"] = kwargs["field"]
    if content is not None:
        told |= {"type": _type_of(call, name, content), "size": len(content)}
    elif kwargs.get("size"):
        told["size"] = kwargs["size"]
    return told


def _type_of(call, name, content):
    """As Odoo will say once it has the file."""
    if call.kwargs.get("field"):
        return guess_mimetype(content)
    files = call.env["ir.attachment"]
    kind = files._compute_mimetype({"name": name, "raw": content})
    return "text/plain" if _runs(kind) else kind


def _inline(kwargs):
    """:return: the bytes that came along, or None"""
    if kwargs.get("raw") is None:
        return None
    content = decoded(kwargs["raw"])
    if len(content) > MAX_INLINE:
        raise Refusal(
            "file_too_large",
            _lt(shared.SAY_LARGE_INLINE, size=len(content), most=MAX_INLINE),
            _lt(shared.SAY_INLINE_HINT),
        )
    return content


def decoded(content):
    """:param str content: in base64
    :return: the bytes
    """
    try:
        return base64.b64decode(content, validate=True)
    except (binascii.Error, TypeError, ValueError) as exc:
        raise Refusal("malformed_arguments", _lt("The content is not base64.")) from exc


def check_came(upload, content):
    """Refuse a file that is not the one that was announced.

    :param dict upload: as ``request_upload`` told of it
    :param bytes content: what came
    """
    if not content:
        raise Refusal("file_empty", _lt("The file is empty."), _lt("Send its bytes."))
    if len(content) > MAX_FILE:
        raise Refusal("file_too_large", _lt(shared.SAY_LARGE_FILE, MAX_FILE))
    if upload["size"] and upload["size"] != len(content):
        raise Refusal(
            "file_differs",
            _lt(
                "Size announced, in bytes: %(announced)s; size that arrived: "
                "%(bytes)s.",
                bytes=len(content),
                announced=upload["size"],
            ),
            _lt("Send the whole file; a link still works."),
        )
    digest = hashlib.sha256(content).hexdigest()
    if upload["sha256"] and upload["sha256"] != digest:
        raise Refusal(
            "file_differs",
            _lt("The file is not the one whose sha256 was announced."),
            _lt("Send the announced file; a link still works."),
        )


def attach(call, content):
    """Give the file to its record that ``request_upload`` was asked for.

    :param call: as it was then
    :param bytes content: what came
    :return: ``{attachment_id, name, type, size}``, or ``{field, name, type, size}``
    """
    record, name = _target(call), file_name(call)
    _check_content(call, content)
    # Its type is Odoo's to find out. What a browser would run, it keeps as plain text
    # only for who may not write views: here, for everybody.
    record = record.with_context(attachments_mime_plainxml=True)
    field = call.kwargs.get("field")
    if field:
        values = {field: base64.b64encode(content)}
        with ledger.asked(record.env, values):
            record.write(values)
        settle(call.guard, record)
        told = {"field": field, "name": name, "type": guess_mimetype(content)}
        return told | {"size": len(content)}
    file = record.env["ir.attachment"].create(
        {
            "name": name,
            "res_model": record._name,
            "res_id": record.id,
            "raw": content,
        }
    )
    call.env.cr.flush()
    return {
        "attachment_id": file.id,
        "name": file.name,
        "type": file.mimetype,
        "size": file.file_size,
    }


def _target(call):
    """:return: the record that the file is for, which its user may change so"""
    if inherited_models.is_file(call.env, call.model._name):
        raise Refusal(
            "wrong_record",
            _lt("Specify the record that the file is for, not another file."),
        )
    record = records_to_change(call)
    if len(record) != 1 or call.model._transient:
        raise Refusal("one_record_only", _lt("A file belongs to one record."))
    record.check_access("read")
    record.check_access("write")
    field = call.kwargs.get("field")
    if not field:
        call.env["ir.attachment"].check_access("create")
        return record
    writable_fields.check_file(call.guard, record, field)
    record._check_field_access(record._fields[field], "write")
    return record


def _check_content(call, content):
    """Refuse what a field is not for, whatever the file is called."""
    name = call.kwargs.get("field")
    if not name:
        return
    field, kind = call.model._fields[name], guess_mimetype(content)
    if _is_picture(field):
        family, _, form = kind.partition("/")
        if family != "image" or form not in PICTURES:
            raise Refusal(
                "wrong_file_type",
                _lt(
                    "%(model)s.%(field)s requires an image, and this is %(kind)s.",
                    model=call.model._name,
                    field=name,
                    kind=kind,
                ),
                _lt("Send one of these: %(choices)s.", choices=", ".join(PICTURES)),
            )
    elif _runs(kind) and not field.attachment:
        raise Refusal(
            "wrong_file_type",
            _lt(
                "This is %(kind)s, which a browser would run; "
                "%(model)s.%(field)s keeps files as they are.",
                kind=kind,
                model=call.model._name,
                field=name,
            ),
            _lt("Attach it to the record instead: leave field out."),
        )


def _is_picture(field):
    """Whether a field, or the one that it stands for, holds pictures."""
    while field is not None:
        if isinstance(field, Image):
            return True
        field = field.related_field if field.related else None
    return False


def _runs(kind):
    """Whether a browser runs files of a type, as Odoo judges it."""
    return "ht" in kind or ("xml" in kind and "openxmlformats" not in kind)


def file_name(call):
    """:return: a file's name as it may stand in a list and on a disk; for a field that
    names none, the field's"""
    kwargs = call.kwargs
    needed = not kwargs.get("field")
    name = plain_file_name(text(kwargs, "name", 200, needed=needed)).strip(". ")
    if not name and needed:
        raise Refusal("argument_missing", _lt(shared.SAY_MISSING_PARAMETER, "name"))
    return name or text(kwargs, "field", 200)
