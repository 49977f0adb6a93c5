from functools import partial

from odoo import api, fields, models
from odoo.exceptions import UserError

from ..policy.gate import Differs, Waits
from ..policy.refusal import _lt, again, in_language, told_later

# What running it gives if something else would leave the company than was shown.
DIFFERS = object()


class DoormanUndoDialog(models.TransientModel):
    """Undoing a change by hand: what would be written and deleted, what would stay, and
    the button that does it.

    It is done as the connection's user, within the connection's policy. An MCP
    administrator who presses the button decides on it; for the connection's own user
    the approval rules hold, as for a call.
    """

    _name = "doorman.undo.dialog"
    _inherit = ["doorman.dialog.mixin"]
    _description = "Undo a change"
    _about = "connection_id"

    connection_id = fields.Many2one(
        "doorman.connection", required=True, readonly=True, ondelete="cascade"
    )
    change_id = fields.Integer(required=True, readonly=True)
    summary = fields.Char(readonly=True)
    why_not = fields.Char("Why not", readonly=True)
    preview = fields.Json(readonly=True)
    stays = fields.Text("What stays", readonly=True)
    changes_html = fields.Html(
        "What would change", compute="_compute_html", sanitize=False
    )
    outward_html = fields.Html(
        "What would leave", compute="_compute_html", sanitize=False
    )
    decides = fields.Boolean(compute="_compute_decides")

    @api.model_create_multi
    def create(self, vals_list):
        """What it shows is looked up here, whatever was sent."""
        known = ("connection_id", "change_id")
        dialogs = super().create(
            [{name: vals.get(name) for name in known} for vals in vals_list]
        )
        for dialog in dialogs:
            dialog._check_may_undo()
            # Past our own write, which changes nothing.
            # pylint: disable-next=super-method-mismatch
            super(DoormanUndoDialog, dialog).write(dialog._look())
        return dialogs

    def write(self, vals):
        """Nothing that it shows is changed by who looks at it."""
        return super().write({})

    @api.depends("preview")
    def _compute_html(self):
        render = partial(self.env["ir.qweb"]._render, minimal_qcontext=True)
        for dialog in self:
            preview = dialog.preview or {}
            values = self.env["doorman.approval"]._shown(preview, "") | {"body": ""}
            dialog.changes_html = (
                render("doorman.approval_changes", values) if preview else False
            )
            dialog.outward_html = (
                render("doorman.approval_outward", values)
                if values["outward"]
                else False
            )

    @api.depends_context("uid")
    def _compute_decides(self):
        for dialog in self:
            dialog.decides = dialog._decides()

    def _decides(self):
        """Whether the person who presses the button may approve it."""
        connection, me = self.connection_id.sudo(), self.env.user
        if not me.has_group("doorman.group_admin") or connection.two_approvers:
            return False
        return me != connection.user_id or me in connection._self_approvers()

    def _check_may_undo(self):
        """:raise AccessError: for anyone but the connection's user and MCP
        administrators, and for AI tools"""
        self.env["doorman.approval"]._check_inside()
        self.connection_id._check_may_manage()

    # ---- looking ----

    def _request(self):
        """The undo as a call of the connection. What stays is shown before."""
        kept = self.env["doorman.undo"]._find(self.connection_id.id, self.change_id)
        return {
            "model": None,
            "method": "undo_change",
            "ids": None,
            "kwargs": {"change": self.change_id, "partly": True},
            "context": kept["context"],
            "arguments": {"change_id": self.change_id, "partly": True},
            "audit": {"tool": "undo_change", "method": "approval/undo"},
        }

    def _attempt(self, work):
        """Run something as the connection, with ``work(gateway, connection, row)``.

        :return: as ``doorman.approval._attempt``
        """
        approvals = self.env["doorman.approval"].sudo()
        connection = self.connection_id.sudo()
        gateway = approvals.env["doorman.gateway"]
        return approvals._attempt(
            lambda: work(gateway, connection, connection._acting_row())
        )

    def _look(self):
        """:return: values of what it would do, or of why it cannot be done"""
        if why := self._why_ended():
            return {"why_not": why}

        def describe(gateway, connection, row):
            reader = connection.with_context(
                lang=self.env.lang, tz=self.env.user.tz or "UTC"
            ).env
            return gateway._describe(connection, row, self._request(), reader=reader)

        described, error = self._attempt(describe)
        if error:
            return {"why_not": self._words(error)}
        described, _risk = described
        preview = described["preview"]
        return {
            "summary": described["summary"],
            "preview": preview,
            "stays": "\n".join(preview["stays"]),
        }

    def _why_ended(self):
        connection = self.connection_id.sudo()
        if not self.env["doorman.settings"]._get().sudo().enabled:
            return self.env._("Access for AI tools is switched off.")
        why = connection._why_ended()
        return why and in_language(why, self.env.lang or "en_US")

    def _words(self, error):
        return told_later(error["words"], self.env.lang) or error["message"]

    # ---- doing ----

    def action_undo(self):
        """Undo the change.

        :raise AccessError: for anyone but the connection's user and MCP administrators
        :raise UserError: if the connection may do nothing any more
        :return: an action that tells how it went
        """
        self.ensure_one()
        self._check_may_undo()
        self.connection_id.sudo()._lock()
        self.connection_id.invalidate_recordset()
        if why := self._why_ended() or (not self.preview and self.why_not):
            raise UserError(why)
        audit = {}
        answer, error = self._attempt(partial(self._run, audit))
        if answer is DIFFERS:
            raise UserError(
                self.env._(
                    "What would leave the company is not what was shown. Nothing was "
                    "done: open this again."
                )
            )
        return self._tell(audit, answer, error)

    def _run(self, audit, gateway, connection, row):
        request = self._request()
        audit.update(gateway._audit_row(row, request))
        decides, shown = self._decides(), self.preview["outward_digest"]
        try:
            value = gateway._do(
                connection, row, request, audit, approved=decides, shown=shown
            )
        except Differs:
            gateway._undo()
            return DIFFERS
        except Waits as waits:
            gateway._undo()
            return gateway._ask(connection, row, request, audit, waits.tried)
        return {"value": value}

    def _tell(self, audit, answer, error):
        """Note how it went, and tell it."""
        approval, me = self.env["doorman.approval"], self.env.user.name
        if error:
            words = self._words(error)
            audit.update(outcome="refused", reason=error["kind"])
            why = again(error["words"]) or error["message"]
            audit["message"] = _lt("%(who)s: %(why)s", who=me, why=why)
            told = approval._tell(self.env._("Nothing was undone"), words, "danger")
        elif "pending" in answer:
            audit["message"] = _lt("Requested by %s.", me)
            told = approval._tell(
                self.env._("Nothing has been undone yet"),
                self.env._("It needs approval first."),
                "warning",
            )
        else:
            audit.update(outcome="ok", message=_lt("Undone by %s.", me))
            stays = " ".join(answer["value"]["stays"])
            told = approval._tell(self.env._("Undone"), stays, "success")
        self.env["doorman.audit"]._insert(audit)
        return told
