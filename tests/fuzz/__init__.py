"""Histories nobody thought of: a crowd at the public pages, and a fuzzer at the machine's doors."""
