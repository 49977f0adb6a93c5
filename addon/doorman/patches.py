"""What Doorman changes in the code of Odoo and of libraries, each with its reason.

Odoo runs ``post_load`` once in each process (server, worker, shell, test run) that
loads the addon, and the changes are then there for every database of that process, also
for one without Doorman. So each of them does what the original does, unless a
connection's change runs in this thread or on this cursor.
"""

import socket
import sys
from functools import wraps

from odoo.exceptions import AccessError
from odoo.fields import Field, Many2many
from odoo.http import Request
from odoo.modules.registry import Registry
from odoo.orm import environments
from odoo.orm.fields_relational import _RelationalMulti
from odoo.service import model as service_model
from odoo.tools import translate

from .controllers import shortcut
from .policy import change_scope, ledger, said

GATEWAY = "doorman.gateway"
INTERNET = (socket.AF_INET, socket.AF_INET6)


def post_load():
    for name in ("connect", "connect_ex", "sendto", "sendmsg"):
        setattr(socket.socket, name, _offline(getattr(socket.socket, name)))
    Registry.cursor = _one_transaction(Registry.cursor)
    Request._serve_db = _short(Request._serve_db)
    Field.determine_inverse = _inverses_noted(Field.determine_inverse)
    _RelationalMulti.write_batch = _commands_noted(_RelationalMulti.write_batch)
    Many2many.write_real = _links_noted(Many2many.write_real)
    noted = _texts_noted(translate.get_translation)
    translate.get_translation = environments.get_translation = noted
    one_door = _one_door(service_model.get_public_method)
    # Modules that have imported it by name already.
    for module in (service_model, sys.modules.get("odoo.addons.rpc.controllers.json2")):
        if module is not None:
            module.get_public_method = one_door


def _offline(method):
    """Sockets: what was sent to another system can't be undone, so nothing leaves while
    a change is only tried out. To the code that asks, the network is down. All of
    Python's clients end up here; PostgreSQL's does not."""

    @wraps(method)
    def offline(self, *args, **kwargs):
        if self.family in INTERNET and change_scope.reaches_out(_host(args)):
            raise ConnectionRefusedError("AI tools only try this out: no network.")
        return method(self, *args, **kwargs)

    return offline


def _host(args):
    """The address among a socket's arguments, as text."""
    for arg in args:
        if isinstance(arg, tuple) and len(arg) >= 2:
            return f"{arg[0]}:{arg[1]}"
    return "?"


def _short(serve_db):
    """Odoo's HTTP requests: the service's need little of what Odoo does for each one
    (controllers/shortcut.py)."""

    @wraps(serve_db)
    def short(self):
        if shortcut.takes(self):
            return shortcut.serve(self, serve_db)
        return serve_db(self)

    return short


def _one_door(get_public_method):
    """Odoo's RPC: its service's own user calls the gateway's methods and no others.
    Some of Odoo's need no right at all: they answer with a dialog to go on from."""

    @wraps(get_public_method)
    def one_door(model, name):
        env = model.env
        if model._name != GATEWAY and GATEWAY in env.registry:
            if env.uid == env["doorman.settings"]._service_user_id():
                raise AccessError(
                    env._("The Doorman service cannot call %s.", model._name)
                )
        return get_public_method(model, name)

    return one_door


def _one_transaction(cursor):
    """Odoo's registry: what code saves by a cursor of its own is not undone with the
    rest."""

    @wraps(cursor)
    def one_transaction(self, /, readonly=False):
        if not readonly and change_scope.reaches_out("(a transaction of its own)"):
            change_scope.refuse_saving()
        return cursor(self, readonly=readonly)

    return one_transaction


def _inverses_noted(determine_inverse):
    """Odoo's fields: the inverse of a field writes the caller's value elsewhere. Odoo
    calls inverses here and nowhere else, and only while one runs can its writes be told
    from those that other code makes (policy/ledger.py)."""

    @wraps(determine_inverse)
    def inverses_noted(field, records):
        noted = ledger.of(records.env.cr)
        if noted is None:
            return determine_inverse(field, records)
        with noted.region(noted.inverse_region(sys._getframe(), field, records)):
            return determine_inverse(field, records)

    return inverses_noted


def _commands_noted(write_batch):
    """Odoo's one2many and many2many fields: their commands make, change and delete
    records with the caller's values."""

    @wraps(write_batch)
    def commands_noted(field, records_commands_list, create=False):
        first = records_commands_list[0][0] if records_commands_list else None
        noted = None if first is None else ledger.of(first.env.cr)
        if noted is None:
            return write_batch(field, records_commands_list, create)
        region = noted.values_region(sys._getframe(), field, records_commands_list)
        with noted.region(region):
            return write_batch(field, records_commands_list, create)

    return commands_noted


def _links_noted(write_real):
    """Odoo's many2many fields: their rows are written by SQL, past ``write``."""

    @wraps(write_real)
    def links_noted(field, records_commands_list, create=False):
        for records, _commands in records_commands_list:
            noted = ledger.of(records.env.cr)
            if noted is not None and field.store:
                noted.linked(field, records, new=create)
        return write_real(field, records_commands_list, create)

    return links_noted


def _texts_noted(get_translation):
    """Odoo's translation of what code says: once the values are in a text, nobody can
    tell which parts of it are values (policy/said.py)."""

    @wraps(get_translation)
    def texts_noted(module, lang, source, args):
        text = get_translation(module, lang, source, args)
        if said.is_noting():
            template = get_translation(module, lang, source, ()) if args else text
            said.note(text, template, args)
        return text

    return texts_noted
