"""The pages of consent."""
