"""Erasing what the audit and what goes with it keep of the contents of a record."""

import json

from odoo import api, models
from odoo.exceptions import ValidationError
from odoo.fields import Domain
from odoo.tools import SQL

# The chain holds without these: only a digest of them is in it, which tells nothing
# once its salt is gone.
ERASE = """
    UPDATE doorman_audit
       SET message = NULL, words = NULL, request_payload = NULL, response_payload = NULL
     WHERE id IN %(ids)s;
    UPDATE doorman_audit_link SET salt = NULL WHERE audit_id IN %(ids)s
"""
# A job that gives one of these rows its link just now would not know that they are
# gone: one of the two is run again.
ALONE = "UPDATE doorman_audit_chain SET n = n"
ERASED = "(erased)"


class DoormanAudit(models.Model):
    _inherit = "doorman.audit"

    @api.model
    def api_erase(self, model, record_id):
        """Erase what is kept of the contents of calls that saw, named or changed a
        record: what was asked and answered, messages, the values of requests for
        approval that are decided, and the values from before, so that these changes
        can no longer be undone. Of a user also of the calls of their own connections.
        That the calls were, what they named, and who made them stays.

        Rows of companies that the caller does not see are left.

        :param str model: technical name
        :param int record_id: of the record, which need not exist any more
        :return: ``{rows, approvals, changes}``, how many were erased
        :raise AccessError: for anyone but MCP administrators
        """
        self.env["doorman.settings"]._check_admin()
        record_id = self._whole("record_id", record_id, 1, 2**31 - 1)
        if not isinstance(model, str) or model not in self.env.registry:
            raise ValidationError(self.env._("There is no such model."))
        rows = self.search(self._about(model, record_id), order="id")
        found = {"rows": len(rows), "approvals": 0, "changes": 0}
        if rows:
            found |= self._erase(rows.ids)
        self._insert(
            {
                "method": "audit/erase",
                "model": model,
                "record_ids": str(record_id),
                "user_id": self.env.uid,
                "user_login": self.env.user.login,
                "company_id": self.env.company.id,
                "outcome": "ok",
                "count": 1,
                "rows": len(rows),
            }
        )
        return found

    def _about(self, model, record_id):
        named = SQL(
            "SELECT id FROM doorman_audit WHERE model = %s "
            "AND %s = ANY(string_to_array(record_ids, ','))",
            model,
            str(record_id),
        )
        domain = Domain("seen_text", "=", f"{model},{record_id}")
        domain |= Domain("id", "in", named)
        if model == "res.users":
            domain |= Domain("user_id", "=", record_id)
        return domain

    def _erase(self, ids):
        cr, ids = self.env.cr, tuple(ids)
        cr.execute(
            "SELECT array_agg(DISTINCT approval_id), array_agg(DISTINCT change_id) "
            "FROM doorman_audit WHERE id IN %s",
            [ids],
        )
        approvals, changes = cr.fetchone()
        cr.execute(ALONE, log_exceptions=False)
        cr.execute(ERASE, {"ids": ids})
        cr.execute(
            "DELETE FROM doorman_undo WHERE id = ANY(%s::integer[])", [changes or []]
        )
        undone = cr.rowcount
        # What still waits is needed as it is; once it is decided it can be erased.
        decided = (
            self.env["doorman.approval"]
            .sudo()
            .search(
                [
                    ("id", "in", [each for each in approvals if each]),
                    ("state", "!=", "pending"),
                ]
            )
        )
        decided._erase()
        self.invalidate_model()
        return {"approvals": len(decided), "changes": undone}


class DoormanApproval(models.Model):
    _inherit = "doorman.approval"

    def _erase(self):
        """Forget what these decided requests would have done, in values and words."""
        for request in self:
            payload = json.loads(request.payload or "{}")
            # What is left says which kind of call it was.
            left = {"method": payload.get("method"), "model": payload.get("model")}
            request._inside().payload = json.dumps({"ids": [], "kwargs": {}} | left)
        self._inside().write(
            {
                "summary": ERASED,
                "summary_told": ERASED,
                "arguments": False,
                "preview": False,
                "in_languages": False,
                "versions": False,
                "reason": False,
                "reason_words": False,
                "result": False,
                "error_message": False,
                "error_hint": False,
                "error_words": False,
            }
        )
        # With those that people were notified by, which are in no chatter.
        about = [("model", "=", self._name), ("res_id", "in", self.ids)]
        messages = self.env["mail.message"].sudo().search(about)
        messages.tracking_value_ids.unlink()
        messages._write({"body": ERASED, "subject": None})
