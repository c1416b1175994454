"""Settings from the environment: `IDENTITY_GRAPH_STORE` and its like. Options of the command line come first."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from identity_graph.errors import SettingError

PREFIX = "IDENTITY_GRAPH_"


class Settings(BaseSettings):
    """Each field is documented in the README under its name in the environment.

    >>> Settings.model_fields["store"].default
    'sqlite:///identity_graph.db'
    """

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, env_ignore_empty=True)

    store: str = Field(default="sqlite:///identity_graph.db", description="The store's URL.")
    policy: Path | None = Field(default=None, description="A policy file; without it the default policy.")
    engine: Literal["auto", "arrays", "gds"] = Field(
        default="auto",
        description="Who finds components, and who is similar: `arrays` here, `gds` on a Neo4j server, or `auto`: "
        "components there, if it can.",
    )
    host: str = Field(default="127.0.0.1", description="The address that `serve` listens on.")
    port: int = Field(default=8000, ge=0, le=65535, description="The port that `serve` listens on; 0 takes a free one.")
    ssl_certfile: Path | None = Field(
        default=None, description="The certificate (PEM) by which `serve` answers by TLS, and only so."
    )
    ssl_keyfile: Path | None = Field(default=None, description="Its key, where that is in another file.")
    keys: Path | None = Field(
        default=None,
        description="The file of API keys, which `key create` makes; with it nobody is answered without one.",
    )
    key: SecretStr | None = Field(
        default=None, description="The API key by which the command line knows who asks, once that file holds keys."
    )
    jwt_keys: str = Field(
        default="", description="The file or the https address of the JWKS of who issues tokens (JWT) to people."
    )
    jwt_issuer: str = Field(default="", description="The `iss` of these tokens.")
    jwt_audience: str = Field(default="", description="Their `aud`.")
    jwt_role_claim: str = Field(default="role", description="The claim that names the role.")
    jwt_leeway: int = Field(default=30, ge=0, le=60, description="Seconds by which clocks may differ.")
    jwt_factors: str = Field(
        default="mfa",
        min_length=1,
        description="What `amr` or `acr` must say of a privacy officer or an admin, one of these, with commas between.",
    )
    write_keys: str = Field(
        default="",
        description="Who may send to the tracking API: KEY or KEY=SOURCE, with commas between. Empty: any key may, and"
        " the source is `segment`; but none where `IDENTITY_GRAPH_KEYS` or `IDENTITY_GRAPH_JWT_KEYS` is set.",
    )
    quarantine_days: int | None = Field(
        default=None, ge=1, description="How long records that were set aside are kept; unset: until they are replayed."
    )
    quarantine_bytes: int | None = Field(
        default=None, ge=0, description="How many bytes of them are kept, the newest ones; unset: all."
    )
    metrics: bool = Field(default=True, description="Whether `serve` shows Prometheus metrics at /metrics.")
    deadline: float = Field(
        default=2.0, gt=0, description="Seconds after which a query is given up, and its work in the store is ended."
    )
    mutation_deadline: float = Field(default=300.0, gt=0, description="The same for a mutation, which is then undone.")
    max_body: int = Field(default=1 << 20, gt=0, description="Bytes that a GraphQL request may have.")
    introspection: bool = Field(default=True, description="Whether clients may ask for the schema.")
    graphiql: bool = Field(default=False, description="Whether a browser gets GraphiQL at `/graphql`.")
    hosts: str = Field(
        default="",
        description="The names by which clients may call the server, with commas between; `*.` stands for any"
        " subdomain. Empty: any name.",
    )
    origins: str = Field(
        default="",
        description="The origins whose pages may send GraphQL requests (CORS), with commas between. Empty: none but its"
        " own.",
    )
    trusted: Path | None = Field(
        default=None, description="A folder of GraphQL documents that clients may name by hash."
    )
    trusted_only: bool = Field(default=False, description="Whether no other documents are answered.")
    tombstone_key: SecretStr | None = Field(
        default=None,
        description="The keys of the tombstones, each of 64 hexadecimal digits, the newest first, with commas between;"
        " else they are in a file beside the store.",
    )
    erased: Path | None = Field(
        default=None,
        description="The register of what was erased, which `restore` needs: keep it on another disk than the store;"
        " else it is beside the key of the tombstones.",
    )
    backup_key: Path | None = Field(
        default=None, description="The key file of `backup` and `restore`, as age has them; made where it is missing."
    )
    backup_passphrase: SecretStr | None = Field(default=None, description="The passphrase in its place.")
    signing_key: Path | None = Field(
        default=None,
        description="The PEM file of the Ed25519 key that signs receipts; without it one of the user, made at first.",
    )
    audit: Path | None = Field(
        default=None,
        description="The file in which what only the privileged may do is recorded; without it `audit.jsonl` beside"
        " the file of API keys, and nowhere where there is none.",
    )
    destinations: Path | None = Field(default=None, description="The TOML file of where segments are delivered to.")
    private_destinations: bool = Field(
        default=False,
        description="Whether webhooks may be in private networks, and be called by http; else https to the internet,"
        " or this machine.",
    )
    segment_memory: int = Field(
        default=512,
        ge=0,
        description="MiB for what conditions of segments ask of everybody; what needs more is read anew each time.",
    )
    opendsr: Path | None = Field(
        default=None,
        description="The TOML file of what is agreed with controllers; with it `serve` answers `/opendsr`.",
    )
    workspaces: Path | None = Field(
        default=None,
        description="The TOML file of the workspaces that `serve` serves, each with its own store and keys.",
    )
    debug: bool = Field(default=False, description="Show where in the program an unexpected error came from.")


def read_settings() -> Settings:
    """Raises SETTING_INVALID with the variable's name, never with the value of a secret."""
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        name = PREFIX + "_".join(str(part) for part in first["loc"]).upper()
        raise SettingError(
            "SETTING_INVALID", f"{name}: {first['msg']}", help=f"Correct {name} in the environment, or unset it."
        ) from None
