"""What is raised when a process can't run with its settings."""


class SettingsError(Exception):
    """A setting that can't be used; the sentence names the variable and says what to do."""
