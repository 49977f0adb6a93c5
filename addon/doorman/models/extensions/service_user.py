"""The service's own user is a lock without a handle: it comes in by the service's key,
and by nothing that anybody, itself included, could set, reset or ask for. What it may
call is in patches.py."""

import re

from odoo import api, models
from odoo.exceptions import AccessDenied, AccessError, UserError

from ...policy.protected_fields import CONTEXT_KEY, SENTINEL

# Fields of a user by which somebody comes in, or a new password is sent.
HANDLE = re.compile(
    r"^(login|email|partner_id|password|new_password|signup_.*|oauth_.*|totp_.*"
    r"|auth_.*|api_key_ids)$"
)
# The same of the contact behind it.
ADDRESS = re.compile(r"^(email|signup_.*)$")


def _check_not_service(records, users, vals, pattern):
    """:param records: to be written
    :param users: those of them that are users, or stand behind one
    :raise AccessError: if a field is one that lets somebody in as the service
    """
    # What is taken away lets nobody in: Odoo ends a request for a password so.
    names = [name for name, value in vals.items() if value and pattern.match(name)]
    if not names or records.env.context.get(CONTEXT_KEY) is SENTINEL:
        return
    if records.env["doorman.settings"]._service_user_id() in users.ids:
        raise AccessError(
            records.env._(
                "Nobody can log in as the Doorman service: %s of its user cannot be "
                "changed. Its key is created in Doorman's Server Settings.",
                ", ".join(sorted(names)),
            )
        )


class ResUsers(models.Model):
    _inherit = "res.users"

    def write(self, vals):
        _check_not_service(self, self, vals, HANDLE)
        return super().write(vals)

    def _is_doorman_service(self):
        return self.env["doorman.settings"]._service_user_id() in self.ids

    def _check_credentials(self, credential, env):
        if not self.env.user._is_doorman_service():
            return super()._check_credentials(credential, env)
        # By a program, and by the service's key: not by a page, a password, another
        # key, a directory, a passkey.
        key = credential.get("type") == "password" and credential.get("password")
        if (env or {}).get("interactive", True) or not isinstance(key, str) or not key:
            raise AccessDenied()
        if self.env["doorman.settings"]._service_uid(key) != self.env.uid:
            raise AccessDenied()
        return {"uid": self.env.uid, "auth_method": "apikey", "mfa": "default"}

    @api.model
    def _check_uid_passwd(self, uid, passwd):
        # Odoo keeps in its cache that a password was right; an old key ends by the
        # clock.
        if uid and uid == self.env["doorman.settings"]._service_user_id():
            if self.env["doorman.settings"]._service_uid(passwd or "") != uid:
                raise AccessDenied()
            return None
        return super()._check_uid_passwd(uid, passwd)

    def _compute_session_token(self, sid):
        # No session of it is ever a valid one.
        if self._is_doorman_service():
            return False
        return super()._compute_session_token(sid)

    def _action_reset_password(self, *args, **kwargs):
        if self._is_doorman_service():
            raise UserError(self.env._("Nobody can log in as the Doorman service."))
        return super()._action_reset_password(*args, **kwargs)


class ResPartner(models.Model):
    _inherit = "res.partner"

    def write(self, vals):
        if any(ADDRESS.match(name) for name in vals):
            service = self.env["doorman.settings"]._service_user_id()
            user = self.env["res.users"].sudo().browse(service)
            if user.partner_id in self:
                _check_not_service(self, user, vals, ADDRESS)
        return super().write(vals)


class ResUsersApikeys(models.Model):
    _inherit = "res.users.apikeys"

    def _check_credentials(self, *, scope, key):
        settings = self.env["doorman.settings"]
        uid = super()._check_credentials(scope=scope, key=key)
        if uid and uid == settings._service_user_id():
            # Another key of that user's opens nothing, however it was made.
            return settings._service_uid(key)
        return uid

    def _generate(self, scope, name, expiration_date):
        if self.env.user._is_doorman_service():
            if self.env.context.get(CONTEXT_KEY) is not SENTINEL:
                raise AccessError(
                    self.env._(
                        "The key of the Doorman service is created in its settings."
                    )
                )
        return super()._generate(scope, name, expiration_date)
