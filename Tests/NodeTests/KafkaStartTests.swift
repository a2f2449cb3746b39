import JSON
import Kafka
import Testing
import Web

/// A node whose Kafka is not as it should be: says so within 10 s, and goes on where waiting can mend it.
@Suite(.serialized) struct KafkaStartTests {
    private func startNode(_ brokers: String, _ settings: [String] = []) throws -> NodeProcess {
        let node = try NodeProcess(KafkaStartTests.arguments(brokers) + settings)
        try node.launch()
        return node
    }

    static func arguments(_ brokers: String) -> [String] {
        ["--udp", "off", "--kafka", brokers, "--gossip-port", "0", "--node-id", "n1"]
    }

    private func expectWaiting(_ node: NodeProcess, because reason: String) async throws {
        let readiness = try await node.get("/readyz")
        #expect(readiness.status == 503)
        let error = try JSONValue.parse(readiness.body)["error"]
        #expect(error?["code"]?.string == "waiting_for_kafka")
        #expect(error?["message"]?.string?.contains(reason) == true, "\(String(describing: error))")
        #expect(try await node.get("/healthz").status == 200)
    }

    @Test(arguments: ["127.0.0.1:1", "no-such-broker.invalid:9092"])
    func `a wrong address is said within 10 s with what to check, and waited for`(address: String) async throws {
        let node = try startNode(address)
        let log = try await node.logged("waiting for Kafka")
        #expect(log.contains("no Kafka broker answers at \(address)"), "\(log)")
        #expect(log.contains("check the address in --kafka"), "\(log)")
        try await expectWaiting(node, because: address)
        node.kill9()
    }

    @Test func `a broker that is down at the start is waited for`() async throws {
        let cluster = try MockCluster(brokers: 1)
        defer { cluster.close() }
        try cluster.createTopic("telemetry.chassis", partitions: 2)
        try cluster.setBroker(nil, isUp: false)
        let node = try startNode(cluster.addresses)
        _ = try await node.logged("waiting for Kafka")
        try await expectWaiting(node, because: "no Kafka broker answers")
        let port = node.port
        try cluster.setBroker(nil, isUp: true)
        try await node.awaitReady()
        #expect(node.port == port)
        #expect(try node.log(1).contains("Kafka is there"))
    }

    @Test func `a missing topic is said with how to create it, and waited for`() async throws {
        let cluster = try MockCluster(brokers: 1)
        defer { cluster.close() }
        let node = try startNode(cluster.addresses, ["--partitions", "6"])
        let log = try await node.logged("waiting for Kafka")
        let command = "--create --topic telemetry.chassis --partitions 6"
        #expect(log.contains(command), "\(log)")
        try await expectWaiting(node, because: command)
        try cluster.createTopic("telemetry.chassis", partitions: 6)
        try await node.awaitReady()
    }

    @Test func `a topic with another number of partitions ends the node with both numbers`() async throws {
        let cluster = try MockCluster(brokers: 1)
        defer { cluster.close() }
        try cluster.createTopic("telemetry.chassis", partitions: 3)
        let node = try startNode(cluster.addresses, ["--partitions", "12"])
        #expect(try await node.exitCode() == 1)
        #expect(try node.log(1).contains("'telemetry.chassis' has 3 partitions and 12 are expected"))
    }

    @Test func `a node whose topic has another number than the cluster's is refused and ends with both`() async throws {
        let (right, wrong) = (try MockCluster(brokers: 1), try MockCluster(brokers: 1))
        defer {
            right.close()
            wrong.close()
        }
        try right.createTopic("telemetry.chassis", partitions: 4)
        try wrong.createTopic("telemetry.chassis", partitions: 3)
        let first = try NodeProcess(KafkaStartTests.arguments(right.addresses))
        try await first.start()
        let gossip = try await first.logged("gossip begins").split(separator: "\n")
            .first { $0.contains("gossip begins") }?
            .split(separator: " ").first { $0.hasPrefix("address=") }?.dropFirst("address=".count)
        let second = try startNode(wrong.addresses, ["--node-id", "n2", "--join", String(try #require(gossip))])
        #expect(try await second.exitCode() == 1)
        let log = try second.log(1)
        #expect(log.contains("--partitions is '3' on the node that joins and '4' in the cluster"), "\(log)")
        #expect(try await first.get("/readyz").status == 200)
    }
}
