# Run by `odoo shell`, see bootstrap.sh: does the database have an older version of the
# addon than the folder?
# ruff: noqa: F821 -- the shell gives env
env.cr.execute(
    "SELECT name, latest_version FROM ir_module_module WHERE state = 'installed'"
)
installed = dict(env.cr.fetchall())
manifest = env["ir.module.module"].get_module_info
if any(
    manifest(name).get("version") != installed[name]
    for name in ("doorman", "doorman_code")
    if name in installed
):
    print("doorman: outdated")
