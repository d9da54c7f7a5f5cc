"""How days are written in German here: as in the words that actors sign."""

DATE_FORMAT = "j. F Y"
DATETIME_FORMAT = "j. F Y, H:i"
