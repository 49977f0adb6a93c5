"""While a connection changes something: what the code behind it must not do.

Business code may do anything that Python can. These few things it must not do while it
runs for a connection, however it came to be called; the places that could do them ask
``state``.
"""

import threading
from contextlib import contextmanager

from . import inverses
from .refusal import Refusal

ATTRIBUTE = "doorman_inside"
HOOKS = ("precommit", "postcommit", "prerollback", "postrollback")


# Whether this thread tries something out.
_trial = threading.local()


def is_tried():
    """Whether what this thread does now is undone in the end."""
    return getattr(_trial, "on", False)


def state(cr):
    """``"write"`` or ``"dry run"`` while a connection's change runs, else None."""
    return getattr(cr, ATTRIBUTE, None)


def _refuse(*args, **kwargs):
    raise Refusal(
        "not_allowed",
        "This saves its work by itself, in between: it cannot be done or undone as a "
        "whole.",
        "A person has to do it in Odoo.",
    )


@contextmanager
def writing(env, dry_run):
    """The time in which a connection's change runs.

    Whoever commits or rolls back in between would take the fence's savepoint away: what
    was done would be saved without an audit row. And what a change sets off (fields to
    compute, hooks) is done with the rights of the connection's user, not with those of
    the service, whose transaction it is.

    :param env: of the connection's user
    """
    cr, transaction = env.cr, env.transaction
    service = transaction.default_env
    kept = {name: vars(cr)[name] for name in ("commit", "rollback") if name in vars(cr)}
    setattr(cr, ATTRIBUTE, "dry run" if dry_run else "write")
    _trial.on = bool(dry_run)
    cr.commit = cr.rollback = _refuse
    transaction.default_env = env
    try:
        yield
    finally:
        transaction.default_env = service
        _trial.on = False
        inverses.forget(cr)
        delattr(cr, ATTRIBUTE)
        del cr.commit, cr.rollback
        vars(cr).update(kept)


def forget(env):
    """Drop what a change that was undone has left outside of the database: values in
    memory, and what would run once the rest is committed, such as sending e-mails."""
    env.cr.clear()
    for name in HOOKS:
        getattr(env.cr, name).clear()
    # Caches that were told of the change. Nobody else was, so nobody is told now.
    env.registry.reset_changes()
