"""Records in values: by id, by what a read told of them, or by name; and lists of
them."""

from . import record_names
from .in_force import name_of
from .refusal import _lt
from .value_place import (
    CLEAR,
    CREATE,
    LINK,
    SET,
    UPDATE,
    is_id_text,
    is_number,
    is_pair,
    unpacked,
    unpacked_record,
)

# What a read tells of a linked record besides its id, and of a list of them.
NAME_KEYS = {"id", "name", "display_name"}
LIST_KEYS = {"ids", "names", "count"}


def record(place, value):
    """A many2one."""
    value = unpacked_record(value)
    return value if value is False else record_id(place, value)


def record_id(place, value, comodel=None):
    """The id of a linked record: a number, also as text; ``{id, name}``,
    ``[id, name]``; or a name.

    :param comodel: the model to look for a name in, if it is not the field's
    """
    if isinstance(value, dict) and value and not set(value) - NAME_KEYS:
        value = value.get("id") or value.get("name") or value.get("display_name")
    elif is_pair(value):
        value = value[0]
    if is_number(value):
        if not 0 < value < 2**31:
            raise place.wrong(_lt("the id of a record, not %(value)s", value=value))
        return int(value)
    if not isinstance(value, str) or not value.strip():
        raise place.wrong(
            _lt("the id of a record, its name, or false"),
            _lt(
                "Find the record in %(model)s first, with search_records.",
                model=_comodel(place, comodel),
            ),
        )
    text = value.strip()
    if is_id_text(text):
        return _by_number(place, text, comodel)
    if comodel is not None:
        return record_names.find_in(place.guard, comodel, text, place.name)
    return record_names.find(place.guard, place.records, place.field, text)


def _by_number(place, text, comodel):
    """An id as text, unless it is also the name of another record."""
    guard, ident = place.guard, int(text)
    name = _comodel(place, comodel)
    if guard.may_use(name) and name not in guard.asks_to_read:
        other = guard.env[name]
        named = other.browse()
        if other.has_access("read"):
            named = record_names.matching(guard, other, text)
            named = named.filtered(lambda r: name_of(r) == text and r.id != ident)
        if named:
            raise place.wrong(
                _lt(
                    "the id of a record: %(name)r is also the name of another one",
                    name=text,
                ),
                _lt(
                    "Send a number: %(id)s, or %(choices)s.",
                    id=ident,
                    choices=record_names.listed(named),
                ),
            )
    return ident


def _comodel(place, comodel):
    return comodel._name if comodel is not None else place.field.comodel_name


def reference(place, value):
    value = unpacked(value)
    if isinstance(value, dict) and not set(value) - {"model", "id", "name"}:
        return f"{value.get('model')},{value.get('id')}"
    return value


def any_record(_place, value):
    if isinstance(value, dict) and not set(value) - NAME_KEYS:
        value = value.get("id")
    if is_id_text(value):
        return int(value)
    return value


# ---- lists of records ----


def is_command(item):
    """Whether an item is a command of Odoo's: ``[4, 7, 0]``."""
    return (
        isinstance(item, list)
        and bool(item)
        and type(item[0]) is int
        and not is_pair(item)
    )


def items(place, value):
    """The items of a one2many or many2many, whatever was around them."""
    value = unpacked(value)
    if isinstance(value, dict) and "ids" in value and not set(value) - LIST_KEYS:
        ids = value["ids"] if isinstance(value["ids"], list) else [value["ids"]]
        count = value.get("count")
        if type(count) is int and count > len(ids):
            raise place.wrong(
                _lt("all of its ids"),
                _lt(
                    "Only %(number)s of %(count)s are here: the others would be lost. "
                    "Send commands for those that change: [4,id,0] adds, [3,id,0] "
                    "removes.",
                    number=len(ids),
                    count=count,
                ),
            )
        return ids
    if not isinstance(value, list) or _is_one(place, value):
        return [value]
    if len(value) == 3 and is_command(value):
        code, _ident, arg = value
        if code in (CREATE, UPDATE) and isinstance(arg, dict):
            return [value]
        if code == SET and isinstance(arg, list):
            return [value]
    return [unpacked(item) for item in value]


def _is_one(place, value):
    """Whether a list is one record as a read tells it, ``[15, "Azure"]``, and not an id
    and a name of two."""
    if not is_pair(value):
        return False
    guard, comodel = place.guard, place.field.comodel_name
    if not guard.may_use(comodel) or comodel in guard.asks_to_read:
        return True
    known = guard.env[comodel].browse(int(value[0])).exists()
    return name_of(known._filtered_access("read")) == value[1]


def links(place, value):
    """A many2many: ids or names set it; together with commands they are put in."""
    place.guard._through(place.records, place.field)
    found = items(place, [] if value is False else value)
    if not found:
        return [[CLEAR, 0, 0]]
    if not any(map(is_command, found)):
        return [[SET, 0, _links(place, found)]]
    return [
        _named_in(place, item) if is_command(item) else [LINK, _link(place, item), 0]
        for item in found
    ]


def _named_in(place, command):
    """A command, whose records may be named as elsewhere."""
    code, ident, arg = (*command, 0, 0)[:3]
    if code == LINK and not is_number(ident):
        return [LINK, _link(place, ident), 0]
    if code == SET and isinstance(arg, list):
        return [SET, 0, _links(place, arg)]
    return command


def _links(place, found):
    return list(dict.fromkeys(_link(place, item) for item in found))


def _link(place, item):
    if isinstance(item, dict) and set(item) - NAME_KEYS:
        raise place.wrong(
            _lt("ids or names of records that exist"),
            _lt("To create one with it: [[0,0,{values}]]."),
        )
    return record_id(place, item)


def lines(place, value):
    """A one2many: an object is a new line, one with an id changes that line. Lines that
    are not named stay."""
    # Before anything is said about existing lines.
    place.guard._through(place.records, place.field)
    if value is False:
        raise place.wrong(
            _lt("a list of lines, [] for none"),
            _lt(
                "[] leaves the existing lines; [[2,id,0]] deletes one, [[5,0,0]] all "
                "of them."
            ),
        )
    commands, kept = [], []
    for item in items(place, value):
        if is_command(item):
            commands.append(item)
        elif isinstance(item, dict) and "id" not in item and item:
            commands.append([CREATE, 0, item])
        else:
            _own_line(place, item, commands, kept)
    if kept:
        _check_kept(place, kept, commands)
    return commands


def _own_line(place, item, commands, kept):
    """Read an item that names a line of the record by its id."""
    rest = {}
    if isinstance(item, dict):
        rest = {key: value for key, value in item.items() if key != "id"}
        item = item.get("id")
    elif is_pair(item):
        item = item[0]
    if is_id_text(item):
        item = int(item)
    if not is_number(item):
        raise place.wrong(
            _lt("a list of lines: objects that map fields to values"),
            _lt(
                'A new one: {"name":"x"}; one to change: {"id":7,"name":"x"}; '
                "commands such as [2,7,0], which deletes one."
            ),
        )
    item, own = int(item), _lines_of(place)
    if item not in own.ids:
        raise place.wrong(
            _lt("lines of the record itself"),
            _lt(
                "%(id)s is not one of them. To move an existing record here: "
                "[[4,%(id)s,0]].",
                id=item,
            ),
        )
    line = own.browse(item)
    if rest and not _is_its_name(line, rest):
        commands.append([UPDATE, item, rest])
    kept.append(item)


def _lines_of(place):
    """The lines of the one record that is changed, archived ones included."""
    if len(place.records) > 1:
        raise place.wrong(_lt("the ids of lines of one record: change one at a time"))
    records = place.records.with_context(active_test=False)
    return records[place.field.name]


def _is_its_name(line, rest):
    """Whether an object only repeats what a read told about a line."""
    if set(rest) - NAME_KEYS:
        return False
    return all(value == name_of(line) for value in rest.values())


def _check_kept(place, kept, commands):
    """Ids alone could mean that the other lines go. Only as many as there are say
    nothing of the kind."""
    if commands:
        return
    left = set(place.records[place.field.name].ids) - set(kept)
    if left:
        some = ", ".join(map(str, sorted(left)[:5]))
        raise place.wrong(
            _lt("lines to add or change; lines that are not listed stay"),
            _lt("To delete a line: [[2,id,0]]. You left out %(ids)s.", ids=some),
        )
