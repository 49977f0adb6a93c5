"""While an own tool runs: what its server action may see of the call.

Kept on the cursor, not in the context: a context comes from outside as well, and who
runs the same action in Odoo would give it parameters that nobody has checked.
"""

from contextlib import contextmanager

from odoo.tools.misc import ReadonlyDict

ATTRIBUTE = "doorman_own_run"
NOTHING = ReadonlyDict({})


class OwnRun:
    """One run of one action.

    :param env: of the connection's user
    :param ids: of the action and all below it: what else is run meanwhile, such as an
        automation rule, is none of ours
    :param dict parameters: checked
    """

    def __init__(self, env, ids, parameters):
        self.env = env
        self.ids = frozenset(ids)
        self.parameters = ReadonlyDict(parameters)
        self.result = None


def current(cr, action):
    """The run that an action is a part of, or None."""
    run = getattr(cr, ATTRIBUTE, None)
    return run if run is not None and action.id in run.ids else None


@contextmanager
def running(cr, run):
    """The time in which an own tool runs. One does not run inside of another."""
    kept = getattr(cr, ATTRIBUTE, None)
    setattr(cr, ATTRIBUTE, run)
    try:
        yield run
    finally:
        setattr(cr, ATTRIBUTE, kept)
