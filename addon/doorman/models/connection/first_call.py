from odoo import fields, models
from odoo.exceptions import UserError

from ...policy.shared import CHARGED_METHODS, LIVE_STATUSES

# Enough to see past a few refusals at the newest call that went through.
NEWEST = 20


class DoormanConnection(models.Model):
    """Whether a new connection works: what Odoo knows of it, and its first call."""

    _inherit = "doorman.connection"

    def first_call(self, since):
        """Whether a call of this connection has come. A dialog asks every few seconds.

        :param str since: only calls after this moment, UTC, as Odoo writes it
        :return: ``{"state": "waiting"}``, or ``{state, client, ip, tool, message}``
            with the state ``connected``, or ``refused`` where all that came was
            refused; message says why, then
        :raise AccessError: for anyone who may not see the connection
        """
        self.ensure_one()
        self.check_access("read")
        try:
            moment = fields.Datetime.to_datetime(since)
        except (ValueError, TypeError):
            moment = None
        if not isinstance(since, str) or not moment:
            raise UserError(self.env._("Specify the start as a date and time."))
        rows = self.env["doorman.audit"].search(
            [
                ("connection_id", "=", self.id),
                ("time", ">=", moment),
                ("method", "in", CHARGED_METHODS),
            ],
            limit=NEWEST,
        )
        through = rows.filtered(lambda row: row.outcome != "refused")
        row = (through or rows)[:1]
        if not row:
            return {"state": "waiting"}
        return {
            "state": "connected" if through else "refused",
            "client": row.client or "",
            "ip": row.ip or "",
            "tool": row.tool or "",
            "message": "" if through else row.message_shown or "",
        }

    def test_connection(self):
        """What Odoo itself can say of whether this connection will work. Nobody is
        asked and nothing leaves Odoo: whether the AI tool reaches the service, only its
        first call shows.

        :return: ``[{"ok": bool, "text": ...}]``
        :raise AccessError: for anyone but its user and MCP administrators
        """
        self.ensure_one()
        self._check_may_manage()
        settings = self.env["doorman.settings"]._get().sudo()
        checks = [
            self._test_service(settings),
            self._test_access(settings),
            self._test_state(),
            self._test_user(),
        ]
        return [{"ok": ok, "text": text} for ok, text in checks]

    def _test_service(self, settings):
        if settings.gateway_silent:
            return False, self.env._(
                "The service has not reported for a minute: start it, or look at its "
                "log."
            )
        if not settings.mcp_url:
            return False, self.env._(
                "The address of the service is not known: set the Public URL in Server "
                "Settings."
            )
        return True, self.env._(
            "The service has reported within the last minute (version %s).",
            settings.gateway_version,
        )

    def _test_access(self, settings):
        if settings.is_copy:
            return False, self.env._(
                "This database is a copy: AI tools are refused until it is reviewed in "
                "Server Settings."
            )
        if not settings.enabled:
            return False, self.env._(
                "Access is switched off in Server Settings: every AI tool is refused."
            )
        return True, self.env._("Access is switched on.")

    def _test_state(self):
        if self.state not in LIVE_STATUSES or not self.active:
            return False, self.env._("The connection is not active.")
        if self.auth_type != "bearer":
            return True, self.env._("The connection is active.")
        if not self.sudo().api_key_id or self.key_ended:
            return False, self.env._("The connection has no working key.")
        return True, self.env._("The connection is active and has a working key.")

    def _test_user(self):
        usable = self.scope_ids - self._scopes_without_permission()
        user = self.user_id.sudo()
        if not user.active or not usable:
            return False, self.env._(
                "%s has none of the permissions that the connection uses.", user.name
            )
        if usable != self.scope_ids:
            return False, self.env._(
                "%(user)s lacks the permission for %(scopes)s.",
                user=user.name,
                scopes=self.missing_scopes,
            )
        return True, self.env._(
            "%s has the permissions that the connection uses.", user.name
        )
