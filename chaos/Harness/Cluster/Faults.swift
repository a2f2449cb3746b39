import Foundation
import Kafka
import LocalCluster
import Replication
import Simulation
import Telemetry

/// Carries out faults on a cluster.
final class Faults {
    private let cluster: ChaosCluster
    private let oracle: Oracle
    private let proxies: [Proxy]
    private let firewall: Firewall?
    private var random: SeededRandom
    private var leaderTurn = 0

    init(_ cluster: ChaosCluster, _ oracle: Oracle, proxies: [Proxy], firewall: Firewall?, seed: UInt64) {
        self.cluster = cluster
        self.oracle = oracle
        self.proxies = proxies
        self.firewall = firewall
        random = SeededRandom(seed: seed)
    }

    func carryOut(_ fault: Fault) async throws {
        switch fault {
        case .kill(let node), .freeze(let node), .thaw(let node), .drain(let node): onProcess(node, fault)
        case .start(let node): try await start(node)
        case .brokerDown(let broker): try await cluster.post(control: "/broker/\(broker)/down")
        case .brokerUp(let broker): try await cluster.post(control: "/broker/\(broker)/up")
        case .brokersSlow(let milliseconds): try await cluster.post(control: "/broker/all/delay?ms=\(milliseconds)")
        case .moveLeaders: try await moveLeaders()
        case .kafkaErrors(let request, let errors):
            try await cluster.post(control: "/errors/\(request)?errors=\(errors.joined(separator: ","))")
        case .resetClients: proxies.forEach { $0.resetAll() }
        case .part, .cutOneWay, .cutFromKafka, .lose, .heal: try onNetwork(fault)
        case .fillDisk(let node): try fillDisk(node)
        case .emptyDisk(let node): try FileManager.default.removeItem(atPath: filler(node))
        case .corruptSnapshots(let node): try corruptSnapshots(node)
        case .poison(let count): try poison(count)
        case .settle: try await cluster.awaitReady(cluster.wanted, within: .seconds(90))
        case .jumpClock(let node, let seconds):
            try "\(seconds < 0 ? "" : "+")\(seconds)".write(
                toFile: cluster.clockFile(node), atomically: true, encoding: .utf8)
        }
    }

    /// A node that drains is given the time it may take.
    private func start(_ node: Int) async throws {
        if let process = cluster.process(node), !cluster.wanted.contains(node) {
            guard try await process.awaitEnd(within: .seconds(25)) else { throw ChaosError("n\(node) does not end") }
        }
        try cluster.start(node)
    }

    private func onProcess(_ node: Int, _ fault: Fault) {
        switch fault {
        case .kill:
            cluster.willEnd(node)
            cluster.process(node)?.end()
        case .drain:
            cluster.willEnd(node)
            cluster.process(node)?.signal(SIGTERM)
        case .freeze: cluster.process(node)?.signal(SIGSTOP)
        default: cluster.process(node)?.signal(SIGCONT)
        }
    }

    private func moveLeaders() async throws {
        leaderTurn += 1
        for partition in 0..<cluster.options.partitions {
            let broker = (partition + leaderTurn) % ChaosCluster.brokers + 1
            try await cluster.post(control: "/leader/\(ChaosCluster.topic)/\(partition)/\(broker)")
        }
    }

    // MARK: Network

    private func onNetwork(_ fault: Fault) throws {
        guard let firewall else { throw ChaosError("\(fault) needs iptables") }
        switch fault {
        case .part(let some, let others):
            for (from, to) in some.flatMap({ one in others.map { (one, $0) } }) {
                try cut(from, to, firewall)
                try cut(to, from, firewall)
            }
        case .cutOneWay(let from, let to): try cut(from, to, firewall)
        case .cutFromKafka(let node): try firewall.lose(from: cluster.user(node), .ports(cluster.kafkaPorts))
        case .lose(let percent):
            for node in cluster.all { try firewall.lose(from: cluster.user(node), .share(percent: percent)) }
        default: try firewall.heal()
        }
    }

    private func cut(_ from: Int, _ to: Int, _ firewall: Firewall) throws {
        try firewall.lose(from: cluster.user(from), .address(cluster.host(to)))
    }

    // MARK: Disk

    private func filler(_ node: Int) -> String { cluster.data(node) + "/filler" }

    private func fillDisk(_ node: Int) throws {
        try Data().write(to: URL(fileURLWithPath: filler(node)))
        let file = try FileHandle(forWritingTo: URL(fileURLWithPath: filler(node)))
        defer { try? file.close() }
        // Down to the last block.
        for size in [1 << 20, 64 << 10, 4 << 10] {
            while (try? file.write(contentsOf: Data(repeating: 0xA5, count: size))) != nil {}
        }
    }

    /// Every second page of the store is turned over, from the second on: SQLite opens it, and what is read is wrong.
    private func corruptSnapshots(_ node: Int) throws {
        let path = cluster.data(node) + "/snapshots/snapshots.db"
        for suffix in ["-wal", "-shm"] where FileManager.default.fileExists(atPath: path + suffix) {
            try FileManager.default.removeItem(atPath: path + suffix)
        }
        guard var data = FileManager.default.contents(atPath: path) else { throw ChaosError("there is no \(path)") }
        for page in stride(from: 4_096 * 2, to: data.count, by: 8_192) {
            for index in page..<min(page + 4_096, data.count) where UInt64.random(in: 0..<64, using: &random) == 0 {
                data[index] ^= 0xFF
            }
        }
        try data.write(to: URL(fileURLWithPath: path))
    }

    // MARK: Poison

    private static let poisons: [(key: String?, value: [UInt8]?)] = [
        (nil, nil), (nil, Array("{".utf8)), ("GR86-001-1", nil), ("GR86-001-1", []), ("x", [0xFF, 0xFE, 0x00]),
        (nil, Array("[1,2,null,\"\"]".utf8)), ("GR86-001-1", Array("{\"chassis\":\"\"}".utf8)),
        ("GR86-001-1", Array("{\"chassis\":\"GR86-001-1\",\"speed_kmh\":1e999}".utf8)),
        ("GR86-001-1", Array("{\"chassis\":\"GR86-001-1\",\"speed_kmh\":NaN}".utf8)),
        (nil, Array(String(repeating: "[", count: 5_000).utf8)), (nil, Array("{\"slipstream\":\"flush\"}".utf8)),
        ("k", Array("{\"slipstream\":\"no such thing\"}".utf8)), (nil, Array(repeating: 0x20, count: 100_000)),
    ]

    private func poison(_ count: Int) throws {
        let now = Timestamp(milliseconds: Int64(Date().timeIntervalSince1970 * 1_000))
        let records = (0..<count).map { index in
            let (key, value) = Faults.poisons[index % Faults.poisons.count]
            return NewRecord(
                partition: PartitionID(Int.random(in: 0..<cluster.options.partitions, using: &random)),
                key: key.map { Array($0.utf8) }, value: value, timestamp: now)
        }
        _ = try oracle.topic.append(records)
    }
}
