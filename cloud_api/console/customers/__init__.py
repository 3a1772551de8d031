"""Customers: who orders, where their doors are, and what they were told."""
