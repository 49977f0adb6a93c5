import hashlib
import hmac
import re
import secrets

from odoo.tools import email_normalize

from ..policy.plain_text import is_plain

MIN_PASSWORD, MAX_PASSWORD = 10, 200
MAX_NAME, MAX_EMAIL = 100, 200
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
                self.env._("This address already has an account. Log in instead."),
                counts=True,
            )
        return {
            "name": self.name,
            "login": self.email,
            "password": self.password,
            "proven": self.invite.accept_from == "listed",
        }

    def _check(self):
        name = self.name
        if not 0 < len(name) <= MAX_NAME or "\n" in name or not is_plain(name):
            raise WrongInput(self.env._("Enter your name."))
        if len(self.email) > MAX_EMAIL or not EMAIL.fullmatch(self.email):
            raise WrongInput(self.env._("Enter your email address."))
        if not MIN_PASSWORD <= len(self.password) <= MAX_PASSWORD:
            raise WrongInput(
                self.env._("Choose a password of at least %s characters.", MIN_PASSWORD)
            )

    # ---- the code ----

    def _digest(self, code):
        return hashlib.sha256(f"{self.email}:{code}".encode()).hexdigest()

    def _send(self):
        code = f"{secrets.randbelow(10**8):08d}"
        kept = self.invite._keep_code(self.email, self._digest(code))
        if not kept:
            raise WrongInput(
                self.env._(
                    "Too many codes were requested for this address. Try "
                    "again in ten minutes."
                )
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
                    "This code is wrong or has expired. Leave it empty to get a new "
                    "one."
                ),
                counts=True,
            )


def _literal(text):
    """For =ilike: no character stands for others."""
    for special in ("\\", "%", "_"):
        text = text.replace(special, "\\" + special)
    return text
