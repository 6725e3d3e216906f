"""The types of activities, a module each; a new one is a new module in this folder."""
