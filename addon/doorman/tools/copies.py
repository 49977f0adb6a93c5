"""Copying records, under the rules of making them.

records ── read as a whole ── what would be in the copies, against the rules for values
        ── Odoo's own copy ── whatever it has made, against the allow list
"""

from ..policy import closed_fields, closed_models, inherited_models, ledger, limits
from ..policy.ledger import CREATED
from ..policy.refusal import Refusal, _lt
from ..policy.shared import MAX_COPIES
from ..policy.technical_models import is_technical
from ..policy.values import CREATE, SET, Values
from ..policy.writable_fields import check_kept
from .arguments import only
from .buttons import next_actions
from .changed_records import answer, records_to_change, settle
from .operations import operation


@operation(
    "copy",
    tool="copy_records",
    reads=False,
    dry_run=True,
    undoable=True,
    summary=lambda words, _call: words.env._("Copy %s", words.what),
    arguments=lambda call: call.describer.values(
        call.model, call.kwargs.get("default") or {}
    ),
)
def copy_records(call):
    """Make a copy of each record as Odoo makes it, with the values of ``default`` in
    place of the record's own: all of them, or none. Answers as ``create``."""
    only(call.kwargs, "default")
    guard, records = call.guard, _records(call)
    values = Values(guard)
    given = call.kwargs.get("default")
    default = values.check(call.model, {} if given is None else given)
    default = _Copied(guard, values, records).check(default)
    with ledger.asked(call.env, default):
        copies = records.copy(default)
    check_kept(copies, default)
    _note(call, copies, default)
    settle(guard, copies)
    return answer(guard, copies) | next_actions(guard, copies)


def _records(call):
    """:return: the records to copy, which may be read as a whole, and made"""
    guard, model = call.guard, call.model
    records = records_to_change(call)
    if len(records) > MAX_COPIES:
        raise Refusal(
            "too_many_records",
            _lt("Copy at most %(most)s records at once.", most=MAX_COPIES),
        )
    if model._transient:
        raise Refusal(
            "not_copied",
            _lt("A %(model)s is a form, and cannot be copied.", model=model._name),
        )
    if inherited_models.is_file(guard.env, model._name):
        # With other values, a file would hang where this connection may read it.
        raise Refusal(
            "model_not_writable",
            _lt(
                "AI tools cannot create a %(model)s, not even by copying.",
                model=model._name,
            ),
        )
    _check_readable(guard, model)
    model.check_access("create")
    records.check_access("read")
    return records


def _check_readable(guard, model):
    """A copy tells what is in the record: of a model that waits for a person when it is
    read, it would tell without one."""
    if model._name in guard.asks_to_read:
        raise Refusal(
            "model_needs_approval",
            _lt(
                "Reading %(model)s needs approval, so it cannot be copied.",
                model=model._name,
            ),
            _lt("Read the record, which needs approval, and create a new one."),
        )


class _Copied:
    """What a copy would hold that nobody has sent: the values of the source.

    :param guard: the rules of the connection
    :param values: of the same call
    """

    def __init__(self, guard, values, records):
        self.guard, self.values, self.records = guard, values, records
        self.commands = 0

    def check(self, default):
        """:return: the values for the copies, with those emptied that do not go along
        :raise Refusal: for what the connection could not have made
        """
        records = self.records.with_context(active_test=False)
        default = dict(default)
        for vals in records.copy_data(default):
            for name in self._values(records.browse(), vals or {}, default):
                default[name] = False
        return default

    def _values(self, model, vals, given=()):
        """:return: names of fields whose values stay behind"""
        behind = []
        for name, value in vals.items():
            field = model._fields.get(name)
            if field is None or name in given or not value:
                continue
            if closed_fields.is_withheld(name):
                behind.append(name)
            elif closed_fields.is_code(name, field.type) or getattr(
                field, "render_engine", None
            ):
                self._code(model, field, value)
            elif field.type in ("one2many", "many2many"):
                self._lines(model, field, value)
            elif field.type == "many2one" and closed_models.on_floor(
                field.comodel_name
            ):
                self.guard._through(model, field)
            if field.inherited:
                self._parent(model, field)
        return behind

    def _parent(self, model, field):
        """What a record is a part of (``_inherits``) is copied with it."""
        owner = model._fields[field.related.partition(".")[0]].comodel_name
        if not self.guard.may_write(owner):
            raise Refusal(
                "not_copied",
                _lt(
                    "Copying a %(model)s copies its %(other)s, which AI tools can "
                    "only read.",
                    model=model._name,
                    other=owner,
                ),
            )

    def _code(self, model, field, value):
        """Code is written by nobody who is not a person, and so is not multiplied;
        what a new record has by itself is nobody's."""
        own = model.default_get([field.name]).get(field.name)
        if value != own:
            raise Refusal(
                "not_copied",
                _lt(
                    "%(model)s.%(field)s holds code, which AI tools cannot copy.",
                    model=model._name,
                    field=field.name,
                ),
                _lt("A person has to copy it in Odoo."),
            )

    def _lines(self, model, field, commands):
        for command in commands:
            self.commands += 1
            if self.commands > limits.MAX_COMMANDS:
                raise Refusal(
                    "too_many_lines", _lt("There are too many lines to copy.")
                )
            code, _ident, arg = (*command, 0, 0)[:3]
            if code == SET and not arg:
                continue
            self.values._may(model, field, code)
            if code != CREATE:
                # A link stays where it was, as a many2one does; but for the floor.
                if closed_models.on_floor(field.comodel_name):
                    self.guard._through(model, field)
                continue
            comodel = self.guard._through(model, field)
            _check_readable(self.guard, comodel)
            if self._values(comodel, arg):
                raise Refusal(
                    "not_copied",
                    _lt(
                        "%(model)s.%(field)s is withheld from AI tools, and would be "
                        "copied.",
                        model=model._name,
                        field=field.name,
                    ),
                    _lt("A person has to copy it in Odoo."),
                )


def _note(call, copies, default):
    """Tell the ledger which records were asked for, and hold what Odoo's own code has
    made for them against the allow list: it holds what was in the source, too."""
    noted = ledger.of(call.env.cr)
    if noted is None:
        return
    noted.made.update(copies.ids)
    for ident in copies.ids:
        row = noted.row(copies._name, ident)
        row.kind, row.asked = CREATED, True
        row.names.update(default)
    guard = call.guard
    besides = {*copies._inherits, *closed_models.FOLLOWERS}
    for (name, ident), row in noted.rows.items():
        if row.kind != CREATED or name in besides or guard.may_use(name):
            continue
        if is_technical(call.env, name, ident, row.kind):
            continue
        # What no policy opens is Odoo's machinery, which comes with any record.
        if guard.may_write(name) and not call.env[name]._transient:
            raise Refusal(
                "model_not_allowed",
                _lt(
                    "Copying this would create records of %(model)s, which this "
                    "connection cannot use.",
                    model=name,
                ),
                _lt("A person has to copy it in Odoo."),
            )
