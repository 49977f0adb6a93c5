from odoo import api, fields, models

REMIND = """
    UPDATE doorman_connection SET invite_reminded = true
     WHERE invite_reminded IS NOT TRUE AND invite_id IS NOT NULL AND active
       AND state IN ('awaiting', 'connected', 'idle')
       AND expires_at > now() at time zone 'utc'
       -- A week before; of a short life, its last quarter.
       AND now() at time zone 'utc' > expires_at
           - LEAST(interval '7 days', (expires_at - create_date) / 4)
    RETURNING id
"""


class DoormanGateway(models.AbstractModel):
    """The jobs for invites."""

    _inherit = "doorman.gateway"

    @api.model
    def expire_invites(self):
        """Say of the links whose time is over that it is. They stopped by the clock,
        not by this.

        :rtype: dict
        """
        self._check_caller()
        if not self._alone("doorman.expire_invites"):
            return {"expired": 0}
        invites = self.env["doorman.invite"].sudo()
        alive = ("active", "suspended")
        due = invites.search(
            [("state", "in", alive), ("expires_at", "<=", fields.Datetime.now())]
        )
        ended = due._end("expired", alive)
        for invite in ended:
            invite.message_post(body=self.env._("Expired."))
        invites._purge_guesses()
        invites._purge_codes()
        return {"expired": len(ended)}

    @api.model
    def remind_invited(self):
        """A mail, once, before a key ends that came of an invite: to its holder, and
        to who made the invite.

        :rtype: dict
        """
        self._check_caller()
        self.env.cr.execute(REMIND)
        ids = [row[0] for row in self.env.cr.fetchall()]
        connections = self.env["doorman.connection"].sudo()
        connections.invalidate_model(["invite_reminded"])
        for connection in connections.browse(ids):
            creator = connection.invite_id.creator_id
            people = (connection.user_id | creator).filtered("active")
            connection.message_notify(
                partner_ids=people.partner_id.ids,
                subject=self.env._("The key %s ends soon", connection.name),
                body=self.env._(
                    "The key %(name)s of %(user)s stops working on %(when)s (UTC). An "
                    "MCP administrator can set a later date if it is still needed.",
                    name=connection.name,
                    user=connection.user_id.name,
                    when=fields.Datetime.to_string(connection.expires_at),
                ),
            )
        return {"reminded": len(ids)}


class DoormanConnection(models.Model):
    _inherit = "doorman.connection"

    invite_reminded = fields.Boolean(readonly=True, copy=False)

    def write(self, vals):
        res = super().write(vals)
        if "expires_at" in vals:
            self._inside().write({"invite_reminded": False})
        return res
