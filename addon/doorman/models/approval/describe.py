import json
from datetime import timedelta
from functools import partial

from odoo import api, fields, models
from odoo.tools import format_duration, human_size

from ...policy import kept_answers
from ...policy.plain_text import plain, visible
from ...policy.record_url import url_of, whole_url_of
from ...policy.refusal import in_language, told_again, told_later

MANY = 10


class DoormanApproval(models.Model):
    """What a person reads of a request: what it would do, as it was found when it was
    asked for (tools/call_preview.py), and what they should know before they decide."""

    _inherit = "doorman.approval"

    summary_shown = fields.Char("What it would do", compute="_compute_shown")
    model_shown = fields.Char("Model", compute="_compute_shown")
    changes_html = fields.Html(
        "What would change", compute="_compute_html", sanitize=False
    )
    outward_html = fields.Html(
        "What would leave", compute="_compute_html", sanitize=False
    )
    arguments_html = fields.Html(
        "What was requested", compute="_compute_html", sanitize=False
    )
    warnings_html = fields.Html("Warnings", compute="_compute_html", sanitize=False)
    payload_text = fields.Text("Exact request", compute="_compute_html")
    result_text = fields.Text("Answer", compute="_compute_html")
    time_left = fields.Char("Time left", compute="_compute_time_left")
    # Why it failed: error_message is what the AI tool gets; its words are kept too, for
    # each reader to get them in their language.
    error_code = fields.Char(readonly=True)
    error_words = fields.Json(readonly=True, prefetch=False)
    error_shown = fields.Char("Why it could not be done", compute="_compute_error")
    # The same of a request that was cancelled: of one that was rejected, the reason is
    # what a person wrote.
    reason_words = fields.Json(readonly=True, prefetch=False)
    reason_shown = fields.Char("Reason", compute="_compute_reason")

    def _in_language(self, name):
        """A value as it was found for the reader's language; as it was for the first
        approver, if it was for nobody with that language."""
        kept = (self.in_languages or {}).get(self.env.lang or "en_US", {})
        return kept.get(name) or self[name]

    @api.depends("summary", "model_label", "in_languages")
    @api.depends_context("lang")
    def _compute_shown(self):
        for request in self:
            request.summary_shown = request._in_language("summary")
            request.model_shown = request._in_language("model_label")

    @api.depends("summary", "in_languages")
    @api.depends_context("lang")
    def _compute_display_name(self):
        for request in self:
            request.display_name = request.summary_shown

    @api.depends("error_message", "error_words")
    @api.depends_context("lang")
    def _compute_error(self):
        for request in self:
            words = told_later(request.error_words, self.env.lang)
            request.error_shown = visible(words or request.error_message or "")

    @api.depends("reason", "reason_words")
    @api.depends_context("lang")
    def _compute_reason(self):
        for request in self:
            words = told_later(request.reason_words, self.env.lang)
            request.reason_shown = visible(words or request.reason or "")

    @api.depends_context("lang")
    def _compute_html(self):
        render = partial(self.env["ir.qweb"]._render, minimal_qcontext=True)
        for request in self:
            preview = request._in_language("preview") or {}
            values = request._shown(preview, request.model) | {
                "warnings": request._warnings(preview),
                "body": request._body(),
            }
            request.changes_html = render("doorman.approval_changes", values)
            request.outward_html = (
                render("doorman.approval_outward", values)
                if values["outward"]
                else False
            )
            request.arguments_html = render("doorman.approval_arguments", values)
            request.warnings_html = (
                render("doorman.approval_warnings", values)
                if values["warnings"]
                else False
            )
            request.payload_text = request._pretty(request._told_payload())
            request.result_text = request._pretty(request.result)

    @api.model
    def _shown(self, preview, own):
        """What the templates of a page take.

        :param dict preview: of ``tools/call_preview.py``
        :param own: the model of changes that name none
        """
        changes = preview.get("changes") or []
        return {
            "changes": [c for c in changes if not c.get("set_off")],
            "set_off": [c for c in changes if c.get("set_off")],
            "untold": preview.get("untold"),
            "outward": preview.get("outward"),
            "more_outward": preview.get("more_outward"),
            "size_of": human_size,
            "ran": preview.get("ran"),
            "arguments": preview.get("arguments") or [],
            "text": preview.get("text"),
            "reads": preview.get("reads"),
            "lines": preview.get("lines"),
            "link": lambda ident, model=None: url_of(
                self.env, model or own or "", ident
            ),
        }

    def _operation(self):
        """What is known of the operation that would be done; None if its addon is gone
        from the whole server."""
        return self.env["doorman.gateway"]._operation(json.loads(self.payload))

    def _body(self):
        """The whole text of a message that would be posted, or the code that would be
        run, or nothing."""
        kwargs, operation = json.loads(self.payload)["kwargs"], self._operation()
        if operation and operation.code:
            return visible(kwargs[operation.code])
        if not operation or not operation.text:
            return ""
        lines = (kwargs.get(operation.text) or "").splitlines()
        return "\n".join(plain(line, None) for line in lines)

    def _told_payload(self):
        """The request as it was sent, but for a file in it: how large that is."""
        operation = self._operation() if self.payload else None
        if not operation or not operation.holds_file:
            return self.payload
        asked = json.loads(self.payload)
        content = asked["kwargs"].get(operation.holds_file)
        if content:
            size = len(content) * 3 // 4 - content.count("=")
            asked["kwargs"][operation.holds_file] = f"({size} bytes)"
        return json.dumps(asked)

    @staticmethod
    def _pretty(text):
        if not text:
            return False
        return visible(json.dumps(json.loads(text), indent=2, ensure_ascii=False))

    def _warnings(self, preview):
        """What a person should know before they decide."""
        self.ensure_one()
        request = self.sudo()
        operation, found = request._operation(), []
        if operation and operation.deletes:
            found.append(self.env._("Deleted records cannot be restored."))
        if preview.get("deletes_lines"):
            found.append(
                self.env._(
                    "It also deletes records that depend on these: see what was "
                    "requested. They cannot be restored."
                )
            )
        found += preview.get("lost") or []
        if preview.get("stays"):
            text = " ".join(preview["stays"])
            found.append(self.env._("This cannot be undone, and stays: %s", text))
        if request.record_count >= MANY:
            found.append(self.env._("This affects %s records.", request.record_count))
        if preview.get("settled"):
            found.append(
                self.env._(
                    "%s of these are no longer drafts: confirmed, posted, done or "
                    "cancelled.",
                    preview["settled"],
                )
            )
        # Of one whose addon is gone, nothing is known.
        if preview.get("text") and (not operation or operation.known_once_done):
            found.append(
                self.env._(
                    "What this method does in detail is only known after it has run: "
                    "it may change other records, or reach people outside."
                )
            )
        if preview.get("outward"):
            found.append(
                self.env._(
                    "It leaves the company: check who would get what under “What "
                    "would leave”."
                )
            )
        return found + (self._warnings_now() if request.state == "pending" else [])

    def _warnings_now(self):
        """What has become different since it was asked for."""
        request, found = self.sudo(), []
        if request.model in self.env and request._is_changed():
            found.append(
                self.env._(
                    "Records have changed since this was requested. If you approve "
                    "it, you are shown the new version and asked again."
                )
            )
        lost = request._why_lost()
        if lost:
            why = in_language(lost, self.env.lang or "en_US")
            found.append(self.env._("It can no longer be done: %s", why))
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
                    "The same request was approved and carried out within the last "
                    "day, on %s (UTC).",
                    twin.decided_at.strftime("%Y-%m-%d %H:%M"),
                )
            )
        return found

    @api.depends_context("lang")
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
        """What the activity, and its email, say. Escaped by the template."""
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
        return whole_url_of(self)

    def _summary_for_tool(self):
        """The summary names records as its approver may see them. A connection with
        rules per model is told what it asked for, without names."""
        connection = self.connection_id
        if not connection or connection._rules(connection.version) is None:
            return self.summary_told or self.summary
        models_of = self.with_context(lang="en_US").env["ir.model"]
        label = models_of._get(self.model).name if self.model else ""
        what = label or self.model or "-"
        return f"{self.tool}: {what}, records: {self.record_count}"

    def _status(self):
        """As the service gets it. What was done under another policy than today's is
        told as an error of a request that was executed."""

        def moment(value):
            return value.isoformat(timespec="seconds") + "Z" if value else None

        self.ensure_one()
        error = None
        if self.state == "failed":
            error = told_again(
                self.error_kind or "internal",
                self.error_code or "",
                self.error_message or "",
                self.error_hint or "",
            )
        value = json.loads(self.result) if self.result else None
        if self.result and self.policy_version != self.connection_id.policy_version:
            value, error = None, kept_answers.not_told().told()
        return {
            "request_id": self.id,
            "state": self.state,
            "tool": self.tool,
            "summary": self._summary_for_tool(),
            "model": self.model or "",
            "requested_at": moment(self.requested_at),
            "expires_at": moment(self.expires_at),
            "decided_at": moment(self.decided_at),
            "decided_by": self.decided_by_id.name or "",
            "reason": self.reason or "",
            "error": error,
            "arguments": json.loads(self.arguments or "{}"),
            "value": value,
            "approval_url": self._url(),
        }
