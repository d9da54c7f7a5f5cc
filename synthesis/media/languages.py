"""Languages as media files name them: ISO 639-2/T, three letters."""

from __future__ import annotations

_PAIRS = """
    aa:aar ab:abk af:afr ak:aka am:amh ar:ara as:asm ay:aym az:aze ba:bak be:bel
    bg:bul bm:bam bn:ben bo:bod br:bre bs:bos ca:cat ce:che co:cos cs:ces cv:chv
    cy:cym da:dan de:deu dz:dzo ee:ewe el:ell en:eng eo:epo es:spa et:est eu:eus
    fa:fas ff:ful fi:fin fj:fij fo:fao fr:fra fy:fry ga:gle gd:gla gl:glg gn:grn
    gu:guj gv:glv ha:hau he:heb hi:hin hr:hrv ht:hat hu:hun hy:hye id:ind ig:ibo
    is:isl it:ita iu:iku ja:jpn jv:jav ka:kat kg:kon kk:kaz kl:kal km:khm kn:kan
    ko:kor ku:kur kw:cor ky:kir la:lat lb:ltz lg:lug ln:lin lo:lao lt:lit lv:lav
    mg:mlg mi:mri mk:mkd ml:mal mn:mon mr:mar ms:msa mt:mlt my:mya nb:nob ne:nep
    nl:nld nn:nno no:nor nv:nav ny:nya oc:oci om:orm or:ori pa:pan pl:pol ps:pus
    pt:por qu:que rm:roh rn:run ro:ron ru:rus rw:kin sa:san sc:srd sd:snd se:sme
    sg:sag si:sin sk:slk sl:slv sm:smo sn:sna so:som sq:sqi sr:srp ss:ssw st:sot
    su:sun sv:swe sw:swa ta:tam te:tel tg:tgk th:tha ti:tir tk:tuk tl:tgl tn:tsn
    to:ton tr:tur ts:tso tt:tat tw:twi ty:tah ug:uig uk:ukr ur:urd uz:uzb ve:ven
    vi:vie wo:wol xh:xho yi:yid yo:yor za:zha zh:zho zu:zul
"""
_THREE = dict(pair.split(":") for pair in _PAIRS.split())
_BIBLIOGRAPHIC = {
    "alb": "sqi", "arm": "hye", "baq": "eus", "bur": "mya", "chi": "zho", "cze": "ces",
    "dut": "nld", "fre": "fra", "geo": "kat", "ger": "deu", "gre": "ell", "ice": "isl",
    "mac": "mkd", "mao": "mri", "may": "msa", "per": "fas", "rum": "ron", "slo": "slk",
    "tib": "bod", "wel": "cym",
}  # fmt: skip
"""ISO 639-2/B, which Matroska writes."""


def iso_639_2(tag: str) -> str:
    """The three letters of a BCP-47 tag's language, '' where there are none known:
    'pt-BR' is 'por'."""
    language = tag.split("-")[0].lower()
    if len(language) == 3 and language.isascii() and language.isalpha():
        return language
    return _THREE.get(language, "")


def bcp_47(three: str) -> str:
    """The tag for ISO 639-2 letters as media files have them, '' for none: 'por' is
    'pt'."""
    if three in ("", "und", "mul", "zxx", "mis"):
        return ""
    three = _BIBLIOGRAPHIC.get(three, three)
    return next((two for two, known in _THREE.items() if known == three), three)
