import threading
from contextlib import contextmanager
from types import SimpleNamespace

import psycopg2

from odoo import http
from odoo.exceptions import UserError
from odoo.http import request

from ..policy.credentials import token_digest
from ..policy.guesses import WINDOW_MINUTES
from ..policy.invite_values import QUEUE_MS
from .page_time import page_time
from .pickup import HEADERS
from .sign_up import SignUp, WrongInput

DETAILS = "/doorman/invite/details"
# Who waits for their turn must not hold a second connection to the database meanwhile:
# with a crowd, Odoo would run out of them.
TURN = threading.Lock()
# In the session: not the token, but what is kept of it.
OPENED = "doorman_invite"


class TooManyWait(Exception):
    """One before hangs."""


class InviteController(http.Controller):
    """The pages behind an invite's link.

    show ── the same for everybody: a script posts the token, which is in no address
    open ── its hash goes into the session                 ── guesses are counted here
    details ── what it grants; changes nothing             ── log in, sign up or accept
    accept, sign_up ── one transaction each, the key shown once

    A link that is unknown, used up, expired, revoked or meant for others gets one and
    the same answer.
    """

    @http.route("/doorman/invite", auth="public", methods=["GET"], sitemap=False)
    def show(self, **_params):
        """Where the link leads. Knows nothing of it: the token is in the fragment."""
        return self._page("doorman.invite_open_page", {})

    @http.route("/doorman/invite/open", auth="public", methods=["POST"], sitemap=False)
    def open(self, token="", **_params):
        """Remember which invite this visitor opened."""
        invites = request.env["doorman.invite"]
        ip = self._ip()
        if not invites._may_guess(ip):
            return self._slow_down()
        digest = token_digest(token)
        invite = invites._by_digest(digest)
        if not self._mine(invite) and not (invite and invite._works()):
            invites._note_guess(ip)
        request.session[OPENED] = digest or ""
        return request.redirect(DETAILS)

    @http.route(DETAILS, auth="public", methods=["GET"], sitemap=False)
    def details(self, **_params):
        """What the invite is about. Changes nothing."""
        invite = self._opened()
        mine = self._mine(invite)
        if mine:
            return self._page("doorman.invite_mine_page", self._about_mine(mine))
        if not invite or not invite._works():
            return self._gone()
        return self._offer(invite)

    @http.route(
        "/doorman/invite/accept", auth="public", methods=["POST"], sitemap=False
    )
    def accept(self, **_params):
        """Take it: a use, a connection, and its key, shown for the only time."""
        if request.env.user._is_public():
            return request.redirect(DETAILS)
        if not self._opened():
            return self._gone()  # nothing that others would have to wait for
        return self._take()

    @http.route(
        "/doorman/invite/signup", auth="public", methods=["POST"], sitemap=False
    )
    def sign_up(self, **params):
        """The same for somebody without an account, who gets one by it."""
        invite = self._opened()
        if not request.env.user._is_public():
            return request.redirect(DETAILS)
        if not invite or not invite.new_accounts or not invite._works():
            return self._gone()
        if not invite._may_guess(self._ip()):
            return self._slow_down()
        form = SignUp(invite, params, request.session)
        try:
            account = form.account()
        except WrongInput as wrong:
            if wrong.counts:
                invite._note_guess(self._ip())
            return self._offer(invite, error=wrong.args[0], form=form)
        if not account:
            # A code was sent, or would have been: the answer is the same.
            invite._note_guess(self._ip())
            return self._offer(invite, form=form)
        return self._take(account, form)

    # ---- what they share ----

    def _take(self, account=None, form=None):
        try:
            # A transaction of its own, because its first statement has to be the one
            # that waits for its turn.
            with self._turn(), request.env.registry.cursor() as cr:
                invites = request.env(cr=cr)["doorman.invite"]
                digest = request.session.get(OPENED)
                found = invites._accept(digest, self._ip(), account)
                shown = found and found[1] and self._about_key(*found)
        except (TooManyWait, psycopg2.errors.LockNotAvailable):
            return self._busy()
        except UserError as refused:
            invite = self._opened()
            return self._offer(invite, error=refused.args[0], form=form)
        if not found:
            return self._gone()
        if not shown:
            return request.redirect(DETAILS)
        return self._page("doorman.pickup_key_page", shown)

    @staticmethod
    @contextmanager
    def _turn():
        if not TURN.acquire(timeout=QUEUE_MS / 1000):
            raise TooManyWait
        try:
            yield
        finally:
            TURN.release()

    def _opened(self):
        digest = request.session.get(OPENED)
        return request.env["doorman.invite"]._by_digest(digest)

    def _mine(self, invite):
        user = request.env.user
        if user._is_public():
            return None
        return invite and invite._acceptance_of(user)

    def _offer(self, invite, error=None, form=None):
        user = request.env.user
        public = user._is_public()
        refusal = None
        if not public:
            refusal = invite._why_not(user)
            if refusal is None:
                return self._gone()
        values = self._about(invite) | {
            "public": public,
            "refusal": refusal,
            "error": error,
            "sign_up": public and invite.new_accounts,
            # People who sign up by themselves do not become internal users.
            "free_sign_up": public and self._free_sign_up(),
            "form": form and form.shown() or {},
            "login": f"/web/login?redirect={DETAILS}",
        }
        return self._page("doorman.invite_page", values, status=422 if error else 200)

    @staticmethod
    def _free_sign_up():
        """:return: where anybody may make a portal account, or False"""
        # Of an addon that need not be there (auth_signup).
        users = request.env["res.users"].sudo()
        scope = getattr(users, "_get_signup_invitation_scope", None)
        free = scope and scope() == "b2c"
        return free and f"/web/signup?redirect={DETAILS}"

    def _about(self, invite):
        user = request.env.user
        granted = invite._granted_scopes(user)
        hours = invite._key_hours()
        return {
            "company": invite.company_id.name,
            "maker": invite.creator_id.name,
            "user": user.name,
            "user_login": user.login,
            "scopes": granted,
            "withheld": invite.scope_ids - granted,
            "read_only": invite.read_only,
            "restricted": invite.tools_restricted or invite.models_restricted,
            "gated": bool(invite.approval_tool_ids or invite.approval_rule_ids),
            "key_life": self._key_life(hours),
            "link_until": page_time(request.env, invite.expires_at),
        }

    @staticmethod
    def _key_life(hours):
        """How long the key works, in words; "" if nothing but revoking ends it."""
        if not hours:
            return ""
        connections = request.env["doorman.connection"]
        whole = hours % 24 == 0
        life = connections._days(hours // 24) if whole else connections._hours(hours)
        return request.env._("The key works for %s.", life)

    def _about_mine(self, acceptance):
        connection = acceptance.connection_id
        states = dict(connection._fields["state"]._description_selection(request.env))
        return {
            "company": acceptance.invite_id.company_id.name,
            "accepted_at": page_time(request.env, acceptance.accepted_at),
            "connection": connection,
            "state": states.get(connection.state, ""),
        }

    def _about_key(self, acceptance, key):
        """Plain values: what was made is not there for the request's own cursor."""
        connection = acceptance.connection_id
        dialog = connection.env["doorman.key.show"].new({"key": key})
        granted = connection.user_id.all_group_ids
        scopes = connection.scope_ids.filtered(lambda s: s.group_id in granted)
        return {
            "connection": connection.name,
            "maker": acceptance.invite_id.creator_id.name,
            "user": connection.user_id.name,
            "scopes": [
                SimpleNamespace(name=s.name, description=s.description) for s in scopes
            ],
            "read_only": connection.read_only,
            "restricted": connection.tools_restricted or connection.models_restricted,
            "expires": page_time(connection.env, connection.key_expires_at),
            "key": key,
            "url": dialog.url,
            "url_known": dialog.url_known,
            "snippets": dialog.snippets,
            "page_title": connection.name,
            "next_login": acceptance.new_account and acceptance.user_id.login,
            "next_url": f"/odoo/doorman.connection/{connection.id}",
        }

    @staticmethod
    def _ip():
        return request.httprequest.remote_addr or ""

    def _gone(self):
        user = request.env.user
        public = user._is_public()
        values = {
            "user_login": False if public else user.login,
            "login": f"/web/login?redirect={DETAILS}",
        }
        return self._page("doorman.invite_gone_page", values, status=404)

    def _busy(self):
        """Nothing was done, and the link is as good as before."""
        response = self._page("doorman.invite_busy_page", {}, status=503)
        response.headers["Retry-After"] = str(QUEUE_MS // 1000)
        return response

    def _slow_down(self):
        response = self._page("doorman.invite_slow_page", {}, status=429)
        response.headers["Retry-After"] = str(WINDOW_MINUTES * 60)
        return response

    def _page(self, template, values, status=200):
        response = request.render(
            template,
            {**values, "csrf_token": request.csrf_token, "lang": request.env.lang},
        )
        response.status_code = status
        response.headers.update(HEADERS)
        return response
