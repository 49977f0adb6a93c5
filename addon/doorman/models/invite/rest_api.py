from datetime import timedelta

from odoo import api, fields, models
from odoo.fields import Command

from ...policy.api_values import ApiRefused
from ...policy.invite_values import LINK_HOURS
from ...policy.refusal import _lt, in_language
from ...policy.shared import MAX_INVITE_LINK_SECONDS, MAX_INVITES, SAY_NO_INVITE
from ..mixins.doorman_api_mixin import utc
from .doorman_invite import STATES

# Name in the API -> type, beside those of every policy.
PLAIN = {
    "max_uses": int,
    "key_name_preset": str,
    "key_lifetime_hours": int,
    "new_accounts": bool,
}
OTHERS = {"expires_in_seconds", "account_groups", "accept_list"}


class DoormanInvite(models.Model):
    """What the REST API calls, as the administrator whose own key it was given."""

    _name = "doorman.invite"
    _inherit = ["doorman.invite", "doorman.api.mixin"]

    @api.model
    def api_create(self, values):
        """Make an invite.

        :param dict values: names as in the REST API
        :return: ``{invite, invite_url}``, the URL for the only time, or ``{error}``
        """
        return self._api(lambda invites: invites._api_create(values))

    @api.model
    def api_list(self, limit=100, offset=0, state=None):
        """The invites of the caller's companies, newest first.

        :return: ``{invites, total}`` or ``{error}``
        """
        return self._api(lambda invites: invites._api_list(limit, offset, state))

    @api.model
    def api_get(self, invite_id):
        """One invite, with who accepted it.

        :return: ``{invite}`` or ``{error}``
        """
        return self._api(
            lambda invites: {"invite": invites._api_find(invite_id)._wire(whole=True)}
        )

    @api.model
    def api_revoke(self, invite_id, connections=False):
        """Stop a link.

        :param bool connections: also the connections made from it
        :return: ``{invite, revoked_connections}`` or ``{error}``
        """
        return self._api(lambda invites: invites._api_revoke(invite_id, connections))

    def _api_create(self, values):
        invite, token = self._make(self._api_values(values))
        return {"invite": invite._wire(), "invite_url": invite._link(token)}

    def _api_list(self, limit, offset, state):
        if state is not None:
            self._api_chosen("state", state, dict(STATES))
        limit, offset = self._api_page(limit, offset, MAX_INVITES)
        domain = [("state", "=", state)] if state else []
        found = self.search(domain, limit=limit, offset=offset)
        return {
            "invites": [invite._wire() for invite in found],
            "total": self.search_count(domain),
        }

    def _api_find(self, invite_id):
        found = self.browse()
        if type(invite_id) is int and 0 < invite_id < 2**31:
            found = self.search([("id", "=", invite_id)])
        if not found:
            raise ApiRefused(
                "not_found", in_language(_lt(SAY_NO_INVITE), self.env.lang or "en_US")
            )
        return found

    def _api_revoke(self, invite_id, connections):
        invite = self._api_find(invite_id)
        both = self._api_typed("connections", connections, bool)
        of_it = [("invite_id", "=", invite.id), ("state", "=", "revoked")]
        mine = self.env["doorman.connection"].sudo().with_context(active_test=False)
        before = mine.search_count(of_it)
        invite.action_revoke(connections=both)
        ended = mine.search_count(of_it) - before
        return {"invite": invite._wire(), "revoked_connections": ended}

    # ---- from JSON ----

    def _api_values(self, values):
        """:return: the values of the record; what is not known is refused"""
        self._api_known(values, {*PLAIN, *OTHERS})
        vals = {"scope_ids": []} | self._api_policy_from(values)
        for name in PLAIN.keys() & values.keys():
            vals[name] = self._api_typed(name, values[name], PLAIN[name])
        accept = self._api_lines("accept_list", values.get("accept_list", []))
        vals["accept_list"] = accept
        vals["accept_from"] = "listed" if accept else "anyone"
        seconds = values.get("expires_in_seconds", LINK_HOURS * 3600)
        seconds = self._api_typed("expires_in_seconds", seconds, int)
        if not 0 < seconds <= MAX_INVITE_LINK_SECONDS:
            raise self._api_invalid("expires_in_seconds", seconds)
        vals["expires_at"] = fields.Datetime.now() + timedelta(seconds=seconds)
        groups = self._api_items("account_groups", values.get("account_groups", []))
        vals["account_group_ids"] = [
            Command.set([self._api_group("account_groups", g) for g in groups])
        ]
        return vals

    # ---- to JSON ----

    def _wire(self, whole=False):
        """The invite as plain JSON.

        :param bool whole: with who accepted it
        """
        self.ensure_one()
        invite = self.sudo().with_context(active_test=False)
        wire = self._api_policy_wire()
        wire |= {name: invite[name] or kind() for name, kind in PLAIN.items()}
        wire |= {
            "id": invite.id,
            "state": invite.state,
            "current_uses": invite.current_uses,
            "expires_at": utc(invite.expires_at),
            "accept_list": (invite.accept_list or "").splitlines(),
            "account_groups": self._api_xmlids(invite.account_group_ids),
            "company": invite.company_id.name,
            "created_by": invite.creator_id.login or "",
            "created_at": utc(invite.create_date),
        }
        if whole:
            wire["acceptances"] = [
                self._acceptance_wire(acceptance)
                for acceptance in invite.acceptance_ids
            ]
        return wire

    @api.model
    def _acceptance_wire(self, acceptance):
        return {
            "login": acceptance.user_id.login,
            "name": acceptance.user_id.name,
            "accepted_at": utc(acceptance.accepted_at),
            "ip": acceptance.ip or "",
            "new_account": acceptance.new_account,
            "connection_id": acceptance.connection_id.id or None,
            "connection_state": acceptance.connection_id.state or "",
        }
