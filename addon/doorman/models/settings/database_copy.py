"""A copy of a database is not the original.

Everything that opens the original opens a copy as well: keys, logins, invites, and what
was revoked after a backup is valid again in what is restored from it. So the database
that access was opened in is noted, and another one lets nobody in until an MCP
administrator has said what it is.
"""

import hashlib
import logging

import psycopg2

from odoo import api, fields, models, tools
from odoo.exceptions import UserError
from odoo.tools import SQL, file_open

_logger = logging.getLogger(__name__)

# What no dump carries: the cluster's identifier, drawn by initdb, and the number that
# CREATE DATABASE gives. A rename keeps both. So does a copy of the cluster's files:
# such a copy cannot be told from the original.
IDENTITY = """
    SELECT CASE WHEN has_function_privilege('pg_control_system()', 'execute')
                THEN (SELECT system_identifier::text FROM pg_control_system())
                ELSE '' END || '/' || oid
      FROM pg_database WHERE datname = current_database()
"""
# By its name in JSON: a database that is about to be updated has no such column yet.
KEPT = """
    SELECT to_jsonb(s) ->> 'database_identity' FROM doorman_settings s WHERE singleton
"""


# What ``odoo neutralize`` runs.
with file_open("doorman/data/neutralize.sql") as neutralize:
    NEUTRALIZE = neutralize.read()


def same_database(kept, now):
    """Whether two identities are those of one database.

    :param str kept: as noted: ``<identifier of the cluster>/<number of the database>``
    :param str now: as it is. Where the role may not ask for the identifier, on some
        hosted databases, the number alone decides.
    """
    cluster, _slash, number = kept.partition("/")
    cluster_now, _slash, number_now = now.partition("/")
    known = cluster and cluster_now
    return number == number_now and (not known or cluster == cluster_now)


class DoormanSettings(models.Model):
    _inherit = "doorman.settings"

    # Of the database that access was first opened in; none in one that never had any.
    database_identity = fields.Char(readonly=True)
    database_name = fields.Char("Original database", readonly=True)
    is_copy = fields.Boolean(compute="_compute_is_copy")

    def _compute_is_copy(self):
        self.is_copy = self._is_copy()

    @api.model
    def _is_copy(self, kept=None):
        """Whether this is a copy of the database that access was opened in.

        :param str kept: the identity that was noted, if the caller has read it
        """
        kept = kept or self._kept_identity()
        return bool(kept) and not same_database(kept, self._database_identity())

    @api.model
    def _kept_identity(self):
        self.env.cr.execute(KEPT)
        row = self.env.cr.fetchone()
        return row and row[0]

    @api.model
    @tools.ormcache()
    def _database_identity(self):
        """Asked once a process: a registry stays with its database."""
        return self._read_identity()

    @api.model
    def _read_identity(self):
        self.env.cr.execute(IDENTITY)
        return self.env.cr.fetchone()[0]

    @api.model
    def _database_id(self):
        """:return: what tells this database from others, 32 hex digits"""
        return hashlib.sha256(self._database_identity().encode()).hexdigest()[:32]

    def _note_database(self):
        """Note that access is opened in this database, where none is noted yet."""
        self.env.cr.execute(
            SQL(
                "UPDATE doorman_settings SET database_identity = %s, "
                "database_name = current_database() "
                "WHERE singleton AND database_identity IS NULL",
                self._database_identity(),
            )
        )
        self.invalidate_model(["database_identity", "database_name", "is_copy"])

    @api.model
    def _look_for_copy(self):
        """Switch access off in a copy.

        :return: whether this is one
        """
        if self._read_identity() != self._database_identity():
            # Another database has taken this one's name under a running Odoo.
            self._forget_keys()
        if not self._is_copy():
            return False
        self.env.cr.execute(
            SQL(
                "UPDATE doorman_settings SET enabled = false, version = version + 1 "
                "WHERE singleton AND enabled RETURNING id"
            )
        )
        if self.env.cr.fetchone():
            _logger.warning(
                "%s is a copy of a database that AI tools have access to: "
                "access is switched off here. See Doorman / Server Settings.",
                self.env.cr.dbname,
            )
            settings = self._get().sudo()
            settings.invalidate_recordset(["enabled", "version"])
            settings.message_post(
                body=self.env._(
                    "This database is a copy of %s: access was switched off.",
                    settings.database_name,
                )
            )
        return True

    def _register_hook(self):
        super()._register_hook()
        try:
            with self.env.cr.savepoint():
                self._look_for_copy()
        except psycopg2.errors.OperationalError:
            # Another process switches it off at this moment. The fence looks, too.
            _logger.info("Another process looks whether this database is a copy.")

    def _switch(self, enabled):
        if enabled:
            if self._is_copy():
                raise UserError(
                    self.env._(
                        "This database is a copy of %s. First choose what happens to "
                        "its connections: Review Copy, above.",
                        self._get().sudo().database_name,
                    )
                )
            self._check_admin()
            self._note_database()
        return super()._switch(enabled)

    # ---- what an administrator says of it ----

    def action_review_copy(self):
        """The dialog that asks what becomes of the access that came with the copy.

        :raise AccessError: for anyone but MCP administrators
        """
        self._check_admin()
        review = self.env["doorman.review.copy"].create({})
        return review._shown()

    def _end_copied_access(self):
        """Make this a database of its own: nothing that opens the original opens it,
        as in one that Odoo has neutralized."""
        self.env.cr.execute(NEUTRALIZE)
        self.env.invalidate_all()
        self._forget_keys()

    def _take_over(self):
        """Make this the database that access is opened in, in place of the one it is a
        copy of. Access stays off until it is switched on."""
        self.env.cr.execute(
            SQL(
                "UPDATE doorman_settings SET database_identity = %s, "
                "database_name = current_database(), enabled = false, "
                "version = version + 1 "
                "WHERE singleton",
                self._database_identity(),
            )
        )
        self.env.invalidate_all()
