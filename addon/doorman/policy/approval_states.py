"""Where a request for approval can stand, and what can become of it: one table.

pending ──┬── execute ── executed   a person approved it, and it was done
          ├── fail ───── failed     a person approved it, and Odoo refused it
          ├── reject ─── rejected   a person said no
          ├── expire ─── expired    nobody said anything in time
          └── cancel ─── cancelled  the requester may no longer, or withdrew it

The service has the same table (server/access); tests hold both against
tests/approval_transitions.json.
"""

PENDING = "pending"
# How many may wait of one connection at the same time.
MAX_PENDING = 50
AFTER = {
    (PENDING, "execute"): "executed",
    (PENDING, "fail"): "failed",
    (PENDING, "reject"): "rejected",
    (PENDING, "expire"): "expired",
    (PENDING, "cancel"): "cancelled",
}
FINAL = frozenset(AFTER.values())
STATES = (PENDING, *AFTER.values())
EVENTS = tuple(event for _state, event in AFTER)


def after(state, event):
    """:return: the next state, or None if the event cannot happen in this one"""
    return AFTER.get((state, event))


def sources(event):
    """:return: the states in which an event can happen, and the one it leads to"""
    ends = [(start, end) for (start, e), end in AFTER.items() if e == event]
    return [start for start, _end in ends], ends[0][1]
