"""Which records an AI tool has seen, or changed, by one call: for its audit row.

A record counts if the call names it, if the answer has it as a row, a hit or a message,
if a file holds it, or if the call changed it. Not those of which only the name is told
because another one is linked to it, nor what totals were made of, nor what code or a
query has read: what is not listed is said to be so.
"""

from . import operations

# So many are kept of one call.
MOST_SEEN = 1_000


def of(request, answer):
    """Find them, and take out of the answer what is there for this only.

    :param dict request: model and ids, as they were sent
    :param answer: of the operation; ``file_of`` in it are the ids of the records that a
        file holds
    :return: ``["model,id"]``, each once, at most 1,000; and whether that is not all
    """
    model = request.get("model")
    named = _ids(request.get("ids"))
    listed, rows = [], operations.rows_of(request, answer)
    if isinstance(answer, list):
        listed += _records(model, answer)
    elif isinstance(answer, dict):
        listed += _told(model, answer)
        listed += [(model, ident) for ident in _ids(answer.pop("file_of", None))]
    told = {*listed, *((model, ident) for ident in named)}
    # What a change tells of besides is among these.
    found = dict.fromkeys([(model, ident) for ident in named] + listed)
    seen = [f"{name},{ident}" for name, ident in found if name]
    return seen[:MOST_SEEN], len(seen) > MOST_SEEN or len(told) < rows


def _told(model, answer):
    """The records of an answer, in the forms that answers have."""
    found = _records(model, answer.get("rows"))
    found += [(model, ident) for ident in _ids(answer.get("ids"))]
    found += _records("mail.message", answer.get("messages"))
    for hits in (*_list(answer.get("found")), *_list(answer.get("nearest"))):
        if "records" in hits:
            found += _records(hits.get("model") or model, hits["records"])
        else:
            found += _records(hits.get("model") or model, [hits])
    for hit in _list(answer.get("results")):
        name, _colon, ident = str(hit.get("id")).partition(":")
        if ident.isdecimal():
            found.append((name, int(ident)))
    for change in _list(answer.get("changed")):
        found += [(change.get("model"), ident) for ident in _ids(change.get("ids"))]
    return found


def _records(model, rows):
    return [
        (model, row["id"])
        for row in _list(rows)
        if isinstance(row.get("id"), int) and row["id"] > 0
    ]


def _list(value):
    listed = value if isinstance(value, list | tuple) else ()
    return [each for each in listed if isinstance(each, dict)]


def _ids(value):
    listed = value if isinstance(value, list | tuple) else ()
    return [ident for ident in listed if type(ident) is int and ident > 0]
