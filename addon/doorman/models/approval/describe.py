import json
from contextlib import suppress
from datetime import timedelta
from functools import partial

from lxml import etree

from odoo import fields, models
from odoo.exceptions import AccessError, MissingError
from odoo.tools import format_duration

from ...policy import gate
from ...tools import custom_tool_text, registry
from ...tools.describe import Describer, plain, visible
from ...tools.records import url_of

NAMES = 3
MANY = 10
# What describing arguments that nobody has checked yet may end in.
MALFORMED = (
    *(AttributeError, IndexError, KeyError, TypeError, ValueError),
    *(AccessError, MissingError),
)
# Whose work is told in words, not as before and after.
TOLD = ("call_method", "message_post", "activity_schedule")
# Methods that run what they are told, and the argument that tells it.
CODES = {"run_sql": "query", "run_python": "code"}
# What they do in detail is only known once it is done.
DARK = ("call_method", custom_tool_text.RUN, "run_python")
# States of documents that are not drafts any more, by the usual words of Odoo.
SETTLED = ("posted", "done", "paid", "sale", "purchase", "cancel", "locked")


def people_of(model, ids):
    """Whom a message would reach, by name and address."""
    partners = model.env["res.partner"].browse(ids)
    return [f"{p.display_name} <{p.email or '-'}>" for p in partners]


class DoormanApproval(models.Model):
    """What a person reads of a request: what it would do, in their words, and what
    they should know before they decide."""

    _inherit = "doorman.approval"

    changes_html = fields.Html(
        "What would change", compute="_compute_html", sanitize=False
    )
    arguments_html = fields.Html(
        "What was asked for", compute="_compute_html", sanitize=False
    )
    warnings_html = fields.Html("Warnings", compute="_compute_html", sanitize=False)
    payload_text = fields.Text("Exact request", compute="_compute_html")
    result_text = fields.Text("Answer", compute="_compute_html")
    time_left = fields.Char(compute="_compute_time_left")

    # ---- made when it is asked for ----

    def _preview(self, guard, call):
        """Try a call out and tell what it would do. The caller undoes it.

        :param guard: the rules of the connection, for a dry run
        :param dict call: model, method, ids, kwargs, context
        :return: values of this model
        """
        describer = guard.describer = Describer(self.env)
        model = guard.env[call["model"]] if call["model"] else guard.env["base"]
        # Before the trial: afterwards, what it deletes has no name any more. What
        # cannot be described is what the trial refuses, in better words.
        arguments = None
        with suppress(*MALFORMED):
            arguments = self._arguments(describer, model, call)
        found = registry.run(guard, call)
        if arguments is None:
            arguments = self._arguments(describer, model, call)
        arguments += self._where(guard, call)
        changes = found.get("changes", []) if isinstance(found, dict) else []
        changes = [describer.change(model, change) for change in changes]
        label = self.env["ir.model"]._get(model._name).name or model._name
        ids = call["ids"] or []
        count = max(len(changes), len(ids))
        total = max(count, min(gate.records_of(model, call), gate.UNKNOWN))
        tools = {tool for tool, _model in gate.parts_of(model, call)}
        return {
            "summary": self._summary(guard, call, label, changes, count),
            "model": call["model"] or False,
            "model_label": label if call["model"] else False,
            "orm_method": call["kwargs"].get("method")
            if call["method"] == "call_method"
            else call["method"],
            "record_count": total,
            "preview": {
                "changes": changes,
                "arguments": arguments,
                "settled": self._settled(model, ids),
                "reads": registry.only_reads(call),
                "text": call["method"] in (*TOLD, *CODES)
                or (
                    custom_tool_text.name_of(call)
                    and not any(c["rows"] for c in changes)
                ),
                "lines": bool(tools),
                "deletes_lines": gate.REMOVE in tools,
            },
        }

    def _summary(self, guard, call, label, changes, count):
        """What it would do, in one sentence."""
        label = plain(label, 60)
        names = [change["name"] for change in changes]
        named = ", ".join(plain(name, 60) for name in names[:NAMES])
        if len(names) > NAMES:
            named += self.env._(" and %s more", len(names) - NAMES)
        what = self.env._("%(count)s records of %(model)s", count=count, model=label)
        what = f"{label}: {named}" if count == 1 else f"{what}: {named}"
        method = call["method"]
        if method == "create":
            return self.env._("Create %s", what)
        if method == "unlink":
            return self.env._("Permanently delete %s", what)
        if method == "write":
            model = guard.env[call["model"]]
            rows = call["kwargs"].get("vals_each") or [call["kwargs"]["vals"]]
            named_fields = dict.fromkeys(n for row in rows for n in row)
            labels = [guard.describer.label(model, n) for n in named_fields]
            return self.env._(
                "Change %(fields)s of %(what)s",
                fields=plain(", ".join(labels), 100),
                what=what,
            )
        if method == "message_post":
            body = plain(call["kwargs"]["body"], 80)
            if call["kwargs"].get("kind") == "comment":
                return self.env._(
                    "Post and e-mail to the followers of %(what)s: “%(body)s”",
                    what=what,
                    body=body,
                )
            return self.env._("Note on %(what)s: “%(body)s”", what=what, body=body)
        if method == "activity_schedule":
            kwargs = call["kwargs"]
            words = kwargs.get("summary") or kwargs.get("activity_type") or ""
            return self.env._(
                "Schedule an activity on %(what)s: “%(words)s”",
                what=what,
                words=plain(words, 80),
            )
        if custom_tool_text.name_of(call):
            title = custom_tool_text.title_of(guard.env, call)
            if not names:
                return self.env._("Run the tool “%s”", title)
            return self.env._(
                "Run the tool “%(tool)s”: %(what)s", tool=title, what=what
            )
        if method in CODES:
            return self.env._(
                "Run this: “%s”", plain(call["kwargs"][CODES[method]], 80)
            )
        if method == "call_method":
            action = self._button(guard, call)
            if not names:
                return self.env._("%(do)s (%(model)s)", do=action, model=label)
            return self.env._("%(do)s: %(what)s", do=action, what=what)
        return self.env._("Read %s", label if not named else what)

    def _button(self, guard, call):
        """What a method is called on its button, if it has one."""
        name = call["kwargs"]["method"]
        model = guard.env[call["model"]].with_context(lang=self.env.lang)
        form = model.get_views([(False, "form")])["views"]["form"]["arch"]
        titles = etree.fromstring(form).xpath("//button[@name=$n]/@string", n=name)
        if titles:
            return f"“{plain(titles[0], 60)}” ({name})"
        return self.env._("Run %s", name)

    def _where(self, guard, call):
        """In which companies and in which language, where that was asked for."""
        found, context = [], call["context"]
        if context.get("allowed_company_ids"):
            names = "; ".join(guard.env.companies.sudo().mapped("name"))
            found.append({"label": self.env._("Companies"), "text": plain(names)})
        if context.get("lang"):
            text = plain(context["lang"], 20)
            found.append({"label": self.env._("Language"), "text": text})
        return found

    def _arguments(self, describer, model, call):
        kwargs = call["kwargs"]
        if custom_tool_text.name_of(call):
            return custom_tool_text.in_words(describer, model.env, call)
        if call["method"] == "create":
            return [
                {"label": f"{number}.", "rows": describer.values(model, row)}
                for number, row in enumerate(kwargs["vals_list"], 1)
            ]
        if call["method"] == "write" and kwargs.get("vals_each"):
            return [
                {"label": f"#{ident}", "rows": describer.values(model, row)}
                for ident, row in zip(call["ids"], kwargs["vals_each"], strict=True)
            ]
        if call["method"] == "write":
            return describer.values(model, kwargs["vals"])
        if call["method"] == "call_method":
            return describer.tree(kwargs.get("kwargs") or {})
        if call["method"] == "message_post" and kwargs.get("partner_ids"):
            people = people_of(model, kwargs["partner_ids"])
            kwargs = kwargs | {"partner_ids": people}
        return describer.tree(kwargs)

    @staticmethod
    def _settled(model, ids):
        """How many of the records are no drafts any more."""
        field = model._fields.get("state")
        if not ids or field is None or field.type != "selection":
            return 0
        records = model.browse(ids).sudo().exists()
        return len(records.filtered(lambda r: r.state in SETTLED))

    # ---- read ----

    def _compute_html(self):
        render = partial(self.env["ir.qweb"]._render, minimal_qcontext=True)
        for request in self:
            preview = request.preview or {}
            values = {
                "changes": preview.get("changes") or [],
                "arguments": preview.get("arguments") or [],
                "warnings": request._warnings(preview),
                "text": preview.get("text"),
                "reads": preview.get("reads"),
                "lines": preview.get("lines"),
                "body": request._body(),
                "link": lambda ident, r=request: url_of(r.env, r.model or "", ident),
            }
            request.changes_html = render("doorman.approval_changes", values)
            request.arguments_html = render("doorman.approval_arguments", values)
            request.warnings_html = (
                render("doorman.approval_warnings", values)
                if values["warnings"]
                else False
            )
            request.payload_text = request._pretty(request.payload)
            request.result_text = request._pretty(request.result)

    def _body(self):
        """The whole text of a message that would be posted, or nothing."""
        call = json.loads(self.payload)
        if call["method"] in CODES:
            return visible(call["kwargs"][CODES[call["method"]]])
        if call["method"] != "message_post":
            return ""
        lines = call["kwargs"]["body"].splitlines()
        return "\n".join(plain(line, len(line)) for line in lines)

    @staticmethod
    def _pretty(text):
        if not text:
            return False
        return visible(json.dumps(json.loads(text), indent=2, ensure_ascii=False))

    def _warnings(self, preview):
        """What a person should know before they decide."""
        self.ensure_one()
        request = self.sudo()
        method, found = json.loads(request.payload)["method"], []
        if method == "unlink":
            found.append(self.env._("What is deleted cannot be brought back."))
        if preview.get("deletes_lines"):
            found.append(
                self.env._(
                    "It also deletes records that hang on these: see what was asked "
                    "for. They cannot be brought back."
                )
            )
        if request.record_count >= gate.UNKNOWN:
            found.append(
                self.env._("It empties or replaces a list, however long that is.")
            )
        elif request.record_count >= MANY:
            found.append(self.env._("These are %s records.", request.record_count))
        if preview.get("settled"):
            found.append(
                self.env._(
                    "%s of these are no drafts any more: confirmed, posted, done or "
                    "cancelled.",
                    preview["settled"],
                )
            )
        if method in DARK and preview.get("text"):
            found.append(
                self.env._(
                    "What this method does in detail is only known once it is done: "
                    "it may change other records, or reach people outside."
                )
            )
        if method == "message_post" and request.preview.get("text"):
            asked = json.loads(request.payload)["kwargs"]
            if asked.get("kind") == "comment" or asked.get("partner_ids"):
                found.append(self.env._("It leaves Odoo as an e-mail."))
        return found + (self._warnings_now() if request.state == "pending" else [])

    def _warnings_now(self):
        """What has become different since it was asked for."""
        request, found = self.sudo(), []
        if request.model in self.env and request._is_changed():
            found.append(
                self.env._(
                    "Records have changed since this was asked for. If you approve, it "
                    "is shown anew and you are asked once more."
                )
            )
        lost = request._why_lost()
        if lost:
            found.append(self.env._("It cannot be done any more: %s", lost))
        day_ago = fields.Datetime.now() - timedelta(days=1)
        twin = self.sudo().search(
            [
                ("connection_id", "=", request.connection_id.id),
                ("digest", "=", request.digest),
                ("state", "=", "executed"),
                ("decided_at", ">=", day_ago),
            ],
            limit=1,
        )
        if twin:
            found.append(
                self.env._(
                    "The very same was approved and done within the last day, on %s "
                    "(UTC).",
                    twin.decided_at.strftime("%Y-%m-%d %H:%M"),
                )
            )
        return found

    def _compute_time_left(self):
        now = fields.Datetime.now()
        for request in self:
            if request.state != "pending":
                request.time_left = False
                continue
            hours = (request.expires_at - now).total_seconds() / 3600
            if hours <= 0:
                request.time_left = self.env._("over")
            elif hours >= 48:
                request.time_left = self.env._("%s days", int(hours // 24))
            else:
                request.time_left = self.env._("%s h", format_duration(hours))

    # ---- told ----

    def _activity_note(self):
        """What the activity, and its e-mail, say. Escaped by the template."""
        return self.env["ir.qweb"]._render(
            "doorman.approval_activity",
            {
                "approval": self,
                "requester": plain(self.requester_id.name, 100),
                "expires": fields.Datetime.to_string(self.expires_at)[:16],
            },
            minimal_qcontext=True,
        )

    def _url(self):
        url = url_of(self.env, self._name, self.id)
        # Whole, whatever somebody made of Odoo's own address.
        return url if "://" in url else f"http://localhost:8069{url}"

    def _status(self):
        """As the service gets it."""

        def moment(value):
            return value.isoformat(timespec="seconds") + "Z" if value else None

        self.ensure_one()
        error = None
        if self.state == "failed":
            error = {
                "kind": self.error_kind or "internal",
                "message": self.error_message or "",
                "hint": self.error_hint or "",
            }
        return {
            "request_id": self.id,
            "state": self.state,
            "tool": self.tool,
            "summary": self.summary,
            "model": self.model or "",
            "requested_at": moment(self.requested_at),
            "expires_at": moment(self.expires_at),
            "decided_at": moment(self.decided_at),
            "decided_by": self.decided_by_id.name or "",
            "reason": self.reason or "",
            "error": error,
            "arguments": json.loads(self.arguments or "{}"),
            "value": json.loads(self.result) if self.result else None,
            "approval_url": self._url(),
        }
