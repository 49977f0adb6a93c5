"""The service's requests, served without what Odoo does for browsers.

Odoo serves each request for a person with a browser: it authenticates a session, looks
for parameters in the address, sets cookies, and begins a second transaction. A request
of the service has neither a session nor a query, and its endpoint asks for no login
(``auth="none"``): the endpoint checks the key in the header itself. What guards the
data is still Odoo's own code: the database filter, the check for what other processes
have changed, the routing, the retries, the COMMIT and the handling of errors.

Sources: Odoo's ``http.py`` (``Request._serve_db``) and ``ir.http`` of ``base``.
"""

import re
import threading
from functools import partial

import psycopg2
from werkzeug.exceptions import RequestEntityTooLarge

from odoo import SUPERUSER_ID
from odoo.api import Environment
from odoo.http import RegistryError, root
from odoo.modules.registry import Registry
from odoo.service.model import retrying
from odoo.tools.misc import get_lang

ROUTE = "/doorman/jsonrpc"

# Bytes of a body, in digits of ASCII and not in others that Python knows as well.
LENGTH = re.compile(r"[0-9]{1,18}")

# The system parameter that turns this off, with the value "0".
SWITCH = "doorman.http_shortcut"

# What is left out, and the addons whose part in it does nothing for such a request:
# each was read. With any other addon's part in it, Odoo serves the request.
LEFT_OUT = (
    "_authenticate",
    "_authenticate_explicit",
    "_auth_method_none",
    "_pre_dispatch",
    "_dispatch",
    "_post_dispatch",
)
READ = {
    "base",
    "web",
    "http_routing",
    "auth_signup",
    "auth_timeout",
    "html_editor",
    "utm",
    "website",
    "website_sale",
}


def takes(request):
    """Whether a request is one of the service's, with nothing in it that Odoo would
    look at.

    :param request: ``odoo.http.Request``, whose database is known
    """
    environ = request.httprequest.environ
    return bool(
        environ.get("PATH_INFO") == ROUTE
        and environ.get("REQUEST_METHOD") == "POST"
        and environ.get("CONTENT_TYPE") == "application/json"
        # How long it is must be known: of one in chunks Werkzeug does not say it.
        and LENGTH.fullmatch(environ.get("CONTENT_LENGTH", ""))
        and "HTTP_TRANSFER_ENCODING" not in environ
        and "HTTP_X_ODOO_DATABASE" in environ
        and not request.httprequest._session_id__
        and not environ.get("QUERY_STRING")
    )


def is_safe(registry):
    """Whether only the addons in READ have a part in what is left out. Any other one
    may refuse requests there, or log them."""
    return all(
        definition._module in READ
        for definition in registry["ir.http"].__mro__
        if "_module" in definition.__dict__
        and any(name in definition.__dict__ for name in LEFT_OUT)
    )


def serve(request, usual):
    """Serve a request that ``takes`` takes.

    :param usual: Odoo's own ``_serve_db``, for when the shortcut is off or not safe
    :return: ``odoo.http.Response``
    :raise RegistryError: as Odoo's own way does, if the database can't be used
    """
    cr = None
    try:
        try:
            registry = Registry(request.db)
            cr = registry.cursor()
            request.registry = registry.check_signaling(cr)
        except (
            AttributeError,
            psycopg2.OperationalError,
            psycopg2.ProgrammingError,
        ) as exc:
            raise RegistryError(f"Cannot get registry {request.db}") from exc
        if request.registry is not registry:
            # Loading it took a while: the transaction must not be that old.
            cr.close()
            cr = request.registry.cursor()
        # Otherwise the caches were checked in the very transaction that goes on. Odoo
        # begins another one, in which the data may be newer than they are.
        thread = threading.current_thread()
        thread.dbname, thread.cursor_mode = request.registry.db_name, "rw"
        request.env = Environment(cr, None, request.session.context)
        if _may_serve(request.env):
            try:
                response = _serve(request)
            except Exception as exc:
                raise request._update_served_exception(exc) from exc.__cause__
            if response is not None:
                return response
    finally:
        request.env = None
        if cr is not None:
            cr.close()
    return usual(request)


def _may_serve(env):
    registry = env.registry
    if "doorman.gateway" not in registry:
        return False
    if not hasattr(registry, "_doorman_shortcut"):
        registry._doorman_shortcut = is_safe(registry)
    return (
        registry._doorman_shortcut
        and env["ir.config_parameter"]._get_param(SWITCH) != "0"
    )


def _serve(request):
    """:return: None if another addon wants a login for the endpoint"""
    rule, _args = request.registry["ir.http"]._match(ROUTE)
    if rule.endpoint.routing["auth"] != "none":
        return None
    request._set_request_dispatcher(rule)
    return retrying(partial(_answer, request, rule.endpoint), env=request.env)


def _answer(request, endpoint):
    # As ``_auth_method_none`` and ``_pre_dispatch`` leave it: no user, and a language
    # that this database has.
    context = request.session.context
    lang = get_lang(Environment(request.env.cr, SUPERUSER_ID, context)).code
    request.env = Environment(request.env.cr, None, {**context, "lang": lang})
    request.env.transaction.default_env = request.env
    # Werkzeug looks at this where it parses a form, which is not done here.
    most = endpoint.routing["max_content_length"]
    if request.httprequest.content_length > most:
        raise RequestEntityTooLarge
    request.httprequest.max_content_length = most
    request.params = {}
    response = request._inject_future_response(endpoint())
    root.set_csp(response)
    return response
