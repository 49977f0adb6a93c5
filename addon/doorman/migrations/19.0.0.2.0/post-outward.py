"""Connections from before let things leave the company without asking a person: each
of them says so, where its administrators look."""

from odoo import SUPERUSER_ID, api

LABEL = "Require approval for what leaves the company"
WORDS = (
    "New with this version: calls that would reach somebody outside the company, by "
    "email for example, can wait for a person. Connections that are made from now on "
    f"do so; this one does as before. To change that, switch on “{LABEL}”."
)


def migrate(cr, version):
    env = api.Environment(cr, SUPERUSER_ID, {})
    connections = env["doorman.connection"].with_context(active_test=False)
    for connection in connections.search([("approve_outward", "=", False)]):
        # An update that broke off is begun again.
        if not connection.message_ids.filtered(lambda m: LABEL in (m.body or "")):
            connection.message_post(body=WORDS)
