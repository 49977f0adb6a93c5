import io
import re
import time
import zipfile
import zlib
from unittest.mock import patch

from odoo.tests import tagged

from ...tools import file_text
from ..common import WriteCase
from .test_files import PNG, FileMixin

# Instead of reading a file: what there is in its environment.
SPY = (
    "import json, os; "
    "print(json.dumps({'text': str(dict(os.environ)), 'more': False, 'notes': []}))"
)
W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
A = 'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main"'
ODF = " ".join(
    f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
    for name in ("office", "text", "table")
)


def archive(**members):
    """A ZIP of these members: ``word__document`` is word/document.xml."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as found:
        for name, content in members.items():
            found.writestr(name.replace("__", "/") + ".xml", content)
    return file.getvalue()


def word(*paragraphs, before="", body=""):
    runs = "".join(f"<w:p><w:r><w:t>{p}</w:t></w:r></w:p>" for p in paragraphs)
    return f"{before}<w:document {W}><w:body>{runs}{body}</w:body></w:document>"


def pdf_of(*streams):
    """A PDF, a page for each stream of drawing commands that are packed already."""
    count = len(streams)
    kids = " ".join(f"{3 + 2 * i} 0 R" for i in range(count))
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        f"<</Type/Pages/Kids[{kids}]/Count {count}>>".encode(),
    ]
    font = "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>"
    for number, stream in enumerate(streams):
        page = "<</Type/Page/Parent 2 0 R/MediaBox[0 0 600 800]/Resources<</Font<</F1 "
        objects.append(f"{page}{font}>>>>/Contents {4 + 2 * number} 0 R>>".encode())
        head = f"<</Length {len(stream)}/Filter/FlateDecode>>stream\n".encode()
        objects.append(head + stream + b"\nendstream")
    content, places = b"%PDF-1.4\n", []
    for number, text in enumerate(objects, 1):
        places.append(len(content))
        content += f"{number} 0 obj\n".encode() + text + b"\nendobj\n"
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    end = f"trailer<</Size {len(places) + 1}/Root 1 0 R>>\nstartxref\n{len(content)}\n"
    table = f"xref\n0 {len(places) + 1}\n".encode() + b"0000000000 65535 f \n" + table
    return content + table + end.encode() + b"%%EOF"


def drawn(text):
    return zlib.compress(f"BT /F1 12 Tf 50 700 Td ({text}) Tj ET".encode())


@tagged("post_install", "-at_install")
class TestFileText(FileMixin, WriteCase):
    """What get_attachment tells of a file's text."""

    def said(self, name, raw, **kwargs):
        file = self.file(name, raw)
        kwargs = {"attachment": file.id, "text": True} | kwargs
        answer = self.get(**kwargs)
        return answer.get("value") or answer["error"]

    def text(self, name, raw):
        return self.said(name, raw)["text"]

    def test_pdf(self):
        raw = pdf_of(drawn("Total 1,234.50 EUR"), zlib.compress(b""), drawn("Page 3"))
        said = self.said("a.pdf", raw)
        self.assertEqual(
            said["text"], "[page 1]\nTotal 1,234.50 EUR\n\n[page 3]\nPage 3\n\n"
        )
        self.assertIn("1 pages without text", said["text_notes"][0])
        self.assertFalse(said["text_more"])
        self.assertIn("ticket", said)

    def test_a_pdf_of_a_report(self):
        """The text of what Odoo prints, from Odoo's own library."""
        from odoo.tools.pdf import OdooPdfFileWriter

        writer, out = OdooPdfFileWriter(), io.BytesIO()
        writer.addBlankPage(200, 200)
        writer.addAttachment("x.xml", b"<x/>")
        writer.write(out)
        self.assertEqual(self.text("b.pdf", out.getvalue()), "")

    def test_word(self):
        table = "".join(
            f"<w:tc><w:p><w:r><w:t>{cell}</w:t></w:r></w:p></w:tc>"
            for cell in ("Qty 1", "100.00")
        )
        raw = archive(
            word__document=word(
                "Grüße", "two", body=f"<w:tbl><w:tr>{table}</w:tr></w:tbl>"
            ),
            word__header1=word("Letterhead"),
        )
        text = self.text("a.docx", raw)
        self.assertEqual(text, "Grüße\ntwo\nQty 1\t100.00\n[header]\nLetterhead\n")

    def test_excel(self):
        """What Odoo's own library has written."""
        from openpyxl import Workbook

        book, out = Workbook(), io.BytesIO()
        book.active.append(["Name", "Amount", "Paid"])
        book.active.append(["Acme", 1234.5, True])
        book.create_sheet("Second").append([None, "x"])
        book.save(out)
        self.assertEqual(
            self.text("a.xlsx", out.getvalue()),
            "[sheet Sheet]\nName\tAmount\tPaid\nAcme\t1234.5\tTRUE\n"
            "[sheet Second]\n\tx\n",
        )

    def test_powerpoint(self):
        slide = f"<s {A}><a:p><a:r><a:t>%s</a:t></a:r></a:p></s>"
        raw = archive(
            ppt__slides__slide10=slide % "ten",
            ppt__slides__slide2=slide % "two",
            ppt__slides__slide1=slide % "one",
        )
        text = self.text("a.pptx", raw)
        self.assertEqual(text, "[slide 1]\none\n\n[slide 2]\ntwo\n\n[slide 3]\nten\n\n")

    def test_opendocument(self):
        text = (
            "<text:h>Title</text:h><text:p>a<text:s text:c='2'/>b<text:tab/>c</text:p>"
        )
        body = (
            f"<d {ODF}><office:body><office:text>{text}</office:text></office:body></d>"
        )
        self.assertEqual(self.text("a.odt", archive(content=body)), "Title\na  b\tc\n")
        cell = "<table:table-cell%s><text:p>%s</text:p></table:table-cell>"
        rows = "".join(
            (
                "<table:table-row>",
                cell % ("", "Qty") + cell % (" table:number-columns-repeated='2'", "5"),
                "</table:table-row>",
                "<table:table-row table:number-rows-repeated='9999999'>",
                cell % (" table:number-columns-repeated='9999999'", "x"),
                "</table:table-row>",
            )
        )
        body = (
            f"<d {ODF}><office:body><office:spreadsheet><table:table table:name='S'>"
            f"{rows}</table:table></office:spreadsheet></office:body></d>"
        )
        said = self.said("a.ods", archive(content=body))
        self.assertTrue(said["text"].startswith("[sheet S]\nQty\t5\t5\nx\tx"))
        self.assertEqual(len(said["text_notes"]), 2)

    def test_html(self):
        html = (
            "<p>Grüße <b>an</b> <a href='https://x.example/a?b=1'>alle</a></p>"
            "<table><tr><td>Qty 1</td><td>100.00</td></tr></table>"
            "<script>alert(1)</script><style>p {}</style>one<br>two"
        )
        for name in ("a.html", "a.htm"):
            text = self.text(name, html.encode())
            self.assertIn("Grüße an alle (https://x.example/a?b=1)\n", text)
            self.assertIn("Qty 1\t100.00\n", text)
            self.assertIn("one\ntwo", text)
            self.assertNotIn("alert", text)

    def test_mail(self):
        raw = (
            b"From: a@example.com\r\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n"
            b"MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=X\r\n\r\n"
            b"--X\r\nContent-Type: text/html; charset=latin-1\r\n\r\n<p>H\xe9</p>\r\n"
            b"--X\r\nContent-Type: text/csv\r\n"
            b"Content-Disposition: attachment; filename=p.csv\r\n\r\na,b\r\n--X--\r\n"
        )
        text = self.text("a.eml", raw)
        self.assertIn("From: a@example.com\nSubject: Grüße\n", text)
        self.assertIn("Hé", text)
        self.assertIn("[files in it: p.csv]", text)
        self.assertNotIn("a,b", text)

    def test_plain(self):
        self.assertEqual(self.text("a.csv", b"\xef\xbb\xbfa;b\n1;2\n"), "a;b\n1;2\n")
        self.assertEqual(self.text("a.txt", "Grüße".encode("utf-16")), "Grüße")
        said = self.said("a.txt", b"Gr\xfc\xdfe")
        self.assertEqual(said["text"], "Grüße")
        self.assertIn("Windows-1252", said["text_notes"][0])

    # ---- pages ----

    def test_page_after_page_is_the_whole_text(self):
        size = file_text.MAX_PAGE
        whole = "".join(f"line {i} äöü 漢字\n" for i in range(size // 4))
        for name, raw in (
            ("a.txt", whole.encode()),
            ("a.docx", archive(word__document=word(*whole.splitlines()))),
        ):
            pages, offset, file = [], 0, self.file(name, raw)
            while True:
                value = self.get(attachment=file.id, text=True, offset=offset)["value"]
                pages.append(value["text"])
                self.assertLessEqual(len(value["text"]), size)
                self.assertLessEqual(
                    len(value["text"].encode()), file_text.MAX_PAGE_BYTES
                )
                if not value["text_more"]:
                    self.assertEqual(value["text_next"], 0)
                    break
                offset = value["text_next"]
            self.assertGreater(len(pages), 2)
            self.assertEqual("".join(pages), whole)

    def test_offsets(self):
        file = self.file(raw=b"hello")
        self.assertEqual(
            self.get(attachment=file.id, text=True, offset=2)["value"]["text"], "llo"
        )
        for offset in (5, 6, file_text.MAX_LETTERS, file_text.MAX_LETTERS + 1, -1, "1"):
            answer = self.get(attachment=file.id, text=True, offset=offset)
            self.assertEqual(self.kind_of(answer), "invalid_input", offset)

    def test_what_is_beyond_all_pages_is_said(self):
        self.patch(file_text, "MAX_LETTERS", 40_000)
        file = self.file(raw=b"x" * 50_000)
        value = self.get(attachment=file.id, text=True, offset=30_000)["value"]
        self.assertEqual((len(value["text"]), value["text_more"]), (10_000, False))
        self.assertIn("continues beyond 40000", value["text_notes"][0])

    def test_a_link_that_two_pages_share_is_withheld(self):
        size = file_text.MAX_PAGE
        for before in range(size - 40, size + 2, 3):
            raw = b"x" * before + b" /my?access_token=SECRETSECRET end " + b"y" * 50
            file = self.file(raw=raw)
            first = self.get(attachment=file.id, text=True)["value"]
            offset = first["text_next"]
            second = self.get(attachment=file.id, text=True, offset=offset)["value"]
            told = first["text"] + second["text"]
            self.assertNotIn("SECRET", told)
            self.assertIn("[withheld]", told)
            self.assertTrue(told.endswith(" end " + "y" * 50))


@tagged("post_install", "-at_install")
class TestFileTextAttack(FileMixin, WriteCase):
    """Files that are made to hurt who reads them."""

    def refused(self, name, raw, within=25):
        file = self.file(name, b"x")
        # Straight into the store: Odoo's own index would read some of them.
        started = time.monotonic()
        with patch.object(file_text, "_logger"):
            try:
                file_text.page(name, file.mimetype, lambda: raw, 0)
            except file_text.Refusal as exc:
                self.assertLess(time.monotonic() - started, within)
                return f"{exc.kind} {exc.message}"
        return "read"

    def test_entities(self):
        laughs = "".join(
            f'<!ENTITY l{n} "{f"&l{n - 1};" * 10 if n else "lol"}">' for n in range(10)
        )
        bombs = {
            "laughs": f"<!DOCTYPE x [{laughs}]>",
            "file": '<!DOCTYPE x [<!ENTITY l9 SYSTEM "file:///etc/passwd">]>',
            "web": '<!DOCTYPE x [<!ENTITY l9 SYSTEM "http://127.0.0.1:1/">]>',
            "outside": '<!DOCTYPE x SYSTEM "file:///etc/passwd">',
        }
        for what, before in bombs.items():
            text = word("&l9;", before=before)
            for encoding in ("utf-8", "utf-16"):
                with self.subTest(what=what, encoding=encoding):
                    raw = archive(word__document=text.encode(encoding))
                    self.assertIn("DOCTYPE", self.refused("a.docx", raw))
            raw = archive(xl__workbook="<x/>", xl__sharedStrings=text)
            self.assertIn("DOCTYPE", self.refused("a.xlsx", raw))
            raw = archive(content=text)
            self.assertIn("DOCTYPE", self.refused("a.odt", raw))
        head = "<?xml version='1.0' encoding='UTF-7'?>"
        raw = archive(word__document=head + word("x"))
        self.assertIn("encoding", self.refused("a.docx", raw))

    def test_archives_that_swell(self):
        for name, member in (
            ("a.docx", "word__document"),
            ("a.xlsx", "xl__worksheets__sheet1"),
            ("a.pptx", "ppt__slides__slide1"),
            ("a.ods", "content"),
        ):
            with self.subTest(name=name):
                raw = archive(**{member: b" " * (65 * 1024 * 1024)})
                self.assertLess(len(raw), 300_000)
                self.assertIn("too large", self.refused(name, raw))

    def test_an_archive_that_lies_about_its_size(self):
        raw = archive(word__document=word("x" * 1_000_000))
        lies = raw.replace(
            (1_000_000 + len(word(""))).to_bytes(4, "little"),
            (10).to_bytes(4, "little"),
        )
        self.assertNotEqual(lies, raw)
        self.assertNotEqual(self.refused("a.docx", lies), "read")

    def test_a_pdf_that_swells(self):
        # More memory than there is for it, and what takes long to look through.
        for size, patience in ((1 << 29, 6), (1 << 26, 1)):
            with self.subTest(size=size):
                self.patch(file_text, "PATIENCE", patience)
                raw = pdf_of(zlib.compress(b"\0" * size, 1))
                self.assertLess(len(raw), 3_000_000)
                self.assertIn("too", self.refused("a.pdf", raw, within=15))

    def test_many_files_in_one(self):
        raw = archive(**{f"m{n}": "<x/>" for n in range(10_001)})
        self.assertIn("too many files", self.refused("a.docx", raw))

    def test_every_word_of_the_readers_has_a_sentence(self):
        words = set()
        for path in file_text.READERS.glob("*.py"):
            text = path.read_text(encoding="utf-8")
            words |= set(re.findall(r'(?:Unreadable\(|"error": )"(.*?)"', text))
            self.assertNotRegex(text, r'(?:Unreadable\(|"error": )f"')
        self.assertEqual(words, set(file_text.WHY))

    def test_damaged_ones(self):
        for name in ("a.pdf", "a.docx", "a.xlsx", "a.pptx", "a.odt"):
            for raw in (b"%PDF-1.4 nothing", b"PK\3\4 nothing", b""):
                with self.subTest(name=name, raw=raw):
                    told = self.refused(name, raw)
                    self.assertIn("invalid_input", told)
                    self.assertNotIn("Traceback", told)
                    self.assertNotIn("/", told.replace("invalid_input", ""))

    def test_deep_ones(self):
        self.patch(file_text, "PATIENCE", 6)
        deep = b"<div>" * 100_000 + b"x" + b"</div>" * 100_000
        self.assertIn(self.refused("a.html", deep)[:4], ("read", "inva"))
        mail = b"Content-Type: multipart/mixed; boundary=a\r\n\r\n--a\r\n" * 5_000
        self.assertIn(self.refused("a.eml", mail)[:4], ("read", "inva"))

    def test_one_that_takes_for_ever(self):
        """The process is ended, and Odoo goes on."""
        self.patch(file_text, "PATIENCE", 1)
        self.patch(file_text, "START", "import time; time.sleep(60)")
        self.assertIn("too long", self.refused("a.pdf", pdf_of(drawn("x")), within=10))

    def test_it_knows_no_secret_of_odoos(self):
        self.patch(file_text, "START", SPY)
        with patch.dict("os.environ", {"PGPASSWORD": "SECRET", "LANG": "C.UTF-8"}):
            said = file_text.page("a.pdf", "application/pdf", lambda: b"x", 0)
        self.assertIn("LANG", said["text"])
        self.assertNotIn("SECRET", said["text"])

    def test_a_process_that_cannot_be_started(self):
        self.patch(file_text, "sys", type("sys", (), {"executable": "/no", "path": []}))
        self.assertIn("could not start", self.refused("a.pdf", pdf_of(drawn("x"))))

    def test_nothing_is_left_out_of_the_rules(self):
        """The text of a file is as open as the file."""
        other = self.env["res.partner"].create({"name": "B"})
        file = self.file("a.pdf", pdf_of(drawn("x")), record=other)
        answer = self.get(attachment=file.id, text=True, offset=0)
        self.assertEqual(self.kind_of(answer), "not_found")
        self.allow_models("res.country", "ir.attachment")
        self.assertEqual(self.kind_of(self.get(file, text=True)), "not_allowed")
        png = self.file("i.png", PNG)
        self.allow_models("res.partner")
        answer = self.get(attachment=png.id, text=True)
        self.assertEqual(self.kind_of(answer), "invalid_input")
