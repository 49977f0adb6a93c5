import secrets

from odoo import api, models
from odoo.tools import SQL

from ...policy.credentials import stored_proof
from ...policy.shared import PREFIX_CODE

CODE_SECONDS = 60
# Devices that one person logged in on with one program; the oldest give way.
MAX_FAMILIES = 50


class DoormanOauthToken(models.AbstractModel):
    """Codes, access tokens and refresh tokens, in tables that the ORM cannot read.

    consent ── a family: what one Allow gave, with a pepper of its own
            ── generation 0: the code, for a minute
    redeem  ── generation 1: access and refresh token, made from pepper and code
    refresh ── generation n + 1, made from pepper and refresh token: shown again within
               the grace, it gives the newest tokens that came of it, the same to all
    reuse   ── of a code, or of a refresh token otherwise: the whole family is dead
    """

    _name = "doorman.oauth.token"
    _description = "OAuth tokens"

    def init(self):
        """Of a token, the hash of its proof is kept. Who stole the database has
        peppers, and no token to make the next one from; who stole an old token has no
        pepper."""
        self.env.cr.execute(
            SQL(
                """
                CREATE TABLE IF NOT EXISTS doorman_oauth_family (
                    id serial PRIMARY KEY,
                    connection_id integer NOT NULL
                        REFERENCES doorman_connection(id) ON DELETE CASCADE,
                    client_id integer NOT NULL
                        REFERENCES doorman_oauth_client(id) ON DELETE CASCADE,
                    pepper bytea NOT NULL,
                    generation integer NOT NULL DEFAULT 0,
                    redirect_uri text NOT NULL,
                    challenge varchar NOT NULL,
                    resource varchar NOT NULL,
                    scopes text NOT NULL,
                    created_at timestamp NOT NULL DEFAULT (now() at time zone 'utc'),
                    dead_at timestamp,
                    dead_reason varchar,
                    CHECK (octet_length(pepper) = 32)
                );
                CREATE INDEX IF NOT EXISTS doorman_oauth_family_connection_idx
                    ON doorman_oauth_family (connection_id);
                CREATE INDEX IF NOT EXISTS doorman_oauth_family_client_idx
                    ON doorman_oauth_family (client_id);
                CREATE TABLE IF NOT EXISTS doorman_oauth_token (
                    stored varchar(64) PRIMARY KEY,
                    family_id integer NOT NULL
                        REFERENCES doorman_oauth_family(id) ON DELETE CASCADE,
                    kind varchar NOT NULL,
                    generation integer NOT NULL,
                    scopes text NOT NULL,
                    expires_at timestamp NOT NULL,
                    used_at timestamp,
                    -- Of two that redeem at once, one cannot make a second pair.
                    UNIQUE (family_id, generation, kind),
                    CHECK (char_length(stored) = 64),
                    CHECK (kind IN ('code', 'access', 'refresh'))
                )
                """
            )
        )

    @api.model
    def _code(self, connection, client, asked, scopes):
        """What comes of a consent.

        :param asked: the request, a row of ``doorman_oauth_request`` as a dict
        :param list scopes: the codes of what was granted
        :return: the code, in clear for the only time
        """
        connection.flush_recordset()
        self._make_room(connection)
        self.env.cr.execute(
            SQL(
                """
                INSERT INTO doorman_oauth_family (connection_id, client_id, pepper,
                    redirect_uri, challenge, resource, scopes)
                VALUES (%s, %s, %s, %s, %s, %s, %s) RETURNING id
                """,
                connection.id,
                client.id,
                secrets.token_bytes(32),
                asked["redirect_uri"],
                asked["challenge"],
                asked["resource"],
                " ".join(scopes),
            )
        )
        family = self.env.cr.fetchone()[0]
        code = PREFIX_CODE + secrets.token_urlsafe(32)
        self._keep(family, "code", 0, code, " ".join(scopes), CODE_SECONDS, None)
        return code

    @api.model
    def _make_room(self, connection):
        self.env.cr.execute(
            SQL(
                """
                UPDATE doorman_oauth_family
                   SET dead_at = now() at time zone 'utc', dead_reason = 'too many'
                 WHERE id IN (
                     SELECT id FROM doorman_oauth_family
                      WHERE connection_id = %s AND dead_at IS NULL
                      ORDER BY id DESC OFFSET %s)
                """,
                connection.id,
                MAX_FAMILIES - 1,
            ),
            log_exceptions=False,
        )

    @api.model
    def _keep(self, family, kind, generation, token, scopes, seconds, until):
        """:param until: the end of the connection, which no token outlives"""
        self.env.cr.execute(
            SQL(
                """
                INSERT INTO doorman_oauth_token
                    (stored, family_id, kind, generation, scopes, expires_at)
                VALUES (%s, %s, %s, %s, %s, LEAST(%s,
                    now() at time zone 'utc' + make_interval(secs => %s)))
                """,
                stored_proof(token),
                family,
                kind,
                generation,
                scopes,
                until,
                seconds,
            )
        )

    # ---- how they end ----

    @api.model
    def _kill(self, families, reason):
        """End all tokens of these families.

        :param list families: ids
        :return: the ids of those that had not ended before
        """
        self.env.cr.execute(
            SQL(
                """
                UPDATE doorman_oauth_family
                   SET dead_at = now() at time zone 'utc', dead_reason = %s
                 WHERE id = ANY(%s) AND dead_at IS NULL RETURNING id
                """,
                reason,
                families,
            ),
            log_exceptions=False,  # who loses the race is run again by Odoo
        )
        return [row[0] for row in self.env.cr.fetchall()]

    @api.model
    def _end_of(self, connections, reason):
        """End all tokens of these connections."""
        self.env.cr.execute(
            SQL(
                "SELECT id FROM doorman_oauth_family "
                "WHERE connection_id = ANY(%s) AND dead_at IS NULL",
                connections.ids,
            )
        )
        families = [row[0] for row in self.env.cr.fetchall()]
        return self._kill(families, reason) if families else []
