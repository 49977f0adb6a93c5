"""What makes access wider, or its traces fewer: one list, for all of the policy.

A pure rule over values; what comes of it is the models' (models/mixins).
"""

from . import recipients
from .shared import MAX_KEY_DAYS

# A limit that is as high as that limits nothing.
OFF_FROM = {
    "rate_limit_minute": 10_000,
    "rate_limit_day": 1_000_000,
    "rows_reply": 50_000,
    "rows_day": 1_000_000,
    "key_max_days": MAX_KEY_DAYS,
}
LEAST_RETENTION_DAYS = 30
# Switches that widen when they go on, and when they go off.
OPENS = frozenset(
    {"allow_self_approval", "allow_sql", "allow_shell", "oauth_assertions"}
)
GUARDS = frozenset({"four_eyes", "approve_outward"})
FIELDS = frozenset(
    {*OFF_FROM, *OPENS, *GUARDS, "recipient_domains", "audit_retention_days"}
)


def of_new(name):
    """:return: what a field of a new record is held against: its guards are up, its
    limits the default ones"""
    return name in GUARDS


def widens(name, before, after):
    """Whether a field of the policy gets wider.

    :param str name: of ``FIELDS``
    :param before: its value; of a limit, the one in force
    :param after: the same, by now
    """
    if name in OFF_FROM:
        return _is_off(name, after) and not _is_off(name, before)
    if name in OPENS:
        return bool(after) and not before
    if name in GUARDS:
        return bool(before) and not after
    if name == "recipient_domains":
        before, after = recipients.parse(before), recipients.parse(after)
        return bool(before) and not (after and after <= before)
    return after < before and after < LEAST_RETENTION_DAYS


def _is_off(name, value):
    return not value or value >= OFF_FROM[name]
