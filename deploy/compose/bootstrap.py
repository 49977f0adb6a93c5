# Run by `odoo shell`, see bootstrap.sh. It runs at every start, so what people have
# changed since stays: only the very first run switches access on. Odoo's default
# password never survives a run.
# ruff: noqa: F821 -- the shell gives env
import os
from pathlib import Path

from odoo.exceptions import AccessDenied

config = Path(os.environ.get("CONFIG_DIR", "/run/doorman/config"))
key_file = Path(os.environ.get("KEY_DIR", "/run/doorman/key")) / "service_key"
settings = env["doorman.settings"]._get()

# Odoo makes this user with a password that is its login.
admin = env.ref("base.user_admin")
try:
    env["res.users"].with_user(admin)._check_credentials(
        {"type": "password", "login": admin.login, "password": "admin"},
        {"interactive": True},
    )
except AccessDenied:
    pass
else:
    admin.password = (config / "admin_password").read_text().strip()

if not settings.service_key_date:
    parameters = env["ir.config_parameter"].sudo()
    parameters.set_param("web.base.url", os.environ["ODOO_PUBLIC_URL"])
    # Otherwise the address that an administrator logs in by replaces it.
    parameters.set_param("web.base.url.freeze", "True")
    settings.public_url = os.environ["DOORMAN_PUBLIC_URL"]
    settings.action_enable()

key = key_file.read_text().strip() if key_file.exists() else ""
if not key or not settings._service_uid(key):
    key = settings._generate_service_key()
    env.cr.commit()
    # Replaced as a whole: the service may be reading it.
    fresh = key_file.with_suffix(".new")
    fresh.touch(0o640)
    fresh.chmod(0o640)
    fresh.write_text(key + "\n")
    fresh.rename(key_file)
env.cr.commit()
print("doorman: ready")
