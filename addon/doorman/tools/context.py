"""Who a connection acts as, where and when that is, and whose records they see."""

from odoo.fields import Datetime

from ..policy.own_records import own_fields
from . import row_counts
from .arguments import only
from .operations import METADATA_SCOPE, operation
from .search_everywhere import worth

# How many models are named of which a user sees only their own records.
MAX_OWN = 40
DAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()


@operation(
    "context",
    tool="get_context",
    reads=True,
    needs_model=False,
    scope=METADATA_SCOPE,
    rows=row_counts.none,
)
def context(call):
    """Who this connection acts as, in which companies, and what time it is there.

    :return: also ``own_only``: the models of which the user sees only their own
        records, each with the labels of the fields that say whose they are
    """
    only(call.kwargs)
    env = call.env
    user, companies = env.user, env.companies
    now = Datetime.context_timestamp(user, Datetime.now())
    return {
        "user": {
            "id": user.id,
            "name": user.name,
            "login": user.login,
            "email": user.email or "",
            "lang": env.lang or "en_US",
            "tz": str(env.tz),
        },
        "company": {"id": env.company.id, "name": env.company.name},
        "companies": [
            {"id": c.id, "name": c.name, "currency": c.currency_id.name}
            for c in companies
        ],
        "added_up_by_default": companies.mapped("name"),
        "now_local": now.isoformat(timespec="seconds"),
        "weekday": DAYS[now.weekday()],
        "own_only": _own_only(call.guard),
        "languages": [code for code, _name in env["res.lang"].get_installed()],
    }


def _own_only(guard):
    env = guard.env
    found = {name: by for name in worth(guard) if (by := own_fields(env, name))}
    rows = env["ir.model"]._display_name_for(list(found)[:MAX_OWN])
    return [
        {
            "model": row["model"],
            "label": row["display_name"],
            "by": sorted(
                env[row["model"]]._fields[name]._description_string(env)
                for name in found[row["model"]]
            ),
        }
        for row in rows
    ]
