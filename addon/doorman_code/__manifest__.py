# Copyright 2026 Doorman contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
{
    "name": "Doorman: SQL and Python for AI tools",
    "summary": "Let the AI tools of Odoo administrators query the database and run "
    "Python",
    "version": "19.0.0.2.0",
    "category": "Technical",
    "author": "Doorman contributors",
    "website": "https://github.com/doorman-mcp/doorman",
    "support": "maintainers@doorman.invalid",
    "license": "LGPL-3",
    "depends": ["doorman"],
    "uninstall_hook": "uninstall_hook",
}
