from odoo import api, fields, models

from ...policy.plain_text import visible


class DoormanAudit(models.Model):
    """The audit in words: what was asked for, and why it was refused."""

    _inherit = "doorman.audit"

    what = fields.Char(compute="_compute_what", help="What was requested.")
    reason_shown = fields.Char("Reason (in words)", compute="_compute_reason_shown")

    @api.depends("tool", "method", "model", "record_ids")
    @api.depends_context("lang")
    def _compute_what(self):
        tools = self.env["doorman.tool"].with_context(active_test=False)
        titles = {tool.name: tool.title_shown for tool in tools.search([])}
        labels = self._model_labels()
        methods = self._methods_in_words()
        for row in self:
            about = labels.get(row.model, row.model)
            ids = [ident for ident in (row.record_ids or "").split(",") if ident]
            if about and len(ids) == 1:
                about = self.env._("%(model)s no. %(id)s", model=about, id=ids[0])
            elif about and ids:
                about = self.env._(
                    "%(model)s (%(count)s records)", model=about, count=len(ids)
                )
            what = titles.get(row.tool) or row.tool or ""
            # A decision on a call, a login: not the call itself.
            if row.method in methods:
                what = methods[row.method] + (f": {what}" if what else "")
            what = what or row.method or ""
            if about:
                what = self.env._("%(what)s: %(about)s", what=what, about=about)
            row.what = visible(what)

    def _model_labels(self):
        models_of = self.env["ir.model"]
        names = set(self.mapped("model")) - {False}
        found = models_of.search([("model", "in", list(names))])
        return {model.model: model.name for model in found}

    @api.model
    def _methods_in_words(self):
        return {
            "approval/approve": self.env._("Approved"),
            "approval/approve_first": self.env._("Approved by the first of two"),
            "approval/reject": self.env._("Rejected"),
            "approval/expire": self.env._("Not decided in time"),
            "approval/cancel": self.env._("Cancelled"),
            "connection/delete": self.env._("Connection deleted"),
            "initialize": self.env._("Started a session"),
            "tools/list": self.env._("Listed its tools"),
            "resources/read": self.env._("Read a resource"),
        }

    @api.depends("reason")
    @api.depends_context("lang")
    def _compute_reason_shown(self):
        words = self._reasons()
        for row in self:
            row.reason_shown = words.get(row.reason, row.reason)

    @api.model
    def _reasons(self):
        """What the kinds of refusal and failure mean (docs/errors.md), and how else a
        request may have gone.

        :return: ``{reason: text}``
        """
        return {
            "unauthenticated": self.env._("The key or login is not valid"),
            "forbidden": self.env._("No access"),
            "not_allowed": self.env._("The connection is not allowed to do this"),
            "read_only": self.env._("The connection is read-only"),
            "unknown_tool": self.env._("There is no such tool"),
            "unknown_model": self.env._("There is no such model"),
            "unknown_field": self.env._("There is no such field"),
            "invalid_input": self.env._("The request is malformed"),
            "not_found": self.env._("The record does not exist"),
            "conflict": self.env._("Something else changed it at the same time"),
            "business_rule": self.env._("Odoo's own rules do not allow it"),
            "rate_limited": self.env._("Too many requests"),
            "needs_module": self.env._("A module is missing"),
            "pending_approval": self.env._("Waiting for approval"),
            "rejected": self.env._("Rejected"),
            "expired": self.env._("Nobody decided in time"),
            "cancelled": self.env._("Cancelled"),
            "odoo_unavailable": self.env._("Odoo could not be reached"),
            "odoo_timeout": self.env._("Odoo did not answer in time"),
            "unavailable": self.env._("The service could not check its limits"),
            "updating": self.env._("Doorman was being updated"),
            "too_large": self.env._("Too large"),
            "internal": self.env._("Error in Doorman"),
            "dry_run": self.env._("Dry run only"),
            "replayed": self.env._("Already done, not repeated"),
        }

    @api.model
    def _cures(self):
        """What a person can do about a refusal.

        :return: ``{reason: text}``; of those that can be helped
        """
        wider = self.env._(
            "If the AI tool is meant to do this, widen Permissions below."
        )
        corrected = self.env._(
            "The AI tool made a mistake and is told how to correct it."
        )
        later = self.env._("This is temporary: the AI tool can try again later.")
        return {
            "unauthenticated": self.env._(
                "Give the AI tool a new key, or log in again in it."
            ),
            "forbidden": self.env._(
                "Check the master switch, the allowed IP addresses and what this "
                "connection's user is allowed to do in Odoo."
            ),
            "not_allowed": wider,
            "read_only": self.env._(
                "If it is meant to change records, switch Read-only off."
            ),
            "unknown_tool": corrected,
            "unknown_model": corrected,
            "unknown_field": corrected,
            "invalid_input": corrected,
            "not_found": corrected,
            "business_rule": corrected,
            "conflict": later,
            "rate_limited": self.env._("Raise the limits below if this is normal use."),
            "needs_module": self.env._("Install the Odoo module that the tool needs."),
            "rejected": self.env._("A person rejected it. No action is needed."),
            "expired": self.env._(
                "Choose an approver who is available, or allow more time."
            ),
            "cancelled": self.env._("No action is needed."),
            "odoo_unavailable": later,
            "odoo_timeout": later,
            "unavailable": later,
            "updating": later,
            "too_large": self.env._("The AI tool has to ask for less at a time."),
            "internal": self.env._(
                "Look up the request ID in the logs of Odoo and Doorman."
            ),
        }
