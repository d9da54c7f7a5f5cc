"""What every deliverable carries to say what it is, and how that is read again.

label: the visible sign. mark: the invisible one. manifest: the Content Credential,
signed with keys. readback: are all three on the finished file? read, fingerprint and
verdict: what can be told of a file that anybody brings. No Django in here.
"""
