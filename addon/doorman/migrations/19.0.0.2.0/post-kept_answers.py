"""Answers that are kept are told under the policy that they were made under. Of those
that there are, that is the policy that their connection has now."""

from odoo.tools import SQL

KEPT = ("doorman_approval", "doorman_idempotency", "doorman_file")


def migrate(cr, version):
    for table in KEPT:
        cr.execute(
            SQL(
                """
                UPDATE %s kept SET policy_version = c.policy_version
                  FROM doorman_connection c
                 WHERE c.id = kept.connection_id AND kept.policy_version IS NULL
                """,
                SQL.identifier(table),
            )
        )
