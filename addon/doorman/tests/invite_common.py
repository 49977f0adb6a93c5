from datetime import timedelta

from odoo import fields
from odoo.fields import Command

from ..models.invite.doorman_invite import invite_digest
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
        return invites._accept(invite_digest(token), "192.0.2.9", account)

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
