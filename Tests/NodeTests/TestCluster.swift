import Foundation
import Glibc
import JSON
import Kafka

/// Nodes as processes around a simulated Kafka in this one.
final class TestCluster {
    let kafka: MockCluster
    private(set) var nodes: [NodeProcess] = []
    private let common: [String]
    private let gossipPorts: [Int]

    /// - Parameter nodesMax: how many may ever be added.
    init(
        partitions: Int = 6, replicas: Int = 2, brokers: Int = 1, nodesMax: Int = 4, arguments: [String] = []
    ) throws {
        kafka = try MockCluster(brokers: brokers)
        try kafka.createTopic("telemetry.chassis", partitions: partitions)
        try kafka.createTopic("telemetry.chassis.dlq", partitions: 1)
        gossipPorts = try (0..<nodesMax).map { _ in try TestCluster.freePort() }
        common =
            [
                "--udp", "off", "--kafka", kafka.addresses, "--replicas", "\(replicas)", "--join",
                gossipPorts.map { "127.0.0.1:\($0)" }.joined(separator: ","),
            ] + arguments
    }

    deinit { kafka.close() }

    /// Starts another node, called n1, n2, …, and waits until it is ready.
    @discardableResult
    func add(environment: [String: String] = [:]) async throws -> NodeProcess {
        let node = try prepare(environment)
        try await node.start()
        return node
    }

    private func prepare(_ environment: [String: String]) throws -> NodeProcess {
        let number = nodes.count
        let node = try NodeProcess(
            ["--node-id", "n\(number + 1)", "--gossip-port", "\(gossipPorts[number])"] + common,
            environment: environment)
        nodes.append(node)
        return node
    }

    /// Waits until each of these nodes sees all of them, and all shards with as many live replicas, none draining.
    func settle(_ members: [NodeProcess]? = nil, replicas: Int = 2) async throws {
        let members = members ?? nodes
        try await eventually(within: 30, "\(members.count) nodes agree") {
            var views: Set<String> = []
            for node in members {
                let page = try await node.json("/v1/cluster?streams=off")
                guard page["members"]?.array?.count == members.count, let shards = page["shards"]?.array,
                    shards.allSatisfy({ shard in
                        let states = shard["replicas"]?.array?.map { $0["state"]?.string }
                        return states?.count == replicas && states?.allSatisfy { $0 == "live" } == true
                    })
                else { return false }
                views.insert(page["view"]?.string ?? "")
            }
            return views.count == 1
        }
    }

    /// A port that nobody has just now, for UDP and TCP.
    private static func freePort() throws -> Int {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = in_addr_t(0x7f00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, size) == 0 && getsockname(descriptor, $0, &size) == 0
            }
        }
        guard isBound else { throw NodeProcess.Failure(description: "no port is free") }
        return Int(in_port_t(bigEndian: address.sin_port))
    }
}
