from datetime import timedelta

from odoo import api, fields, models

from ..policy.as_person import as_person, day_of
from ..policy.credentials import KEY_ENDS
from ..policy.refusal import _lt, in_language
from ..policy.shared import LIVE_STATUSES
from .run_job import job, progress

FOLD_ROWS = 20_000
PURGE_ROWS = 20_000
REMIND_DAYS = 14
REMINDER = "mail.mail_activity_data_todo"

# Silent connections become idle, and used ones, or those a longer threshold brings
# back, connected again.
MOVE_IDLE = """
    UPDATE doorman_connection c
       SET state = CASE WHEN c.last_used < t.since THEN 'idle' ELSE 'connected' END,
           state_since = now() at time zone 'utc'
      FROM (SELECT now() at time zone 'utc' - make_interval(hours => %s) AS since) t
     WHERE (c.state = 'connected' AND c.last_used < t.since)
        OR (c.state = 'idle' AND c.last_used >= t.since)
"""

# Connections that end soon. One that is archived is refused already.
CONNECTIONS_ENDING = """
    UPDATE doorman_connection SET expiry_reminded = true WHERE id IN (
        SELECT id FROM doorman_connection
         WHERE expiry_reminded IS NOT TRUE AND active
           AND state IN ('awaiting', 'connected', 'idle')
           AND expires_at > now() at time zone 'utc'
           AND expires_at < now() at time zone 'utc' + make_interval(days => %s)
         ORDER BY expires_at LIMIT %s)
    RETURNING id
"""

# Keys that end before their connection does. Each is a row of its own: a new key is
# reminded of anew. Not those that were rotated away, which are meant to end.
KEYS_ENDING = """
    UPDATE doorman_connection_proof SET reminded = true WHERE proof IN (
        SELECT p.proof FROM doorman_connection_proof p
          JOIN doorman_connection c
            ON c.id = p.connection_id AND c.api_key_id = p.api_key_id
          JOIN res_users_apikeys k ON k.id = p.api_key_id
         WHERE p.reminded IS NOT TRUE
           AND c.active AND c.state IN ('awaiting', 'connected', 'idle')
           AND k.expiration_date > now() at time zone 'utc'
           AND k.expiration_date
               < now() at time zone 'utc' + make_interval(days => %s)
           AND (c.expires_at IS NULL OR c.expires_at > k.expiration_date)
         ORDER BY k.expiration_date LIMIT %s)
    RETURNING connection_id
"""

# A key that its age has ended stays in the report until there is another.
FORGET_KEYS = """
    DELETE FROM doorman_connection_proof p
     WHERE NOT EXISTS (SELECT FROM res_users_apikeys k WHERE k.id = p.api_key_id)
       AND NOT EXISTS (
           SELECT FROM doorman_connection c
            WHERE c.id = p.connection_id AND c.api_key_id = p.api_key_id
              AND LEAST(p.latest, c.expires_at) <= now() at time zone 'utc')
"""


class DoormanGateway(models.AbstractModel):
    """The work that the service's jobs start. Each can run at any time, as often as
    one likes, from several replicas at once."""

    _inherit = "doorman.gateway"

    def _alone(self, name):
        """Whether this transaction may run a job: of several replicas, one does."""
        self.env.cr.execute("SELECT pg_try_advisory_xact_lock(hashtext(%s))", [name])
        return self.env.cr.fetchone()[0]

    @job(every=60, timeout=50)
    def _fold_use(self):
        """Add what the audit holds to the connections' counters, and move their
        status: awaiting, connected, idle.

        :return: ``folded`` rows, and whether there are ``more``
        :rtype: dict
        """
        if not self._alone("doorman.fold_use"):
            return progress(folded=0)
        folded = self.env["doorman.audit"]._fold(FOLD_ROWS)
        settings = self.env["doorman.settings"]._get().sudo()
        self.env.cr.execute(
            MOVE_IDLE, [settings.idle_after_hours], log_exceptions=False
        )
        self.env["doorman.connection"].invalidate_model(
            ["request_count", "last_used", "state", "state_since"]
        )
        return progress(folded=folded, more=folded == FOLD_ROWS)

    @job(every=300, timeout=60)
    def _expire_connections(self):
        """End the connections whose day has come, and forget keys that are gone, also
        the service's old one.

        The fence refuses an expired connection by its date, not by this job.

        :rtype: dict
        """
        if not self._alone("doorman.expire_connections"):
            return progress(expired=0)
        connections = self.env["doorman.connection"].sudo()
        alive = ("inactive", *LIVE_STATUSES)
        due = connections.search(
            [("state", "in", alive), ("expires_at", "<=", fields.Datetime.now())],
            limit=self._at_once,
        )
        ended = due._transition("expired", alive)
        ended._remove_keys()
        for connection in ended:
            connection.message_post(body=self.env._("Expired."))
        self.env.cr.execute(FORGET_KEYS)
        self.env["doorman.settings"]._end_old_service_keys()
        return progress(expired=len(ended), more=len(due) == self._at_once)

    @job(every=86_400, timeout=300)
    def _remind_expiry(self):
        """An activity for every connection that expires within two weeks, once: for
        its user if they may see it, else for who made it. The same for every key that
        ends before its connection, for its user and their administrator.

        :rtype: dict
        """
        connections, more = self._remind_connections()
        keys, more_keys = self._remind_keys()
        return progress(reminded=connections + keys, more=more or more_keys)

    def _remind_connections(self):
        """:return: of how many somebody was reminded, and whether there may be more"""
        self.env.cr.execute(CONNECTIONS_ENDING, [REMIND_DAYS, self._at_once])
        ids = [row[0] for row in self.env.cr.fetchall()]
        self.env["doorman.connection"].invalidate_model(["expiry_reminded"])
        reminded = 0
        for connection in self.env["doorman.connection"].sudo().browse(ids):
            person = connection.user_id
            if not person.has_group("doorman.group_user"):
                person = connection.create_uid
            reminded += self._remind(
                connection,
                person,
                REMINDER,
                connection.expires_at,
                _lt("The connection %s expires", connection.name),
                _lt(
                    "Its AI tool stops working then. If it is still needed, an MCP "
                    "administrator can set a later date."
                ),
            )
        return reminded, len(ids) == self._at_once

    def _remind_keys(self):
        """:return: of how many somebody was reminded, and whether there may be more"""
        self.env.cr.execute(KEYS_ENDING, [REMIND_DAYS, self._at_once])
        ids = [row[0] for row in self.env.cr.fetchall()]
        reminded = 0
        for connection in self.env["doorman.connection"].sudo().browse(ids):
            reminded += self._remind(
                connection,
                connection.user_id | connection._administrator(),
                KEY_ENDS,
                connection.key_expires_at,
                _lt("The key of %s expires", connection.name),
                _lt(
                    "Its AI tool is refused from then on. Open the connection, rotate "
                    "the key and enter the new one in the AI tool's settings."
                ),
            )
        return reminded, len(ids) == self._at_once

    @api.model
    def _remind(self, connection, people, kind, when, summary, note):
        """:param summary, note: in words of ``_lt``: each person gets them in theirs
        :return: whether anybody who is allowed to know was told
        """
        told = False
        for person in people:
            if not person.active or not person.has_group("doorman.group_user"):
                continue
            # Who made it may have lost the right to know of it.
            if not as_person(connection, person).has_access("read"):
                continue
            lang = person.lang or "en_US"
            connection.activity_schedule(
                kind,
                day_of(person, when),
                summary=in_language(summary, lang),
                note=in_language(note, lang),
                user_id=person.id,
            )
            told = True
        return told

    @job(every=86_400, timeout=1_800)
    def _purge_audit(self):
        """Remove the audit rows and the decided requests for approval that are older
        than the settings keep them, and the answers to writes that nobody asks for any
        more.

        :return: how many were ``deleted``, and whether there are ``more``
        :rtype: dict
        """
        if not self._alone("doorman.purge_audit"):
            return progress(deleted=0)
        days = self.env["doorman.settings"]._get().sudo().audit_retention_days
        deleted = self.env["doorman.audit"]._purge(days, PURGE_ROWS)
        self.env["doorman.idempotency"]._purge()
        self.env["doorman.day"]._purge()
        self.env["doorman.undo"]._purge()
        self.env["doorman.wizard"]._purge()
        self.env["doorman.notice"]._purge()
        self.env["doorman.gateway"]._purge_files()
        old = fields.Datetime.now() - timedelta(days=days)
        more = self.env["doorman.approval"].sudo()._purge(old)
        return progress(deleted=deleted, more=more or deleted == PURGE_ROWS)
