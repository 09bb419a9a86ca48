"""How a thing says what it is: a setting is declared once, a class is registered under a name."""
