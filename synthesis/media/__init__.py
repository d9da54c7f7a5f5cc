"""Pictures and sound: sandboxed reading, exact writing, shots, time code.

Pure code without Django. Everything that opens a file from outside does so in a child
process (see sandbox.py); what runs in that child lives in inside/.
"""
