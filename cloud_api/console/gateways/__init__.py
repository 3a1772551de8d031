"""Gateways: how they are, what they hear, what they are told, and how new ones come in."""
