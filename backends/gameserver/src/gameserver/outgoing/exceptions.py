"""Why something could not be fetched. Who asked turns these into problems of its own."""


class FetchError(Exception):
    """Something could not be fetched; the text says why, and holds nothing of the answer."""


class SourceRefused(FetchError):
    """It is where nothing may be fetched from."""

    def __init__(self, why: str = "it lies at a host that is not allowed") -> None:
        super().__init__(why)


class NoWebURL(SourceRefused):
    """Its URL is none of a file on the web."""


class HostRefused(SourceRefused):
    """Nothing may come from its host."""


class PlainHTTPRefused(SourceRefused):
    """Its host may be asked over HTTPS only, at the usual port."""


class PrivateAddress(SourceRefused):
    """Its host has an address that is not of the public internet."""

    detail = "its host has an address within a private network"


class TooManyRedirects(FetchError):
    """It is always elsewhere."""

    detail = "it is behind too many redirects"


class TooLarge(FetchError):
    """It has more bytes than it may have."""

    detail = "it is too large"


class TooSlow(FetchError):
    """It takes longer than it may take."""

    detail = "it takes too long"


class NotDelivered(FetchError):
    """Its host can't be reached, or breaks off."""

    def __init__(self, error: Exception) -> None:
        super().__init__(f"its host does not deliver ({type(error).__name__})")


class StatusRefused(FetchError):
    """Its host answers with something else than a document."""

    def __init__(self, status: int) -> None:
        super().__init__(f"its host answers {status}")
        self.status = status
