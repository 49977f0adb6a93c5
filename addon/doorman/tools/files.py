"""Files: what a record's are, what one says, and room for a new one.

Bytes never go through a model: each answer tells of a file, and the gateway hands its
link out (gateway/files.py). Here is what may be had, asked for twice:
when a link is made, and when it is followed.
"""

import base64
import binascii
import re

from odoo.exceptions import MissingError
from odoo.tools.mimetypes import guess_mimetype

from ..policy import closed_fields, inherited_models
from ..policy.plain_text import plain, plain_file_name
from ..policy.redact_links import withhold_links
from ..policy.refusal import Refusal
from ..policy.shared import MAX_FILE, MAX_PRINTED
from ..policy.suggestions import near_hint
from .arguments import number, one_record, only, text
from .changed_records import announce, records_to_change
from .operations import ANY_MODEL, PUT, TAKE, operation
from .preview import named

MAX_FILES = 50
MAX_TEXT = 50_000
TEXT_TYPES = re.compile(
    r"text/.*|application/(json|xml|csv|x-ndjson|yaml|x-yaml|sql|javascript)|.*\+(xml|json)"
)
SHA256 = re.compile(r"[0-9a-f]{64}")


@operation(
    "get_attachment",
    tool="get_attachment",
    reads=True,
    reads_also="ir.attachment",
    file=TAKE,
)
def get_attachment(call):
    """One file of a record: an attachment, or a binary field. Without a name for it,
    the record's attachments.

    :return: ``{files, more}``; or ``{file: {name, type, size}}``, with ``text`` and
        ``text_cut`` if asked for; or ``{file, url}`` for one that is a link only
    """
    guard, model, kwargs = call.guard, call.model, call.kwargs
    only(kwargs, "attachment", "field", "text")
    record = one_record(call)
    if kwargs.get("attachment") is None and not kwargs.get("field"):
        if kwargs.get("text"):
            raise Refusal("invalid_input", "Of which file? Name its attachment_id.")
        if not inherited_models.is_file(guard.env, model._name):
            return _list(guard, record)
    found = _found(guard, record, kwargs)
    told = {"file": {name: found[name] for name in ("name", "type", "size")}}
    if found.get("url"):
        return told | {"url": withhold_links(found["url"])}
    if kwargs.get("text"):
        told.update(_text(found))
    return told


def content_of(call):
    """The bytes of the file that ``get_attachment`` told of.

    :param call: as it was then
    :return: ``{name, type, size, content}``
    """
    found = _found(call.guard, one_record(call), call.kwargs)
    if found["size"] > MAX_FILE:
        raise _too_large(found["size"])
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
        raise Refusal("invalid_input", "Name attachment_id or field, not both.")
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
            raise MissingError(
                guard.env._(
                    "This record has no file with the id %s. Leave attachment_id out "
                    "for those that it has.",
                    wanted,
                )
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
        raise Refusal("not_allowed", "This file is withheld from AI tools.")
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
            "invalid_input",
            f"{record._name}.{name} is not a file.",
            near_hint(
                name, [n for n, f in record._fields.items() if f.type == "binary"]
            ),
        )
    try:
        value = record.with_context(bin_size=False).read([name])[0][name]
        content = base64.b64decode(value or b"")
    except (ValueError, binascii.Error) as exc:
        raise Refusal("invalid_input", f"{name} holds no file.") from exc
    if not content:
        raise MissingError(
            guard.env._(
                "%(model)s %(id)s has nothing in %(field)s.",
                model=record._name,
                id=record.id,
                field=name,
            )
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


def _text(found):
    if TEXT_TYPES.fullmatch(found["type"]):
        if found["size"] > MAX_FILE:
            raise _too_large(found["size"])
        said = found["content"]().decode("utf-8-sig", errors="replace")
    else:
        # What Odoo has read out of it for its own search, such as of a PDF.
        said = found.get("indexed") or ""
        if said in ("image", "application", "audio", "video"):
            said = ""
        if not said:
            raise Refusal(
                "invalid_input",
                f"{found['type'] or 'This file'} has no text that Odoo knows of.",
                "Leave text out, and give your user the link.",
            )
    said = withhold_links(said.replace("\0", ""))
    return {"text": said[:MAX_TEXT], "text_cut": len(said) > MAX_TEXT}


def _too_large(size):
    return Refusal(
        "too_large",
        f"The file has {size} bytes, more than the {MAX_FILE} that go through here.",
        "A person has to fetch it in Odoo.",
    )


# ---- print ----


# A printed report can contain any field of any model, and runs its template's code.
@operation(
    "get_report",
    tool="get_report",
    reads=True,
    reads_also=ANY_MODEL,
    runs_code=True,
    file=TAKE,
)
def get_report(call):
    """Print records with one of their reports.

    :return: ``{file: {name, type, size}, content}``, the content in base64
    """
    only(call.kwargs, "report")
    records, report = _to_print(call), _report(call)
    if report.report_type == "qweb-pdf" and _cannot_print(report):
        raise Refusal(
            "needs_module",
            "This Odoo cannot make PDF files.",
            "An administrator installs wkhtmltopdf on its server.",
        )
    content, kind = call.env["ir.actions.report"]._render(report, records.ids)
    if isinstance(content, str):
        content = content.encode()
    if len(content) > MAX_FILE:
        raise _too_large(len(content))
    types = {"pdf": "application/pdf", "html": "text/html", "text": "text/plain"}
    name = plain_file_name(_title(report, records))[:120]
    extension = {"pdf": ".pdf", "html": ".html"}.get(kind, ".txt")
    return {
        "file": {
            "name": name.removesuffix(extension) + extension,
            "type": types.get(kind, "application/octet-stream"),
            "size": len(content),
        },
        "content": base64.b64encode(content).decode(),
    }


def still_printed(call):
    """Refuse what was printed for who may no longer print it.

    :param call: as it was then
    """
    _to_print(call)
    _report(call)


def _to_print(call):
    guard, model, ids = call.guard, call.model, call.ids
    if model._abstract:
        raise Refusal("unknown_model", f"There are no records of {model._name}.")
    if guard.allowed is not None and "ir.actions.report" not in guard.allowed:
        # A printed report can contain any field of other models.
        raise Refusal(
            "not_allowed",
            "This connection is limited to some models, and may print only if "
            "ir.actions.report is among them.",
        )
    records = guard.records(model, ids)
    if len(records) > MAX_PRINTED or len(set(ids)) != len(ids):
        raise Refusal(
            "invalid_input", f"Name each record once, and at most {MAX_PRINTED}."
        )
    gone = records - records.exists()
    if gone:
        raise MissingError(
            guard.env._(
                "There is no %(model)s with the id %(ids)s.",
                model=model._name,
                ids=", ".join(map(str, gone.ids)),
            )
        )
    records.check_access("read")
    return records


def _report(call):
    """One of the reports of a model that the user may print: by name, technical name
    or id; the only one if none is named."""
    model, wanted = call.model, call.kwargs.get("report")
    # sudo: who may print something may mostly not read the list of reports. Its groups
    # say who may.
    reports = call.env["ir.actions.report"].sudo()
    reports = reports.search(
        [("model", "=", model._name), ("report_type", "in", ("qweb-pdf", "qweb-text"))]
    )
    mine = call.env.user.all_group_ids
    reports = reports.filtered(lambda r: not r.group_ids or r.group_ids & mine)
    shown = [f"{r.name} ({r.report_name})" for r in reports]
    if wanted is None or wanted == "":
        bound = reports.filtered("binding_model_id")
        found = bound if len(bound) == 1 else reports
        if len(found) == 1:
            return found
        what = "is" if len(reports) == 1 else "are"
        if not reports:
            raise Refusal(
                "invalid_input", f"There is nothing to print {model._name} with."
            )
        raise Refusal(
            "invalid_input",
            "Name the report.",
            f"There {what}: {'; '.join(shown[:20])}.",
        )
    if type(wanted) is int or (isinstance(wanted, str) and wanted.isdecimal()):
        found = reports.filtered(lambda r: r.id == int(wanted))
    else:
        wanted = text({"report": wanted}, "report", 200).casefold()
        found = reports.filtered(
            lambda r: wanted in ((r.name or "").casefold(), r.report_name.casefold())
        )
    if not found:
        raise Refusal(
            "invalid_input",
            f"{model._name} has no report {str(wanted)[:60]!r} that you may print.",
            near_hint(str(wanted), shown, every=True),
        )
    return found[0]


def _cannot_print(report):
    return report.get_wkhtmltopdf_state() not in ("ok", "workers")


def _title(report, records):
    if len(records) == 1:
        return f"{report.name} {records.display_name or records.id}"
    return f"{report.name} ({len(records)})"


# ---- send ----


def _upload_summary(words, call):
    name = plain(call.kwargs["name"], 60)
    return words.env._(
        "Attach the file “%(name)s” to %(what)s", name=name, what=words.what
    )


@operation(
    "request_upload",
    tool="request_upload",
    reads=False,
    dry_run=True,
    summary=_upload_summary,
    file=PUT,
)
def request_upload(call):
    """Room for one file on one record. The file comes by a link of its own.

    :return: ``{upload: {name, size, sha256}}``
    """
    kwargs = call.kwargs
    only(kwargs, "name", "size", "sha256")
    record = _to_attach_to(call)
    name = file_name(kwargs)
    size = number(kwargs, "size", None, MAX_FILE)
    digest = text(kwargs, "sha256", 64).lower()
    if digest and not SHA256.fullmatch(digest):
        raise Refusal("invalid_input", "sha256 is 64 hexadecimal digits.")
    if call.describer:
        return named(record)
    if call.dry_run:
        [change] = named(record)["changes"]
        after = {"new_file": name} | ({"size": size} if size else {})
        return {"changes": [change | {"after": after}]}
    announce(record)
    announce(call.env["ir.attachment"])
    return {"upload": {"name": name, "size": size or 0, "sha256": digest}}


def attach(call, content):
    """Hang the file on its record that ``request_upload`` made room for.

    :param call: as it was then
    :param bytes content: what came
    :return: ``{attachment_id, name, type, size}``
    """
    record = _to_attach_to(call)
    # Its type is Odoo's to find out. What a browser would run, it keeps as plain text
    # only for who may not write views: here, for everybody.
    files = call.env["ir.attachment"].with_context(attachments_mime_plainxml=True)
    file = files.create(
        {
            "name": file_name(call.kwargs),
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


def _to_attach_to(call):
    if inherited_models.is_file(call.env, call.model._name):
        raise Refusal(
            "invalid_input", "Name the record that the file is for, not another file."
        )
    record = records_to_change(call)
    if len(record) != 1 or call.model._transient:
        raise Refusal("invalid_input", "A file is for one record.")
    record.check_access("read")
    record.check_access("write")
    call.env["ir.attachment"].check_access("create")
    return record


def file_name(kwargs):
    """:return: a file's name as it may stand in a list and on a disk"""
    name = plain_file_name(text(kwargs, "name", 200, needed=True)).strip(". ")
    if not name:
        raise Refusal("invalid_input", "name is missing.")
    return name
