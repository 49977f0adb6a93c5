from odoo import http
from odoo.exceptions import UserError
from odoo.http import request

from ..policy import oauth_values
from ..policy.refusal import in_language
from .page_time import page_time
from .pickup import HEADERS

ROUTE = "/doorman/consent"


class ConsentController(http.Controller):
    """The page on which a person lets an AI tool in, or does not.

    Odoo's own login comes first, with whatever it asks for, and leads back here. The
    page is shown every time, also to who has allowed the same before: programs on a
    person's computer can all claim to be the one that was allowed.
    """

    @http.route(ROUTE, auth="user", methods=["GET"], sitemap=False)
    def show(self, **params):
        """Who asks for what. Changes nothing."""
        asked = request.env["doorman.oauth.request"]._open(self._handle(params))
        if not asked:
            return self._gone()
        return self._offer(asked, self._handle(params))

    @http.route(ROUTE, auth="user", methods=["POST"], sitemap=False)
    def decide(self, **params):
        """Allow or deny, once."""
        requests, handle = request.env["doorman.oauth.request"], self._handle(params)
        ip = request.httprequest.remote_addr or ""
        if params.get("answer") == "allow":
            try:
                # What cannot be allowed after all leaves the request as it was.
                with request.env.cr.savepoint():
                    target = requests._allow(handle, ip)
            except UserError as refused:
                asked = requests._open(handle)
                if not asked:
                    return self._gone()
                return self._offer(asked, handle, error=refused.args[0])
        else:
            target = requests._deny(handle, ip)
        if not target:
            return self._gone()
        return self._send(target)

    # ---- what they share ----

    @staticmethod
    def _handle(params):
        handle = params.get("request")
        return handle if isinstance(handle, str) else ""

    def _offer(self, asked, handle, error=None):
        requests = request.env["doorman.oauth.request"]
        standing = requests._standing(asked)
        values = self._about(asked, standing) | {"handle": handle, "error": error}
        response = self._page(
            "doorman.consent_page", values, status=422 if error else 200
        )
        # Browsers hold the redirect that follows to this as well.
        target = oauth_values.form_target(asked["redirect_uri"])
        policy = HEADERS["Content-Security-Policy"]
        response.headers["Content-Security-Policy"] = policy.replace(
            "form-action 'self'", f"form-action 'self' {target}"
        )
        return response

    def _about(self, asked, standing):
        user, client = request.env.user, asked["client"]
        policy, connection = standing["policy"], standing["connection"]
        uri = asked["redirect_uri"]
        refused = in_language(standing["refusal"], request.env.lang or "en_US")
        document = client["kind"] == "document"
        ident = oauth_values.parts_of(client["client_id"]) if document else None
        site = oauth_values.parts_of(client["client_uri"]) or ("", "")
        days = request.env["doorman.settings"]._oauth()["refresh_seconds"] // 86400
        return {
            "name": client["name"],
            "kind": client["kind"],
            "host": ident and ident[1],
            "site": site[1],
            "target": oauth_values.destination(uri),
            "local": oauth_values.is_loopback(uri),
            "scheme": oauth_values.is_custom(uri),
            "app": oauth_values.known_app(uri),
            "user": user.name,
            "user_login": user.login,
            "company": user.company_id.name,
            "database": request.env.cr.dbname,
            "refusal": refused,
            "scopes": [] if refused else standing["granted"],
            "lacking": standing["lacking"],
            "withheld": standing["withheld"],
            "read_only": policy.read_only,
            "restricted": policy.tools_restricted or policy.models_restricted,
            "gated": bool(policy.approval_tool_ids or policy.approval_rule_ids),
            "waits": self._waits(connection),
            "known": bool(connection),
            "expires": page_time(request.env, connection.expires_at),
            "unused": request.env._(
                "If it is not used for %s, it has to ask again.",
                request.env["doorman.connection"]._days(days),
            ),
        }

    @staticmethod
    def _waits(connection):
        if connection:
            return connection.state == "inactive"
        return request.env["doorman.connection"]._waits(request.env.user)

    @staticmethod
    def _send(target):
        # Not Odoo's redirect, which stays inside Odoo, or rewrites the address.
        return request.make_response(
            "",
            status=303,
            headers=[
                ("Location", target),
                ("Cache-Control", "no-store"),
                ("Referrer-Policy", "no-referrer"),
                ("X-Frame-Options", "DENY"),
            ],
        )

    def _gone(self):
        user = request.env.user
        values = {"user_login": user.login}
        return self._page("doorman.consent_gone_page", values, status=404)

    def _page(self, template, values, status=200):
        response = request.render(
            template,
            {**values, "csrf_token": request.csrf_token, "lang": request.env.lang},
        )
        response.status_code = status
        response.headers.update(HEADERS)
        return response
