import json
from datetime import timedelta

from odoo import api, fields, models

from ..policy import canonical_json

# Connection, tool, summary, state, hours ago, hours until the decision, the rest.
REQUESTS = (
    (
        "Claude Code, Marc's laptop",
        "delete_records",
        "Permanently delete 3 contacts: Brandon Freeman, Colleen Diaz, Nicole Ford",
        *("rejected", 140, 0.4, "Brandon still works there. Archive the others."),
    ),
    (
        "Cursor, web shop team",
        "call_method",
        "“Archive” (action_archive): 12 contacts: Lumber Inc, Jackson Group, Ready Mat "
        "and 9 more",
        *("executed", 117, 2.5, ""),
    ),
    (
        "Sales assistant",
        "update_records",
        "Change salesperson on 41 contacts: Azure Interior, Deco Addict, Gemini "
        "Furniture and 38 more",
        *("expired", 96, 24, ""),
    ),
    (
        "Claude Code, Marc's laptop",
        "delete_records",
        "Permanently delete contact Test Customer",
        *("executed", 71, 0.2, ""),
    ),
    (
        "Claude, browser",
        "update_records",
        "Change tags on 25 contacts: Azure Interior, Deco Addict, Ready Mat and 22 "
        "more",
        *("executed", 49, 5.1, ""),
    ),
    (
        "Trainee, newsletter lists",
        "delete_records",
        "Permanently delete 200 contacts: Newsletter 001, Newsletter 002, Newsletter "
        "003 and 197 more",
        *("cancelled", 64, 1, "The connection was revoked."),
    ),
    (
        "Cursor, web shop team",
        "call_method",
        "“Unarchive” (action_unarchive): 12 contacts: Lumber Inc, Jackson Group, Ready "
        "Mat and 9 more",
        *("executed", 22, 0.7, ""),
    ),
)


class DoormanApproval(models.Model):
    """Requests of the last week, for the demo data."""

    _inherit = "doorman.approval"

    @api.model
    def _demo_fill(self, connections, tools):
        """:param connections: of the demo data
        :param dict tools: of the catalog, by name
        """
        now = fields.Datetime.now()
        approver = self.env.ref("base.user_admin")
        by_name = {c.name: c for c in connections}
        for name, tool, summary, state, ago, took, reason in REQUESTS:
            asked = now - timedelta(hours=ago)
            connection = by_name[name]
            call = {"model": "res.partner", "method": tool, "ids": []}
            call |= {"kwargs": {}, "context": {}}
            person = state in ("executed", "rejected")
            self._inside().with_context(mail_create_nolog=True).create(
                {
                    "summary": summary,
                    "state": state,
                    "connection_id": connection.id,
                    "connection_name": name,
                    "requester_id": connection.user_id.id,
                    "client": name.split(",")[0],
                    "approver_id": approver.id,
                    "tool": tool,
                    "risk": tools[tool].risk,
                    "model": "res.partner",
                    "model_label": "Contact",
                    "orm_method": tool,
                    "payload": canonical_json.text(call),
                    "digest": canonical_json.digest([summary, ago]),
                    "arguments": "{}",
                    "preview": {"changes": [], "arguments": []},
                    "result": json.dumps({"ids": []}) if state == "executed" else False,
                    "requested_at": asked,
                    "expires_at": asked + timedelta(hours=24),
                    "decided_at": asked + timedelta(hours=took),
                    "hours_to_decide": took,
                    "decided_by_id": approver.id if person else False,
                    "reason": reason,
                }
            )
