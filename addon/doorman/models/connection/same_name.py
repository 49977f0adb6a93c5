from odoo import api, fields, models

# Connections in these states are over.
ENDED = ("revoked", "expired")


class DoormanConnection(models.Model):
    """Two connections of one user under one name: neither lists nor the audit can tell
    them apart. It is said and not refused, as logins by browser name theirs alike."""

    _inherit = "doorman.connection"

    same_name = fields.Boolean(compute="_compute_same_name")

    @api.depends("name", "user_id", "state")
    def _compute_same_name(self):
        for connection in self:
            connection.same_name = connection.state not in ENDED and bool(
                self._alike(connection.name, connection.user_id) - connection._origin
            )

    @api.model
    def _alike(self, name, user):
        """
        :param name: of a connection, or False
        :param user: whom it acts as
        :return: connections that share both and are not over, as far as the caller
            can see them: two at most
        """
        return self.search(
            [
                ("name", "=", (name or "").strip()),
                ("user_id", "=", user._origin.id),
                ("state", "not in", ENDED),
            ],
            limit=2,
        )
