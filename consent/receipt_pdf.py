"""A record for reading and filing: the words as shown, and what proves them.

The JSON beside it is the proof; these pages only say what is in it. No Django.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from fpdf import FPDF
from fpdf.fonts import TTFFont

from consent.canonical import canonical_bytes, sha256_hex
from consent.fonts import BOLD, REGULAR
from consent.keyring import Entry, ProvenKey
from consent.record import GrantRecord
from consent.sentences import sections_of, shown_grant
from consent.tongue import Tongue, tongue_of
from consent.verdict import ProvenGrant, Verdict
from consent.verdict_words import ROLE_WORDS, key_lines

_BODY_PT, _SMALL_PT, _HEAD_PT, _TITLE_PT = 10.5, 8.5, 12.5, 19.0
_GREY: Final = 90


def receipt_pdf(verdict: Verdict, locale: str = "en") -> bytes:
    """Return the PDF (A4) of a receipt that was verified, in a language. The words
    that were signed stay in the one they were read in."""
    _ = tongue_of(locale)
    page = _Page(_, _("Receipt"))
    page.say(
        _(
            "This page is for reading. The file of the same name that ends in .json is "
            "the proof: anybody can check it, without this house, by the command "
            "python -m consent.verify."
        )
    )
    for grant in verdict.grants:
        _grant(page, grant, _)
    if verdict.deliverable:
        told = verdict.deliverable.payload
        page.say_heading(_("The file that was made"))
        page.say_fact(_("Made"), _moment(verdict.deliverable.at, _))
        page.say_fact(_("Ledger entry"), str(verdict.deliverable.index))
        page.say_fact("SHA-256", str(told.get("sha256", "")))
    page.say_heading(_("The passkeys, and what they prove"))
    for key in verdict.keys:
        for line in key_lines(key, _):
            page.say(line, bullet=True, bold=bool(key.opened and not key.confirmed))
    for remark in verdict.remarks:
        page.say(_(remark), bullet=True)
    page.say_heading(_("The ledger"))
    page.say_fact(_("Name"), verdict.checkpoint.origin)
    page.say_fact(_("Entries signed for"), str(verdict.checkpoint.size))
    page.say_fact(_("Root"), verdict.checkpoint.root.hex())
    page.say_fact(_("Key"), verdict.key.text)
    page.say_fact(_("Key's fingerprint"), verdict.key.fingerprint)
    return page.finished()


def record_pdf(record: GrantRecord, locale: str) -> bytes:
    """Return the PDF (A4) of a question that is not signed, for reading at leisure or
    with somebody who advises: the very words that would be signed."""
    _ = tongue_of(locale)
    page = _Page(_, _("Request for consent"))
    page.say_heading(_parties(record, _))
    page.say(_("This is not signed. Nothing is allowed by it."), bold=True)
    shown, text = shown_grant(record, locale)
    _words(page, text)
    page.say_heading(_("The document"), small=True)
    digest = sha256_hex(canonical_bytes(shown.document()))
    page.say_fact(_("Document (SHA-256)"), digest)
    page.say_fact(_("Words (SHA-256)"), shown.text.sha256)
    return page.finished()


def _parties(record: GrantRecord, _: Tongue) -> str:
    return _(
        "%(actor)s for “%(production)s”",
        actor=record.grantor.stage_name,
        production=record.grantee.production,
    )


def _moment(moment: datetime, _: Tongue) -> str:
    return f"{_.day(moment)} (UTC)"


def _words(page: _Page, text: str) -> None:
    for section in sections_of(text):
        page.say_heading(section.heading, small=True)
        for sentence in section.lines:
            page.say(sentence, bullet=True)


def _grant(page: _Page, grant: ProvenGrant, _: Tongue) -> None:
    page.say_heading(_parties(grant.record, _))
    _standing(page, grant, _)
    page.say(_("These are the words that were shown and signed:"))
    _words(page, grant.part.text)
    page.say_heading(_("The signature"), small=True)
    _signing(page, _("Signed"), grant.signed, grant.key, _)
    page.say_fact(_("Document (SHA-256)"), grant.part.sha256)
    page.say_fact(_("Words (SHA-256)"), grant.record.text.sha256)
    cosigner = grant.record.cosigner
    if cosigner and grant.cosigned and grant.cosigning_key:
        role = _(ROLE_WORDS[cosigner.role])
        who = _("The co-signature of %(name)s, %(role)s", name=cosigner.name, role=role)
        page.say_heading(who, small=True)
        _signing(page, _("Signed"), grant.cosigned, grant.cosigning_key, _)
    _since(page, grant, _)


def _standing(page: _Page, grant: ProvenGrant, _: Tongue) -> None:
    """What must be read before the words: that they hold no more, or not as usual."""
    if grant.withdrawn:
        day = _moment(grant.withdrawn.at, _)
        page.say(_("WITHDRAWN on %(day)s.", day=day), bold=True)
    elif len(grant.rests) % 2:
        day = _moment(grant.rests[-1].at, _)
        page.say(_("SUSPENDED since %(day)s.", day=day), bold=True)
    elif grant.record.cosigner and not grant.cosigned:
        page.say(_("NOT CO-SIGNED YET: it allows nothing."), bold=True)
    if grant.key.opened and not grant.key.confirmed:
        page.say(
            _(
                "SIGNED WITH A PASSKEY THAT CAME BY RECOVERY. What that proves, and "
                "what not, stands below."
            ),
            bold=True,
        )


def _since(page: _Page, grant: ProvenGrant, _: Tongue) -> None:
    """What was signed of a grant after it."""
    if not (grant.rests or grant.approvals or grant.withdrawn):
        return
    page.say_heading(_("What was signed since"), small=True)
    for number, rest in enumerate(grant.rests):
        done = _("Suspension lifted") if number % 2 else _("Suspended")
        day = _moment(rest.at, _)
        page.say_fact(
            done, _("%(day)s, ledger entry %(index)s", day=day, index=rest.index)
        )
    for sha256, entry in grant.approvals:
        page.say_fact(_("File approved"), f"{_moment(entry.at, _)}, {sha256}")
    if grant.withdrawn and grant.withdrawing_key:
        _signing(page, _("Withdrawn"), grant.withdrawn, grant.withdrawing_key, _)


def _signing(page: _Page, done: str, entry: Entry, key: ProvenKey, _: Tongue) -> None:
    page.say_fact(done, _moment(entry.at, _))
    page.say_fact(_("At"), key.part.origin)
    page.say_fact(_("Passkey"), key.part.fingerprint)
    page.say_fact(_("Ledger entry"), str(entry.index))


class _Page(FPDF):
    """A4 with one family of letters, and a visible stand-in for what it lacks."""

    def __init__(self, tongue: Tongue, title: str) -> None:
        super().__init__(format="A4")
        self._tongue = tongue
        self.add_font("dejavu", "", REGULAR)
        self.add_font("dejavu", "B", BOLD)
        self.set_auto_page_break(True, margin=20)
        self.set_margins(22, 20)
        self.set_font("dejavu", size=_BODY_PT)
        # Arabic joins its letters, Hebrew runs from the right.
        self.set_text_shaping(True)
        font = self.fonts["dejavu"]
        points = font.cmap if isinstance(font, TTFFont) else {}
        self._known = {chr(point) for point in points}
        self._lacking = False
        self.set_title(title)
        self.set_lang(tongue.locale)
        self.add_page()
        self.say_title(title)

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
        _ = self._tongue
        if self._lacking:
            self.ln(4)
            self.say(
                _(
                    "Some letters cannot be printed here and stand as [U+...], by "
                    "their Unicode numbers."
                )
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
