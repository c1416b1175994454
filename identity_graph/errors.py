"""Everything that can go wrong, as one tree.

    IdentityGraphError   1  a defect of the program
    ├── SettingError     2  a setting in the environment
    ├── InputError       3  a record, a file of records, an identifier or a time
    ├── PolicyError      4  the policy file
    ├── LoaderError      5  a loader file, or no loader of that name
    ├── StoreError       6  the store cannot be opened, read or written
    ├── NotFound         7  nobody is known by that key
    ├── QueryError       8  a GraphQL request that failed
    ├── QuarantineError  9  `load --strict` met records that it had to set aside
    ├── AccessError     10  who asks is not known here, or may not do this
    └── DeliveryError   11  a destination did not take what was sent to it

The number is the exit status of the command line, where 2 is every wrong usage. Each error has a stable
`code` (a key of `CODES`), a message that says what was wrong and where, and `help`: what to do about it.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from identity_graph.model import Run

_ASIDE = {
    # records
    "NOT_JSON": "The line is not JSON.",
    "NOT_OBJECT": "The line is JSON, but no object.",
    "JSON_CUT": "The line ends in the middle of its JSON object.",
    "JSON_AFTER": "Something stands behind the JSON object on its line.",
    "JSON_CONTROL": "A text of the JSON holds a control character that is not escaped.",
    "JSON_INSIDE": "A text that the loader reads as JSON is none.",
    "NOT_UTF8": "The record is not UTF-8 text.",
    "UTF8_SURROGATE": "The record holds halves of surrogate pairs as UTF-8, as Java and some databases write them.",
    "NOT_ENCODED": "The record is not text of the encoding that its loader names.",
    "NUL_BYTES": "The line holds bytes of zero, which no text does.",
    "BOM_INSIDE": "A byte order mark stands inside of the file.",
    "RECORD_TOO_LARGE": "The record is longer than one mebibyte.",
    "RECORD_TOO_DEEP": "The record nests deeper than 64 levels.",
    "MESSAGE_TOO_LARGE": "A message of a tracking library is larger than 32 KiB, or a batch larger than 500 KiB.",
    "RAGGED_ROW": "The row has more fields than the header.",
    "ROW_CUT": "The file ends in the row: it has fewer fields than the header, and no line end behind it.",
    "QUOTE_OPEN": "A quoted field of the row does not end.",
    "QUOTE_INSIDE": "A quoted field of the row goes on after its closing quote.",
    "LINE_INVALID": "The line is not like the pattern of its loader.",
    "KEY_REPEATED": "An object of the record names a key twice.",
    "NUMBER_RANGE": "A number is larger than a double can hold, or a whole number of over 64 bits.",
    "NUMBER_NOT_FINITE": "A number is NaN or infinite.",
    "NUMBER_INVALID": "A field is no number, and the loader says that it is one.",
    "TRUTH_INVALID": "A field is neither true nor false, and the loader says that it is.",
    "OBJECT_INVALID": "A field is no object, and the loader takes it as one.",
    "TYPE_INVALID": "A field is not of the type that the loader gives it.",
    "TEXT_INVALID": "The id, name or source of the event holds a NUL.",
    "TEXT_SURROGATE": "A text holds half of a surrogate pair.",
    "NO_IDENTIFIER": "The record names nobody: none of the loader's identifier paths leads to anything.",
    "IDENTIFIER_EMPTY": "The record names nobody: its identifiers are all null, empty or blank.",
    "EVENT_ID_INVALID": "The event id is neither text nor a whole number, or it is blank.",
    "EVENT_ID_TOO_LONG": "The event id is longer than 256 characters.",
    "EVENT_NAME_MISSING": "The event has no name.",
    "EVENT_NAME_INVALID": "The event's name is not a text.",
    "EVENT_NAME_TOO_LONG": "The event's name is longer than 256 characters.",
    "EVENT_SOURCE_INVALID": "The event's source is not a text of at most 64 characters.",
    "ID_REUSE": "An event of this id with another content is already stored.",
    "TS_INVALID": "The time is neither ISO 8601 nor a number.",
    "TS_IMPOSSIBLE": "The time is written as ISO 8601, but there is no such day, hour or second.",
    "TS_LOCAL": "The time is written as in one country or another, say 01/02/2025, which is two days.",
    "TS_FORMAT": "The time is not of the time_format that the loader names.",
    "TS_RANGE": "The time is outside the years 1 to 9999.",
    "TS_PAST": "The time is before 1900, or a number that is one before 1971: nobody set it, or it is of another unit.",
    "TS_FUTURE": "The time is more than a day in the future.",
    "TS_FAR_FUTURE": "The time is more than ten years in the future, as dates are that stand for none.",
    # identifiers
    "NAMESPACE_INVALID": "A namespace is not 1 to 64 characters of a-z, 0-9, _, - and .",
    "NAMESPACE_MISSING": "An identifier of the record does not say of which namespace it is.",
    "VALUE_INVALID": "The identifier's value is neither text nor a number.",
    "VALUE_EMPTY": "The identifier's value has nothing that can be seen.",
    "VALUE_TOO_LONG": "The identifier's value is longer than 512 characters.",
    "VALUE_CONTROL": "The identifier's value holds a control character or half of a surrogate pair.",
    "NOT_CANONICAL": "An identifier of an event that a program made is not as `normalise` writes it.",
    "VALUE_LOOKALIKE": "The identifier's value holds a Kelvin sign, which is no K.",
    "VALUE_FRACTION": "The identifier's value is a number that is not whole.",
    "VALUE_ROUNDED": "The identifier's value is a number so large that its last digits are lost.",
    "EMAIL_INVALID": "The e-mail address is not a valid address.",
    "EMAIL_NO_AT": "The e-mail address has no @.",
    "EMAIL_NAMED": "The e-mail address stands in angle brackets, beside a name.",
    "EMAIL_SEVERAL": "The field holds several e-mail addresses.",
    "EMAIL_DOMAIN": "What is behind the @ of the e-mail address is no domain.",
    "EMAIL_TOO_LONG": "The e-mail address is longer than the 254 characters that one can have.",
    "PHONE_INVALID": "The phone number is not possible in its region.",
    "PHONE_NO_COUNTRY": "The phone number has no country, and the loader no phone_region.",
    "PHONE_LETTERS": "The phone number holds letters or stars.",
    "PHONE_TOO_SHORT": "The phone number is too short for its country, or lacks its area code.",
    "PHONE_TOO_LONG": "The phone number is too long for its country.",
    "IP_INVALID": "The address is neither IPv4 nor IPv6.",
    "IP_SEVERAL": "The field holds several IP addresses.",
    "IP_PORT": "The IP address has brackets around it, or a port behind it.",
    "IP_NETWORK": "The field holds a network of IP addresses.",
}

CODES: Mapping[str, str] = MappingProxyType(
    _ASIDE
    | {
        # tables and keys
        "FRAME_INVALID": "The table has not the columns, or not the values, of observations or links.",
        "KEY_INVALID": "A key is written namespace:value.",
        # files of records
        "SOURCE_MISSING": "The file of records does not exist or cannot be read.",
        "SOURCE_TRUNCATED": "The compressed file ends in the middle.",
        "SOURCE_FORMAT": "The file is not of the format that its loader or ending says.",
        "SOURCE_COLUMNS": "The file has none of the columns that the loader names, or none of those of ids or times.",
        "SOURCE_CHANGED": "The file is not the one whose load was interrupted, or another process loads it now.",
        "OUTPUT_FAILED": "A file of results cannot be written.",
        # settings, policy and loaders
        "SETTING_INVALID": "A setting in the environment has a value that is not allowed.",
        "OPENDSR_INVALID": "What is agreed with controllers, or the certificate that they trust, is not allowed.",
        "WORKSPACES_INVALID": "The file of workspaces cannot be read, or two of them share what each has for itself.",
        "DESTINATION_INVALID": "What is said of a destination of segments is not allowed.",
        "SIGNING_KEY": "The key that signs or checks receipts cannot be read, or is no Ed25519 key.",
        "POLICY_SYNTAX": "The policy file is not TOML.",
        "POLICY_KEY": "The policy has a key that does not exist.",
        "POLICY_VALUE": "The policy has a value that is not allowed.",
        "POLICY_MISSING": "The policy file does not exist or cannot be read.",
        "POLICY_DIFFERS": "The store was published under another policy than the one given.",
        "LOADER_UNKNOWN": "No loader of that name.",
        "LOADER_SYNTAX": "The loader file is not TOML.",
        "LOADER_KEY": "The loader has a key that does not exist.",
        "LOADER_VALUE": "The loader has a value that is not allowed.",
        # stores
        "STORE_URL": "The store URL is not of a known kind.",
        "STORE_OPEN": "The store cannot be opened or created.",
        "STORE_VERSION": "The store was written by another version of the project.",
        "STORE_BUSY": "Another process is writing to the store.",
        "STORE_FULL": "The disk is full.",
        "STORE_UNREACHABLE": "No server answers at the store's address, or the connection to it was lost.",
        "STORE_DENIED": "The server of the store refused the user or the password.",
        "STORE_TIMEOUT": "The work took longer than the request, or the server of the store, allows.",
        "ENGINE_MISSING": "The engine that was asked for cannot run on this store.",
        "STORE_KEEPS": "The server of the store may keep what was deleted in files of its own.",
        "STORE_FAILED": "The store failed to read or write.",
        "STORE_KEY": "The key of the tombstones is missing, cannot be read or is another one.",
        "COPY_TARGET": "The store to copy into holds something else than a part of this copy.",
        "COPY_DIFFERS": "The copy is not equal to its source: one of them was changed meanwhile.",
        "STORE_HALF": "The store holds a part of a copy or of a backup, and not all of it.",
        "BACKUP_KEY": "The key or passphrase of a backup is missing, cannot be read or does not open it.",
        "BACKUP_INVALID": "The file is not a whole backup as it was written.",
        "RESTORE_TARGET": "The store to restore has data of its own.",
        "ERASED_REGISTER": "The register of what was erased is missing, or cannot be read or written.",
        # who may do what
        "UNAUTHENTICATED": "Nobody is known by the key or token that was given, or none was given.",
        "FORBIDDEN": "The role of who asks may not do this.",
        "RATE_LIMITED": "The key has made as many requests as it may, for now.",
        "ROLE_UNKNOWN": "No role of that name.",
        "KEYS_MISSING": "The server has no keys by which to know who asks, and was not told to be open.",
        "KEYS_FILE": "The file of API keys, or the secret beside it, cannot be read or written.",
        "KEY_UNKNOWN": "No API key of that id.",
        "AUDIT_FILE": "The log of privileged actions cannot be read or written.",
        "AUDIT_BROKEN": "The log of privileged actions is not as it was written.",
        # questions
        "PERSON_UNKNOWN": "Nobody is known by that key or id.",
        "SEGMENT_UNKNOWN": "No segment of that name.",
        "SEGMENT_NOT_READY": "What a condition asks of everybody is being read, which takes longer than a request may.",
        "DESTINATION_UNKNOWN": "No destination of that name.",
        "DEAD_LETTER_UNKNOWN": "No dead letter of that id.",
        "DELIVERY_FAILED": "A destination did not take what was sent to it.",
        "RUN_UNKNOWN": "No run of that id.",
        "QUARANTINE_UNKNOWN": "No quarantined record of that number.",
        "STATEMENT_INVALID": "What was said of two identifiers names one of them twice, or gives no reason.",
        "CONSENT_INVALID": "What was said of consent ends before it was said.",
        "PURPOSE_UNKNOWN": "The policy has no purpose of that name.",
        "VIEW_INVALID": "Nothing can be looked at in this way.",
        "CONDITION_INVALID": "The segment's condition is not one that exists.",
        "PAGE_INVALID": "Paging takes first or last, 1 to 100, and a cursor of the same list.",
        "BATCH_TOO_LARGE": "Too many keys or events in one request.",
        "SCOPE_UNKNOWN": "A scope of a key is nothing that its role may begin with.",
        "SCOPE_INVALID": "A person id was asked for with the scope of an identifier.",
        "SUBJECT_REQUEST_INVALID": "The request of a controller is not one as OpenDSR writes them.",
        "SUBJECT_REQUEST_UNKNOWN": "No request of a controller has that id, or it has no results.",
        "SUBJECT_REQUEST_DIFFERS": "A request of a controller has the id of another one.",
        "SUBJECT_REQUEST_BEGUN": "The request of a controller cannot be cancelled any more.",
        "IDENTITY_UNSUPPORTED": "Persons are not found here by a type or a format of identities that was sent.",
        "TOKEN_INVALID": "The token is not of a preview of this person as it is now.",
        "IDENTIFIERS_SHARED": "An erasure that is to refuse shared identifiers found some; nothing was erased.",
        "DECISION_UNDUE": "The request of a controller does not wait for a decision.",
        "RECEIPT_UNKNOWN": "The receipt is well signed, but not of an erasure of this store.",
        "SIGNATURE_INVALID": "The receipt was changed, or signed by another key.",
        "QUERY_FAILED": "The GraphQL request answered with errors.",
        "QUERY_INVALID": "The GraphQL document does not parse or does not fit the schema.",
        "QUERY_TOO_COMPLEX": "The GraphQL document is too long, too deep or asks for too many fields.",
        "INTROSPECTION_OFF": "The service does not show its schema.",
        "DOCUMENT_UNTRUSTED": "The service answers trusted documents alone, and this is none of them.",
        "PERSISTED_QUERY_NOT_FOUND": "No document of that SHA-256 is known to the service.",
        "OPERATION_REQUIRED": "The document holds several operations and none was chosen by name.",
        "STREAM_REQUIRED": "A subscription was sent as a request of one answer.",
        "CURSOR_EXPIRED": "The cursor is of changes that the store does not have.",
        "CONNECTION_LIMIT": "As many clients wait for changes, or operations of one client, as the service takes.",
        "SUBSCRIBER_SLOW": "The client did not take its messages in time, and was cut off.",
        "BODY_INVALID": "The request body is not a GraphQL request in JSON.",
        "BODY_TOO_LARGE": "The request body is larger than the service takes, one mebibyte unless it is set otherwise.",
        "WRITE_KEY_INVALID": "The request of a tracking library has no write key, or one that is not taken here.",
        "MESSAGE_INVALID": "The request of a tracking library is not a message, or a batch of them, in JSON.",
        "SERVER_BUSY": "More messages wait to be stored than there is room for.",
        "MEDIA_TYPE": "The request is sent or wanted in another media type than JSON.",
        "METHOD_REFUSED": "A mutation was sent by GET.",
        "INTERNAL": "A defect of the service; the log has its details under the same request id.",
        "QUARANTINED": "Records were set aside and --strict was given.",
    }
)

SET_ASIDE = frozenset(_ASIDE)
"""The codes that a record in quarantine can have."""

HELP: Mapping[str, str] = MappingProxyType(
    {
        # records
        "NOT_JSON": "Write one JSON object a line, or say in the loader of which format the file is.",
        "NOT_OBJECT": "Write one JSON object a line; of a list, each element on a line of its own.",
        "JSON_CUT": "Write each record whole and on one line; if its writer was cut off, send it again.",
        "JSON_AFTER": "Write one object a line, and nothing behind it.",
        "JSON_CONTROL": "Escape it as JSON does (\\n, \\t): write the record by a library of JSON.",
        "JSON_INSIDE": "Mend it at the sender, or take its path out of json in the loader, then replay.",
        "NOT_UTF8": "Save the file as UTF-8, or name the encoding of a CSV file in its loader.",
        "UTF8_SURROGATE": "Export as true UTF-8: AL32UTF8 in Oracle, utf8mb4 in MySQL, not modified UTF-8 in Java.",
        "NOT_ENCODED": "Correct the encoding in the loader, or save the file in that one.",
        "NUL_BYTES": "Copy the file again: its writer lost power, or it is UTF-16, which is to be saved as UTF-8.",
        "BOM_INSIDE": "Take the mark out where files were joined that each begin with one.",
        "RECORD_TOO_LARGE": "Send less in one record; this one cannot be replayed, as only its beginning is kept.",
        "RECORD_TOO_DEEP": "Send the record flatter.",
        "MESSAGE_TOO_LARGE": "Send less at once; load what is larger from a file: identity-graph load.",
        "RAGGED_ROW": "Quote the fields that hold the delimiter, and see that the loader names the right one.",
        "ROW_CUT": "Load the whole file: what is stored is passed over, and this piece of a row has no use any more. "
        "If the row is whole, let its writer write its empty fields too, or end its line.",
        "QUOTE_OPEN": "Close the quote; where quotes mean nothing, say csv = { quotes = false } in the loader.",
        "QUOTE_INSIDE": "Double each quote inside of a quoted field, or say csv = { quotes = false } in the loader.",
        "LINE_INVALID": "Say in the loader how the lines are written: lines = { pattern = '...' }.",
        "KEY_REPEATED": "Write each key once at the sender: readers differ in which of the two they take.",
        "NUMBER_RANGE": "Send the number as text, or leave it out.",
        "NUMBER_NOT_FINITE": "Send null, or leave the field out.",
        "NUMBER_INVALID": "Send plain digits with a period, or take the field's type out of the loader, then replay.",
        "TRUTH_INVALID": "Send true or false, or take the field's type out of the loader, then replay.",
        "OBJECT_INVALID": "See that the loader's path leads to an object, or mend it at the sender, then replay.",
        "TYPE_INVALID": "Mend the record at its sender, or what the loader says of the field, then replay.",
        "TEXT_INVALID": "Take NUL characters out at the sender.",
        "TEXT_SURROGATE": "Let the sender cut texts between characters, not between the halves of one.",
        "NO_IDENTIFIER": "See that the loader names the record's fields as they are written.",
        "IDENTIFIER_EMPTY": "Send an identifier, if only an anonymous one; what has none belongs to nobody.",
        "EVENT_ID_INVALID": "Send a text, or none: a record without an id gets a hash of its content.",
        "EVENT_ID_TOO_LONG": "Send a shorter id, or none: a record without one gets a hash of its content.",
        "EVENT_NAME_MISSING": "Send a name, or let the loader give a constant one.",
        "EVENT_NAME_INVALID": "Send a text, or let the loader name another field.",
        "EVENT_NAME_TOO_LONG": "Send a short name, what varies as a property, or let the loader name another field.",
        "EVENT_SOURCE_INVALID": "Send a short text, or leave it out: then the loader's own source holds.",
        "ID_REUSE": "Give what is another event another id: the first one stays as it is. If its id is a number of a "
        "table, say so in the loader, id = { path = ..., within = 'source' }, then replay.",
        "TS_INVALID": "Send ISO 8601, or a number in the unit that the loader names.",
        "TS_IMPOSSIBLE": "Correct the time at the sender; of a leap second send the one before.",
        "TS_LOCAL": "Say in the loader how it is written, time_format = '%d/%m/%Y', then replay.",
        "TS_FORMAT": "Correct time_format in the loader, or the time at the sender, then replay.",
        "TS_RANGE": "See that the loader's time_unit is the sender's.",
        "TS_PAST": "Let the sender leave out a time that it does not know, or correct time_unit in the loader.",
        "TS_FUTURE": "Set the sender's clock or the loader's time_unit right; or replay it when its time has come.",
        "TS_FAR_FUTURE": "Let the sender leave out a time that it does not know, or correct time_unit in the loader.",
        # identifiers
        "NAMESPACE_INVALID": "Rename it at the sender, or in the loader or policy that names it.",
        "NAMESPACE_MISSING": "Send the namespace (the type of an external id) beside each value.",
        "VALUE_INVALID": "Correct the value at the sender, or leave its field out of the loader, then replay.",
        "VALUE_EMPTY": "Send null, or leave the field out.",
        "VALUE_TOO_LONG": "Send what names somebody, not what is said of them; or leave the field out of the loader.",
        "VALUE_CONTROL": "Take control characters out at the sender.",
        "NOT_CANONICAL": "Make identifiers by identity_graph.normalise.normalise, or let a loader read the records.",
        "VALUE_LOOKALIKE": "Write a K: the sign would make two people one, or one two.",
        "VALUE_FRACTION": "See that the loader names the column of the identifier, not one of amounts.",
        "VALUE_ROUNDED": "Send it as text: numbers past 2^53 are rounded, and two people would become one.",
        "EMAIL_INVALID": "Correct the address at the sender, or leave its field out of the loader, then replay.",
        "EMAIL_NO_AT": "See that the field is the one of addresses; if it is a user name, give it another namespace.",
        "EMAIL_NAMED": "Send the address alone: ann@example.org, not Ann <ann@example.org>.",
        "EMAIL_SEVERAL": "Send a list, which the loader reads by path[], or a field for each address.",
        "EMAIL_DOMAIN": "Correct the domain at the sender, or leave the field out of the loader, then replay.",
        "EMAIL_TOO_LONG": "See that the field holds an address and nothing else.",
        "PHONE_INVALID": "Send it with + and the country code, or name the phone_region in the loader, then replay.",
        "PHONE_NO_COUNTRY": "Write it with its country (+44 20 7946 0958), or set phone_region in the loader, then "
        "replay.",
        "PHONE_LETTERS": "Send digits; a number that is masked names nobody: leave it out.",
        "PHONE_TOO_SHORT": "Send it with its area code, and see that no leading zero was lost in a spreadsheet.",
        "PHONE_TOO_LONG": "Send one number, with its extension behind ;ext= if it has one.",
        "IP_INVALID": "Correct the address at the sender, or leave its field out of the loader, then replay.",
        "IP_SEVERAL": "Send one: of X-Forwarded-For the first that is not of a proxy of yours.",
        "IP_PORT": "Send the address alone, without brackets and port.",
        "IP_NETWORK": "Send the address itself, or leave the field out: a network is no device.",
        # tables and keys
        "FRAME_INVALID": "Compare the table with what the documentation of `resolve` says of its columns.",
        "KEY_INVALID": "Write namespace:value, say email:ann@example.org.",
        # files of records
        "SOURCE_MISSING": "Give the path of a readable file.",
        "SOURCE_TRUNCATED": "Copy the file again and load it; what was read is kept and will not be counted twice.",
        "SOURCE_FORMAT": "Known are CSV, JSONL and Parquet in UTF-8, each also as .gz; if it is one, copy it again.",
        "SOURCE_COLUMNS": "See that the loader names the file's columns as they are written.",
        "SOURCE_CHANGED": "Let the other process finish, then load the file again; nothing is counted twice.",
        "OUTPUT_FAILED": "Make room, or name another place.",
        # settings, policy and loaders
        "SETTING_INVALID": "Correct the variable in the environment, or unset it.",
        "OPENDSR_INVALID": "Correct the file that IDENTITY_GRAPH_OPENDSR names; the README has an example.",
        "WORKSPACES_INVALID": "Correct the file that `serve --workspaces` names; the README has an example.",
        "DESTINATION_INVALID": "Correct the file that IDENTITY_GRAPH_DESTINATIONS names; the README has an example.",
        "SIGNING_KEY": "Name another file by IDENTITY_GRAPH_SIGNING_KEY, or make that one readable for this user only.",
        "POLICY_SYNTAX": "Correct the line as TOML wants it, then try: identity-graph policy check FILE.",
        "POLICY_KEY": "Correct its spelling; identity-graph policy show prints every key.",
        "POLICY_VALUE": "Correct the value; identity-graph policy show prints one of each kind.",
        "POLICY_MISSING": "Give the path of a readable file by --policy or IDENTITY_GRAPH_POLICY, or neither: then the "
        "default holds.",
        "POLICY_DIFFERS": "Give that one by --policy FILE, or publish all under this one: identity-graph resolve.",
        "LOADER_UNKNOWN": "Give the name of one that ships, or the path of a file that ends in .toml.",
        "LOADER_SYNTAX": "Correct the line as TOML wants it.",
        "LOADER_KEY": "Correct its spelling, or take it out.",
        "LOADER_VALUE": "Correct the value; the loaders that ship are examples.",
        # stores
        "STORE_URL": "Write sqlite:///FILE, sqlite:///:memory: or neo4j://HOST:PORT/DATABASE.",
        "STORE_OPEN": "See that the path or address is right, and that this user may read and write there.",
        "STORE_VERSION": "Use the version of identity-graph that wrote it, or load the sources into a new store.",
        "STORE_BUSY": "Try again when the other process is done.",
        "STORE_FULL": "Make room on the disk; nothing of this step is stored.",
        "STORE_UNREACHABLE": "Start the server, or correct the address; what was acknowledged is stored.",
        "STORE_DENIED": "Correct the user or the password in the store's URL.",
        "STORE_TIMEOUT": "Ask for less at once; or raise IDENTITY_GRAPH_DEADLINE, or the db.transaction.timeout of the"
        " store's server. Nothing of this step is stored.",
        "ENGINE_MISSING": "Use the engine arrays, or a Neo4j server that has Graph Data Science.",
        "STORE_KEEPS": "Set a short db.tx_log.rotation.retention_policy on the server, and now and then copy the store"
        " into a new database: identity-graph copy.",
        "STORE_FAILED": "See that the disk or the server is sound, then do the same again: nothing is counted twice.",
        "STORE_KEY": "Put the key back that this store was written with.",
        "COPY_TARGET": "Empty it, or name a store that is empty, and copy again.",
        "COPY_DIFFERS": "Empty the copy, and copy again while nobody writes to either store.",
        "STORE_HALF": "Give the command again that made it: identity-graph copy, or restore. It goes on by itself.",
        "BACKUP_KEY": "Name the key file by --key or IDENTITY_GRAPH_BACKUP_KEY, or set"
        " IDENTITY_GRAPH_BACKUP_PASSPHRASE.",
        "BACKUP_INVALID": "Take another copy of the file, or an earlier backup. Nothing of this one is in the store.",
        "RESTORE_TARGET": "Name a store that is not there yet; or, of a file, add --replace.",
        "ERASED_REGISTER": "Name it by --erased or IDENTITY_GRAPH_ERASED; where nobody was erased since the backup:"
        " restore --nothing-erased.",
        # who may do what
        "UNAUTHENTICATED": "Send Authorization: Bearer with an API key, as identity-graph key create prints one.",
        "FORBIDDEN": "Ask with a key of a role that may.",
        "RATE_LIMITED": "Come again after the seconds of Retry-After, or ask whoever made the key for more.",
        "ROLE_UNKNOWN": "Roles are app_reader, analyst, ingest, privacy_officer, admin and auditor.",
        "KEYS_MISSING": "Name a file by IDENTITY_GRAPH_KEYS; to try things out on this machine alone: serve --open.",
        "KEYS_FILE": "Put the file back, readable for this user only, or name another by IDENTITY_GRAPH_KEYS.",
        "KEY_UNKNOWN": "See the ids of all: identity-graph key list.",
        "AUDIT_FILE": "Make the file and its folder writable for this user, or name another by IDENTITY_GRAPH_AUDIT.",
        "AUDIT_BROKEN": "Find out who changed it. Keep both files as they are, and begin another log:"
        " IDENTITY_GRAPH_AUDIT.",
        # questions
        "PERSON_UNKNOWN": "Give namespace:value or a person id. "
        "Was it loaded, and then resolved (identity-graph resolve)?",
        "SEGMENT_UNKNOWN": "Ask for the segments that there are; names are exact.",
        "SEGMENT_NOT_READY": "Ask again in a while: the reading goes on, and what was read is kept.",
        "DESTINATION_UNKNOWN": "See the names of all: identity-graph activate list.",
        "DEAD_LETTER_UNKNOWN": "See those that there are: identity-graph activate failed.",
        "DELIVERY_FAILED": "Mend the receiver, then: identity-graph activate run, and activate retry for dead letters.",
        "RUN_UNKNOWN": "Ask for the runs that there are: identity-graph runs list.",
        "QUARANTINE_UNKNOWN": "Ask for the records that there are; one that was replayed is gone.",
        "STATEMENT_INVALID": "Name two different identifiers, and say why in up to 1,000 characters.",
        "CONSENT_INVALID": "Give an end that is yet to come, or none.",
        "PURPOSE_UNKNOWN": "Name a purpose of the policy, or add it there: [purposes.NAME].",
        "VIEW_INVALID": "Give a confidence from 0 to 1.",
        "CONDITION_INVALID": "Compare the condition with ConditionInput in the schema.",
        "PAGE_INVALID": "Take the cursor as it came, and one of first and last.",
        "BATCH_TOO_LARGE": "Send fewer at once.",
        "SCOPE_UNKNOWN": "Scopes are root fields, routes and verbs, as access/roles.toml names them.",
        "SCOPE_INVALID": "Name an identifier as namespace:value, or leave the scope out.",
        "SUBJECT_REQUEST_INVALID": "Compare it with specification.md of OpenDSR 2.0, section 7.1.",
        "SUBJECT_REQUEST_UNKNOWN": "Ask by the subject_request_id that was sent, after its status is completed.",
        "SUBJECT_REQUEST_DIFFERS": "Send it under a new UUID of version 4.",
        "SUBJECT_REQUEST_BEGUN": "Ask for its status; what is erased stays erased.",
        "IDENTITY_UNSUPPORTED": "Send those that /opendsr/v2/discovery lists.",
        "TOKEN_INVALID": "Look again, and take the token of that preview.",
        "IDENTIFIERS_SHARED": "A preview names them as contested. If they may stay with the others: erase by the rule"
        " detach.",
        "DECISION_UNDUE": "See which do: identity-graph opendsr list.",
        "RECEIPT_UNKNOWN": "Name the store that erased, by --store, or the workspace's.",
        "SIGNATURE_INVALID": "Ask who gave it to you for the file as it was written, and for the public key.",
        "QUERY_FAILED": "The errors in the answer say what to do.",
        "QUERY_INVALID": "Compare the request with the schema: identity-graph schema, or /schema.graphql.",
        "QUERY_TOO_COMPLEX": "Ask for less at once: fewer fields, smaller pages.",
        "INTROSPECTION_OFF": "Take the schema from the release: identity-graph schema prints it.",
        "DOCUMENT_UNTRUSTED": "Add it to the folder that `serve --trusted` names, and start the service again.",
        "PERSISTED_QUERY_NOT_FOUND": "Send the document itself beside its hash, as clients do by themselves.",
        "OPERATION_REQUIRED": "Name one of them as operationName.",
        "STREAM_REQUIRED": "Open a WebSocket with graphql-transport-ws at /graphql, or accept text/event-stream.",
        "CURSOR_EXPIRED": "Read what is, say the members of the segment, then subscribe without a cursor.",
        "CONNECTION_LIMIT": "Close some, or try again later.",
        "SUBSCRIBER_SLOW": "Connect again, and go on from the cursor of the last change.",
        "BODY_INVALID": 'Send a JSON object: {"query": "...", "variables": {...}}.',
        "BODY_TOO_LARGE": "Send less at once, values as variables.",
        "WRITE_KEY_INVALID": "Give the library one of the keys in IDENTITY_GRAPH_WRITE_KEYS, or add its key there: once"
        " IDENTITY_GRAPH_KEYS is set, no other is taken.",
        "MESSAGE_INVALID": 'Send what a library of the Segment spec sends, or: {"batch": [{"type": "track", ...}]}.',
        "SERVER_BUSY": "Send it again after the seconds of Retry-After, as the libraries do by themselves.",
        "MEDIA_TYPE": "Send Content-Type: application/json, and accept JSON.",
        "METHOD_REFUSED": "Send it by POST.",
        "INTERNAL": "Report it with the lines of the log; IDENTITY_GRAPH_DEBUG=1 shows where it came from.",
        "QUARANTINED": "Mend and replay them, or leave out --strict.",
    }
)
"""What to do about it, where the one who raises it knows no better."""


class IdentityGraphError(Exception):
    """The root of the tree: `code` is stable, `help` says what to do, `exit_status` is the command line's; `run` is
    the run that the error ended, as it was stored."""

    exit_status = 1
    run: Run | None = None

    def __init__(self, code: str, message: str, *, help: str = "") -> None:
        if code not in CODES:
            raise ValueError(f"{code} is not in errors.CODES")
        super().__init__(message)
        self.code = code
        self.message = message
        self.help = help or HELP[code]
        self.add_note(f"{code}: {self.help}")  # what a notebook shows below the message, and nothing else does

    def __reduce__(self) -> tuple[object, ...]:
        return (_rebuild, (type(self), self.code, self.message, self.help))


def _rebuild(kind: type[IdentityGraphError], code: str, message: str, help: str) -> IdentityGraphError:
    return kind(code, message, help=help)


class SettingError(IdentityGraphError):
    exit_status = 2


class InputError(IdentityGraphError):
    exit_status = 3


class PolicyError(IdentityGraphError):
    exit_status = 4


class LoaderError(IdentityGraphError):
    exit_status = 5


class StoreError(IdentityGraphError):
    exit_status = 6


class NotFound(IdentityGraphError):
    exit_status = 7


class QueryError(IdentityGraphError):
    exit_status = 8


class QuarantineError(IdentityGraphError):
    exit_status = 9


class AccessError(IdentityGraphError):
    exit_status = 10


class DeliveryError(IdentityGraphError):
    exit_status = 11
