"""What somebody else may read, and what day it is for them."""

from odoo.fields import Datetime


def as_person(record, person):
    """A record as somebody sees it, whichever of their companies they work in.

    Not in the companies of the caller: if the other person lacks one of these, Odoo
    refuses them everything (``Environment.companies``).

    :param record: of any model
    :param person: a ``res.users``
    :return: the record, with the rights of that person
    """
    companies = person.sudo().company_ids.ids
    return record.with_user(person).with_context(allowed_company_ids=companies)


def day_of(person, when=None):
    """The day where somebody is: UTC's if they have no time zone, as in Odoo's own
    lists of activities. A context without one would take that of the caller.

    :param person: a ``res.users``
    :param when: a datetime in UTC; None for now
    """
    here = person.with_context(tz=person.tz or "UTC")
    return Datetime.context_timestamp(here, when or Datetime.now()).date()
