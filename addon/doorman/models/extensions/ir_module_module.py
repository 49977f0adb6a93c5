"""What is left of Doorman once its addon is uninstalled: nothing."""

import psycopg2

from odoo import models
from odoo.tools import SQL

ADDON = "doorman"
# What is ours by its name, and of no model that stays.
TABLES = r"""
    SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relkind = 'r' AND n.nspname = current_schema
       AND c.relname LIKE 'doorman\_%%'
       AND c.relname NOT IN (SELECT replace(model, '.', '_') FROM ir_model)
"""
DROP_FUNCTIONS = r"""
    DO $$
    DECLARE found text;
    BEGIN
        FOR found IN
            SELECT p.oid::regprocedure FROM pg_proc p
              JOIN pg_namespace n ON n.oid = p.pronamespace
             WHERE n.nspname = current_schema AND p.proname LIKE 'doorman\_%%'
        LOOP
            EXECUTE 'DROP FUNCTION ' || found;
        END LOOP;
    END $$
"""
# Odoo's own lists of what modules have added to models, and of their choices. Those
# that other modules have added to ours it forgets when these go.
ORPHANS = r"""
    DELETE FROM ir_model_data
     WHERE (model = 'ir.model.inherit' AND name LIKE 'model\_inherit\_\_doorman\_%%'
            AND res_id NOT IN (SELECT id FROM ir_model_inherit))
        OR (model = 'ir.model.fields.selection' AND name LIKE 'selection\_\_doorman\_%%'
            AND res_id NOT IN (SELECT id FROM ir_model_fields_selection))
"""


class IrModuleModule(models.Model):
    _inherit = "ir.module.module"

    def module_uninstall(self):
        """Odoo drops its models, fields and records. What the ORM does not know goes
        before it, if it lets somebody in, and after it, if the ORM's own deletions
        still look at it."""
        if not self.env.is_system() or ADDON not in self.mapped("name"):
            return super().module_uninstall()  # which refuses anybody else
        service = self._doorman_lock_out()
        res = super().module_uninstall()
        self._doorman_sweep(service)
        return res

    def _doorman_lock_out(self):
        """End every key that Doorman has made.

        :return: the ids of the service's user and of the contact behind it
        """
        user = self.env["res.users"].browse(
            self.env["doorman.settings"]._service_user_id()
        )
        found = user.id, user.partner_id.id
        self.env.flush_all()
        self.env.cr.execute(
            SQL(
                "DELETE FROM res_users_apikeys WHERE scope = 'doorman' OR user_id = %s",
                user.id,
            )
        )
        # Odoo cannot delete them while there are tables that point to them.
        self.env.cr.execute(
            SQL(
                "DELETE FROM ir_model_data WHERE module = %s "
                "AND model IN ('res.users', 'res.partner')",
                ADDON,
            )
        )
        return found

    def _doorman_sweep(self, service):
        """Drop what the ORM does not know, and so leaves behind."""
        cr = self.env.cr
        self.env.flush_all()
        cr.execute(SQL(TABLES))
        for (table,) in cr.fetchall():
            cr.execute(SQL("DROP TABLE %s CASCADE", SQL.identifier(table)))
        cr.execute(SQL(DROP_FUNCTIONS))
        cr.execute(SQL(ORPHANS))
        user, partner = service
        for table, ident in (("res_users", user), ("res_partner", partner)):
            self._doorman_remove(table, ident)

    def _doorman_remove(self, table, ident):
        """Delete a row; if something of the company's hangs on it, archive it."""
        cr, named = self.env.cr, SQL.identifier(table)
        try:
            with cr.savepoint(flush=False):
                cr.execute(
                    SQL("DELETE FROM %s WHERE id = %s", named, ident),
                    log_exceptions=False,
                )
        except psycopg2.IntegrityError:
            cr.execute(SQL("UPDATE %s SET active = false WHERE id = %s", named, ident))
