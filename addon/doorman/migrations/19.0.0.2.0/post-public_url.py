"""Addresses of the service have one form. Logins were given for the address as it was
typed then, and would end with the next call."""

from odoo.tools import SQL

from odoo.addons.doorman.policy.public_url import normal_url

KEPT = (
    ("doorman_settings", "public_url"),
    ("doorman_oauth_family", "resource"),
    ("doorman_oauth_request", "resource"),
)


def migrate(cr, version):
    for table, column in KEPT:
        named = {"table": SQL.identifier(table), "column": SQL.identifier(column)}
        cr.execute(
            SQL("SELECT DISTINCT %(column)s FROM %(table)s", **named),
        )
        for (old,) in cr.fetchall():
            new = normal_url(old)
            if new and new != old:
                cr.execute(
                    SQL(
                        "UPDATE %(table)s SET %(column)s = %(new)s "
                        "WHERE %(column)s = %(old)s",
                        **named,
                        new=new,
                        old=old,
                    )
                )
