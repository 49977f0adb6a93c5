import hashlib

from odoo import api, models
from odoo.tools import SQL

CODE_SECONDS = 30 * 60
CODE_TRIES = 5
# To one address in ten minutes.
CODES = 5


class DoormanInvite(models.Model):
    """What an invite gives to somebody who makes an account with it, and the codes that
    prove their address."""

    _inherit = "doorman.invite"

    def init(self):  # pylint: disable=missing-return
        super().init()
        self.env.cr.execute(
            SQL(
                """
                CREATE TABLE IF NOT EXISTS doorman_invite_code (
                    id serial PRIMARY KEY,
                    invite_id integer NOT NULL
                        REFERENCES doorman_invite(id) ON DELETE CASCADE,
                    address varchar(64) NOT NULL,
                    digest varchar(64) NOT NULL,
                    tries integer NOT NULL DEFAULT 0,
                    at timestamp NOT NULL DEFAULT (now() at time zone 'utc'));
                CREATE INDEX IF NOT EXISTS doorman_invite_code_idx
                    ON doorman_invite_code (address, at)
                """
            )
        )

    def _keep_code(self, email, digest):
        """:return: which code this is; None if there were too many for this address:
        nobody with a link may fill somebody's mailbox"""
        address = hashlib.sha256(email.encode()).hexdigest()
        self.env.cr.execute(
            SQL(
                """
                INSERT INTO doorman_invite_code (invite_id, address, digest)
                SELECT %s, %s, %s WHERE %s > (
                    SELECT count(*) FROM doorman_invite_code WHERE address = %s
                       AND at > now() at time zone 'utc' - interval '10 minutes')
                RETURNING id
                """,
                self.id,
                address,
                digest,
                CODES,
                address,
            )
        )
        row = self.env.cr.fetchone()
        return row and row[0]

    def _try_code(self, kept):
        """Use up one of a code's few tries. In a transaction of its own: whatever
        comes of the request, and however many there are at once, it is used up.

        :param int kept: what ``_keep_code`` returned
        :return: the digest to compare with; None if there is no try left
        """
        with self.env.registry.cursor() as cr:
            cr.execute(
                SQL(
                    """
                    UPDATE doorman_invite_code SET tries = tries + 1
                     WHERE id = %s AND invite_id = %s AND tries < %s
                       AND at > now() at time zone 'utc' - make_interval(secs => %s)
                    RETURNING digest
                    """,
                    kept,
                    self.id,
                    CODE_TRIES,
                    CODE_SECONDS,
                ),
                log_exceptions=False,
            )
            row = cr.fetchone()
        return row and row[0]

    @api.model
    def _purge_codes(self):
        self.env.cr.execute(
            SQL(
                "DELETE FROM doorman_invite_code WHERE "
                "at < now() at time zone 'utc' - make_interval(secs => %s)",
                CODE_SECONDS,
            )
        )

    def _mail_code(self, email, code):
        # By the queue: sent at once, the time it takes would tell who is on the list.
        mail = self.env["mail.mail"].sudo()
        mail.create(
            {
                "subject": self.env._("Your code for %s", self.company_id.name),
                # The visitor has no address of their own to send it from.
                "email_from": self.company_id.email_formatted
                or self.creator_id.email_formatted,
                "email_to": email,
                "auto_delete": True,
                "body_html": self.env._(
                    "Your code is %s. It works for 30 minutes. If you did not request "
                    "it, ignore this email.",
                    code,
                ),
            }
        )
        self._send_soon()

    @api.model
    def _granted_scopes(self, user):
        """What of the invite would reach this person: who is an MCP user already has
        their own permissions, others get those of the invite."""
        user = user.sudo()
        groups = user.all_group_ids
        if self.env.ref("doorman.group_user") not in groups:
            groups |= self._scope_groups()
        return self.scope_ids.filtered(lambda s: s.group_id in groups)
