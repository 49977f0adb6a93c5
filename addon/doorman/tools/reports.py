"""Records as Odoo prints them."""

import base64

from ..policy import guard_words
from ..policy.plain_text import plain_file_name
from ..policy.refusal import Refusal, _lt
from ..policy.shared import MAX_FILE, MAX_PRINTED
from ..policy.suggestions import near_hint
from . import row_counts
from .arguments import no_record, only, text
from .files import too_large
from .operations import ANY_MODEL, TAKE, operation


def _still_printed(call):
    """Refuse what was printed for a user who may no longer print it."""
    _to_print(call)
    _report(call)


# A printed report can contain any field of any model, and runs its template's code.
@operation(
    "get_report",
    tool="get_report",
    reads=True,
    reads_also=ANY_MODEL,
    runs_code=True,
    beyond_rules=True,
    file=TAKE,
    still=_still_printed,
    rows=row_counts.named,
)
def get_report(call):
    """Print records with one of their reports.

    :return: ``{file: {name, type, size}, content}``, the content in base64
    """
    only(call.kwargs, "report")
    records, report = _to_print(call), _report(call)
    if report.report_type == "qweb-pdf" and _cannot_print(report):
        raise Refusal(
            "pdf_not_possible",
            _lt("This Odoo cannot make PDF files."),
            _lt("An administrator has to install wkhtmltopdf on its server."),
        )
    content, kind = call.env["ir.actions.report"]._render(report, records.ids)
    if isinstance(content, str):
        content = content.encode()
    if len(content) > MAX_FILE:
        raise too_large(len(content))
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


def _to_print(call):
    guard, model, ids = call.guard, call.model, call.ids
    guard_words.check_has_records(model)
    if guard.allowed is not None and "ir.actions.report" not in guard.allowed:
        # A printed report can contain any field of other models.
        raise Refusal(
            "reports_not_allowed",
            _lt(
                "This connection is limited to some models, and can print only if "
                "ir.actions.report is among them."
            ),
        )
    records = guard.records(model, ids)
    if len(records) > MAX_PRINTED or len(set(ids)) != len(ids):
        raise Refusal(
            "too_many_records",
            _lt("List each record only once, and at most %(most)s.", most=MAX_PRINTED),
        )
    gone = records - records.exists()
    if gone:
        raise no_record(gone)
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
        if not reports:
            raise Refusal(
                "no_report",
                _lt("%(model)s has no report to print.", model=model._name),
            )
        raise Refusal(
            "report_missing",
            _lt("Specify the report."),
            _lt("Available: %(choices)s.", choices="; ".join(shown[:20])),
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
            "unknown_report",
            _lt(
                "%(model)s has no report %(report)r that you can print.",
                model=model._name,
                report=str(wanted)[:60],
            ),
            near_hint(str(wanted), shown, every=True),
        )
    return found[0]


def _cannot_print(report):
    return report.get_wkhtmltopdf_state() not in ("ok", "workers")


def _title(report, records):
    if len(records) == 1:
        return f"{report.name} {records.display_name or records.id}"
    return f"{report.name} ({len(records)})"
