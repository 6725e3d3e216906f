"""Why a download failed; each caller turns these into problems of its own domain."""


class FetchError(Exception):
    """A file could not be fetched; the text says why and repeats nothing of the response."""

    detail: str | None = None

    def __init__(self, detail: str | None = None) -> None:
        super().__init__(detail or self.detail)


class SourceRefused(FetchError):
    """Nothing may be fetched from this URL."""


class NoWebURL(SourceRefused):
    """The URL is not an HTTP or HTTPS URL of a file."""

    detail = "its URL is not an HTTP or HTTPS URL"


class HostRefused(SourceRefused):
    """The host is not in the list of allowed hosts."""

    detail = "its host is not allowed"


class PlainHTTPRefused(SourceRefused):
    """The host must be asked over HTTPS, at the usual port."""

    detail = "its host must be asked over HTTPS, at the usual port"


class PrivateAddress(SourceRefused):
    """The host has an address that isn't public."""

    detail = "its host has an address within a private network"


class TooManyRedirects(FetchError):
    """The limit of redirects was exceeded."""

    detail = "it is behind too many redirects"


class TooLarge(FetchError):
    """The file has more bytes than allowed."""

    detail = "it is too large"


class TooSlow(FetchError):
    """The download takes longer than allowed."""

    detail = "it takes too long"


class NotDelivered(FetchError):
    """The host can't be reached, or the connection broke off."""

    def __init__(self, error: Exception) -> None:
        super().__init__(f"its host does not deliver ({type(error).__name__})")


class StatusRefused(FetchError):
    """The host answered with an error status."""

    def __init__(self, status: int) -> None:
        super().__init__(f"its host answers {status}")
        self.status = status
