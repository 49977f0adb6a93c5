import hashlib
import hmac
import secrets
import time

from odoo import api, models
from odoo.tools import email_normalize

MIN_PASSWORD, MAX_PASSWORD = 10, 200
MAX_NAME, MAX_EMAIL = 100, 200
CODE_SECONDS = 30 * 60
CODE_TRIES = 5
CODE = "doorman_invite_code"


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
    :param session: the visitor's, which keeps what is left of the code
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
        users = self.env["res.users"].sudo().with_context(active_test=False)
        if users.search_count([("login", "=ilike", _literal(self.email))]):
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
        if not self.email or len(self.email) > MAX_EMAIL or not self.email.isascii():
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
        self.asks_code = True
        self.session[CODE] = {
            "invite": self.invite.id,
            "digest": self._digest(code),
            "until": time.time() + CODE_SECONDS,
            "tries": 0,
        }
        # To others nothing is sent, and the page says the same.
        if self.invite._may_accept(self.email):
            self.invite._mail_code(self.email, code)

    def _check_code(self):
        kept = self.session.get(CODE) or {}
        self.asks_code = True
        good = (
            kept.get("invite") == self.invite.id
            and kept["until"] > time.time()
            and kept["tries"] < CODE_TRIES
        )
        if good:
            self.session[CODE] = kept | {"tries": kept["tries"] + 1}
            good = hmac.compare_digest(kept["digest"], self._digest(self.code))
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

    def _mail_code(self, email, code):
        # By the queue: sent at once, the time it takes would tell who is on the list.
        mail = self.env["mail.mail"].sudo()
        mail.create(
            {
                "subject": self.env._("Your code for %s", self.company_id.name),
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
