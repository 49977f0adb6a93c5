"""Many records as a table: CSV or XLSX, with the columns and values that Odoo itself
exports, behind a link for one use.

domain, fields ── checked as a search, every step of every path ── Odoo's export_data,
some records at a time ── a file on disk ── kept for its link
"""

import csv
import datetime
import io
import tempfile
import time

from ..policy import guard_words, in_force, limits, looks, record_links, shared
from ..policy.plain_text import plain, plain_file_name
from ..policy.redact_links import withhold_links
from ..policy.refusal import Refusal, _lt
from ..policy.shared import MAX_EXPORT_FIELDS, MAX_EXPORT_ROWS, MAX_FILE
from . import row_counts
from .arguments import only
from .operations import TAKE, operation
from .seen_records import MOST_SEEN

# Records that are in memory at once.
BATCH = 1_000
# Seconds in all: the service waits a little longer (tools/exports.go). And of
# computing: by default, Odoo ends a process that takes 60 for one request.
PATIENCE, COMPUTING = 100, 50
# What has no form in a table that Odoo exports, or could lead to any model.
NO_COLUMN = (
    *("binary", "properties", "properties_definition", "reference"),
    "many2one_reference",
)
# A spreadsheet takes a text that begins so for a formula. Odoo knows the first three.
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
TYPES = {
    "csv": "text/csv",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


def _summary(words, call):
    form = str(call.kwargs.get("format") or "csv").upper()
    return words.env._(
        "Export records of %(model)s as %(form)s", model=words.model, form=form[:4]
    )


def _counted(call):
    """For rules by which a person decides: how many records it would give out."""
    _check(call)
    return call.model.search_count(_domain(call), MAX_EXPORT_ROWS + 1)


def _domain(call):
    domain = call.guard.domain(call.model, call.kwargs.get("domain") or [])
    return (call.guard.owner_domain(call.model) or []) + domain


def _check(call):
    """Refuse an export to who may not have it.

    :return: the paths of its columns, as Odoo takes them
    """
    model, kwargs = call.model, call.kwargs
    only(kwargs, "domain", "fields", "format")
    # Odoo's own export asks for the same, in other words.
    if not (call.env.is_admin() or call.env.user.has_group("base.group_allow_export")):
        raise Refusal(
            "export_right_missing",
            _lt(
                "Odoo does not let this user export data: it requires the right to "
                "access the export feature."
            ),
        )
    guard_words.check_has_records(model)
    model.check_access("read")
    if kwargs.get("format") not in (None, *TYPES):
        raise Refusal(
            "malformed_arguments",
            _lt("format must be one of %(choices)s.", choices=", ".join(TYPES)),
        )
    names = kwargs.get("fields")
    if not isinstance(names, list) or not 1 <= len(names) <= MAX_EXPORT_FIELDS:
        raise Refusal(
            "malformed_arguments",
            _lt("Specify 1 to %(most)s fields.", most=MAX_EXPORT_FIELDS),
        )
    return [_column(call, name) for name in names]


def _not_exported(guard, model, field):
    """:return: what to do instead, if a field cannot be exported; else None"""
    if field.type in NO_COLUMN:
        return _lt("Leave it out; use get_attachment to get files.")
    if looks.is_limited(guard) and record_links.made_of_html(model, field.name):
        # Of the links in it nobody could tell what they lead to.
        return _lt(shared.SAY_LEAVE_OUT)
    return None


def _column(call, name):
    """One column.

    :param name: a field, or a path through relations: ``partner_id.country_id.code``,
        or as Odoo writes them, ``partner_id/country_id/code``
    :return: ``(path, label, field)``, the path as Odoo's export takes it
    """
    if not isinstance(name, str) or len(name) > 200:
        raise Refusal("malformed_arguments", _lt("Each field name must be text."))
    guard, steps = call.guard, name.replace("/", ".").split(".")
    if len(steps) > limits.MAX_STEPS or not all(steps):
        raise Refusal(
            "malformed_path", _lt("%(path)r is not a valid field path.", path=name[:80])
        )
    model, labels = call.model, []
    for number, step in enumerate(steps):
        last = number == len(steps) - 1
        field = guard.field(model, step, masked=last)
        if hint := _not_exported(guard, model, field):
            raise Refusal(
                "field_not_exported",
                _lt(
                    "%(model)s.%(field)s cannot be exported.",
                    model=model._name,
                    field=step,
                ),
                hint,
            )
        if not last and not field.relational:
            raise Refusal(
                "malformed_path",
                _lt(
                    "%(model)s.%(field)s does not lead to another record.",
                    model=model._name,
                    field=step,
                ),
            )
        model._check_field_access(field, "read")
        labels.append(field._description_string(_told_env(call)) or step)
        if not last or field.type in ("one2many", "many2many"):
            # Names of a many2one are told by every read; those of lists are not.
            model = guard._look_through(model, field)
            model.check_access("read")
        looks.check_exported(guard, field)
    # Odoo's own id column is an XML id, and would be made for records without.
    path = [".id" if step == "id" else step for step in steps]
    return "/".join(path), plain("/".join(labels), 200), field


def _told_env(call):
    """In the language of who asks, as Odoo's own export is, unless another was asked
    for."""
    env = call.env
    if env.context.get("lang"):
        return env
    return env(context={**env.context, "lang": env.user.lang or "en_US"})


@operation(
    "export_records",
    tool="export_records",
    reads=True,
    scope="mcp:search",
    summary=_summary,
    counts=_counted,
    still=_check,
    file=TAKE,
    rows=row_counts.exported,
)
def export_records(call):
    """The records that match, as a file.

    :return: ``{file: {name, type, size, rows}, content}``, the content as bytes
    """
    columns, kwargs = _check(call), call.kwargs
    model = call.model.with_env(_told_env(call))
    most = call.at_most(MAX_EXPORT_ROWS)
    ids = model.search(_domain(call), limit=most + 1).ids
    if len(ids) > most:
        raise _too_many(_lt("More than %(most)s records match.", most=most))
    form = kwargs.get("format") or "csv"
    label = model.env["ir.model"]._get(model._name).name or model._name
    with tempfile.TemporaryFile() as file:
        table = _Csv(file) if form == "csv" else _Xlsx(file)
        count = _write(call.guard, model, ids, columns, table, most)
        file.seek(0)
        content = file.read()
    if len(content) > MAX_FILE:
        raise _too_large()
    name = plain_file_name(f"{label} ({model._name})")[:120]
    told = {"name": f"{name}.{form}", "type": TYPES[form], "size": len(content)}
    told["rows"] = count
    return {"file": told, "content": content, "file_of": ids[: MOST_SEEN + 1]}


def _write(guard, model, ids, columns, table, most):
    """:return: how many rows there are, below the one with the labels"""
    until, count = time.monotonic() + PATIENCE, 0
    computing = time.thread_time() + COMPUTING
    paths = [path for path, _label, _field in columns]
    table.add([label for _path, label, _field in columns])
    records = model.with_context(import_compat=False, bin_size=True)
    for start in range(0, len(ids), BATCH):
        batch = records.browse(ids[start : start + BATCH])
        for row in batch.export_data(paths)["datas"]:
            count += 1
            if count > most:
                raise _too_many(_lt("This is more than %(most)s rows.", most=most))
            table.add(
                [
                    _cell(guard, in_force.cell(model.env, path, field, value))
                    for (path, _label, field), value in zip(columns, row, strict=True)
                ]
            )
        if table.size() > MAX_FILE:
            raise _too_large()
        if time.monotonic() > until or time.thread_time() > computing:
            raise Refusal(
                "export_too_large",
                _lt("This export takes too long."),
                _lt("Ask for fewer at a time."),
            )
        # Else the whole table would be in memory by the end.
        model.env.invalidate_all()
    table.close()
    return count


def _cell(guard, value):
    if isinstance(value, bytes):
        value = value.decode(errors="replace")
    if isinstance(value, str):
        return withhold_links(record_links.told_in(guard, value))
    return value


def _too_many(what):
    return Refusal(
        "export_too_large", what, _lt("Narrow the domain, and export in parts.")
    )


def _too_large():
    return Refusal(
        "export_too_large",
        _lt("The file would have more than %(most)s bytes.", most=MAX_FILE),
        _lt("Ask for fewer fields, or narrow the domain."),
    )


class _Csv:
    """A table in Odoo's own form of CSV: each cell in quotes, formulas taken for the
    text that they are."""

    def __init__(self, file):
        self.file = file
        self.text = io.TextIOWrapper(file, "utf-8", newline="", write_through=True)
        self.writer = csv.writer(self.text, quoting=csv.QUOTE_ALL)

    def add(self, row):
        self.writer.writerow([self._cell(value) for value in row])

    @staticmethod
    def _cell(value):
        if value is None or value is False:
            return ""
        if isinstance(value, str) and value.startswith(FORMULA):
            return "'" + value
        return value

    def size(self):
        return self.file.tell()

    def close(self):
        self.text.detach()


class _Xlsx:
    """A workbook that is written row by row. Texts are texts: none is a formula, or a
    link."""

    def __init__(self, file):
        import xlsxwriter

        self.file, self.rows = file, 0
        self.book = xlsxwriter.Workbook(
            file,
            {
                "constant_memory": True,
                "strings_to_formulas": False,
                "strings_to_urls": False,
                "strings_to_numbers": False,
                "nan_inf_to_errors": True,
            },
        )
        self.sheet, self.written = self.book.add_worksheet(), 0
        self.bold = self.book.add_format({"bold": True})
        day, moment = "yyyy-mm-dd", "yyyy-mm-dd hh:mm:ss"
        self.day = self.book.add_format({"num_format": day})
        self.moment = self.book.add_format({"num_format": moment})

    def add(self, row):
        for number, value in enumerate(row):
            self._cell(number, value)
        self.rows += 1

    def _cell(self, number, value):
        place = (self.rows, number)
        if value is None or value == "":
            return
        self.written += 10
        if isinstance(value, bool):
            self.sheet.write_boolean(*place, value)
        elif isinstance(value, datetime.datetime):
            self.sheet.write_datetime(*place, value, self.moment)
        elif isinstance(value, datetime.date):
            self.sheet.write_datetime(*place, value, self.day)
        elif isinstance(value, int | float):
            self.sheet.write_number(*place, value)
        else:
            text = str(value).replace("\r", " ")
            self.written += len(text)
            if len(text) > self.sheet.xls_strmax:
                raise Refusal(
                    "text_too_long",
                    _lt(
                        "A text has more than %(most)s characters, which XLSX does "
                        "not support.",
                        most=self.sheet.xls_strmax,
                    ),
                    _lt("Export as csv."),
                )
            style = () if self.rows else (self.bold,)
            self.sheet.write_string(*place, text, *style)

    def size(self):
        """What it will have is known at its end: a tenth of its letters, or more."""
        return self.written // 10

    def close(self):
        self.book.close()
