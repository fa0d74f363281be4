"""Leases, fencing tokens and periods: what nightly work shares."""
