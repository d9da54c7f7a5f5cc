"""A receipt for reading and filing: the words as shown, and what proves them.

The JSON beside it is the proof; this page only says what is in it. No Django.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from fpdf import FPDF
from fpdf.fonts import TTFFont

from consent.keyring import Entry, ProvenKey
from consent.sentences import day_words, sections_of
from consent.verdict import ProvenGrant, Verdict
from consent.verdict_words import ROLE_WORDS, key_lines

FONTS: Final = Path(__file__).resolve().parent / "fonts"
_BODY_PT, _SMALL_PT, _HEAD_PT, _TITLE_PT = 10.5, 8.5, 12.5, 19.0
_GREY: Final = 90


def receipt_pdf(verdict: Verdict) -> bytes:
    """Return the PDF (A4) of a receipt that was verified."""
    page = _Page()
    page.say_title("Receipt")
    page.say(
        "This page is for reading. The file of the same name that ends in .json is the "
        "proof: anybody can check it, without this house, by the command "
        "python -m consent.verify."
    )
    for grant in verdict.grants:
        _grant(page, grant)
    if verdict.deliverable:
        told = verdict.deliverable.payload
        page.say_heading("The file that was made")
        page.say_fact("Made", f"{day_words(verdict.deliverable.at)} (UTC)")
        page.say_fact("Ledger entry", str(verdict.deliverable.index))
        page.say_fact("SHA-256", str(told.get("sha256", "")))
    page.say_heading("The passkeys, and what they prove")
    for key in verdict.keys:
        for line in key_lines(key):
            page.say(line, bullet=True, bold=bool(key.opened and not key.confirmed))
    for remark in verdict.remarks:
        page.say(remark, bullet=True)
    page.say_heading("The ledger")
    page.say_fact("Name", verdict.checkpoint.origin)
    page.say_fact("Entries signed for", str(verdict.checkpoint.size))
    page.say_fact("Root", verdict.checkpoint.root.hex())
    page.say_fact("Key", verdict.key.text)
    page.say_fact("Key's fingerprint", verdict.key.fingerprint)
    return page.finished()


def _grant(page: _Page, grant: ProvenGrant) -> None:
    grantee = grant.record.grantee
    page.say_heading(f"{grant.record.grantor.stage_name} for “{grantee.production}”")
    if grant.withdrawn:
        page.say(f"WITHDRAWN on {day_words(grant.withdrawn.at)} (UTC).", bold=True)
    elif len(grant.rests) % 2:
        page.say(f"SUSPENDED since {day_words(grant.rests[-1].at)} (UTC).", bold=True)
    elif grant.record.cosigner and not grant.cosigned:
        page.say("NOT CO-SIGNED YET: it allows nothing.", bold=True)
    if grant.key.opened and not grant.key.confirmed:
        page.say(
            "SIGNED WITH A PASSKEY THAT CAME BY RECOVERY. What that proves, and what "
            "not, stands below.",
            bold=True,
        )
    page.say("These are the words that were shown and signed:")
    for section in sections_of(grant.part.text):
        page.say_heading(section.heading, small=True)
        for sentence in section.lines:
            page.say(sentence, bullet=True)
    page.say_heading("The signature", small=True)
    _signing(page, "Signed", grant.signed, grant.key)
    page.say_fact("Document (SHA-256)", grant.part.sha256)
    page.say_fact("Words (SHA-256)", grant.record.text.sha256)
    cosigner = grant.record.cosigner
    if cosigner and grant.cosigned and grant.cosigning_key:
        who = f"The co-signature of {cosigner.name}, {ROLE_WORDS[cosigner.role]}"
        page.say_heading(who, small=True)
        _signing(page, "Signed", grant.cosigned, grant.cosigning_key)
    _since(page, grant)


def _since(page: _Page, grant: ProvenGrant) -> None:
    """What was signed of a grant after it."""
    if not (grant.rests or grant.approvals or grant.withdrawn):
        return
    page.say_heading("What was signed since", small=True)
    for number, rest in enumerate(grant.rests):
        done = "Suspension lifted" if number % 2 else "Suspended"
        page.say_fact(done, f"{day_words(rest.at)} (UTC), ledger entry {rest.index}")
    for sha256, entry in grant.approvals:
        page.say_fact("File approved", f"{day_words(entry.at)} (UTC), {sha256}")
    if grant.withdrawn and grant.withdrawing_key:
        _signing(page, "Withdrawn", grant.withdrawn, grant.withdrawing_key)


def _signing(page: _Page, done: str, entry: Entry, key: ProvenKey) -> None:
    page.say_fact(done, f"{day_words(entry.at)} (UTC)")
    page.say_fact("At", key.part.origin)
    page.say_fact("Passkey", key.part.fingerprint)
    page.say_fact("Ledger entry", str(entry.index))


class _Page(FPDF):
    """A4 with one family of letters, and a visible stand-in for what it lacks."""

    def __init__(self) -> None:
        super().__init__(format="A4")
        self.add_font("dejavu", "", FONTS / "DejaVuSansCondensed.ttf")
        self.add_font("dejavu", "B", FONTS / "DejaVuSansCondensed-Bold.ttf")
        self.set_auto_page_break(True, margin=20)
        self.set_margins(22, 20)
        self.set_font("dejavu", size=_BODY_PT)
        # Arabic joins its letters, Hebrew runs from the right.
        self.set_text_shaping(True)
        font = self.fonts["dejavu"]
        points = font.cmap if isinstance(font, TTFFont) else {}
        self._known = {chr(point) for point in points}
        self._lacking = False
        self.set_title("Receipt of consent")
        self.set_lang("en")
        self.add_page()

    def say_title(self, text: str) -> None:
        self.set_font("dejavu", "B", _TITLE_PT)
        self._put(text, height=10)
        self.ln(2)

    def say_heading(self, text: str, *, small: bool = False) -> None:
        self.ln(2 if small else 5)
        self.set_font("dejavu", "B", _BODY_PT if small else _HEAD_PT)
        self._put(text, height=6)

    def say(self, text: str, *, bullet: bool = False, bold: bool = False) -> None:
        self.set_font("dejavu", "B" if bold else "", _BODY_PT)
        self._put(f"• {text}" if bullet else text, height=5.4)

    def say_fact(self, name: str, value: str) -> None:
        self.set_font("dejavu", size=_SMALL_PT)
        self.set_text_color(_GREY)
        self.cell(46, 4.8, name)
        self.set_text_color(0)
        self._put(value, height=4.8)

    def finished(self) -> bytes:
        if self._lacking:
            self.ln(4)
            self.say(
                "Some letters cannot be printed here and stand as [U+...], by their "
                "Unicode numbers. The .json file has them as they are."
            )
        return bytes(self.output())

    def footer(self) -> None:
        self.set_y(-14)
        self.set_font("dejavu", size=_SMALL_PT)
        self.set_text_color(_GREY)
        self.cell(0, 5, f"{self.page_no()}", align="R")
        self.set_text_color(0)

    def _put(self, text: str, *, height: float) -> None:
        self.multi_cell(
            0, height, self._printable(text), new_x="LMARGIN", new_y="NEXT", align="L"
        )

    def _printable(self, text: str) -> str:
        letters = [
            letter if letter in self._known or letter == "\n" else _named(letter)
            for letter in text
        ]
        self._lacking |= any(len(letter) > 1 for letter in letters)
        return "".join(letters)


def _named(letter: str) -> str:
    return f"[U+{ord(letter):04X}]"
