"""Funnel: a self-hosted email funnel and lead-magnet service."""
