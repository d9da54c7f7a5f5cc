"""The Content Credential as an auditor checks it: no C2PA library in sight.

Only what this product writes is known here: ES256, SHA-256, the hash of an MP4 or MOV.
What is of another form is refused, not passed over. No Django.
"""
