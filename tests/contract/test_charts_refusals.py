"""What cannot work is refused before it is installed, by a sentence that says what to do."""

import helm_python
import pytest

from services.__main__ import SERVICES
from tests.contract.rendering import (
    ANYWHERE,
    INGRESS,
    MAIL,
    NEEDED,
    OURS,
    PASSWORD,
    merged,
    render,
)

# Of each service: what serves and what works, one more of the latter and a migration; two pools of four, and one of its own.
CONNECTIONS = (4 * 2 * 4 + 1) * len(SERVICES)

# Values, and words of the sentence.
CONTRADICTIONS = {
    "no version": (
        {"global": {"image": {"tag": ""}}},
        "global.image.tag: say which version to install",
    ),
    "no address": ({"global": {"publicUrl": ""}}, "global.publicUrl: say where browsers find"),
    "plain http": (
        {"global": {"publicUrl": "http://carehub.example.org"}},
        "global.publicUrl: say where browsers find the hub, with https",
    ),
    "an address with a path": (
        {"global": {"publicUrl": "https://example.org/carehub"}},
        "leave the path out",
    ),
    "nobody signs people in": ({"global": {"issuer": {"url": ""}}}, "global.issuer.url: say who"),
    "an issuer that pods do not get to": (
        {"global": {"issuer": {"peers": []}}},
        "global.issuer.peers: say where it is",
    ),
    "a database that pods do not get to": (
        {"global": {"postgresql": {"peers": []}}},
        "global.postgresql.peers: say where it is",
    ),
    "a mail server that pods do not get to": (
        {"global": {"mail": {**MAIL, "peers": []}}},
        "global.mail.peers: say where it is",
    ),
    "traces that pods do not get to": (
        {"global": {"telemetry": {"endpoint": "http://collector:4317"}}},
        "global.telemetry.peers: say where it is",
    ),
    "metrics that nobody gets to": (
        {"global": {"monitoring": {"serviceMonitor": {"enabled": True}}}},
        "global.monitoring.peers: with serviceMonitor.enabled say where Prometheus is",
    ),
    "an ingress that does not get through": (
        {"gateway": {"ingress": {**INGRESS, "peers": []}}},
        "gateway.ingress.peers: say where the ingress controller's pods are",
    ),
    "an ingress that is everybody": (
        {"gateway": {"ingress": {**INGRESS, "proxies": ""}}},
        "gateway.ingress.proxies: say which addresses",
    ),
    "an ingress to a service": (
        {"tasking": {"ingress": INGRESS}},
        "tasking.ingress: only the gateway answers over HTTP",
    ),
    "senders without end": (
        {"interop": {"listeners": {"mllp": {"peers": []}}}},
        "interop.listeners.mllp.peers: say who may send",
    ),
    "mllp in plain text by accident": (
        {"interop": {"secretFiles": {"mllpCertificate": None}}},
        "name the Secret of mllpCertificate and mllpKey",
    ),
    "mllp in plain text with a certificate": (
        {"interop": {"settings": {"mllpAllowPlaintext": True}}},
        "interop.settings.mllpAllowPlaintext: there is a certificate, too",
    ),
    "a service that calls itself": (
        {"tasking": {"calls": ["identity", "tasking"]}},
        "tasking.calls: a service does not call itself",
    ),
    "fewer at most than at least": (
        {"registry": {"serve": {"replicas": 9, "autoscaling": {"enabled": True}}}},
        "replicas (9) are the fewest that autoscaling keeps, and maxReplicas (6) is less",
    ),
    "a password among values": (
        {"tasking": {"settings": {"smtpPassword": "a"}}},
        "tasking.settings.smtpPassword: values are no place for a secret",
    ),
    "a password in a URL": (
        {"identity": {"settings": {"jwksUri": "https://ana:hidden@id.example.org/keys"}}},
        "identity.settings.jwksUri: it holds a password",
    ),
    "a setting in two places": (
        {"tasking": {"settings": {"smtpUser": "a"}, "secretSettings": {"smtpUser": PASSWORD}}},
        "tasking: smtpUser is in settings and in secretSettings; say it once",
    ),
    "more connections than there are": (
        {"global": {"postgresql": {"maxConnections": 100}}},
        f"global.postgresql: while everything rolls, pods may hold {CONNECTIONS} connections, more than maxConnections (100)",
    ),
    "backups to nowhere": (
        {"backup": {"enabled": True}},
        "backup.claim: say which PersistentVolumeClaim sets are written to",
    ),
    "backups of half a hub": (
        {"backup": {"enabled": True, "claim": "sets"}, "interop": {"enabled": False}},
        "backup: a set has all databases, and there is none of interop",
    ),
    "a chart that there is not": (
        {"regsitry": {"serve": {"replicas": 3}}},
        f"regsitry: there is no such chart; there are {', '.join(sorted(OURS))}",
    ),
}
# Values that the schema refuses, and what it calls them.
MISTAKES = {
    "a value that there is not": ({"tasking": {"replicas": 3}}, "'replicas' not allowed"),
    "a shared value that there is not": (
        {"global": {"image": {"tga": "1"}}},
        "'tga' not allowed",
    ),
    "no limit of memory": (
        {"tasking": {"serve": {"resources": {"limits": {"memory": None}}}}},
        "/serve/resources/limits",
    ),
    "a limit of cpu": (
        {"tasking": {"serve": {"resources": {"limits": {"cpu": "1"}}}}},
        "'cpu' not allowed",
    ),
    "nobody to answer": ({"tasking": {"serve": {"replicas": 0}}}, "/serve/replicas"),
    "whatever is newest": ({"global": {"image": {"tag": "latest"}}}, "/global/image/tag"),
    "half a digest": ({"global": {"image": {"digest": "sha256:12"}}}, "/global/image/digest"),
    "a peer that says nothing": ({"global": {"nats": {"peers": [{}]}}}, "/global/nats/peers"),
    "two copies of a stream": ({"global": {"nats": {"replicas": 2}}}, "/global/nats/replicas"),
    "a secret by its content": (
        {"tasking": {"secretSettings": {"smtpPassword": "hidden"}}},
        "/secretSettings/smtpPassword",
    ),
    "zones by another name": ({"global": {"zones": "Never"}}, "/global/zones"),
    "a backup at some time": ({"backup": {"schedule": "every night"}}, "/backup/schedule"),
    "a backup that is gone at once": ({"backup": {"keep": 0}}, "/backup/keep"),
    "a backup that is open to all": (
        {"backup": {"passphraseSecret": ""}},
        "/backup/passphraseSecret",
    ),
    "a disk without a unit": ({"postgresql": {"storage": "20"}}, "/postgresql/storage"),
}


@pytest.mark.parametrize("what", CONTRADICTIONS)
def test_a_contradiction_is_refused_in_words(what):
    values, sentence = CONTRADICTIONS[what]
    with pytest.raises(helm_python.HelmError) as refused:
        render(merged(NEEDED, values))
    assert sentence in str(refused.value)


@pytest.mark.parametrize("what", MISTAKES)
def test_a_mistake_is_refused_by_the_schema(what):
    values, place = MISTAKES[what]
    with pytest.raises(helm_python.HelmError) as refused:
        render(merged(NEEDED, values))
    assert place in str(refused.value)


def test_what_is_said_in_full_is_not_refused():
    """Each of the above is refused for what it says: with the rest of it said, too, it is not."""
    render(NEEDED)
    render(merged(NEEDED, {"global": {"mail": MAIL}, "gateway": {"ingress": INGRESS}}))
    monitored = {"peers": ANYWHERE, "serviceMonitor": {"enabled": True}}
    render(merged(NEEDED, {"global": {"monitoring": monitored}}))
    render(merged(NEEDED, {"backup": {"enabled": True, "claim": "sets"}}))
