from odoo import models
from odoo.exceptions import UserError

from ..policy import oauth_values

MAX_REDIRECTS = 20


class DoormanConnectWizard(models.TransientModel):
    """An OAuth client of one's own, for one user."""

    _inherit = "doorman.connect.wizard"

    def action_make_client(self):
        """Make the OAuth client and its connection, on record.

        :return: the dialog that shows the client's ID, and its secret, once
        :raise AccessError: for anyone but MCP administrators, and for users that are
            not of their companies
        :raise UserError: for what no browser should be sent to
        """
        self._check_admin()
        self.ensure_one()
        name = oauth_values.clean_name(self.client_name)
        if not name:
            raise UserError(self.env._("Give the OAuth client a name."))
        redirects = "\n".join(self._redirects())
        # Before the client: with the caller's own rights.
        policy = self._connection_values() | {"name": name, "auth_type": "oauth"}
        clients = self.env["doorman.oauth.client"]
        client, secret = clients._make_custom(
            {
                "name": name,
                "client_type": self.client_type,
                "redirect_uris": redirects,
                "user_id": self.user_id.id,
            }
        )
        connections = self.env["doorman.connection"]._inside()
        connection = connections.create(policy | connections._client_values(client))
        connection.with_context(doorman_inside=None).message_post(
            body=self.env._("OAuth client created by %s.", self.env.user.name)
        )
        return client._secret_dialog(secret)

    def _redirects(self):
        """The redirect URIs, one a line, each once.

        :raise UserError: at the first that no browser should be sent to
        """
        lines = (self.redirect_uris or "").splitlines()
        found = {}
        for number, line in enumerate(lines, start=1):
            uri = line.strip()
            if uri:
                self._check_redirect(number, uri)
                found[uri] = True
        if not found:
            raise UserError(self.env._("Enter at least one redirect URI."))
        if len(found) > MAX_REDIRECTS:
            raise UserError(
                self.env._("Enter at most %s redirect URIs.", MAX_REDIRECTS)
            )
        return list(found)

    def _check_redirect(self, number, uri):
        # Where the code is sent, access is sent: only to an exact place, and in the
        # clear only to the person's own machine.
        settings = self.env["doorman.settings"]._oauth()
        clients = self.env["doorman.oauth.client"]
        if "*" not in uri and clients._may_return(uri, settings, hosts=[]):
            return
        raise UserError(
            self.env._(
                "Redirect URIs, line %(number)s: %(uri)s is not allowed. Enter a full "
                "address, https://..., or http:// with localhost, 127.0.0.1 or [::1]; "
                "without #, * or a user name.",
                number=number,
                uri=repr(uri),
            )
        )
