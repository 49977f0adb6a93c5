from odoo import api, fields, models
from odoo.exceptions import AccessError

from ..policy.shared import LIVE_STATUSES

CONNECTION, INVITE = "connection", "invite"


class DoormanReviewCopyLine(models.TransientModel):
    """A connection or an invite that is valid in a copied database."""

    _name = "doorman.review.copy.line"
    _description = "Review a copied database: what is valid"
    _order = "kind, last_used desc, id"

    review_id = fields.Many2one("doorman.review.copy", ondelete="cascade")
    kind = fields.Selection(
        [(CONNECTION, "Connection"), (INVITE, "Invite")], required=True, readonly=True
    )
    record = fields.Integer(required=True, readonly=True)
    name = fields.Char(readonly=True)
    user_id = fields.Many2one("res.users", readonly=True)
    last_used = fields.Datetime("Last used", readonly=True)
    keep = fields.Boolean()

    def write(self, vals):
        """What a line is of is not for its reader to say.

        :raise AccessError: for any field but ``keep``
        """
        if not self.env.su and vals.keys() - {"keep"}:
            raise AccessError(self.env._("Only Keep can be changed here."))
        return super().write(vals)

    @api.model
    def _of_this_database(self):
        """:return: values of a line for each connection and invite that lets somebody
        in once access is on"""
        connections = self.env["doorman.connection"].sudo()
        live = connections.search([("state", "in", ("inactive", *LIVE_STATUSES))])
        invites = self.env["doorman.invite"].sudo()
        return [
            {
                "kind": CONNECTION,
                "record": connection.id,
                "name": connection.name,
                "user_id": connection.user_id.id,
                "last_used": connection.last_used,
            }
            for connection in live
        ] + [
            {
                "kind": INVITE,
                "record": invite.id,
                "name": invite.key_name_preset,
                "user_id": invite.creator_id.id,
            }
            for invite in invites.search([("state", "in", ("active", "suspended"))])
        ]

    def _key(self):
        return self.kind, self.record

    def _end(self):
        """Revoke what these lines are of."""
        for kind in (CONNECTION, INVITE):
            of_kind = self.filtered(lambda line, kind=kind: line.kind == kind)
            records = self.env[f"doorman.{kind}"].browse(of_kind.mapped("record"))
            records = records.sudo().exists()
            if records:
                records.action_revoke()
