"""The hosts of ION's environments, by the value of `ION_ENVIRONMENT`."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Endpoints:
    """The addresses of a tenant.

    Attributes:
        api_url: Base of the API; requests go to `{api_url}/graphql`.
        auth_url: Base of the token host; tokens come from its realm `api-keys`.
    """

    api_url: str
    auth_url: str


# Vendor manual: environments.
ENDPOINTS: dict[str, Endpoints] = {
    "production": Endpoints("https://api.buildwithion.com", "https://auth.buildwithion.com"),
    "staging": Endpoints("https://staging-api.buildwithion.com", "https://staging-auth.buildwithion.com"),
    "gov": Endpoints("https://api-production-gov.buildwithion.com", "https://auth-production-gov.buildwithion.com"),
    "gov-staging": Endpoints("https://api-staging-gov.buildwithion.com", "https://auth-staging-gov.buildwithion.com"),
    "aus": Endpoints("https://api-production-aus.buildwithion.com", "https://auth-production-aus.buildwithion.com"),
    "aus-staging": Endpoints("https://api-staging-aus.buildwithion.com", "https://auth-staging-aus.buildwithion.com"),
}
