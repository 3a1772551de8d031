"""What the gateway is measured beside, each with the configuration that it runs with here."""
