from odoo import http
from odoo.http import request

from ..policy.credentials import token_digest
from .page_time import page_time

# In the session: not the token, but what is kept of it.
OPENED = "doorman_pickup"
DETAILS = "/doorman/pickup/details"
# A key is shown here: nothing keeps the page, nothing learns its address, nothing
# frames it, and no script runs in it but ours, whatever other modules add to pages.
HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "X-Robots-Tag": "noindex",
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        "font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
}


class PickupController(http.Controller):
    """The pages behind a personal pick-up link.

    show ── the same for everybody: a script posts the token, which is in no address
    open ── its hash goes into the session
    details ── Odoo's own login, then what the link is for ── the key, shown once

    A link that is unknown, used, expired, revoked or somebody else's gets one and the
    same answer: who tries links learns nothing from it.
    """

    @http.route("/doorman/pickup", auth="public", methods=["GET"], sitemap=False)
    def show(self, **_params):
        """Where the link leads. Knows nothing of it: the token is in the fragment. That
        is in no log; Odoo's login, which comes later, would lose it."""
        return self._page("doorman.pickup_open_page", {})

    @http.route("/doorman/pickup/open", auth="public", methods=["POST"], sitemap=False)
    def open(self, token="", **_params):
        """Remember which link this visitor opened. Tells nothing of it."""
        request.session[OPENED] = token_digest(token)
        return request.redirect(DETAILS)

    @http.route(DETAILS, auth="user", methods=["GET"], sitemap=False)
    def details(self, **_params):
        """What the link is for. Changes nothing."""
        return self._offer(request.session.get(OPENED))

    @http.route(DETAILS, auth="user", methods=["POST"], sitemap=False)
    def take(self, **_params):
        """Make the key, and show it for the only time."""
        return self._hand_out(request.session.get(OPENED))

    # Links of before 0.2.0 have their token in the path. They work for a day: these two
    # are there for those that were sent when Odoo was updated.

    @http.route(
        "/doorman/pickup/<string:token>", auth="user", methods=["GET"], sitemap=False
    )
    def show_old(self, token, **_params):
        """As ``details``. Mail scanners open links as well."""
        return self._offer(token_digest(token))

    @http.route(
        "/doorman/pickup/<string:token>", auth="user", methods=["POST"], sitemap=False
    )
    def take_old(self, token, **_params):
        """As ``take``."""
        return self._hand_out(token_digest(token))

    # ---- what they share ----

    def _offer(self, digest):
        pickup = request.env["doorman.pickup"]._opened(digest)
        if not pickup:
            return self._gone()
        return self._page("doorman.pickup_page", self._about(pickup))

    def _hand_out(self, digest):
        found = request.env["doorman.pickup"]._pick_up_opened(digest)
        if not found:
            return self._gone()
        pickup, key = found
        shown = request.env["doorman.key.show"].new({"key": key})
        return self._page(
            "doorman.pickup_key_page",
            {
                **self._about(pickup),
                "expires": page_time(request.env, pickup.connection_id.key_expires_at),
                "key": key,
                "url": shown.url,
                "url_known": shown.url_known,
                "snippets": shown.snippets,
            },
        )

    def _gone(self):
        return self._page("doorman.pickup_gone_page", {}, status=404)

    def _about(self, pickup):
        connection = pickup.connection_id
        granted = connection.user_id.all_group_ids
        return {
            "connection": connection.name,
            "maker": pickup.create_uid.name,
            "user": connection.user_id.name,
            # What the person may not do themselves, the key cannot either.
            "scopes": connection.scope_ids.filtered(lambda s: s.group_id in granted),
            "read_only": connection.read_only,
            "restricted": connection.tools_restricted or connection.models_restricted,
            "expires": page_time(request.env, connection._key_end(pickup.key_days)),
            "replaces": bool(connection.api_key_id),
            "link_until": page_time(request.env, pickup.expires_at),
        }

    def _page(self, template, values, status=200):
        response = request.render(
            template,
            {**values, "csrf_token": request.csrf_token, "lang": request.env.lang},
        )
        response.status_code = status
        response.headers.update(HEADERS)
        return response
