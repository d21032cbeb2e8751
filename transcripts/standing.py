"""What a record leaves to the ceremony that follows it: `standing.json`, derived from the entries alone, by the rules of README.md ("What stands").
Nothing is replayed: what succeeded is folded, in order, and everything else of the record is verify.py's, or `anchorite verify`'s."""
import datetime, hashlib, json, tomllib

OF_A_KEY = "generation public_key quorum sealed sealed_name".split()
OF_A_BUNDLE = ("bundle count expires factory firmware issued mode nonce order product records_root sequence shard_records sku").split()

def sha(octets):
    return hashlib.sha256(octets).hexdigest()

def milliseconds(when):
    return int(when.timestamp()) * 1000 if isinstance(when, datetime.datetime) else int(datetime.datetime.fromisoformat(when.replace("Z", "+00:00")).timestamp()) * 1000

class Left:
    def __init__(self, header, script, stands):
        self.ceremony, self.script = header["ceremony"], tomllib.loads(script.decode())
        self.quorums = {name: dict(of) for name, of in stands.get("quorums", {}).items()}
        self.authorities = {name: dict(of, issued=list(of["issued"])) for name, of in stands.get("authorities", {}).items()}
        self.keys, self.factories = set(stands.get("keys", ())), json.loads(json.dumps(stands.get("factories", {})))
        self.device_keys, self.judged, self.ended = stands.get("device_keys"), {}, None
        self.folded = set()
        self.live, self.retired = set(self.quorums), {name: list(of["retired"]) for name, of in self.quorums.items()}

    def entry(self, opened, body, effect):
        """One entry, with the intent that its outcome answers; what it says is folded in."""
        kind, outcome = opened["kind"], opened["outcome"]
        if kind in ("closed", "abort"):
            self.ended = kind
        elif (kind, outcome) == ("step", "reopened") and "quorum" in body:
            self.void(body["quorum"], body["generation"], opened["time"])
        elif (kind, outcome) == ("intent", "meant") and body["effect"]["effect"] == "write-artifact":
            self.written(body["effect"]["name"], body["effect"]["content"])
        elif outcome == "done" and effect and body.get("event", {}).get("event") == "done":
            said = body["event"]["outcome"]
            fold = getattr(self, said["outcome"].replace("-", "_"), None)
            if fold:
                fold(said, effect)

    def void(self, quorum, generation, time):
        made = self.quorums.pop(quorum)
        self.live.discard(quorum)
        self.retired.setdefault(quorum, []).append({"generation": generation, "id": made["id"], "time": time})
        self.authorities = {name: of for name, of in self.authorities.items() if of["quorum"] != quorum}

    def key_made(self, said, effect):
        quorum = effect["quorum"]
        if not effect.get("sealed_to"):
            self.quorums[quorum] = {"commitments": said["commitments"], "generation": effect["generation"], "holders": [""] * effect["count"],
                                    "id": said["quorum_id"], "recipient": said["recipient"], "threshold": effect["threshold"]}
        self.authorities[effect["authority"]] = {
            "algorithm": effect["algorithm"], "certificate": "", "crl": "", "generation": effect["generation"], "issued": [], "public_key": said["public_key"],
            "quorum": quorum, "sealed": said["sealed"]["sha256"], "sealed_name": said["sealed"]["name"]}
        self.keys.add(sha(bytes.fromhex(said["public_key"])))

    def share_shown(self, said, effect):
        self.quorums[effect["quorum"]]["holders"][effect["index"] - 1] = effect["holder"]

    def consistent(self, said, effect):
        self.live.add(effect["quorum"])

    def signed(self, said, effect):
        of, der = effect["operation"], said["der"]
        made = self.authorities[of["authority"]]
        if of["operation"] == "root-certificate":
            made |= {key: of[key] for key in ("not_after", "not_before", "profile", "subject")} | {"certificate": der}
        elif of["operation"] == "crl":
            made["crl"] = der
            self.listed(of)
        elif of["operation"] == "certificate":
            made["issued"].append({"certificate": der, "name": of["name"], "serial": of["serial"], "step": of["step"]})
            key = of["subject"]["public_key"] if of["subject"]["certified"] == "key" else spki(bytes.fromhex(of["subject"]["of"])).hex()
            self.keys.add(sha(bytes.fromhex(key)))
            for one in (c for c in self.script.get("certificate", ()) if c["name"] == of["name"] and "authority" in c):
                own = {key: of[key] for key in ("not_after", "not_before", "profile")} | {"certificate": der, "subject": of["subject"]["subject"]}
                self.authorities[one["authority"]] |= own
            for own in (own for factory in self.factories.values() for own in factory.get("delegated", ()) if own["name"] == of["name"]):
                own.setdefault("certificate", {"issuer": of["authority"], "not_after": of["not_after"] // 1000 * 1000, "serial": of["serial"],
                                               "sha256": sha(bytes.fromhex(der))})

    def listed(self, of):
        """What is on the list for the first time, of bundles and of authorities in factories' modules."""
        serials = {entry["serial"] for entry in of.get("revoked", ())}
        for factory in self.factories.values():
            for own in (own.get("certificate") for own in factory.get("delegated", ())):
                if own and own["issuer"] == of["authority"] and own["serial"] in serials:
                    own.setdefault("revoked", of["number"])
            for bundle, group in ((b, g) for b in factory["bundles"] for g in of.get("bundles", ()) if g["bundle"] == b["name"]):
                new = {key: group[key] for key in ("date", "reason", "records")}
                if all(new != {key: known[key] for key in new} for known in bundle.get("revoked", ())):
                    bundle.setdefault("revoked", []).append(new | {"ceremony": self.ceremony, "crl": of["number"], "this_update": of["this_update"]})

    def requests_judged(self, said, effect):
        self.judged[effect["requests"]] = said["device_keys"]["sha256"]

    def bundle_issued(self, said, effect):
        of, made = effect["operation"], json.loads(said["manifest"])
        terms, factory = of["terms"], self.factories[made["factory"]]
        bundle = {key: made[key] for key in OF_A_BUNDLE if key != "factory"} | {
            "authority": of["authority"], "ceremony": self.ceremony, "manifest": sha(said["manifest"].encode()), "name": of["name"], "serial_seed": terms["serial_seed"]}
        attested = [policy["oid"] for policy in terms.get("attested_policies") or () if policy not in terms["additions"].get("policies", ())]
        bundle |= {"attested": attested[0]} if attested else {}
        if terms.get("replaces"):
            bundle["replaces"] = {key: terms["replaces"][key] for key in ("bundle", "records")}
        factory["bundles"].append(bundle)
        for step in (step for act in self.script["act"] for step in act["step"] if step["id"] == of["step"]):
            self.device_keys = self.judged.get(step.get("requests"), self.device_keys)

    def written(self, name, content):
        """Artefacts whose content stands: each begins with the format that its step gives it."""
        if (name, content) in self.folded:      # a machine that died between intent and outcome means it anew
            return
        self.folded.add((name, content))
        said = json.loads(content) if name.endswith(".json") else {}
        kind = said.get("format", "") if isinstance(said, dict) else ""
        factory = self.factories.get(said.get("factory", "")) if kind else None
        if name.endswith(".enrolment.json"):
            self.enrolled(said["statement"], sha(content.encode()))
        elif kind == "anchorite-balance/1":
            self.balanced(factory, said)
        elif kind == "anchorite-explained/1":
            factory["explained"] = factory.get("explained", []) + said["explained"]
            factory.pop("findings", None)
        elif kind == "anchorite-delegated/1":
            factory.setdefault("delegated", []).append(said["delegated"])
        elif kind == "anchorite-log-account/1":
            known = [one["finding"] for one in factory.get("explained", ())]
            factory["findings"] = factory.get("findings", []) + [finding for finding in said["findings"] if finding not in known]
            (own,) = [own for own in factory["delegated"] if own["name"] == said["authority"]]
            own.setdefault("logs", []).append(said["log"])

    def enrolled(self, said, digest):
        (table,) = [table for table in self.script.get("factory", ()) if table["name"] == said["factory"]]
        before = self.factories.get(said["factory"], {"bundles": []})
        self.factories[said["factory"]] = {key: before[key] for key in ("bundles", "delegated", "explained", "findings") if key in before} | {
            "ceremony": self.ceremony, "enrolment": digest, "quotas": {quota["product"]: quota["most"] for quota in table.get("quota", ())},
            "receipt_key": said["receipt_key"], "recipient": said["recipient"], "valid_until": milliseconds(table["valid_until"])}

    def balanced(self, factory, said):
        of_it = f"bundle {said['bundle']}: "
        forgets = not said["each_record"] and said["receipt"].get("account") is not None     # numbers settle nothing that was found of records
        left = [finding for finding in factory.get("findings", ()) if forgets or not finding.startswith(of_it)]
        known = [one["finding"] for one in factory.get("explained", ())] + left
        factory["findings"] = left + [of_it + finding for finding in said["findings"] if of_it + finding not in known]
        (bundle,) = [bundle for bundle in factory["bundles"] if bundle["bundle"] == said["bundle_id"]]
        bundle["receipt"] = said["receipt"]

    def stands(self, realm, head):
        """The object, where the record ended and every quorum that it leaves is live."""
        if self.ended is None:
            raise ValueError("only a record that is closed or aborted can be followed")
        if self.ended == "closed" and set(self.quorums) - self.live:
            raise ValueError("a quorum is not live: nothing can be built on it")
        quorums = {name: of | {"retired": self.retired.get(name, [])} for name, of in self.quorums.items() if name in self.live}
        authorities = {name: of for name, of in self.authorities.items() if of["certificate"] and of["quorum"] in quorums}
        left = {"authorities": authorities, "ceremony": self.ceremony, "format": "anchorite-standing/1", "head": head, "keys": sorted(self.keys),
                "quorums": quorums, "realm": realm}
        for factory in self.factories.values():
            factory["delegated"] = [own for own in factory.get("delegated", ()) if "certificate" in own]
            for key in ("delegated", "explained", "findings"):
                if not factory.get(key):
                    factory.pop(key, None)
        return left | ({"factories": self.factories} if self.factories else {}) | ({"device_keys": self.device_keys} if self.device_keys else {})

def spki(der):
    """The SubjectPublicKeyInfo of a certificate: the seventh of the TBSCertificate, where its version is written."""
    def item(at):
        start, at, size = at, at + 2, der[at + 1]
        if size & 0x80:
            size, at = int.from_bytes(der[at:at + (size & 0x7f)], "big"), at + (size & 0x7f)
        return start, at, at + size
    _, at, _ = item(0)
    _, at, _ = item(at)
    for _ in range(6 if der[at] == 0xa0 else 5):
        at = item(at)[2]
    return der[at:item(at)[2]]

def left_by(lines, script, stands):
    """What a whole record leaves; `stands` is what it took up, {} where it follows none. Raises ValueError, KeyError and the like where it leaves nothing."""
    header, last = lines[0]["header"], lines[-1]["head"]
    left, effect = Left(header, script, stands), None
    for line in lines[1:]:
        left.entry(line["open"], line["body"], effect)
        if line["open"]["kind"] == "intent":
            effect = line["body"]["effect"]
    return left.stands(header["realm"], last)
