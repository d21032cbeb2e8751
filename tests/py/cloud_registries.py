"""What `station export` wrote for two clouds, taken in by other people's code. Neither cloud can be asked from here, so these are the nearest there are:

- AWS IoT: every line goes through the template of media/EXPORTS.md into moto's IoT (an implementation of the service's calls), by the vendor's own client (boto3). The client
  holds types against the service's model; the model's lengths and patterns, which the service holds and the client does not, are held here, read from the client's file of them.
- Azure IoT Hub: every line is read by the vendor's own model of a line of an import (azure-iot-hub), whose lists of values are held too, and sent by its client's bulk call; what
  the client puts on the wire must be the line, nothing lost and nothing added.

Each also sees lines that were spoiled in one way each, and must refuse them.

    tests/.judges/cloud/bin/python3 tests/py/cloud_registries.py LINES-FOR-AWS LINES-FOR-AZURE DEVICES.CSV CHAIN.PEM"""

import base64
import csv
import hashlib
import json
import os
import pathlib
import re
import sys

os.environ.update(AWS_ACCESS_KEY_ID="none", AWS_SECRET_ACCESS_KEY="none", AWS_DEFAULT_REGION="eu-north-1")

import boto3
import moto
import responses
from azure.iot.hub import IoTHubRegistryManager
from azure.iot.hub.protocol.models import AuthenticationMechanism, ExportImportDevice
from botocore.stub import ANY, Stubber

EXPORTS = pathlib.Path(__file__).resolve().parents[2] / "media/EXPORTS.md"
HUB = "hub.azure-devices.net"
# Certificates are read, and named as the service names them.
READS = {"iot": {"use_valid_cert": True}}


class Refused(Exception):
    pass


def need(good, why):
    if not good:
        raise Refused(why)


def template():
    """The one JSON block of the description of exports: what it tells people to use is what is judged."""
    (text,) = re.findall(r"```json\n(.*?)```", EXPORTS.read_text(), re.S)
    return text


def held(shape, value, where):
    """A value against the service's model: every length and every pattern of it."""
    if shape.type_name == "structure":
        for name, inner in value.items():
            held(shape.members[name], inner, f"{where}.{name}")
    elif shape.type_name == "map":
        for name, inner in value.items():
            held(shape.key, name, f"{where}: {name}")
            held(shape.value, inner, f"{where}.{name}")
    elif shape.type_name == "string":
        limits = shape.metadata
        need(limits.get("min", 0) <= len(value) <= limits.get("max", len(value)), f"{where}: {len(value)} characters")
        need(re.fullmatch(limits.get("pattern", r"[\s\S]*"), value), f"{where}: {value[:80]}")
        need(value in limits.get("enum", [value]), f"{where}: {value}")


class Aws:
    """An account without anything in it, its issuing authority registered."""

    def __init__(self, issuing):
        self.iot = boto3.client("iot")
        self.model = self.iot.meta.service_model
        self.issuing = issuing
        self.iot.create_policy(policyName="devices", policyDocument='{"Version": "2012-10-17", "Statement": []}')
        self.iot.register_ca_certificate(caCertificate=issuing, verificationCertificate=issuing, setAsActive=True)

    def call(self, operation, **parameters):
        name = "".join(part.capitalize() for part in operation.split("_"))
        held(self.model.operation_model(name).input_shape, parameters, name)
        return getattr(self.iot, operation)(**parameters)

    def asked(self, body, line):
        """`register-thing`, which moto does not have: the vendor's client checks the request and sends it nowhere."""
        iot = boto3.client("iot")
        with Stubber(iot) as stub:
            stub.add_response("register_thing", {}, {"templateBody": ANY, "parameters": ANY})
            iot.register_thing(templateBody=body, parameters=line)
        held(self.model.operation_model("RegisterThing").input_shape, {"templateBody": body, "parameters": line}, "RegisterThing")

    def take(self, text):
        """One line of the task's file; gives the thing and the certificate's id."""
        line, body = json.loads(text), template()
        self.asked(body, line)
        sections = json.loads(body)
        undeclared = set(line) - set(sections["Parameters"])
        need(not undeclared, f"no parameter of the template: {undeclared}")

        def resolved(value):
            if not isinstance(value, dict):
                return value
            if set(value) == {"Ref"}:
                need(value["Ref"] in line, f"no value of parameter {value['Ref']}")
                return line[value["Ref"]]
            return {name: resolved(inner) for name, inner in value.items()}

        of = {each["Type"].removeprefix("AWS::IoT::"): resolved(each["Properties"]) for each in sections["Resources"].values()}
        thing, certificate = of["Thing"]["ThingName"], of["Certificate"]
        self.call("create_thing", thingName=thing, attributePayload={"attributes": of["Thing"]["AttributePayload"]})
        known = self.call("register_certificate", caCertificatePem=self.issuing, certificatePem=certificate["CertificatePem"], status=certificate["Status"])
        arn = known["certificateArn"]
        self.call("attach_policy", policyName=of["Policy"]["PolicyName"], target=arn)
        self.call("attach_thing_principal", thingName=thing, principal=arn)
        assert self.iot.list_thing_principals(thingName=thing)["principals"] == [arn]
        assert self.iot.describe_certificate(certificateId=known["certificateId"])["certificateDescription"]["status"] == "ACTIVE"
        return thing, known["certificateId"]


def refuses(take, spoilt):
    """Each for its own reason: what the judge says has these words."""
    for words, line in spoilt:
        try:
            take(line)
        except Exception as refusal:
            assert words in f"{type(refusal).__name__}: {refusal}", (words, repr(refusal))
            continue
        raise AssertionError(f"a spoiled line was taken; expected: {words}")
    return len(spoilt)


def aws(lines, digests, issuing):
    with moto.mock_aws(config=READS):
        account = Aws(issuing)
        # The service names a certificate by the SHA-256 of its DER, and so does the registry that goes beside these lines.
        assert dict(account.take(line) for line in lines) == digests, "other things, or other certificates"
        twice = refuses(account.take, [("ResourceAlreadyExists", lines[0])])
    good = json.loads(lines[0])
    pem = good["CertificatePem"]
    less = lambda name: json.dumps({key: value for key, value in good.items() if key != name})
    more = lambda **values: json.dumps({**good, **values})
    with moto.mock_aws(config=READS):
        return twice + refuses(Aws(issuing).take, [
            ("CreateThing.thingName: LAMP.1", more(ThingName="LAMP.1")),
            ("CreateThing.thingName: 129 characters", more(ThingName="a" * 129)),
            ("serialNumber: a b", more(SerialNumber="a b")),
            ("Invalid type for parameter parameters.SerialNumber", more(SerialNumber=7)),
            ("RegisterThing.parameters.CertificatePem: ", more(CertificatePem=pem + 4096 * "\n")),
            ("Unable to load PEM", more(CertificatePem=pem.replace("-----BEGIN CERTIFICATE-----\n", ""))),
            ("rror parsing asn1 value", more(CertificatePem=pem.replace("MII", "AII", 1))),
            ("no value of parameter CertificatePem", less("CertificatePem")),
            ("no value of parameter ThingName", less("ThingName")),
            ("no parameter of the template: {'CSR'}", more(CSR="")),
            ("JSONDecodeError: Extra data", lines[0] + lines[0]),
            ("JSONDecodeError", lines[0][:-1]),
        ])


def values(model, name):
    """The values that a model's own description lists for an attribute."""
    (listed,) = re.findall(rf":param {name}:(?:(?!:param).)*?Possible values include:(.*?):type", model.__doc__, re.S)
    return set(re.findall(r"'(\w+)'", listed))


class Azure:
    def __init__(self):
        key = base64.b64encode(bytes(32)).decode()
        self.registry = IoTHubRegistryManager.from_connection_string(f"HostName={HUB};SharedAccessKeyName=none;SharedAccessKey={key}")

    def take(self, text):
        line = json.loads(text)
        device = ExportImportDevice.deserialize(line)
        need(device.serialize() == line, f"not a line of an import: {line}, read as {device.serialize()}")
        for name, value in (("import_mode", device.import_mode), ("status", device.status)):
            need(value in values(ExportImportDevice, name), f"{name}: {value}")
        need(device.authentication.type in values(AuthenticationMechanism, "type"), f"authentication.type: {device.authentication.type}")
        with responses.RequestsMock() as wire:
            wire.add("POST", f"https://{HUB}/devices", json={"isSuccessful": True, "errors": [], "warnings": []})
            assert self.registry.bulk_create_or_update_devices([device]).is_successful
            assert json.loads(wire.calls[0].request.body) == [line], "the client sends something else"
        return device.id, device.authentication.x509_thumbprint.primary_thumbprint.lower()


def azure(lines, digests):
    hub = Azure()
    assert dict(hub.take(line) for line in lines) == digests, "other devices, or other certificates"
    good = json.loads(lines[0])
    more = lambda **changed: json.dumps({**good, **changed})
    way = good["authentication"]
    return refuses(hub.take, [
        ("import_mode: register", more(importMode="register")),
        ("status: active", more(status="active")),
        ("authentication.type: x509", more(authentication={**way, "type": "x509"})),
        ("not a line of an import", more(authentication={**way, "x509thumbprint": way["x509Thumbprint"]})),
        ("not a line of an import", more(authentication={**way, "x509Thumbprint": {"thumbprint": "00"}})),
        ("not a line of an import", more(deviceId="LAMP-1")),
        ("not a line of an import", more(id=7)),
        ("JSONDecodeError", lines[0] + lines[0]),
    ])


def main(for_aws, for_azure, registry, chain):
    lines = lambda path: pathlib.Path(path).read_text().splitlines()
    with open(registry, newline="") as file:
        digests = {row["device"]: hashlib.sha256(base64.b64decode(row["certificate_der_base64"])).hexdigest() for row in csv.DictReader(file)}
    issuing = pathlib.Path(chain).read_text().split("-----END")[0] + "-----END CERTIFICATE-----\n"
    spoilt = aws(lines(for_aws), digests, issuing), azure(lines(for_azure), digests)
    print(f"clouds: {len(digests)} lines each taken by moto and by azure-iot-hub; {spoilt[0]} and {spoilt[1]} spoiled ones refused, each for its own reason")


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
