"""Figures for administrators: revenue, orders, customers, products, use and safety of one organisation."""
