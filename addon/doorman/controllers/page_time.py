from markupsafe import Markup

from odoo.tools import format_datetime


def page_time(env, value):
    """A moment as a page shows it: in the zone of the user or, where a script may run,
    in that of the reader's browser (static/src/pickup/pickup.js).

    :param env: of whose page it is
    :param datetime value: UTC, as Odoo keeps it; none gives none
    """
    if not value:
        return value
    zone = env.user.tz or "UTC"
    text = f"{format_datetime(env, value, zone, 'medium')} ({zone})"
    return Markup('<time datetime="{}Z">{}</time>').format(value.isoformat(), text)
