"""Search and fetch, the two tools that research clients (ChatGPT's deep research among
them) ask of every server, by these names and in these forms. A switch of the policy
offers them.

search(words) ── ids, titles, addresses      fetch(id) ── one record as a text
"""

import re
import time

from ..policy.record_url import url_of
from ..policy.refusal import Refusal, _lt
from ..policy.shared import MAX_HITS_QUERY, MAX_RESEARCH_QUERY
from . import row_counts
from .arguments import only, text
from .operations import operation
from .search import read
from .search_everywhere import DEADLINE, find, near, worth

SWITCH = "research_tools"
# Records of one model, and of all; words that are looked for one by one.
EACH, MAX_RESULTS, MAX_WORDS = 5, 50, 4
WORD = re.compile(r"[\w@./-]{3,}")


@operation(
    "search",
    tool="search",
    reads=True,
    needs_model=False,
    switch=SWITCH,
    rows=row_counts.found,
)
def search(call):
    """Records whose name holds the query; if there are none, those whose name holds one
    of its words; if there are none either, those of the nearest names.

    :return: ``{results: [{id, title, url}]}``; an id is ``model:number``
    """
    guard, kwargs = call.guard, call.kwargs
    only(kwargs, "query")
    query = text(kwargs, "query", MAX_RESEARCH_QUERY, needed=True)
    if len(query) < 2:
        raise Refusal(
            "query_too_short", _lt("query must be text of at least 2 characters.")
        )
    names, until, results = worth(guard), time.monotonic() + DEADLINE, []
    tries = [query] if len(query) <= MAX_HITS_QUERY else []
    for words in (tries, _words(query)):
        for word in words:
            results += _results(guard, find(guard, word, names, EACH, until)["found"])
        if results:
            break
    if not results and tries:
        likely = near(guard, query, names, EACH, until)
        results = _results(guard, likely.get("found", ()))
        results += [_result(guard, one) for one in likely.get("nearest", ())]
    # A record may hold several of the words.
    return {
        "results": list({r["id"]: r for r in results}.values())[
            : call.at_most(MAX_RESULTS)
        ]
    }


def _words(query):
    """The words of a question worth looking for: numbers and names first."""
    words = dict.fromkeys(w[:MAX_HITS_QUERY] for w in WORD.findall(query))
    words.pop(query, None)

    def worth_less(word):
        has_number = any(letter.isdigit() for letter in word)
        return not has_number, not word[0].isupper(), -len(word)

    return sorted(words, key=worth_less)[:MAX_WORDS]


def _results(guard, found):
    return [_result(guard, hits | one) for hits in found for one in hits["records"]]


def _result(guard, one):
    return {
        "id": f"{one['model']}:{one['id']}",
        "title": f"{one['name']} ({one['label']})",
        "url": url_of(guard.env, one["model"], one["id"]),
    }


@operation("fetch", tool="fetch", reads=True, switch=SWITCH, rows=row_counts.read)
def fetch(call):
    """One record: as ``read``, with its address.

    :return: ``{rows, names, url}``
    """
    if not isinstance(call.ids, list) or len(call.ids) != 1:
        raise Refusal("one_record_only", _lt("fetch reads one record at a time."))
    call.kwargs.setdefault("names", 0)
    return read(call) | {"url": url_of(call.env, call.model._name, call.ids[0])}
