"""From the events of experiments to what can be shown of them; knows no screen."""
