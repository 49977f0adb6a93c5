import hashlib
import hmac
import re
import secrets

from odoo import api, models
from odoo.tools import SQL, email_normalize

MIN_PASSWORD, MAX_PASSWORD = 10, 200
MAX_NAME, MAX_EMAIL = 100, 200
CODE_SECONDS = 30 * 60
CODE_TRIES = 5
# To one address in ten minutes.
CODES = 5
CODE = "doorman_invite_code"


# Nothing quoted: of "a@evil.example"@good.example, Odoo's mails go to the former.
EMAIL = re.compile(
    r"[a-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
    r"@[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+"
)


class WrongInput(Exception):
    """What a visitor has to correct.

    :param bool counts: as a guess
    """

    def __init__(self, message, counts=False):
        super().__init__(message)
        self.counts = counts


class SignUp:
    """The form of somebody who makes an account with an invite.

    Where an invite says who may accept, the address is proven first: a code goes to it.
    Else everybody with the link could make the account of anybody on the list.

    :param invite: one that works
    :param dict params: as posted
    :param session: the visitor's, which keeps which code was sent
    """

    def __init__(self, invite, params, session):
        self.invite = invite
        self.env = invite.env
        self.session = session
        self.name = str(params.get("name", "")).strip()
        self.typed = str(params.get("email", "")).strip()
        self.password = str(params.get("password", ""))
        self.code = "".join(str(params.get("code", "")).split())
        self.email = email_normalize(self.typed) or ""
        self.asks_code = False

    def shown(self):
        """What the page fills in again: never the password."""
        return {
            "name": self.name[:MAX_NAME],
            "email": self.typed[:MAX_EMAIL],
            "asks_code": self.asks_code,
        }

    def account(self):
        """:return: the values of the account; None if a code has to be typed first
        :raise WrongInput: with what to correct
        """
        self._check()
        if self.invite.accept_from == "listed":
            if not self.code:
                self._send()
                return None
            self._check_code()
        # Also somebody else's address: Odoo finds an account to reset by either.
        taken = [
            "|",
            ("login", "=ilike", _literal(self.email)),
            ("email_normalized", "=", self.email),
        ]
        users = self.env["res.users"].sudo().with_context(active_test=False)
        if users.search_count(taken, limit=1):
            raise WrongInput(
                self.env._("There is an account for this address: log in."), counts=True
            )
        return {
            "name": self.name,
            "login": self.email,
            "password": self.password,
            "proven": self.invite.accept_from == "listed",
        }

    def _check(self):
        name = self.name
        if not 0 < len(name) <= MAX_NAME or not name.isprintable():
            raise WrongInput(self.env._("Write your name."))
        if len(self.email) > MAX_EMAIL or not EMAIL.fullmatch(self.email):
            raise WrongInput(self.env._("Write your e-mail address."))
        if not MIN_PASSWORD <= len(self.password) <= MAX_PASSWORD:
            raise WrongInput(
                self.env._("Choose a password of %s characters or more.", MIN_PASSWORD)
            )

    # ---- the code ----

    def _digest(self, code):
        return hashlib.sha256(f"{self.email}:{code}".encode()).hexdigest()

    def _send(self):
        code = f"{secrets.randbelow(10**8):08d}"
        kept = self.invite._keep_code(self.email, self._digest(code))
        if not kept:
            raise WrongInput(
                self.env._("Too many codes for this address: wait ten minutes.")
            )
        self.asks_code = True
        self.session[CODE] = kept
        # To others nothing is sent, and the page says the same.
        if self.invite._may_accept(self.email):
            self.invite._mail_code(self.email, code)

    def _check_code(self):
        self.asks_code = True
        digest = self.invite._try_code(self.session.get(CODE))
        good = digest and hmac.compare_digest(digest, self._digest(self.code))
        if not good or not self.invite._may_accept(self.email):
            raise WrongInput(
                self.env._(
                    "This code is not right, or too old. Leave it empty for a new one."
                ),
                counts=True,
            )


def _literal(text):
    """For =ilike: no character stands for others."""
    for special in ("\\", "%", "_"):
        text = text.replace(special, "\\" + special)
    return text


class DoormanInvite(models.Model):
    _inherit = "doorman.invite"

    def init(self):
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
        nobody's mailbox is to be filled by who has a link"""
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
                    "Your code is %s. It works for half an hour. You did not ask for "
                    "one? Then do nothing.",
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
