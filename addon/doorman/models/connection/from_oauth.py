from markupsafe import escape

from odoo import api, fields, models
from odoo.tools import SQL

from ...policy.policy_fields import EFFECTIVE
from ...policy.shared import LIVE_STATUSES

ACTIVATE = "doorman.mail_activity_activate"


class DoormanConnection(models.Model):
    """The connection of a program that logs in by browser: one a client and user."""

    _inherit = "doorman.connection"

    oauth_client_id = fields.Many2one(
        "doorman.oauth.client",
        "OAuth client",
        readonly=True,
        copy=False,
        index=True,
        ondelete="restrict",
        groups="doorman.group_admin",
    )
    _one_a_client_and_user = models.UniqueIndex(
        "(oauth_client_id, user_id) WHERE oauth_client_id IS NOT NULL",
        "This user already has a connection of this OAuth client.",
    )

    # ---- its end is that of its tokens ----

    def _transition(self, state, only_from):
        changed = super()._transition(state, only_from)
        standing = {*LIVE_STATUSES, "inactive"}
        # On its way back as well: what somebody allowed at the very instant of the end
        # was not seen then.
        if state not in standing or not standing & set(only_from):
            self.env["doorman.oauth.token"]._end_of(changed, f"connection {state}")
        # Who waits for it to be decided on need not any more.
        changed.activity_unlink([ACTIVATE], only_automated=False)
        return changed

    def write(self, vals):
        res = super().write(vals)
        if "active" in vals:
            self.env["doorman.oauth.token"]._end_of(self, "connection archived")
        return res

    def unlink(self):
        # A client made by hand is for one connection, with the policy that was chosen
        # for it: its user would be let in again, under the default one.
        clients = self.sudo().oauth_client_id.filtered(
            lambda c: c.kind == "custom" and c.user_id
        )
        res = super().unlink()
        clients._inside().write({"active": False})
        for client in clients:
            client.message_post(body=self.env._("Removed with its connection."))
        return res

    def _log_in_again(self):
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "info",
                "message": self.env._(
                    "It can connect again. Its old tokens no longer work: log in "
                    "again in the AI tool, and allow it once more."
                ),
                "next": {"type": "ir.actions.act_window_close"},
            },
        }

    def _has_tokens(self):
        """Whether the program is still logged in."""
        self.env.cr.execute(
            SQL(
                """
                SELECT 1 FROM doorman_oauth_family f
                  JOIN doorman_oauth_token t ON t.family_id = f.id
                  JOIN doorman_oauth_client l ON l.id = f.client_id
                 WHERE f.connection_id = %s AND f.dead_at IS NULL AND l.active
                   AND t.expires_at > now() at time zone 'utc' LIMIT 1
                """,
                self.id,
            )
        )
        return bool(self.env.cr.fetchone())

    def _audit_of(self, method):
        """What an audit row says of this connection, where no call is made."""
        return {
            "connection_id": self.id,
            "connection_name": self.name,
            "connection_type": self.auth_type,
            "user_id": self.user_id.id,
            "user_login": self.user_id.login,
            "company_id": self.user_id.company_id.id,
            "method": method,
            "count": 1,
        }

    # ---- its beginning ----

    def _client_values(self, client):
        return {
            "auth_type": "oauth",
            "oauth_client_id": client.id,
            "client_id": client.client_id,
            "client_type": client.client_type,
            "redirect_uris": client.redirect_uris,
            "dynamic_registration": client.kind == "dynamic",
        }

    @api.model
    def _waits(self, user):
        """Whether what this person lets in waits for an administrator: where the
        settings say so, and after one has shut them out for good. They would else be
        back as the next program that registers itself."""
        if self.env["doorman.settings"]._get().sudo().oauth_needs_activation:
            return True
        shut_out = [
            ("user_id", "=", user.id),
            ("state", "in", ("revoked", "expired")),
            ("needs_activation", "=", True),
        ]
        connections = self.sudo().with_context(active_test=False)
        return bool(connections.search_count(shut_out, limit=1))

    def _from_consent(self, client, user):
        """The connection that comes of a person's Allow, from the default policy; or
        of the word of an issuer, whose name is in the context
        (``doorman_issuer_name``).

        :param client: a ``doorman.oauth.client``
        :raise UserError: if there can be none, e.g. for want of an approver
        """
        settings = self.env["doorman.settings"]._get().sudo()
        issuer = self.env.context.get("doorman_issuer_name")
        waits = self._waits(user)
        vals = settings._policy_values() | self._client_values(client)
        # Of the settings, these hold for every connection that has none.
        vals |= dict.fromkeys(EFFECTIVE.values(), 0)
        vals |= {
            "name": client.name,
            "user_id": user.id,
            "approver_id": self._approver_for(settings.approver_id, user).id,
            "state": "inactive" if waits else "awaiting",
            "needs_activation": waits,
            "description": issuer
            and self.env._("From %s, a trusted issuer.", issuer)
            or self.env._("From a browser login."),
        }
        connection = self.sudo()._inside().create(vals)
        # What was restricted stays so, also if nothing is left of the list.
        flags = {f: True for f in self._restrictions().values() if settings[f]}
        connection.write(flags)
        connection = connection.with_context(doorman_inside=None)
        if waits:
            connection._ask_to_activate()
        return connection

    def _ask_to_activate(self):
        admins = self._members(self.env.ref("doorman.group_admin"))
        company = self.user_id.company_id
        for admin in admins.filtered(lambda a: company in a.sudo().company_ids):
            text = self._inside().with_context(lang=admin.lang)
            text.activity_schedule(
                ACTIVATE,
                summary=text.env._("Let %s in?", self.name),
                note=text.env._(
                    "%s allowed it in their browser. Check its policy, then press "
                    "Activate, or revoke it.",
                    # The note is HTML, and people choose their own names.
                    escape(self.user_id.name),
                ),
                user_id=admin.id,
            )
