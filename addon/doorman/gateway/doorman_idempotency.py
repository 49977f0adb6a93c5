import hashlib
import json

from odoo import models

from ..policy import kept_answers
from ..policy.refusal import Refusal, _lt
from ..policy.shared import MAX_IDEMPOTENCY_KEY

# How long the answer to a write is kept for a caller who asks for the same again.
KEEP_HOURS = 24

# What the ORM does not know it cannot read, export or put into a domain. No foreign
# key: it would lock the connection's row at every write.
TABLE = """
    CREATE TABLE IF NOT EXISTS doorman_idempotency (
        connection_id integer NOT NULL,
        key char(64) NOT NULL,
        digest char(64) NOT NULL,
        answer text,
        created timestamp NOT NULL,
        policy_version integer,
        PRIMARY KEY (connection_id, key)
    );
    ALTER TABLE doorman_idempotency ADD COLUMN IF NOT EXISTS policy_version integer
"""

# The lock tells those that come while the first still works; it goes with the
# transaction. Who comes later finds the row.
LOCK = "SELECT pg_try_advisory_xact_lock(hashtextextended(%s, 0))"

# A row of another transaction that this one cannot see yet is a serialization failure
# here: Odoo runs the request again, and then it is seen.
CLAIM = """
    INSERT INTO doorman_idempotency AS i (connection_id, key, digest, created)
    VALUES (%s, %s, %s, now() at time zone 'utc')
    ON CONFLICT (connection_id, key) DO UPDATE
       SET digest = excluded.digest, answer = NULL, created = excluded.created
     WHERE i.created < excluded.created - make_interval(hours => %s)
    RETURNING true
"""
FIND = """
    SELECT i.digest, i.answer, i.policy_version = c.policy_version
      FROM doorman_idempotency i
      JOIN doorman_connection c ON c.id = i.connection_id
     WHERE i.connection_id = %s AND i.key = %s
       AND i.created >= now() at time zone 'utc' - make_interval(hours => %s)
"""
ANSWER = """
    UPDATE doorman_idempotency i SET answer = %s, policy_version = c.policy_version
      FROM doorman_connection c
     WHERE c.id = i.connection_id AND i.connection_id = %s AND i.key = %s
"""
PURGE = """
    DELETE FROM doorman_idempotency
     WHERE created < now() at time zone 'utc' - make_interval(hours => %s)
"""


class DoormanIdempotency(models.AbstractModel):
    """What was answered to the writes of the last day, by the key that the client gave
    each: asked again, the answer is given again, and nothing is done again.

    Row, lock and write are one transaction: a write that failed leaves no row, so the
    same key may try again.
    """

    _name = "doorman.idempotency"
    _description = "Doorman: writes that were answered"

    def init(self):
        self.env.cr.execute(TABLE)

    def _once(self, connection_id, key, digest, run):
        """Run a write, unless it was run with this key before.

        :param str key: of the client
        :param str digest: of the request
        :param run: does it, and gives a JSON value
        :return: the answer, and whether it is that of an earlier request
        :raise Refusal: if the key stands for another request, for one that runs now, or
            for one that was answered under another policy
        """
        key = self._hash(key)
        cr = self.env.cr
        cr.execute(LOCK, [f"doorman {connection_id} {key}"])
        if not cr.fetchone()[0]:
            raise Refusal(
                "request_in_progress",
                _lt("The request with this idempotency key is still being processed."),
                _lt("Retry in a few seconds with the same key to get its answer."),
            )
        cr.execute(CLAIM, [connection_id, key, digest, KEEP_HOURS])
        if not cr.fetchone():
            return self._known(connection_id, key, digest), True
        answer = run()
        cr.execute(ANSWER, [json.dumps(answer), connection_id, key])
        return answer, False

    def _find(self, connection_id, key, digest):
        """:return: the answer of the last day to this request with this key, or None
        :raise Refusal: as ``_once``
        """
        return self._known(connection_id, self._hash(key), digest)

    def _known(self, connection_id, key, digest):
        self.env.cr.execute(FIND, [connection_id, key, KEEP_HOURS])
        known, answer, may_tell = self.env.cr.fetchone() or (None, None, None)
        if known is None:
            return None
        if known != digest:
            raise Refusal(
                "idempotency_key_reused",
                _lt(
                    "This idempotency key was already used for a different request. "
                    "Nothing was done."
                ),
                _lt("Use a new key for each new request."),
            )
        if not may_tell:
            raise kept_answers.not_told()
        return json.loads(answer)

    @staticmethod
    def _hash(key):
        """As a hash: any text will do, and none of it is kept."""
        if not isinstance(key, str) or not 1 <= len(key) <= MAX_IDEMPOTENCY_KEY:
            raise Refusal(
                "malformed_idempotency_key",
                _lt(
                    "The idempotency key must be text of 1 to %(most)s characters.",
                    most=MAX_IDEMPOTENCY_KEY,
                ),
            )
        return hashlib.sha256(key.encode(errors="backslashreplace")).hexdigest()

    def _purge(self):
        self.env.cr.execute(PURGE, [KEEP_HOURS])
        return self.env.cr.rowcount
