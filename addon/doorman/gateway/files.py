import base64
import json
import time

from odoo import api, models
from odoo.tools import SQL
from odoo.tools.json import json_default

from ..policy import shared
from ..policy.change_scope import writing
from ..policy.credentials import hash_proof
from ..policy.refusal import Refusal, _lt
from ..tools import files, operations, told_changes, uploads
from ..tools.call import call_of
from .fence import PROOF, Stored

LINK_MINUTES = 15
# Between a person's approval and the question what became of it.
KEPT_HOURS = 24
# Open at once, of one connection; and how much of what was printed is kept for them.
MAX_OPEN = 200
MAX_KEPT_BYTES = 200 * 1024 * 1024
FENCE_FACTS = ("connection", "version", "settings_version", "groups", "registry")
GONE = _lt(shared.SAY_LINK_GONE)
CHANGED = _lt("Its connection has changed since the link was created.")
GONE_HINT = _lt("Links work once and only for a few minutes. Ask for a new one.")


class DoormanGateway(models.AbstractModel):
    """Files, on their way past the model: each by a link for one use.

    call ── what is asked for, its rights checked ── kept ── a number for it
    file_link ── the number, and the hash of a token that the service has thrown
    file_open ── what a link is for: whether to read what is sent
    file_take, file_put ── by the token alone ── everything that was checked for the
                           call is checked again, for the same credential, unchanged
    """

    _inherit = "doorman.gateway"

    def init(self):
        res = super().init()
        # No model: nobody reads what waits here, and no hash of a link.
        self.env.cr.execute(
            SQL(
                """
                CREATE TABLE IF NOT EXISTS doorman_file (
                    id serial PRIMARY KEY,
                    connection_id integer NOT NULL
                        REFERENCES doorman_connection(id) ON DELETE CASCADE,
                    request jsonb NOT NULL,
                    told jsonb NOT NULL,
                    content bytea,
                    kept_until timestamp NOT NULL,
                    digest varchar(64) UNIQUE,
                    proof varchar(64),
                    fence jsonb);
                ALTER TABLE doorman_file
                    ADD COLUMN IF NOT EXISTS policy_version integer;
                CREATE INDEX IF NOT EXISTS doorman_file_connection_idx
                    ON doorman_file (connection_id);
                CREATE INDEX IF NOT EXISTS doorman_file_until_idx
                    ON doorman_file (kept_until)
                """
            )
        )
        return res

    # ---- a call that is about a file ----

    def _do(self, connection, row, request, audit, approved=False, shown=None):
        operation = operations.of(request)
        if operation and operation.file == operations.TAKE:
            # As it is once more when the link is followed.
            self._check_may_read(connection, row, request)
        value = super()._do(connection, row, request, audit, approved, shown)
        told = isinstance(value, dict) and (value.get("file") or value.get("upload"))
        if (
            not (operation and operation.file)
            or not told
            or value.get("url")
            or request.get("dry_run")
        ):
            return value
        content = value.pop("content", None)
        if isinstance(content, str):
            content = base64.b64decode(content)
        if "rows" in told:
            audit["message"] = self._text(f"{told['name']} ({told['rows']} rows)")
        kept = told | {"approved": True} if approved else told
        return value | {"ticket": self._keep_file(row, request, kept, content)}

    def _keep_file(self, row, request, told, content):
        self._purge_files()
        asked = {
            name: request.get(name)
            for name in ("model", "method", "ids", "kwargs", "context")
        }
        self.env.cr.execute(
            SQL(
                """
                INSERT INTO doorman_file (connection_id, request, told, content,
                                          kept_until, policy_version)
                SELECT %s, %s, %s, %s,
                       now() at time zone 'utc' + make_interval(hours => %s),
                       (SELECT policy_version FROM doorman_connection WHERE id = %s)
                  FROM (SELECT count(*) AS files, sum(octet_length(content)) AS bytes
                          FROM doorman_file WHERE connection_id = %s
                           AND kept_until > now() at time zone 'utc') open
                 WHERE open.files < %s AND (open.bytes IS NULL OR open.bytes < %s)
             RETURNING id
                """,
                row["id"],
                json.dumps(asked),
                json.dumps(told),
                content,
                KEPT_HOURS,
                row["id"],
                row["id"],
                MAX_OPEN,
                MAX_KEPT_BYTES,
            )
        )
        kept = self.env.cr.fetchone()
        if not kept:
            raise Refusal(
                "too_many_open_links",
                _lt(
                    "This connection already has %(most)s open links, or too many "
                    "printed files waiting to be fetched.",
                    most=MAX_OPEN,
                ),
                _lt("Use them, or wait 15 minutes."),
            )
        return kept[0]

    @api.model
    def _purge_files(self):
        """Drop what nobody fetched. Each new one clears away older ones."""
        self.env.cr.execute(
            SQL(
                """
                DELETE FROM doorman_file WHERE id IN (
                    SELECT id FROM doorman_file
                     WHERE kept_until <= now() at time zone 'utc'
                     LIMIT 100 FOR UPDATE SKIP LOCKED)
                """
            )
        )

    # ---- methods ----

    @api.model
    def file_link(self, fence, ticket, digest):
        """Open a link to what a call has told of. An older one to the same ends.

        :param dict fence: as for ``call``
        :param int ticket: of the call's answer
        :param str digest: SHA-256 of the link's token, 64 hex digits
        :return: ``{value: {expires_in}, registry}``, ``{stale}`` or ``{error}``
        """
        self._check_caller()

        def work(_connection, row, _request, _audit):
            return {"value": self._open_link(fence, row, ticket, digest)}

        answer, _audit = self._fenced(fence, {"method": "file_link"}, work, True)
        return answer

    def _open_link(self, fence, row, ticket, digest):
        if (
            type(ticket) is not int
            or not 0 < ticket < 2**31
            or not isinstance(digest, str)
            or not PROOF.fullmatch(digest)
        ):
            raise Refusal(
                "malformed_arguments", _lt("The number or the hash is malformed.")
            )
        self.env.cr.execute(
            SQL(
                """
                UPDATE doorman_file
                   SET digest = %s, proof = %s, fence = %s,
                       kept_until = now() at time zone 'utc'
                           + make_interval(mins => %s)
                 WHERE id = %s AND connection_id = %s
                   AND kept_until > now() at time zone 'utc'
             RETURNING policy_version = (SELECT policy_version
                                           FROM doorman_connection
                                          WHERE id = connection_id)
                """,
                hash_proof(digest),
                hash_proof(fence["proof"]),
                json.dumps({name: fence[name] for name in FENCE_FACTS}),
                LINK_MINUTES,
                ticket,
                row["id"],
            ),
            log_exceptions=False,  # who loses the race is run again by Odoo
        )
        opened = self.env.cr.fetchone()
        if not opened:
            raise Refusal(
                "file_gone", _lt("This file has already been fetched."), GONE_HINT
            )
        if not opened[0]:
            raise Refusal("file_gone", CHANGED, GONE_HINT)
        return {"expires_in": LINK_MINUTES * 60}

    @api.model
    def file_open(self, proof):
        """What a link is for, before a file is sent by it or fetched. It goes on.

        :param str proof: SHA-256 of the link's token, 64 hex digits
        :return: ``{value: {name}}`` of a link for sending, ``{value: {name, type,
            size, fetch: True}}`` of one for fetching, or ``{error}``
        """
        self._check_caller()
        kept = self._kept(proof)
        if not kept:
            return {"error": _gone().told()}
        if self._is_put(kept):
            return {"value": {"name": kept["told"]["name"]}}

        def look(connection, row, request, audit):
            value = self._take(connection, row, request, audit, kept)
            return {"value": value | {"fetch": True}}

        # What fetching would refuse must not show its name either.
        fence = kept["fence"] | {"proof": Stored(kept["proof"])}
        answer, _audit = self._fenced(fence, kept["request"] | {"audit": None}, look)
        if "value" in answer:
            del answer["value"]["content"]
            return {"value": answer["value"]}
        return answer if "error" in answer else {"error": _gone(CHANGED).told()}

    @api.model
    def file_take(self, proof, audit=None):
        """Fetch a file by its link, which ends.

        :param str proof: SHA-256 of the link's token, 64 hex digits
        :param dict audit: what the audit needs
        :return: ``{value: {name, type, size}, content}``, in base64, or ``{error}``
        """
        return self._follow(proof, audit, False, self._take)

    @api.model
    def file_put(self, proof, content, audit=None):
        """Hang a file on its record by a link, which ends if that could be done.

        :param str proof: SHA-256 of the link's token, 64 hex digits
        :param str content: in base64
        :param dict audit: what the audit needs
        :return: ``{value: {attachment_id, name, type, size}}`` or ``{error}``
        """

        def work(connection, row, request, audit, kept):
            return self._put(connection, row, request, audit, kept, content)

        return self._follow(proof, audit, True, work)

    # ---- following a link ----

    def _follow(self, proof, audit, puts, work):
        self._check_caller()
        started = time.monotonic()
        kept = self._kept(proof)
        if not kept or self._is_put(kept) != puts:
            return {"error": _gone().told()}
        request = kept["request"] | {"audit": audit}
        fence = kept["fence"] | {"proof": Stored(kept["proof"])}
        content = []

        def within(connection, row, request, audit):
            self._use_up(kept["id"])
            value = work(connection, row, request, audit, kept)
            content.append(value.pop("content", None))
            return {"value": value}

        answer, audit = self._fenced(fence, request, within, True)
        if "stale" in answer:
            # Whatever has changed: what the link was made under holds no more.
            refused = _gone(CHANGED)
            self._note_refused(audit, refused, CHANGED)
            answer = {"error": refused.told()}
        elif "value" in answer and content[0] is not None:
            answer["content"] = content[0]
        self._leave_row(answer, audit, started)
        return answer

    def _kept(self, proof):
        if not isinstance(proof, str) or not PROOF.fullmatch(proof):
            return None
        self.env.cr.execute(
            SQL(
                """
                SELECT id, request, told, content, fence, proof FROM doorman_file
                 WHERE digest = %s AND kept_until > now() at time zone 'utc'
                """,
                hash_proof(proof),
            )
        )
        found = self.env.cr.dictfetchall()
        return found and found[0]

    @staticmethod
    def _is_put(kept):
        """Whether a link is for a file to come, or for one to fetch."""
        operation = operations.of(kept["request"])
        return operation is not None and operation.file == operations.PUT

    def _use_up(self, ident):
        """One statement decides: of two at once, one gets the file. What fails after it
        is undone with it, and the link is as good as before."""
        self.env.cr.execute(
            SQL("DELETE FROM doorman_file WHERE id = %s RETURNING id", ident),
            log_exceptions=False,
        )
        if not self.env.cr.fetchone():
            raise Refusal("file_gone", GONE, GONE_HINT)

    def _take(self, connection, row, request, _audit, kept):
        told, content = kept["told"], kept["content"]
        self._check_may_read(connection, row, request)
        call = call_of(self._guard(connection, row, request), request)
        if content is None:
            told = files.content_of(call)
            content = told["content"]
        else:
            call.operation.still(call)
        self.env.flush_all()
        return {
            "name": told["name"],
            "type": told["type"],
            "size": len(content),
            "content": base64.b64encode(bytes(content)).decode(),
        }

    def _put(self, connection, row, request, audit, kept, content):
        content = uploads.decoded(content)
        uploads.check_came(kept["told"], content)
        self._check_may_write(connection, row, request)
        call = call_of(self._guard(connection, row, request), request)
        with writing(call.env, None) as noted:
            noted.tools.add(self._tool_of(request))
            value = uploads.attach(call, content)
            self.env.cr.flush()
            noted.close()
            self._check_asked(call.guard, connection, row, request, noted)
            if not kept["told"].get("approved"):
                self._check_no_approval(connection, row, noted)
            value = json.loads(json.dumps(value, default=json_default))
        audit["changed"] = told_changes.text(noted.changes())
        audit["message"] = self._text(f"{value['name']} ({value['size']} bytes)")
        return value

    def _check_no_approval(self, connection, row, noted):
        """What the link names was approved, where needed, when it was requested. What
        else the file has changed may be a person's to decide."""
        *_others, approval = connection._write_rule(row["version"])
        if self._waits(approval, row, noted):
            raise Refusal(
                "file_needs_approval",
                _lt("What this file would change needs approval."),
                _lt(
                    "Send it in the call instead, as text or base64. The call then "
                    "waits for approval."
                ),
            )
        self._count(approval, row, noted)


def _gone(why=GONE):
    return Refusal("file_gone", why, GONE_HINT)
