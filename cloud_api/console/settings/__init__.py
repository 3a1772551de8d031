"""How the organisation works: settings, features, machines that come in, addresses, requests about personal data."""
