from odoo import api, fields, models
from odoo.exceptions import ValidationError

from ...policy import oauth_values
from ...policy.shared import MAX_REGISTRATIONS, REGISTRATIONS


class DoormanSettings(models.Model):
    """What administrators say about logging in by browser."""

    _inherit = "doorman.settings"

    oauth_enabled = fields.Boolean(
        "Browser login (OAuth)",
        default=True,
        tracking=True,
        help="Off: nobody can connect an AI tool by browser login, and those already "
        "connected that way are refused. API keys keep working.",
    )
    oauth_client_documents = fields.Boolean(
        "Client documents",
        default=True,
        tracking=True,
        help="AI tools can identify themselves by the address of a document that they "
        "publish. The host of that address is proven; everything else is what the "
        "document says.",
    )
    oauth_redirect_hosts = fields.Text(
        "Allowed redirect hosts",
        tracking=True,
        help="One host per line, e.g. claude.ai. Empty: any. A person's own computer "
        "(localhost) is always allowed. Applies to AI tools that register themselves.",
    )
    oauth_document_hosts = fields.Text(
        "Allowed hosts of client documents",
        tracking=True,
        help="One host per line, e.g. claude.ai. Empty: any.",
    )
    oauth_known_schemes = fields.Boolean(
        "URL schemes of known programs",
        default=True,
        tracking=True,
        help="People can be sent back to Claude, Cursor, Visual Studio Code, "
        "Windsurf, Zed, Raycast or Warp by an address like cursor://... Any program "
        "on their computer can claim such a scheme for itself.",
    )
    oauth_custom_schemes = fields.Boolean(
        "Any custom URL scheme",
        tracking=True,
        help="The same for every program, including schemes that Doorman does not "
        "know.",
    )
    oauth_registrations_per_hour = fields.Integer(
        "Registrations per hour",
        default=REGISTRATIONS,
        tracking=True,
        help="How many times an hour AI tools can register themselves from one "
        "address. People behind one proxy or VPN share this limit; so do all users of "
        "an AI tool that connects from its vendor's servers.",
    )
    oauth_unused_hours = fields.Integer(
        "Unused registrations expire after (hours)",
        default=24,
        tracking=True,
        help="AI tools that registered themselves and that nobody has allowed.",
    )

    oauth_assertions = fields.Boolean(
        "Enterprise-managed authorization",
        tracking=True,
        help="AI tools connect people without a browser login here, with a token "
        "signed by a trusted issuer: an identity provider of the company.",
    )

    @api.constrains("oauth_unused_hours", "oauth_registrations_per_hour")
    def _check_registrations(self):
        self._check_range(
            {
                "oauth_unused_hours": (1, 24 * 365),
                "oauth_registrations_per_hour": (1, MAX_REGISTRATIONS),
            }
        )

    @api.constrains("oauth_redirect_hosts", "oauth_document_hosts")
    def _check_hosts(self):
        for settings in self:
            for name in ("oauth_redirect_hosts", "oauth_document_hosts"):
                for host in oauth_values.hosts_of(settings[name]):
                    if not oauth_values.HOST.fullmatch(host):
                        raise ValidationError(
                            self.env._(
                                "%(field)s: %(host)s is not a host. Enter for example "
                                "claude.ai, one per line: no https://, no port, no *.",
                                field=self._fields[name]._description_string(self.env),
                                host=repr(host),
                            )
                        )

    @api.model
    def _oauth(self):
        """The settings of OAuth, as the service gets them.

        :rtype: dict
        """
        settings = self._get().sudo()
        return {
            "enabled": settings.oauth_enabled,
            "registration": settings.oauth_dynamic_registration,
            "documents": settings.oauth_client_documents,
            "redirect_hosts": oauth_values.hosts_of(settings.oauth_redirect_hosts),
            "document_hosts": oauth_values.hosts_of(settings.oauth_document_hosts),
            "known_schemes": settings.oauth_known_schemes,
            "custom_schemes": settings.oauth_custom_schemes,
            "registrations_per_hour": settings.oauth_registrations_per_hour,
            "access_seconds": settings.oauth_access_minutes * 60,
            "refresh_seconds": settings.oauth_refresh_days * 24 * 3600,
            "scopes": settings.scope_ids.mapped("code"),
            "issuers": self.env["doorman.oauth.issuer"]._trusted().mapped("issuer"),
        }
