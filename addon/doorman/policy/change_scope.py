"""While a connection changes something: what the code behind it must not do.

Business code may do anything that Python can. These few things it must not do while it
runs for a connection, however it came to be called; the places that could do them ask
``is_inside``, or are watched by the patches (patches.py).
"""

import threading
from contextlib import contextmanager
from copy import copy

from odoo.tools import reset_cached_properties

from . import ledger
from .refusal import Refusal, _lt

ATTRIBUTE = "doorman_inside"
BEFORE = "doorman_before"
HOOKS = ("precommit", "postcommit", "prerollback", "postrollback")

# What is tried out in this thread, if anything is.
_thread = threading.local()


class Trial:
    """A change that may be undone: what could not be is kept from happening."""

    def __init__(self):
        # Whether code wanted the network, or a transaction of its own.
        self.reached_out = False
        # Where it wanted to go, as texts.
        self.hosts = []


def trial():
    """:return: the Trial of this thread, or None"""
    return getattr(_thread, "trial", None)


def reaches_out(host=""):
    """Note that code wants to leave the transaction.

    :param str host: where to; "" for what leaves nothing there, or is noted elsewhere
    :return: whether it must not, since something is only tried out
    """
    running = trial()
    if running is not None:
        running.reached_out = True
        if host and not getattr(_thread, "to_colleagues", False):
            running.hosts.append(host)
    return running is not None


@contextmanager
def to_colleagues():
    """The time in which the network leads to nobody but internal users."""
    outer = getattr(_thread, "to_colleagues", False)
    _thread.to_colleagues = True
    try:
        yield
    finally:
        _thread.to_colleagues = outer


def is_inside(cr):
    """Whether a connection's change runs on a cursor."""
    return getattr(cr, ATTRIBUTE, False)


def refuse_inside(env):
    """Refuse what an AI tool must not bring about, by whatever code behind its call,
    also where that code has more rights than its user."""
    if is_inside(env.cr):
        raise Refusal(
            "logins_not_changed",
            _lt("AI tools cannot change who is allowed to log in, or as whom."),
        )


def refuse_saving(*args, **kwargs):
    """What stands in for commit and rollback, and for a cursor of its own."""
    raise Refusal(
        "not_undoable",
        _lt(
            "This commits its work halfway, so it cannot be done or undone as a whole."
        ),
        _lt("A person has to do it in Odoo."),
    )


@contextmanager
def acting(env):
    """The time in which something is done as a connection's user.

    What a call sets off (fields to compute, hooks) is done with the rights of that
    user, not with those of the service, whose transaction it is; and Odoo lets some
    commands pass for the user of the transaction alone.

    :param env: of the connection's user
    """
    transaction = env.transaction
    service = transaction.default_env
    transaction.default_env = env
    try:
        yield
    finally:
        transaction.default_env = service


@contextmanager
def writing(env, tried):
    """The time in which a connection's change runs.

    A commit or rollback in between would take the fence's savepoint away: what was done
    would be saved without an audit row.

    :param env: of the connection's user
    :param tried: a Trial if it may be undone in the end, else None
    :return: the Ledger of what is done
    """
    cr = env.cr
    kept = {name: vars(cr)[name] for name in ("commit", "rollback") if name in vars(cr)}
    outer = trial()
    setattr(cr, ATTRIBUTE, True)
    _thread.trial = tried
    cr.commit = cr.rollback = refuse_saving
    try:
        with acting(env), ledger.noting(env) as noted:
            noted.outward.trial = tried
            yield noted
    finally:
        _thread.trial = outer
        delattr(cr, ATTRIBUTE)
        del cr.commit, cr.rollback
        vars(cr).update(kept)


@contextmanager
def trying_out():
    """The time in which code runs only to see where it fails: nothing leaves Odoo."""
    outer = trial()
    _thread.trial = Trial()
    try:
        yield
    finally:
        _thread.trial = outer


@contextmanager
def undoable(env):
    """The time in which a savepoint may be gone back to: what waits for the end of the
    transaction by then stays, whatever is undone. See ``forget``."""
    before = {}
    for name in HOOKS:
        queue = getattr(env.cr, name)
        # Code adds to the values of ``data``: to copies of them, from now on.
        data = {key: copy(value) for key, value in queue.data.items()}
        before[name] = (list(queue._funcs), data)
    registry = env.registry
    told = (registry.registry_invalidated, set(registry.cache_invalidated))
    setattr(env.cr, BEFORE, (before, told))
    try:
        yield
    finally:
        delattr(env.cr, BEFORE)


def forget(env):
    """Drop what a change that was undone has left outside of the database: values in
    memory, and what would run once the rest is committed, such as sending emails."""
    cr, registry = env.cr, env.registry
    hooks, told = getattr(cr, BEFORE, ({}, (False, ())))
    cr.clear()
    for name in HOOKS:
        queue = getattr(cr, name)
        queue.clear()
        functions, data = hooks.get(name, ((), {}))
        queue._funcs.extend(functions)
        queue.data.update(data)
    # Caches that were told of the change. Nobody else was, so nobody is told now; but
    # for what was so before.
    registry.reset_changes()
    if told[0]:
        registry.registry_invalidated = True
    registry.cache_invalidated.update(told[1])
    for other in env.transaction.envs:
        # Kept on the environment itself: its user and companies.
        reset_cached_properties(other)
