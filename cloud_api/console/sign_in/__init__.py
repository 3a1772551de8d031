"""Coming in and going out: user name, password, second factor; forgotten passwords."""
