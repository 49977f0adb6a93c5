from odoo import fields, models

from .run_job import job, progress

REMIND = """
    UPDATE doorman_connection SET invite_reminded = true WHERE id IN (
        SELECT id FROM doorman_connection
         WHERE invite_reminded IS NOT TRUE AND invite_id IS NOT NULL AND active
           AND state IN ('awaiting', 'connected', 'idle')
           AND expires_at > now() at time zone 'utc'
           -- A week before; of a short life, its last quarter.
           AND now() at time zone 'utc' > expires_at
               - LEAST(interval '7 days', (expires_at - create_date) / 4)
         ORDER BY expires_at LIMIT %s)
    RETURNING id
"""


class DoormanGateway(models.AbstractModel):
    """The jobs for invites."""

    _inherit = "doorman.gateway"

    @job(every=300, timeout=60)
    def _expire_invites(self):
        """Say of the links whose time is over that it is. They stopped by the clock,
        not by this.

        :rtype: dict
        """
        if not self._alone("doorman.expire_invites"):
            return progress(expired=0)
        invites = self.env["doorman.invite"].sudo()
        alive = ("active", "suspended")
        due = invites.search(
            [("state", "in", alive), ("expires_at", "<=", fields.Datetime.now())],
            limit=self._at_once,
        )
        ended = due._end("expired", alive)
        for invite in ended:
            invite.message_post(body=self.env._("Expired."))
        invites._purge_guesses()
        invites._purge_codes()
        return progress(expired=len(ended), more=len(due) == self._at_once)

    @job(every=3_600, timeout=300)
    def _remind_invited(self):
        """A mail, once, before a key ends that came of an invite: to its holder, and
        to who made the invite.

        :rtype: dict
        """
        self.env.cr.execute(REMIND, [self._at_once])
        ids = [row[0] for row in self.env.cr.fetchall()]
        connections = self.env["doorman.connection"].sudo()
        connections.invalidate_model(["invite_reminded"])
        for connection in connections.browse(ids):
            creator = connection.invite_id.creator_id
            people = (connection.user_id | creator).filtered("active")
            for person in people:
                told = connection.with_context(lang=person.lang)
                told.message_notify(
                    partner_ids=person.partner_id.ids,
                    subject=told.env._("The key %s expires soon", connection.name),
                    body=told.env._(
                        "The key %(name)s of %(user)s stops working on %(when)s "
                        "(UTC). An MCP administrator can set a later date if it is "
                        "still needed.",
                        name=connection.name,
                        user=connection.user_id.name,
                        when=fields.Datetime.to_string(connection.expires_at),
                    ),
                )
        return progress(reminded=len(ids), more=len(ids) == self._at_once)
