import datetime
import json
import subprocess
import unittest
import urllib.error
import urllib.request

from roots import roots_at

MERGED = datetime.datetime(2024, 6, 5, 10, 10, tzinfo=datetime.timezone.utc).timestamp()
COMMAND = ["node_modules/.bin/graphene-points", "mock", "--volume", "world/volume", "--graph", "world/graph.json"]


def call(method, url, value=None):
    body = None if value is None else json.dumps(value).encode()
    with urllib.request.urlopen(urllib.request.Request(url, data=body, method=method)) as response:
        return json.load(response)


class RootsAt(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.process = subprocess.Popen(COMMAND, stdout=subprocess.PIPE)
        cls.mock = json.loads(cls.process.stdout.readline())
        with open("world/graph.json", encoding="utf8") as file:
            cls.supervoxels = [int(id) for id in json.load(file)["supervoxels"]]

    @classmethod
    def tearDownClass(cls):
        cls.process.terminate()
        assert cls.process.wait(timeout=10) == 0
        cls.process.stdout.close()

    def setUp(self):
        call("DELETE", self.mock["requests"])
        call("DELETE", self.mock["faults"])

    def roots(self, timestamp):
        return roots_at(self.mock["url"], self.mock["table"], self.supervoxels, timestamp)

    def test_sees_a_merge_at_its_timestamp(self):
        self.assertEqual(len(set(self.roots(MERGED - 0.001))), 2)
        self.assertEqual(len(set(self.roots(MERGED))), 1)

    def test_retries_during_an_outage(self):
        call("POST", self.mock["faults"], {"server": "graph", "match": "roots_binary", "times": 2, "status": 503, "headers": {"retry-after": "0"}})
        self.assertEqual(len(set(self.roots(MERGED))), 1)
        requests = call("GET", self.mock["requests"])
        self.assertEqual([request["status"] for request in requests], [503, 503, 200])
        self.assertEqual(requests[-1]["ids"], len(self.supervoxels))

    def test_does_not_retry_a_refusal(self):
        call("POST", self.mock["faults"], {"server": "graph", "status": 403})
        with self.assertRaises(urllib.error.HTTPError) as raised:
            self.roots(MERGED)
        self.assertEqual(raised.exception.code, 403)
        raised.exception.close()
        self.assertEqual(len(call("GET", self.mock["requests"])), 1)

    def test_refuses_half_an_answer(self):
        call("POST", self.mock["faults"], {"server": "graph", "cut": 16})
        with self.assertRaisesRegex(ValueError, "got 16 bytes"):
            self.roots(MERGED)


if __name__ == "__main__":
    unittest.main()
