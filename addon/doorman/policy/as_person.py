"""What somebody else may read."""


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
