from datetime import datetime

from odoo import api, fields, models
from odoo.tools import SQL

from ...policy import widening
from ...policy.api_values import ApiRefused
from ...policy.narrowing import RULES, narrows
from ...policy.policy_fields import EFFECTIVE
from ...policy.refusal import _lt, in_language
from ...policy.shared import (
    LIVE_STATUSES,
    MAX_CONNECTION_NAME,
    MAX_CONNECTIONS,
    PREFIX_KEY,
    SAY_NO_CONNECTION,
)
from ..mixins.doorman_api_mixin import utc

# Beside those of a policy: to make one, and to make one stricter.
MADE_WITH = {"name", "user", "expires_at", "key_days", "deliver"}
NARROWED = {"expires_at"}
# How a pick-up link reaches its user: by the caller, or by email.
BY_LINK = ("link", "email")
RESTRICTED = {
    "allowed_tools": "tools_restricted",
    "allowed_models": "models_restricted",
    "companies": "companies_restricted",
}
LIMITS = {own: effective for effective, own in EFFECTIVE.items()}
TIME = "%Y-%m-%dT%H:%M:%SZ"


class DoormanConnection(models.Model):
    """What the REST API calls, as the administrator whose own key it was given. It
    makes connections, makes them stricter and ends them; it opens nothing."""

    _name = "doorman.connection"
    _inherit = ["doorman.connection", "doorman.api.mixin"]

    @api.model
    def api_connect(self, values):
        """Make an API key connection.

        :param dict values: names as in the REST API
        :return: ``{connection, pickup_url, pickup_expires_at, key}``, of which the link
            or the key is there, for the only time, and the others are None; both are
            None if the link was sent to its user; or ``{error}``
        """
        return self._api(lambda connections: connections._api_connect(values))

    @api.model
    def api_connections(
        self, limit=100, offset=0, status=None, type=None, user=None, invite_id=None
    ):
        """The connections that the caller administers, newest first, archived ones
        as well.

        :param str status: only those of this status
        :param str type: ``bearer`` or ``oauth``
        :param str user: only those of the user with this login
        :param int invite_id: only those that came of this invite
        :return: ``{connections, total}`` or ``{error}``
        """
        return self._api(
            lambda connections: connections._api_connections(
                limit, offset, status, type, user, invite_id
            )
        )

    @api.model
    def api_connection(self, connection_id):
        """One connection.

        :return: ``{connection}`` or ``{error}``
        """
        return self._api(
            lambda connections: {
                "connection": connections._api_find(connection_id)._wire()
            }
        )

    @api.model
    def api_narrow(self, connection_id, values):
        """Make the policy of a connection stricter. All of it, or nothing.

        :param dict values: names as in the REST API
        :return: ``{connection}``, or ``{error}``: also if any of it would widen
        """
        return self._api(
            lambda connections: connections._api_narrow(connection_id, values)
        )

    @api.model
    def api_rotate(self, connection_id, key_days=0, deliver="link"):
        """Make a pick-up link to a new key. The present key works until it is used.

        :param int key_days: how long the new key works; 0: as long as it may
        :param str deliver: ``link``, or ``email``, to send it to its user
        :return: ``{connection, pickup_url, pickup_expires_at}``, the link being None if
            it was sent; or ``{error}``
        """
        return self._api(
            lambda connections: connections._api_rotate(
                connection_id, key_days, deliver
            )
        )

    @api.model
    def api_disconnect(self, connection_id):
        """End a connection now, so that its user cannot bring it back.

        :return: ``{connection}`` or ``{error}``
        """
        return self._api(lambda connections: connections._api_disconnect(connection_id))

    # ---- looking ----

    def _api_connections(self, limit, offset, status, kind, user, invite_id):
        limit, offset = self._api_page(limit, offset, MAX_CONNECTIONS)
        domain = []
        for name, field, value in (
            ("status", "state", status),
            ("type", "auth_type", kind),
        ):
            if value is not None:
                known = dict(self._fields[field].selection)
                value = self._api_chosen(name, value, known)
                domain.append((field, "=", value))
        if user is not None:
            login = self._api_typed("user", user, str)
            domain.append(("user_id.login", "=", login))
        if invite_id is not None:
            invite_id = self._api_typed("invite", invite_id, int)
            domain.append(("invite_id", "=", invite_id))
        known = self.with_context(active_test=False)
        found = known.search(domain, limit=limit, offset=offset)
        return {
            "connections": [connection._wire() for connection in found],
            "total": known.search_count(domain),
        }

    def _api_find(self, connection_id):
        found = self.browse()
        if type(connection_id) is int and 0 < connection_id < 2**31:
            known = self.with_context(active_test=False)
            found = known.search([("id", "=", connection_id)])
        if not found:
            raise ApiRefused(
                "not_found",
                in_language(_lt(SAY_NO_CONNECTION), self.env.lang or "en_US"),
            )
        return found

    # ---- making one ----

    def _api_connect(self, values):
        self._api_known(values, MADE_WITH)
        vals = self._api_policy_from(values)
        vals["name"] = self._api_typed("name", values.get("name"), str).strip()
        # Somebody who pastes a key there would show it to everybody.
        if (
            not 0 < len(vals["name"]) <= MAX_CONNECTION_NAME
            or PREFIX_KEY in vals["name"]
        ):
            raise self._api_invalid("name", "")
        vals["user_id"] = self._api_user(values.get("user")).id
        deliver = self._api_chosen(
            "deliver", values.get("deliver", "link"), (*BY_LINK, "key")
        )
        if "expires_at" in values:
            vals["expires_at"] = self._api_time("expires_at", values["expires_at"])
        days = self._api_typed("key_days", values.get("key_days", 0), int)
        if not values.get("scopes"):
            raise self._api_invalid("scopes", values.get("scopes"))
        self._api_check_granted(values["scopes"], vals)
        # As themselves: their access rights and record rules hold.
        connection = self.create(vals)
        answer = {"pickup_url": None, "pickup_expires_at": None, "key": None}
        if deliver in BY_LINK:
            answer |= connection._api_pickup(days, deliver)
        else:
            answer["key"] = connection._api_key(days)
        return answer | {"connection": connection._wire()}

    def _api_user(self, login):
        """The user with a login, for whom the caller may make connections."""
        login = self._api_typed("user", login, str)
        found = self.env["res.users"].search(
            [("login", "=", login), ("share", "=", False)]
        )
        # Somebody of another company looks like somebody who does not exist.
        found = found.filtered(lambda u: u.sudo().company_id in self.env.companies)
        if not found:
            raise self._api_invalid("user", login)
        return found

    def _api_check_granted(self, codes, vals):
        """Hold a new connection against what its maker has, as an invite is, and
        against the limits of Server Settings.

        :param list codes: of its scopes
        :raise ApiRefused: if it would grant more
        """
        scopes = self.env["doorman.scope"].search([("code", "in", codes)])
        if scopes.sudo().group_id - self.env.user.sudo().all_group_ids:
            raise ApiRefused(
                "scopes_exceeded",
                self.env._("requested scopes exceed admin's own permissions"),
            )
        settings = self.env["doorman.settings"]._get().sudo()
        for name in sorted(widening.FIELDS & vals.keys()):
            before, after = widening.of_new(name), vals[name]
            if name in widening.OFF_FROM:
                before, after = settings[name], after or settings[name]
            if widening.widens(name, before, after):
                raise self._api_widens(name)

    def _api_key(self, days):
        """:return: a new key, for an administrator who may hand it over"""
        if reason := self._why_not_see_key():
            raise ApiRefused("key_withheld", reason)
        return self._new_key_dialog(key_days=days)["context"]["default_key"]

    def _api_pickup(self, days, deliver):
        if deliver == "email":
            pickup = self._email_pickup_link(days)
            return {"pickup_url": None, "pickup_expires_at": utc(pickup.expires_at)}
        dialog = self.action_pickup_link(days)["context"]
        until = fields.Datetime.to_datetime(dialog["default_link_until"])
        return {"pickup_url": dialog["default_link"], "pickup_expires_at": utc(until)}

    def _api_rotate(self, connection_id, key_days, deliver):
        connection = self._api_find(connection_id)
        deliver = self._api_chosen("deliver", deliver, BY_LINK)
        days = self._api_typed("key_days", key_days, int)
        if connection.auth_type != "bearer":
            reason = self.env._("Only API key connections have a key.")
        elif connection.state not in LIVE_STATUSES or not connection.active:
            reason = self.env._("The connection has ended. Reactivate it in Odoo.")
        else:
            made = connection._api_pickup(days, deliver)
            return made | {"connection": connection._wire()}
        raise ApiRefused("conflict", reason)

    def _api_disconnect(self, connection_id):
        connection = self._api_find(connection_id)
        connection._revoke_for_good()
        return {"connection": connection._wire()}

    # ---- making one stricter ----

    def _api_narrow(self, connection_id, values):
        connection = self._api_find(connection_id)
        connection.check_access("write")
        self._api_known(values, NARROWED)
        if "description" in values:
            raise self._api_invalid("description")
        connection._api_hold()
        shown = connection._wire()
        changed = {
            name: value for name, value in values.items() if value != shown[name]
        }
        before = connection._api_compared()
        vals = self._api_policy_from(changed)
        if "expires_at" in changed:
            vals["expires_at"] = self._api_time("expires_at", changed["expires_at"])
        for lines in {"approval_rule_ids", "model_rule_ids"} & vals.keys():
            vals[lines] = [fields.Command.clear(), *vals[lines]]
        if vals:
            # sudo: companies that the caller does not see would stay on the list.
            # The right to write is checked above, what is written is looked at below.
            connection.sudo().write(vals)
        after = connection._api_compared()
        for name in LIMITS:
            # Its own limit may be the default's today, which may be higher tomorrow.
            if shown[name] and not connection[name]:
                after[name] = 0
        for name in RULES:
            if not narrows(name, before[name], after[name]):
                raise self._api_widens(name)
        return {"connection": connection._wire()}

    def _api_hold(self):
        """Let nobody else change this policy until this transaction ends. It is kept in
        several tables, and every change of it writes this row: what was changed since
        this transaction began makes Odoo run it again."""
        self.flush_recordset()
        self.env.cr.execute(
            SQL(
                "SELECT id FROM doorman_connection WHERE id = %s FOR NO KEY UPDATE",
                self.id,
            ),
            log_exceptions=False,
        )

    def _api_compared(self):
        """The policy, as ``narrows`` takes it."""
        connection = self.sudo()
        connection.invalidate_recordset()
        policy = connection._api_policy_wire()
        for name, flag in RESTRICTED.items():
            if not connection[flag]:
                policy[name] = None
        for name, effective in LIMITS.items():
            policy[name] = connection[effective]
        policy["expires_at"] = utc(connection.expires_at) or None
        return policy

    def _api_widens(self, name):
        return ApiRefused(
            "would_widen",
            self.env._(
                "%s: the API can only make access stricter, never wider. Change this "
                "in Odoo, on the connection form.",
                name,
            ),
        )

    def _api_time(self, name, value):
        """:return: a time of the future, from RFC 3339 in UTC and whole seconds"""
        try:
            found = datetime.strptime(self._api_typed(name, value, str), TIME)
        except ValueError as exc:
            raise self._api_invalid(name, value) from exc
        if found <= fields.Datetime.now():
            raise self._api_invalid(name, value)
        return found

    # ---- to JSON ----

    def _wire(self):
        """The connection as plain JSON. No key is in it, nor a link to one."""
        self.ensure_one()
        connection = self.sudo()
        return self._api_policy_wire() | {
            "id": connection.id,
            "name": connection.name,
            "status": connection.state,
            "status_since": utc(connection.state_since or connection.create_date),
            "type": connection.auth_type,
            "archived": not connection.active,
            "user": connection.user_id.login,
            "user_name": connection.user_id.name,
            "company": connection.user_id.company_id.name,
            "missing_scopes": connection._scopes_without_permission().mapped("code"),
            "expires_at": utc(connection.expires_at) or None,
            "key_expires_at": utc(connection.key_expires_at) or None,
            "pickup_pending": connection.pickup_pending,
            "last_used": utc(connection.last_used) or None,
            "requests": connection.request_count,
            "invite_id": connection.invite_id.id or None,
            "created_by": connection.create_uid.login or "",
            "created_at": utc(connection.create_date),
        }
