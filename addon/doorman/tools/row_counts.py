"""How many rows of data an answer gives out: counted here and nowhere else, for the
limits of a connection and for its audit.

A row is a record that is told, or that a report was made of; a group; a message; a line
of a file or of a query; a file. Names of models, fields and buttons do not count, nor
does what a change says of the records that it was given: their ids, and that it is
done.
Each operation names the one that counts its answers (operations.py).
"""


def none(_request, _answer):
    """Of an answer that holds no data."""
    return 0


def one(_request, _answer):
    return 1


def of_change(_request, answer):
    """What a change tells of: of each record that a dry run tells of, what is in it; of
    each that was made, what Odoo has filled in."""
    return _listed(answer, "changes") + _listed(answer, "rows")


def read(_request, answer):
    """Records, and those that are offered because their names are near."""
    if isinstance(answer, list):
        return len(answer)
    near = answer.get("nearest") or ()
    return len(answer["rows"]) + sum(len(each["records"]) for each in near)


def groups(_request, answer):
    return len(answer) if isinstance(answer, list) else len(answer["groups"])


def messages(_request, answer):
    return _listed(answer, "messages")


def found(_request, answer):
    """By a search in several models."""
    each = sum(len(hits["records"]) for hits in answer.get("found", ()))
    return each + _listed(answer, "nearest") + _listed(answer, "results")


def files(_request, answer):
    return len(answer["files"]) if "files" in answer else 1


def exported(_request, answer):
    return answer["file"]["rows"]


def named(request, _answer):
    """The records that a request names: what is said about each, code has made up."""
    return len(request.get("ids") or ()) or 1


def counted(_request, answer):
    """Of an answer that says so itself, and of a query."""
    count = answer.get("rows", 0)
    return count if isinstance(count, int) else len(count)


def _listed(answer, name):
    listed = answer.get(name) if isinstance(answer, dict) else None
    return len(listed) if isinstance(listed, list) else 0
