"""Credentials are known by their names: none becomes a column, shipped or adopted, and nothing else is lost by it."""

import pytest
from graphql import GraphQLObjectType

from ion_pipeline.catalog import known_catalog
from ion_pipeline.catalog.credentials import is_credential
from ion_pipeline.catalog.schema import known_schema

# Public names of credentials: OAuth 2.0 (RFC 6749), AWS, Snowflake, Keycloak, and ION's own.
CREDENTIALS = [
    "clientSecret", "client_secret", "sharedSecret", "secretAccessKey", "accessKeyId", "password", "passwordHash",
    "userPwd", "passphrase", "accessToken", "refreshToken", "token", "idTokens", "jwt", "apiKey", "APIKey", "apikey",
    "privateKey", "rsaPrivateKeyPem", "sshKey", "signingKey", "sessionKey", "credentials", "analyticsCredential",
    "downloadUrl", "presignedUrl", "preSignedLink", "integrationFetchUrl", "uploadURL", "totpSecret", "hmacKey",
    "authorization", "sessionCookie",
]  # fmt: skip
DATA = [
    "key", "partKey", "keyCharacteristic", "monkey", "tokenizedName", "secretary", "value", "resultsLink", "linkUrl",
    "uri", "jiraIssueKey", "s3Key", "hashCode", "signoffRoleId", "assignedToId", "passed", "passRate", "bypass",
    "originMbomReferenceDesignatorId", "etag", "sessionId", "LastSessionId",
]  # fmt: skip


@pytest.mark.parametrize("name", CREDENTIALS)
def test_names_of_credentials(name: str) -> None:
    assert is_credential("Part", name)


@pytest.mark.parametrize("name", DATA)
def test_names_of_data(name: str) -> None:
    assert not is_credential("PartAttribute", name)


@pytest.mark.parametrize("owner", ["ApiKey", "AnalyticsCredential", "AccessToken"])
def test_in_a_row_that_is_a_credential_the_plain_names_hold_it(owner: str) -> None:
    assert is_credential(owner, "key")
    assert is_credential(owner, "value")
    assert not is_credential(owner, "name")


def test_of_the_shipped_schema_just_these_are_credentials() -> None:
    found = {
        f"{kind.name}.{name}"
        for kind in known_schema().type_map.values()
        if isinstance(kind, GraphQLObjectType) and not kind.name.startswith("__")
        for name in kind.fields
        if is_credential(kind.name, name)
    }
    assert {name for name in found if not name.endswith("Count")} == {
        "FileAttachment.downloadUrl",
        "FileAttachment.integrationFetchUrl",
        "WebhookReceiver.sharedSecret",
    }


def test_no_column_is_a_credential() -> None:
    columns = [
        (entity.node_type, column.field) for entity in known_catalog().entities.values() for column in entity.columns
    ]
    assert len(columns) > 500
    assert not [one for one in columns if is_credential(*one)]
