from datetime import timedelta

from odoo import fields
from odoo.fields import Command

from ..policy.credentials import token_digest
from .common import DoormanMixin


class InviteMixin(DoormanMixin):
    """Invites, and people who accept them."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env.cr.execute("DELETE FROM doorman_invite")  # those of the demo data
        cls.env.invalidate_all()

    @classmethod
    def scopes(cls, *codes):
        found = cls.env["doorman.scope"].search([("code", "in", codes)])
        assert len(found) == len(codes)
        return found

    def invite(self, role="admin", scopes=("mcp:search",), **vals):
        """:return: a new invite of this role, and the token of its link"""
        vals = {"scope_ids": [Command.set(self.scopes(*scopes).ids)]} | vals
        invites = self.env["doorman.invite"].with_user(self.people[role])
        made, token = invites._make(vals)
        return self.env["doorman.invite"].browse(made.id), token

    def accept(self, token, role="internal", account=None):
        """:return: the acceptance and the key, or None"""
        self.env.flush_all()
        invites = self.env["doorman.invite"].with_user(self.people[role])
        return invites._accept(token_digest(token), "192.0.2.9", account)

    def whole_policy(self):
        """:return: a value for each field of a policy that the REST API takes for both
        invites and connections; of a tool ``t1``"""
        return {
            "scopes": ["mcp:metadata", "mcp:search"],
            "read_only": True,
            "allowed_tools": ["t1"],
            "allowed_models": ["res.partner"],
            "companies": self.company.ids,
            "approval_tools": ["t1"],
            "model_rules": [
                {
                    "model": "res.partner",
                    "read": True,
                    "create": False,
                    "write": True,
                    "delete": False,
                    "domain": "[('user_id', '=', uid)]",
                    "hidden": ["email"],
                    "masked": ["phone"],
                }
            ],
            "approval_rules": [
                {
                    "risk": "high",
                    "model": "res.partner",
                    "tool": "",
                    "more_than": 4,
                    "per_day": False,
                    "reads": True,
                }
            ],
            "approver": "dm-approver",
            "approver_group": "base.group_user",
            "two_approvers": "medium",
            "approval_expiry_hours": 9,
            "allowed_ips": ["192.0.2.0/24", "2001:db8::/32"],
            "blocked_ips": ["192.0.2.66"],
            "rate_limit_minute": 6,
            "rate_limit_day": 60,
            "recipient_domains": ["example.com", "*.partner.example"],
            "rows_reply": 70,
            "rows_day": 700,
        }

    def state(self, invite):
        self.env.invalidate_all()
        return invite.state, invite.current_uses

    def late(self, invite):
        past = fields.Datetime.now() - timedelta(minutes=1)
        invite._inside().write({"key_name_preset": invite.key_name_preset})
        self.env.cr.execute(
            "UPDATE doorman_invite SET expires_at = %s WHERE id = %s", [past, invite.id]
        )
        self.env.invalidate_all()


def account(login="new@example.com", name="New Person", password="correct-horse-1"):
    return {"login": login, "name": name, "password": password}
