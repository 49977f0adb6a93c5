"""The records that a request changes: which it may, what else has to be done before it
counts as done, and what is said about them.

Each change answers ``{ids, names, url}``.
"""

from ..policy import closed_models, guard_words, in_force, ledger, looks, shared
from ..policy.in_force import name_of
from ..policy.late_savepoint import late_savepoint
from ..policy.record_url import url_of
from ..policy.redact_links import withhold_links_in
from ..policy.refusal import Refusal, _lt
from ..policy.shared import MAX_RECORDS
from .arguments import no_record
from .linked_names import without_bytes

MAX_FILLED = 10


def check_may_change(guard, model):
    """Refuse a model whose records no connection changes, or that has none."""
    if not guard.may_write(model._name):
        raise Refusal(
            "model_not_writable",
            _lt("AI tools cannot change %(model)s.", model=model._name),
            closed_models.way_around(model._name) or _lt(shared.SAY_READ_ONLY_HINT),
        )
    guard_words.check_has_records(model)


def records_to_change(call, names=()):
    """:param names: of the fields that they are to be given, not checked yet
    :return: the records to change, all of which exist
    """
    guard, model, ids = call.guard, call.model, call.ids
    check_may_change(guard, model)
    records = guard.records(model, ids, write=True)
    if len(set(ids)) != len(ids) or len(ids) > MAX_RECORDS:
        raise Refusal(
            "too_many_records",
            _lt(
                "List each record only once, and at most %(most)s of them.",
                most=MAX_RECORDS,
            ),
        )
    gone = records - _existing(records, names)
    if gone:
        raise no_record(gone)
    return records


def _existing(records, names):
    noted = ledger.of(records.env.cr)
    if noted is None or not names or not records._auto:
        return records.exists()
    there = noted.existing(records, names)
    return records.filtered(lambda record: record.id in there)


def announce(records):
    """Tell the ledger of records that a tool does something to without changing a
    value: a message, a file to come. An empty recordset stands for one to be made."""
    noted = ledger.of(records.env.cr)
    if noted is not None:
        noted.announce(records)


def settle(guard, records):
    """Everything that the change sets off, while it can still be undone; and once more
    the rule for records that hang on others, by where they hang now."""
    with in_force.code(guard.env.cr):
        guard.env.cr.flush()
    if records and closed_models.FOLLOWERS.get(records._name):
        guard.records(records, records.ids, write=True)


def if_it_can_be_told(env, tell):
    """Tell of a change that is done: what fails in telling must not turn it into an
    error.

    :return: what ``tell`` gives; None if it fails
    """
    try:
        with late_savepoint(env.cr):
            return tell()
    except Exception:  # noqa: BLE001 see above
        env.cr.execute("SELECT 1")  # a broken transaction raises again
        return None


def afresh(env):
    """Forget values that were computed before the change: what Odoo's own code does not
    declare as a dependency would be told as it was (``hide_post_button`` of an entry
    that has just been posted). A person's screen reads in a request of its own."""
    for field in list(env.transaction.field_data):
        if field.compute and not field.store:
            field._invalidate_cache(env)


def filled_in(call, records, given, besides=()):
    """What records hold that were just made: their numbers, totals and the like, which
    Odoo has filled in. They are made: what fails here is not told.

    :param given: names of the fields that the caller has given values to
    :param besides: of those that the form has filled in
    :return: ``{rows}``, of the first records if there are many; or nothing
    """
    guard, fields = call.guard, records._fields
    told = [name for name in dict.fromkeys([*call.tell, *besides]) if name in fields]
    # An amount means nothing without its currency, even one that the caller chose.
    currencies = {
        fields[name].get_currency_field(records)
        for name in told
        if fields[name].type == "monetary"
    }
    names = [
        name
        for name in told
        if (name not in given or name in currencies)
        and looks.is_told(guard, records._name, name)
    ]
    if not names or records._name in guard.asks_to_read:
        return {}
    records = records[:MAX_FILLED]

    def read():
        afresh(guard.env)
        known = records.fields_get(names, ["type"])
        rows = records.with_context(bin_size=True).read(list(known))
        return withhold_links_in(without_bytes(records, rows))

    rows = if_it_can_be_told(guard.env, read)
    return {} if rows is None else {"rows": rows}


def answer(guard, records):
    """What was changed: ids, and names if they can be had. The change is done: what
    fails from here on must not turn it into an error."""
    found = {
        "ids": records.ids,
        "url": url_of(guard.env, records._name),
    }
    names = if_it_can_be_told(
        guard.env, lambda: [name_of(record) for record in records]
    )
    return found if names is None else found | {"names": names}
