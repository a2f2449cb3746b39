import Client
import Foundation
import JSON
import Kafka
import Replication
import Telemetry
import Testing
import Web

/// One node on a Kafka cluster: what it does with what it finds there.
@Suite(.serialized) struct KafkaNodeTests {
    static let topic = "telemetry.chassis"

    /// A cluster with the topics, and a log of our own over it.
    private func withKafka(
        partitions: Int = 2, topics: [String] = [], _ body: (MockCluster, KafkaLog) async throws -> Void
    ) async throws {
        let cluster = try MockCluster(brokers: 2)
        defer { cluster.close() }
        try cluster.createTopic(KafkaNodeTests.topic, partitions: partitions)
        for topic in topics { try cluster.createTopic(topic, partitions: partitions) }
        let log = try KafkaLog(try KafkaConfiguration(brokers: cluster.addresses), topic: KafkaNodeTests.topic)
        defer { log.close() }
        try await body(cluster, log)
    }

    private func startNode(_ cluster: MockCluster, _ settings: [String] = []) async throws -> NodeProcess {
        let node = try NodeProcess(KafkaStartTests.arguments(cluster.addresses) + settings)
        try await node.start()
        return node
    }

    private func value(_ second: Int, _ chassis: String = "GR86-001") -> [UInt8] {
        let time = Timestamp(milliseconds: 1_763_596_800_000 + Int64(second) * 100).iso8601
        return Array(
            """
            {"meta_time":"\(time)","track":"sebring","chassis":"\(chassis)","lap":1,"lapdist_m":\(second),\
            "speed_kmh":180.5,"accx_can":0.1,"accy_can":0.9,"Steering_Angle":3,"pbrake_f":0,"rpm":6000}
            """.utf8)
    }

    private func record(
        _ value: [UInt8]?, key: String? = "GR86-001", in partition: Int = 0, at milliseconds: Int64 = 1_763_596_800_000
    ) -> NewRecord {
        NewRecord(
            partition: PartitionID(partition), key: key.map { Array($0.utf8) }, value: value,
            timestamp: Timestamp(milliseconds: milliseconds))
    }

    private func points(_ node: NodeProcess) async throws -> Int? {
        try await node.json("/v1/cluster")["totals"]?["points"]?.int
    }

    private func metric(_ name: String, _ node: NodeProcess) async throws -> Double {
        let page = String(decoding: try await node.get("/metrics").body, as: UTF8.self)
        let line = page.split(separator: "\n").first { $0.hasPrefix("slipstream_\(name) ") }
        return line.flatMap { Double($0.split(separator: " ")[1]) } ?? -1
    }

    @Test func `records without value or key and rubbish stop nothing, and rubbish goes to the dead letters`()
        async throws
    {
        try await withKafka(topics: ["telemetry.chassis.dlq"]) { cluster, log in
            let node = try await startNode(cluster)
            _ = try log.append([
                record(nil), record(nil, key: nil), record(value(1), key: nil), record([], key: "GR86-001"),
                record(Array("{\"chassis\":".utf8)), record(value(2)), record(value(3), in: 1),
            ])
            try await eventually("three points") { try await points(node) == 3 }
            let letters = try KafkaLog(
                try KafkaConfiguration(brokers: cluster.addresses), topic: "telemetry.chassis.dlq")
            defer { letters.close() }
            try await eventually("two letters") {
                try letters.endOffset(of: PartitionID(0)).value + letters.endOffset(of: PartitionID(1)).value == 2
            }
            #expect(try await metric("side_records_written_total", node) == 2)
            try await eventually("the misplaced keys are told") {
                try await metric("kafka_misplaced_keys_total", node) >= 1
            }
        }
    }

    @Test func `a keyed record of any producer lands in the stream of its chassis, and its position is committed`()
        async throws
    {
        try await withKafka { cluster, log in
            let node = try await startNode(cluster)
            for second in 1...3 {
                log.post(
                    SideRecord(
                        topic: KafkaNodeTests.topic, key: Array("GR86-006-7".utf8),
                        value: value(second, "GR86-006-7"), headers: []))
            }
            try await eventually("three points") {
                let stream = try await node.get("/v1/streams/chassis/GR86-006-7")
                guard stream.status == 200 else { return false }
                return try JSONValue.parse(stream.body)["position"]?["seq"]?.int == 3
            }
            let lag = try KafkaConsumer(
                try KafkaConfiguration(brokers: cluster.addresses), topic: KafkaNodeTests.topic)
            defer { lag.close() }
            try await eventually(within: 20, "the position is committed") {
                let committed = try lag.committed([PartitionID(0), PartitionID(1)], within: .seconds(5))
                return committed.values.contains(Offset(3))
            }
            // The topics it would like to write to are not there.
            _ = try await node.logged("--topic telemetry.chassis.dlq --partitions 1")
            _ = try await node.logged("--topic slipstream.snapshots --partitions 12")
        }
    }

    @Test func `brokers that go while it runs are told; what is here is served, and publishing works again after`()
        async throws
    {
        try await withKafka { cluster, log in
            let node = try await startNode(cluster, ["--kafka-config", "delivery.timeout.ms=2000"])
            _ = try log.append([record(value(1))])
            try await eventually("a point") { try await points(node) == 1 }
            try cluster.setBroker(nil, isUp: false)
            _ = try await node.logged("Kafka does not answer", within: 20)
            let refused = try await node.request(
                "POST", "/api/ingest", body: String(decoding: value(2), as: UTF8.self))
            #expect(refused.status == 503)
            let code = try JSONValue.parse(refused.body)["error"]?["code"]?.string ?? ""
            #expect(["log_unavailable", "log_in_doubt"].contains(code), "\(code)")
            #expect(try await node.get("/v1/streams/chassis/GR86-001").status == 200)
            #expect(try await node.get("/readyz").status == 200)
            try cluster.setBroker(nil, isUp: true)
            _ = try await node.logged("Kafka answers again", within: 20)
            let taken = try await node.request(
                "POST", "/api/ingest", body: String(decoding: value(3), as: UTF8.self))
            #expect(taken.status == 200)
            try await eventually("the point is there") { try await points(node) ?? 0 >= 2 }
        }
    }

    @Test func `a topic made anew is another log: old snapshots are skipped and clients get a resync`() async throws {
        try await withKafka { old, oldLog in
            try await withKafka { new, newLog in
                let node = try await startNode(old, ["--snapshot-interval-ms", "100"])
                _ = try oldLog.append((1...5).map { record(value($0)) })
                try await eventually("five points and a snapshot") {
                    let saved = try await metric("snapshots_saved_total", node)
                    return try await points(node) == 5 && saved >= 1
                }
                let client = try SlipstreamClient("ws://\(node.address)")
                let updates = client.updates(of: "chassis/*", include: .telemetry, from: .earliest)
                var iterator = updates.makeAsyncIterator()
                _ = try await iterator.next()
                node.kill9()
                _ = try newLog.append((11...13).map { record(value($0), at: 1_763_600_000_000) })
                node.arguments = KafkaStartTests.arguments(new.addresses)
                try await node.start()
                var reasons: Set<String> = []
                while reasons.isEmpty, let update = try await iterator.next() {
                    if case .resync(let resync) = update { reasons.insert(resync.reason) }
                }
                await client.close()
                #expect(reasons == ["lineage_changed"])
                #expect(try await points(node) == 3)
                #expect(try node.log(2).contains("the topic was made anew"))
            }
        }
    }

    @Test func `a node with an empty disk goes on from the snapshot topic`() async throws {
        try await withKafka(topics: ["slipstream.snapshots"]) { cluster, log in
            let first = try await startNode(cluster, ["--snapshot-interval-ms", "100"])
            _ = try log.append((1...200).map { record(value($0), in: $0 % 2) })
            try await eventually("points, and snapshots of both shards") {
                let shared = try await metric("snapshots_shared_total", first)
                return try await points(first) == 200 && shared >= 2
            }
            try await eventually("snapshots of all of it") {
                let before = try await metric("snapshots_shared_total", first)
                try await Task.sleep(for: .milliseconds(300))
                return try await metric("snapshots_shared_total", first) == before
            }
            let hash = try await first.stateHash(at: 200)
            first.kill9()
            let second = try await startNode(cluster)
            #expect(try await second.stateHash(at: 200) == hash)
            let said = try second.log(1)
            #expect(said.contains("caught up records=0"), "\(said)")
        }
    }

    @Test func `insights go to their topic by stream, if asked for`() async throws {
        try await withKafka(topics: ["insights.chassis"]) { cluster, log in
            let node = try await startNode(cluster, ["--insights-topic", "insights.chassis"])
            _ = try log.append((1...100).map { record(value($0)) })
            try await eventually("all points") { try await points(node) == 100 }
            let insights = try KafkaLog(
                try KafkaConfiguration(brokers: cluster.addresses), topic: "insights.chassis")
            defer { insights.close() }
            var found: [(key: String, value: String)] = []
            try await eventually("insights") {
                found = []
                for number in 0..<2 {
                    var batch = LogBatch()
                    try insights.read(PartitionID(number), from: .zero, maxBytes: 1 << 20, into: &batch)
                    func text(_ range: Range<Int>?) -> String {
                        String(decoding: range.map { Array(batch.bytes[$0]) } ?? [], as: UTF8.self)
                    }
                    found += batch.entries.map { (text($0.key), text($0.value)) }
                }
                return !found.isEmpty
            }
            #expect(found.allSatisfy { $0.key == "chassis/GR86-001" })
            #expect(try found.allSatisfy { try JSONValue.parse($0.value).object != nil })
        }
    }
}
