"""The text of an email that was saved as a file."""

import email
import email.policy
from importlib import import_module

HEADERS = ("From", "To", "Cc", "Date", "Subject")
MAX_PARTS, MAX_HEADER = 200, 2_000


def pieces(content, notes):
    message = email.message_from_bytes(content, policy=email.policy.default)
    for name in HEADERS:
        value = message.get(name)
        if value:
            yield f"{name}: {' '.join(str(value).split())[:MAX_HEADER]}\n"
    yield "\n"
    parts, files = [], []
    for number, part in enumerate(message.walk()):
        if number == MAX_PARTS:
            notes.append(f"Only the first {MAX_PARTS} parts are read.")
            break
        if part.is_multipart():
            continue
        if part.get_filename() or part.get_content_maintype() != "text":
            files.append(part.get_filename() or part.get_content_type())
        else:
            parts.append(part)
    plain = [p for p in parts if p.get_content_subtype() == "plain"]
    for part in plain or parts:
        yield _body(part).strip() + "\n"
    if files:
        yield "\n[files in it: " + ", ".join(" ".join(f.split()) for f in files) + "]\n"


def _body(part):
    try:
        text = part.get_content()
    except (LookupError, ValueError):  # an unknown encoding
        text = (part.get_payload(decode=True) or b"").decode("utf-8", "replace")
    if part.get_content_subtype() != "html":
        return text
    return import_module("markup").text_of(text)
