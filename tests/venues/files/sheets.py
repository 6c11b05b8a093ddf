"""Workbooks made by hand: cells as the XML has them."""

import io
import zipfile
from collections.abc import Sequence

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"
STYLES = (
    f'<styleSheet xmlns="{MAIN}"><numFmts><numFmt numFmtId="164" formatCode="yyyy\\-mm\\-dd hh:mm:ss"/><numFmt numFmtId="165" '
)
STYLES += 'formatCode="0.00 &quot;days&quot;"/></numFmts><cellXfs><xf numFmtId="0"/><xf numFmtId="164"/><xf numFmtId="14"/>'
STYLES += '<xf numFmtId="165"/></cellXfs></styleSheet>'


def workbook(*sheets: tuple[str, Sequence[str]], prologue: str = "", date_1904: bool = False) -> bytes:
    """A workbook of (name, rows), each row the XML of its cells."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as book:
        named = "".join(f'<sheet name="{name}" sheetId="{n}" r:id="r{n}"/>' for n, (name, _) in enumerate(sheets, 1))
        system = '<workbookPr date1904="1"/>' if date_1904 else ""
        text = f'<workbook xmlns="{MAIN}" xmlns:r="{RELATIONS}">{system}<sheets>{named}</sheets></workbook>'
        book.writestr("xl/workbook.xml", prologue + text)
        related = "".join(f'<Relationship Id="r{n}" Target="worksheets/s{n}.xml"/>' for n in range(1, len(sheets) + 1))
        book.writestr("xl/_rels/workbook.xml.rels", f'<Relationships xmlns="{PACKAGE}">{related}</Relationships>')
        book.writestr("xl/styles.xml", STYLES)
        shared = (
            f'<sst xmlns="{MAIN}"><si><t>shared</t></si><si><r><t>in </t></r><r><t>parts</t></r><rPh><t>x</t></rPh></si></sst>'
        )
        book.writestr("xl/sharedStrings.xml", shared)
        for n, (_, rows) in enumerate(sheets, 1):
            data = "".join(rows)
            book.writestr(f"xl/worksheets/s{n}.xml", f'<worksheet xmlns="{MAIN}"><sheetData>{data}</sheetData></worksheet>')
    return out.getvalue()


def row(number: int, *cells: str) -> str:
    """One row."""
    return f'<row r="{number}">{"".join(cells)}</row>'


def text(place: str, value: str) -> str:
    """A cell with its text inside."""
    return f'<c r="{place}" t="inlineStr"><is><t>{value}</t></is></c>'


def number(place: str, value: str, style: int = 0) -> str:
    """A cell with a number, shown in a style: 0 plain, 1 and 2 dates, 3 a number with words."""
    return f'<c r="{place}" s="{style}"><v>{value}</v></c>'
