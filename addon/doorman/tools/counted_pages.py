"""A page of a search, and how many records match in all, from one look at the domain
and the record rules."""

from odoo.models import BaseModel

# What counted_page does itself; a model with a method of its own is asked instead.
AS_IN_ODOO = ("_search", "search", "search_count", "search_fetch", "search_read")


def counted_page(model, kwargs, most):
    """As ``search_read`` and ``search_count`` (``odoo/orm/models.py``), which one after
    the other optimize the same domain and work out the same record rules twice.

    :param dict kwargs: of ``search_read``, with fields and a limit
    :param int most: count up to here; 0 or None counts nothing
    :return: the rows, and how many records match if they may be more; else None
    """
    limit, fields = kwargs["limit"], kwargs.get("fields")
    if not (most and fields and _is_odoos(type(model))):
        rows = model.search_read(**kwargs)
        if most and len(rows) == limit:
            return rows, model.search_count(kwargs["domain"], most)
        return rows, None
    query = model._search(
        kwargs["domain"],
        offset=kwargs.get("offset") or 0,
        limit=limit,
        order=kwargs.get("order") or model._order,
    )
    # Checks the fields, and so comes first, as in Odoo.
    to_fetch = model._determine_fields_to_fetch(fields)
    records = model.browse()
    if not query.is_empty():
        records = model._fetch_query(query, to_fetch)
    total = None
    if len(records) == limit:
        # The same query without its page, and without what it has found already.
        query.order, query.offset, query.limit, query._ids = None, None, most, None
        total = len(query)
    # As search_read does: only the search itself looks at archived records.
    context = {k: v for k, v in model.env.context.items() if k != "active_test"}
    # One key less. pylint: disable-next=context-overridden
    records = records.with_context(context)
    return records._read_format(fnames=fields), total


def _is_odoos(cls):
    """Whether a model searches as Odoo's base does, in no way of its own."""
    return all(getattr(cls, name) is getattr(BaseModel, name) for name in AS_IN_ODOO)
