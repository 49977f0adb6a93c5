# Copyright 2026 Doorman contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
{
    "name": "Doorman: governed MCP access",
    "summary": "Let AI tools into Odoo by name, with a badge, past the doors "
    "they may pass and no other",
    "version": "19.0.0.1.0",
    "category": "Technical",
    "author": "Doorman contributors",
    "license": "LGPL-3",
    "depends": ["base", "web", "mail"],
    "data": [
        "security/doorman_groups.xml",
        "security/ir.model.access.csv",
        "security/doorman_rules.xml",
        "data/doorman_scope_data.xml",
        "data/doorman_data.xml",
        "data/doorman_activity_data.xml",
        "wizards/doorman_rotate_key_views.xml",
        "wizards/doorman_connect_wizard_views.xml",
        "wizards/doorman_invite_wizard_views.xml",
        "views/doorman_key_views.xml",
        "views/doorman_pickup_templates.xml",
        "views/doorman_approval_templates.xml",
        "views/doorman_approval_views.xml",
        "views/doorman_connection_views.xml",
        "views/doorman_connection_form_views.xml",
        "views/doorman_tool_views.xml",
        "views/doorman_own_tool_views.xml",
        "views/doorman_audit_views.xml",
        "views/doorman_settings_views.xml",
        "views/doorman_invite_views.xml",
        "views/doorman_invite_templates.xml",
        "views/mail_activity_views.xml",
        "views/doorman_menus.xml",
    ],
    "demo": [
        "demo/doorman_demo.xml",
    ],
    "assets": {
        "web.assets_backend": [
            "doorman/static/src/approval/*",
            "doorman/static/src/snippets/*",
        ],
    },
    "uninstall_hook": "uninstall_hook",
    "application": True,
}
