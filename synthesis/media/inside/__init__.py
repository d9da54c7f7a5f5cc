"""Code that runs only in the sandboxed child, on untrusted bytes."""
