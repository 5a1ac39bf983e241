"""The exchange with other systems: the words of its lists, its acts, and what it refuses."""

from collections.abc import Mapping

from flask_babel import lazy_gettext as _
from flask_babel.speaklater import LazyString

from app.exchange.connecting import Program
from app.exchange.models import CollectionKind
from app.exchange.news import NewsState
from app.exchange.server_models import NotKept, ServerMeans, ServerState

EXCHANGE_WORDS: Mapping[str, Mapping[str, LazyString]] = {
    "CollectionKind": {
        CollectionKind.SHARED.value: _("what others share with us"),
        CollectionKind.OWN.value: _("what we submit"),
    },
    "Program": {
        Program.POSTERN.value: _("Postern on your premises"),
        Program.OPENCTI.value: _("OpenCTI"),
        Program.MISP.value: _("MISP"),
        Program.TAXII2_CLIENT.value: _("taxii2-client, in Python"),
        Program.CURL.value: _("any other client of TAXII 2.1"),
    },
    "ConnectingHow": {
        Program.POSTERN.value: _(
            "It pseudonymises before it sends, fetches where it left off, and finds on your"
            " premises which received objects are about a value that you hold."
        ),
        Program.OPENCTI.value: _(
            "Under Data, Ingestion, TAXII feeds. Each indicator becomes an observable of the type"
            " user account; what is withdrawn is revoked there too."
        ),
        Program.MISP.value: _(
            "Under Sync Actions, Feeds. One event a day and owner; values are of the type"
            " anonymised; what is withdrawn is deleted there when the feed is fetched again."
        ),
        Program.TAXII2_CLIENT.value: _(
            "It knows user name and password alone: the token is the password, with any user name."
        ),
        Program.CURL.value: _(
            "Where an answer says that there is more, ask again with its next; later, with"
            " added_after and the date of its header X-TAXII-Date-Added-Last."
        ),
    },
    "NewsState": {
        NewsState.SENT.value: _("knows of everything"),
        NewsState.WAITING.value: _("a message is under way"),
        NewsState.FAILING.value: _("fails, and is tried again"),
        NewsState.GIVEN_UP.value: _("given up until the next change"),
        NewsState.GONE.value: _("wants no more"),
    },
    "ServerMeans": {
        ServerMeans.BEARER.value: _("a token (Bearer)"),
        ServerMeans.BASIC.value: _("user name and password (Basic)"),
        ServerMeans.NONE.value: _("nothing: the collection is public"),
    },
    "ServerState": {
        ServerState.NEW.value: _("not asked yet"),
        ServerState.ANSWERING.value: _("answers"),
        ServerState.FAILING.value: _("fails, and is asked again"),
        ServerState.GIVEN_UP.value: _("given up"),
    },
    "NotKept": {
        NotKept.IN_CLEAR.value: _("in clear, or of a form that is not Postern's"),
        NotKept.MALFORMED.value: _("not valid STIX 2.1"),
        NotKept.SUPPORT.value: _("definitions and names that other objects refer to"),
        NotKept.KNOWN.value: _("known already in this version"),
        NotKept.REVOKED.value: _("withdrawn before it was known here"),
        NotKept.ENDED.value: _("over already, by the day that its sender tells"),
        NotKept.PATTERN.value: _("shipping patterns that cannot be proposed here"),
    },
    "ServerFailure": {
        "ServerDeniedError": _(
            "It refused the credential, or gives it no right to the collection."
        ),
        "ServerUnknownError": _("There is no such collection there for this credential."),
        "ServerVersionError": _("It does not speak TAXII 2.1 at this address."),
        "ServerRedirectsError": _("It sent us elsewhere. A redirect is never followed."),
        "ServerPagingError": _(
            "It did not say where its next page begins, or refused its own word."
        ),
        "ServerAnswerError": _("Its answer is not what TAXII 2.1 says."),
        "ServerLargeError": _("A page of its answer has more than 16 MiB."),
        "ServerReceiptError": _(
            "Its receipt is missing, or not signed by the key that was given: nothing was kept."
        ),
        "ServerBusyError": _("It says that it cannot answer now."),
        "ServerFullError": _("As many of its objects are kept as may be: 200,000."),
        "ForbiddenAddressError": _("Its name leads into a private network that is not allowed."),
        "InsecureAddressError": _("Its address is without TLS and not on the platform's machine."),
        "gaierror": _("Its name is not known to the network."),
        "TimeoutError": _("It did not answer in time."),
        "ConnectionRefusedError": _("Nothing listens at its address."),
        "SSLCertVerificationError": _(
            "Its certificate is not that of its name, or nobody vouches."
        ),
        "SSLError": _("An encrypted connection with it did not come about."),
    },
    "ServerRemedy": {
        "ServerDeniedError": _(
            "Ask its operator for a new one, remove this subscription and add it."
        ),
        "ServerUnknownError": _("Compare the address with what its operator gave you."),
        "ServerVersionError": _(
            "Compare the address: it ends in /collections/, an id and a slash."
        ),
        "ServerRedirectsError": _("Subscribe to the address to which its operator moved."),
        "ServerReceiptError": _(
            "Ask its operator, by another way than this server, which key signs its receipts. If"
            " it changed, remove this subscription and add it with the new key."
        ),
        "ServerFullError": _("Keep its objects for fewer days, with a new subscription."),
        "ForbiddenAddressError": _("Have the platform's administrator allow the network."),
        "InsecureAddressError": _("Ask its operator for an address that begins with https://."),
        "gaierror": _("Compare the address with what its operator gave you."),
        "SSLCertVerificationError": _("Ask its operator for a certificate that others trust."),
    },
}
"""Name of the list, value, words."""

EXCHANGE_ACTS: Mapping[str, LazyString] = {
    "exchange.add": _("Objects added by TAXII"),
    "exchange.close": _("Collection closed"),
    "exchange.compare": _("Collection to be compared as a whole"),
    "exchange.delete": _("Object deleted by TAXII"),
    "exchange.discover": _("Server's own resources read"),
    "exchange.expire": _("Collections ended"),
    "exchange.fed": _("Read who fetches by feed"),
    "exchange.key": _("Exchange key read"),
    "exchange.list": _("Collections listed"),
    "exchange.manifest": _("Manifest of a collection read"),
    "exchange.news-add": _("Address for news named"),
    "exchange.news-again": _("News asked for anew"),
    "exchange.news-list": _("Addresses for news listed"),
    "exchange.news-remove": _("Address for news removed"),
    "exchange.news-rotate": _("Secret of an address for news replaced"),
    "exchange.news-sent": _("News sent, or not"),
    "exchange.news-try": _("News about to be sent"),
    "exchange.open": _("Collection opened"),
    "exchange.read": _("Collection read about"),
    "exchange.serve": _("Page of a collection served"),
    "exchange.sighted": _("Sighting told"),
    "exchange.status": _("Status of added objects read"),
    "exchange.sweep": _("What programs added was tidied"),
    "exchange.versions": _("Versions of an object read"),
    "indicator.withdraw": _("Indicators withdrawn"),
    "server.add": _("Subscribed to a server"),
    "server.ask": _("Server asked before its time"),
    "server.asked": _("Server answered, or failed"),
    "server.erase": _("Received objects erased"),
    "server.list": _("Subscriptions to servers listed"),
    "server.read": _("Subscription to a server read about"),
    "server.received": _("Received objects read"),
    "server.remove": _("Subscription to a server removed"),
    "server.try": _("Server about to be asked"),
}
"""Names of acts, for lists and filters."""

EXCHANGE_PROBLEMS: tuple[LazyString, ...] = (
    _("The collection tells 5 addresses already"),
    _("Remove one that nobody listens at any more."),
    _("A message to this address is under way, or left a moment ago"),
    _("The organisation has 20 subscriptions already"),
    _("This server is being asked, or was asked a moment ago"),
    _("Write a name of 1 to 80 characters."),
    _("Write the token or password: 1 to 4,000 characters of ASCII, no space."),
    _("Write the user name: ASCII, without space and colon."),
    _(
        "Write the address of a collection, such as"
        " https://taxii.police.example/api1/collections/9b1f…/."
    ),
    _("This is the platform itself: what its members share is on its own pages."),
)
"""What errors of the room say on pages; the sentences stand with the errors, in English."""
